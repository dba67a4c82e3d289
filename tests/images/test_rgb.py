"""A photo in any mode becomes RGB, white where it was transparent."""

import io

import numpy as np
import pytest
from PIL import Image

import u2demo as u2
from u2demo.images.rgb import as_rgb

GREEN = (0, 255, 0)


def png(picture, **options):
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file


@pytest.fixture
def keyed():
    """A PNG in mode RGB whose green is transparent, as Pillow itself opens it."""
    picture = Image.new("RGB", (4, 3), GREEN)
    picture.putpixel((0, 0), (1, 2, 3))
    return Image.open(png(picture, transparency=GREEN))


def test_a_color_that_is_transparent_becomes_white(keyed):
    assert keyed.mode == "RGB"
    rgb = as_rgb(keyed)
    assert [rgb.getpixel(place) for place in ((0, 0), (1, 0))] == [(1, 2, 3), (255, 255, 255)]
    assert rgb.tobytes() == u2.open_image(png(keyed)).tobytes()


def test_effects_see_white_where_a_color_is_transparent(keyed):
    picture = u2.remove_background(keyed, np.ones((3, 4), np.float32))
    assert picture.getpixel((1, 0))[:3] == (255, 255, 255)


def test_a_plain_rgb_photo_is_not_copied():
    photo = Image.new("RGB", (4, 3))
    assert as_rgb(photo) is photo


def test_the_photo_stays_as_it_was(keyed):
    before = keyed.tobytes(), dict(keyed.info)
    as_rgb(keyed)
    assert (keyed.tobytes(), keyed.info) == before


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16"])
def test_every_mode_becomes_rgb(mode):
    assert as_rgb(Image.new(mode, (4, 3))).mode == "RGB"


@pytest.mark.parametrize("image", [None, "cat.jpg", b"\xff\xd8"])
def test_what_is_not_an_image_is_called_by_its_type(image):
    with pytest.raises(TypeError, match=f"not {type(image).__name__}"):
        as_rgb(image)


def test_an_image_without_pixels_is_refused():
    with pytest.raises(ValueError, match="0x3"):
        as_rgb(Image.new("RGB", (0, 3)))
