"""A subject that is moved and enlarged before another background is put behind it."""

import numpy as np
import pytest
from PIL import Image

import u2demo as u2
from u2demo.effects.moved import move_subject


@pytest.fixture
def photo():
    """A gray photo with a red square of 10 pixels in its middle, and the square's mask."""
    image = Image.new("RGB", (60, 40), "gray")
    image.paste("red", (25, 15, 35, 25))
    mask = np.zeros((40, 60), np.float32)
    mask[15:25, 25:35] = 1
    return image, mask


def test_a_subject_goes_where_it_is_moved_with_all_its_pixels(photo):
    image, mask = move_subject(*photo, across=0.25, down=-0.25)
    assert u2.bounding_box(mask) == (40, 5, 50, 15)
    made = u2.replace_background(image, mask, "blue")
    assert made.getpixel((40, 5)) == made.getpixel((49, 14)) == (255, 0, 0)
    assert made.getpixel((30, 20)) == (0, 0, 255), "it is not where it was"


@pytest.mark.parametrize(("zoom", "side"), [(2.0, 20), (0.5, 5)])
def test_it_is_enlarged_around_the_middle_of_the_photo(photo, zoom, side):
    image, mask = move_subject(*photo, zoom=zoom)
    left, top, right, bottom = u2.bounding_box(mask)
    assert (right - left, bottom - top) == pytest.approx((side, side), abs=1)
    assert (left + right) / 2 == pytest.approx(30, abs=0.5)
    assert image.size == (60, 40) and mask.shape == (40, 60)
    assert mask.min() >= 0 and mask.max() <= 1


def test_what_is_moved_out_of_the_picture_is_gone(photo):
    image, mask = move_subject(*photo, zoom=0.1, across=1.0)
    assert not mask.any() and image.size == (60, 40)


def test_without_a_change_nothing_is_made(photo):
    image, mask = move_subject(*photo)
    assert image is photo[0] and mask is photo[1]


def test_colors_and_transparency_come_along(photo):
    image, mask = photo
    image = image.convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.info["icc_profile"] = b"profile"
    moved, _ = move_subject(image, mask, across=0.5)
    assert moved.mode == "RGBA" and moved.info["icc_profile"] == b"profile"
    assert moved.getpixel((5, 20))[3] == 0, "there is no photo there"


@pytest.mark.parametrize("options", [{"zoom": 0}, {"zoom": 11}, {"across": 1.5}, {"down": np.nan}])
def test_what_is_out_of_range_is_refused(photo, options):
    with pytest.raises(ValueError, match="expected"):
        move_subject(*photo, **options)
