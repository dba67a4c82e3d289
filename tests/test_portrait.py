"""A face is framed as the authors frame it; lines become ink; a drawing lies over its photo."""

import sys
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from u2demo import portrait
from u2demo.images.profiles import adobe_rgb
from u2demo.masks.box import Box
from u2demo.portrait import blend_drawing, draw_lines, draw_portrait, find_face, frame_portrait


class DrawsRed(torch.nn.Module):
    """A net whose map is the photo's red channel, in arbitrary units."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.01))

    def forward(self, x):
        return (self.scale * x[:, :1],)


@pytest.fixture
def photo():
    """Blue, 300x200, with a red face of 50x50 at (100, 80)."""
    image = Image.new("RGB", (300, 200), "blue")
    image.paste((255, 0, 0), (100, 80, 150, 130))
    return image


FACE = Box(100, 80, 150, 130)


def test_a_face_is_framed_with_the_authors_margins(photo):
    # 50 pixels and 20 on each side, 30 above, 10 below: a square of 90 at (80, 50)
    red = np.asarray(frame_portrait(photo, face=FACE))[:, :, 0] > 127
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    scale = 512 / 90
    found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert found == pytest.approx((20 * scale, 30 * scale, 70 * scale, 80 * scale), abs=1)


def test_beyond_the_photo_the_frame_is_white(photo):
    frame = frame_portrait(photo, face=Box(0, 0, 50, 50))
    assert frame.getpixel((0, 0)) == (255, 255, 255)
    assert frame.getpixel((511, 511)) == (0, 0, 255)


def test_an_oblong_face_is_framed_in_a_square_without_stretching(photo):
    frame = frame_portrait(photo, face=Box(100, 80, 150, 110))  # 90 wide, 54 high, then square
    red = np.asarray(frame)[:, :, 0] > 127
    assert red.any(0).sum() == pytest.approx(50 * 512 / 90, abs=1)
    assert red.any(1).sum() == pytest.approx(50 * 512 / 90, abs=1)


def test_a_framed_face_keeps_the_photos_color_profile(photo):
    photo.info["icc_profile"] = adobe_rgb()
    assert frame_portrait(photo, face=FACE).info == {"icc_profile": adobe_rgb()}


def test_lines_become_black_ink_on_white_paper(photo):
    drawing = draw_portrait(DrawsRed(), photo, face=FACE)
    assert (drawing.mode, drawing.size) == ("L", (512, 512))
    assert drawing.getpixel((256, 300)) == 0  # in the face
    assert drawing.getpixel((2, 2)) == 255


def test_a_photo_without_lines_stays_white():
    drawing = draw_lines(DrawsRed(), Image.new("RGB", (20, 10), "gray"))
    assert drawing.getextrema() == (255, 255)


def test_a_drawing_has_the_size_of_its_photo_and_lies_where_its_lines_are(photo):
    drawing = draw_lines(DrawsRed(), photo)
    assert drawing.size == photo.size
    assert drawing.getpixel((125, 105)) < 10 and drawing.getpixel((200, 105)) > 245


def test_alpha_goes_from_drawing_to_photo(photo):
    drawing = Image.new("L", photo.size, 100)
    assert blend_drawing(photo, drawing, alpha=0).getextrema() == ((100, 100),) * 3
    assert blend_drawing(photo, drawing, alpha=1, sigma=0).tobytes() == photo.tobytes()
    half = blend_drawing(photo, drawing, alpha=0.5, sigma=0)
    assert half.getpixel((0, 0)) == pytest.approx((50, 50, 177), abs=1)


def test_a_blend_keeps_the_photos_color_profile(photo):
    photo.info["icc_profile"] = adobe_rgb()
    blend = blend_drawing(photo, Image.new("L", photo.size))
    assert blend.info == {"icc_profile": adobe_rgb()}


def test_sigma_blurs_the_photo_only(photo):
    drawing = draw_lines(DrawsRed(), photo)
    sharp, soft = (blend_drawing(photo, drawing, alpha=a) for a in (0, 1))
    assert sharp.getchannel("R").tobytes() == drawing.tobytes()
    assert 0 < soft.getpixel((98, 105))[0] < 255


@pytest.mark.parametrize(
    ("options", "reason"), [({"alpha": 2}, "alpha is 2"), ({"sigma": -1}, "sigma is -1")]
)
def test_impossible_blends_are_refused(options, reason, photo):
    with pytest.raises(ValueError, match=reason):
        blend_drawing(photo, Image.new("L", photo.size), **options)


def test_the_drawing_of_another_photo_is_refused(photo):
    with pytest.raises(ValueError, match="the drawing is 512x512 but the photo is 300x200"):
        blend_drawing(photo, Image.new("L", (512, 512)))


def test_arguments_stay_as_they_are(photo):
    before = photo.tobytes()
    drawing = draw_lines(DrawsRed(), photo)
    kept = drawing.tobytes()
    frame_portrait(photo, face=FACE)
    blend_drawing(photo, drawing)
    assert photo.tobytes() == before and drawing.tobytes() == kept


# Finding faces


def hide(monkeypatch, package):
    """Make every import from ``package`` fail."""
    loaded = [name for name in sys.modules if name.partition(".")[0] == package]
    for name in {package, *loaded}:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("package", ["cv2", "skimage"])
@pytest.mark.parametrize("size", [512, 1500])
def test_the_face_of_the_astronaut_is_found(package, size, samples, monkeypatch):
    module = pytest.importorskip(package)
    if package == "cv2" and not hasattr(module, "CascadeClassifier"):
        pytest.skip("OpenCV 5 has no cascades")
    hide(monkeypatch, "skimage" if package == "cv2" else "cv2")
    face = find_face(samples["astronaut.jpg"].resize((size, size)))
    eyes_and_mouth = Box(192, 90, 256, 150)  # of the 512 pixels
    scaled = [edge * size / 512 for edge in eyes_and_mouth]
    assert face.left < scaled[0] and face.top < scaled[1]
    assert face.right > scaled[2] and face.bottom > scaled[3]
    assert face.right - face.left < size / 4


def let_faces_be(faces, monkeypatch):
    """Put a detector that finds ``faces`` in place of OpenCV's."""
    monkeypatch.setattr(portrait, "_detector_of_opencv", lambda: lambda gray: faces)


def test_a_photo_without_a_face_gives_a_warning(monkeypatch):
    let_faces_be([], monkeypatch)
    with pytest.warns(UserWarning, match="no face was found"):
        assert find_face(Image.new("RGB", (300, 200), "blue")) is None


def test_whether_a_warning_is_repeated_is_for_the_host_to_say(monkeypatch):
    let_faces_be([], monkeypatch)
    seen = {}
    for action in ("always", "default"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)
            for _ in range(2):
                frame_portrait(Image.new("RGB", (300, 200), "blue"))
        seen[action] = len(caught)
    assert seen == {"always": 2, "default": 1}


def test_looking_for_a_face_leaves_the_filters_of_warnings_alone(monkeypatch):
    let_faces_be([], monkeypatch)
    with warnings.catch_warnings(record=True):
        filters, before = warnings.filters, list(warnings.filters)
        find_face(Image.new("RGB", (300, 200), "blue"))
        assert warnings.filters is filters and warnings.filters == before


def test_the_largest_face_is_taken_in_pixels_of_the_photo(monkeypatch):
    let_faces_be([Box(0, 0, 20, 20), Box(100, 100, 150, 150), Box(300, 0, 330, 30)], monkeypatch)
    assert find_face(Image.new("RGB", (1600, 1600))) == Box(200, 200, 300, 300)


def test_without_a_detector_the_center_is_taken_with_a_warning(monkeypatch):
    hide(monkeypatch, "cv2")
    hide(monkeypatch, "skimage")
    image = Image.new("RGB", (300, 200), "blue")
    image.paste((255, 0, 0), (50, 0, 250, 200))  # the center square
    with pytest.warns(UserWarning, match="opencv-python-headless<5 or scikit-image"):
        frame = frame_portrait(image)
    assert frame.getextrema() == ((255, 255), (0, 0), (0, 0))
