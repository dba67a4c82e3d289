"""A photo of any mode, depth and orientation becomes upright; whoever needs RGB gets RGB."""

import io

import numpy as np
import pytest
from PIL import Image

from u2demo.images.read import open_image
from u2demo.images.rgb import as_rgb

RED, GREEN, BLUE = (254, 0, 0), (0, 255, 0), (0, 0, 254)


def encoded(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file


def png(picture, **options):
    return encoded(picture, "PNG", **options)


def close(pixel, expected, tolerance=6):
    return max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) <= tolerance


@pytest.fixture
def keyed():
    """A PNG in mode RGB whose green is transparent, as Pillow itself opens it."""
    picture = Image.new("RGB", (4, 3), GREEN)
    picture.putpixel((0, 0), (1, 2, 3))
    return Image.open(png(picture, transparency=GREEN))


def test_what_needs_rgb_sees_white_where_a_color_is_transparent(keyed):
    assert keyed.mode == "RGB"
    rgb = as_rgb(keyed)
    assert [rgb.getpixel(place) for place in ((0, 0), (1, 0))] == [(1, 2, 3), (255, 255, 255)]
    assert rgb.tobytes() == as_rgb(open_image(png(keyed))).tobytes()


def test_a_plain_rgb_photo_is_not_copied():
    photo = Image.new("RGB", (4, 3))
    assert as_rgb(photo) is photo


def test_the_photo_stays_as_it_was(keyed):
    before = keyed.tobytes(), dict(keyed.info)
    as_rgb(keyed)
    assert (keyed.tobytes(), keyed.info) == before


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16"])
def test_every_mode_of_pillow_becomes_rgb(mode):
    assert as_rgb(Image.new(mode, (4, 3))).mode == "RGB"


@pytest.mark.parametrize("image", [None, "cat.jpg", b"\xff\xd8"])
def test_an_object_that_is_not_an_image_is_called_by_its_type(image):
    with pytest.raises(TypeError, match=f"not {type(image).__name__}"):
        as_rgb(image)


def test_an_image_without_pixels_is_refused():
    with pytest.raises(ValueError, match="0x3"):
        as_rgb(Image.new("RGB", (0, 3)))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_photos_upright(orientation, file_format):
    upright = Image.new("RGB", (40, 24), BLUE)
    upright.paste(RED, (0, 0, 8, 8))  # marks the top left corner
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = open_image(encoded(stored, file_format, exif=exif))
    assert image.size == (40, 24)
    assert close(image.getpixel((3, 3)), RED, 30)
    assert close(image.getpixel((36, 20)), BLUE, 30)


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("LA", (100, 255), (100, 100, 100)),
        ("LA", (100, 0), (255, 255, 255)),
        ("RGBA", (*RED, 255), RED),
        ("RGBA", (*RED, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
    ],
)
def test_every_mode_becomes_rgb_on_white(mode, pixel, expected):
    image = as_rgb(open_image(encoded(Image.new(mode, (3, 2), pixel), "PNG")))
    assert image.getpixel((1, 1)) == expected


def test_a_palette_becomes_its_colors(two_tone):
    image = open_image(encoded(two_tone.quantize(2), "PNG"))
    assert close(image.getpixel((5, 12)), RED)
    assert close(image.getpixel((35, 12)), BLUE)


def test_cyan_ink_becomes_cyan_light():
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    red, green, blue = open_image(encoded(cyan, "JPEG")).getpixel((8, 8))
    assert red < 40
    assert min(green, blue) > 140


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_scales_16_bit_gray_instead_of_clipping_it(file_format):
    samples = np.array([[0, 257, 32896, 65535]], np.uint16)
    image = open_image(encoded(Image.fromarray(samples), file_format))
    assert [image.getpixel((x, 0))[0] for x in range(4)] == [0, 1, 128, 255]


def test_float_samples_are_scaled_and_bad_ones_become_black_or_white():
    samples = np.array([[0, 0.5, 1, np.nan, np.inf, -np.inf]], np.float32)
    samples.view(np.uint32)[0, 3] = 0x7F800001  # the kind of NaN that NumPy warns of
    image = open_image(encoded(Image.fromarray(samples), "TIFF"))
    assert [image.getpixel((x, 0))[0] for x in range(6)] == [0, 128, 255, 0, 255, 0]


@pytest.mark.parametrize(("peak", "white"), [(1.0001, 1), (3, 3), (200, 255), (9e9, 9e9)])
def test_floats_in_memory_are_as_bright_as_those_of_a_file(peak, white):
    samples = np.linspace(0, peak, 100, dtype=np.float32)[None]
    gray = np.asarray(as_rgb(Image.fromarray(samples)))[..., 0]
    assert np.abs(gray - (samples / white).clip(0, 1) * 255).max() <= 1
    assert np.array_equal(gray, open_image(encoded(Image.fromarray(samples), "TIFF")).getchannel(0))
