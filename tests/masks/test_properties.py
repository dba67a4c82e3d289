"""Promises for whatever photos and masks there are; hypothesis looks for one that fails."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

import u2demo as u2
from u2demo.images.read import open_image
from u2demo.machine.names import fold_name, safe_name

# The same examples each time, and no deadline: machines are slow now and then.
quick = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

sides = st.integers(1, 24)
MODES = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"],
    "JPEG": ["L", "RGB", "CMYK"],
    "WEBP": ["RGB", "RGBA"],
    "GIF": ["1", "L", "P"],
    "BMP": ["1", "L", "P", "RGB"],
}


@st.composite
def stored_photos(draw):
    """Draw (format, picture, options of ``save``): any mode, size, palette and metadata."""
    file_format = draw(st.sampled_from(sorted(MODES)))
    mode = draw(st.sampled_from(MODES[file_format]))
    size = draw(sides), draw(sides)
    seed = draw(st.integers(0, 2**32 - 1))
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), np.uint8)
    picture = Image.fromarray(noise)
    if mode == "I;16":
        picture = Image.fromarray(noise.view(np.uint16)[..., 0].copy())
    elif mode == "P":
        picture = picture.convert("RGB").quantize(draw(st.integers(2, 256)))
    else:
        picture = picture.convert("RGB" if mode in ("CMYK", "YCbCr") else "RGBA").convert(
            "L" if mode in "IF" else mode
        )
        picture = picture.convert(mode)
    options = {}
    if file_format in ("PNG", "TIFF", "JPEG", "WEBP"):
        exif = Image.Exif()
        exif[0x0112] = draw(st.integers(0, 10))
        exif[0x010E] = draw(st.text(st.characters(codec="ascii"), max_size=9))
        options["exif"] = exif
        options["icc_profile"] = draw(st.binary(max_size=200)) or None
    if mode == "P" and file_format in ("PNG", "GIF"):
        options["transparency"] = draw(st.integers(0, len(picture.getcolors()) - 1))
    return file_format, picture, options


@quick
@given(stored_photos())
def test_whatever_is_stored_comes_out_upright_in_rgb_or_rgba(stored):
    file_format, picture, options = stored
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    image = open_image(file)
    turned = options["exif"].get(0x0112) in (5, 6, 7, 8) if "exif" in options else False
    assert image.mode in ("RGB", "RGBA")
    assert image.size == (picture.size[::-1] if turned else picture.size)
    assert set(image.info) <= {"icc_profile", "dpi", "exif"}


@quick
@given(
    arrays.arrays(np.uint8, st.tuples(sides, sides, st.just(3))),
    st.sampled_from(["PNG", "TIFF", "BMP"]),
    st.integers(1, 8),
)
def test_pixels_of_lossless_files_are_kept_and_turned(pixels, file_format, orientation):
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif} if file_format != "BMP" else {}
    Image.fromarray(pixels).save(file, file_format, **options)
    turned = pixels.swapaxes(0, 1) if options and orientation > 4 else pixels
    # Columns right to left, rows bottom up: what EXIF's orientations are beside the diagonal.
    mirror = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
    down, right = mirror.get(orientation, (1, 1)) if options else (1, 1)
    np.testing.assert_array_equal(np.asarray(open_image(file)), turned[::down, ::right])


@quick
@given(arrays.arrays(np.float32, st.tuples(sides, sides), elements=st.floats(width=32)))
def test_samples_of_any_value_become_gray_in_their_order(samples):
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "TIFF")
    grey = np.asarray(open_image(file))[..., 0]
    known = ~np.isnan(samples)
    assert (grey[~known] == 0).all()
    order = np.argsort(samples[known], kind="stable")
    assert (np.diff(grey[known][order].astype(int)) >= 0).all()


@st.composite
def photos_and_masks(draw):
    height, width = draw(sides), draw(sides)
    pixels = draw(arrays.arrays(np.uint8, (height, width, 3)))
    levels = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1, width=32)
    return Image.fromarray(pixels), draw(
        arrays.arrays(np.float32, (height, width), elements=levels)
    )


@quick
@given(photos_and_masks())
def test_a_cutout_over_its_own_background_is_the_photo(pair):
    image, mask = pair
    cutout = u2.remove_background(image, mask)
    over = np.asarray(Image.alpha_composite(image.convert("RGBA"), cutout))[..., :3].astype(int)
    photo, alpha = np.asarray(image).astype(int), np.asarray(cutout)[..., 3]
    sure = (mask == 0) | (mask == 1)
    assert np.abs(over - photo)[sure].max(initial=0) <= 1
    np.testing.assert_array_equal(np.asarray(cutout)[..., :3][alpha == 255], photo[alpha == 255])
    np.testing.assert_array_equal(np.asarray(u2.replace_background(image, mask))[mask == 1],
                                  photo[mask == 1])  # fmt: skip


@quick
@given(photos_and_masks(), st.floats(0, 1))
def test_a_box_is_minimal_and_a_crop_has_its_size(pair, threshold):
    image, mask = pair
    box = u2.bounding_box(mask, threshold=threshold)
    rows, columns = np.nonzero(mask > threshold)
    if box is None:
        assert not rows.size
        assert u2.crop(image, mask, threshold=threshold).size == image.size
        return
    assert box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    size = box.right - box.left, box.bottom - box.top
    assert u2.crop(image, mask, threshold=threshold).size == size


@quick
@given(photos_and_masks(), st.sampled_from(sorted(u2.EFFECTS)))
def test_effects_keep_size_and_arguments(pair, name):
    image, mask = pair
    before = image.tobytes(), mask.tobytes()
    picture = u2.EFFECTS[name](image, mask)
    assert name in ("crop", "canvas") or picture.size == image.size
    assert (image.tobytes(), mask.tobytes()) == before


@quick
@given(photos_and_masks(), st.sampled_from(sorted(u2.EFFECTS)), st.integers(0, 3))
def test_masks_that_do_not_fit_are_refused(pair, name, kind):
    image, mask = pair
    wrong = [mask.astype(np.float64), mask[None], np.pad(mask, ((0, 1), (0, 0))), mask > 0.5][kind]
    with pytest.raises(ValueError, match=r"mask"):
        u2.EFFECTS[name](image, wrong)


@quick
@given(st.text(st.characters(), max_size=300) | st.text("./\\: -CONcon\0\n\u202e", max_size=12))
def test_any_text_becomes_a_safe_name(text):
    name = safe_name(text)
    assert name == safe_name(name) and name.isprintable() and name not in (".", "..")
    assert 0 < len(name.encode()) <= 181
    assert not set(name) & set('<>:"/\\|?*\0') and name[0] not in ".- " and name[-1] not in ". "
    assert fold_name(fold_name(name)) == fold_name(name)
