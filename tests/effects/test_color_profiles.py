"""A color that somebody asks for looks so, whatever the photo's profile."""

import numpy as np
import pytest
from PIL import Image, ImageCms

import u2demo as u2
from u2demo.images.colors import convert
from u2demo.images.profiles import adobe_rgb, of_code_points

ORANGE = (255, 102, 0)


@pytest.fixture
def adobe(scene):
    """The scene as a photo in Adobe RGB."""
    image, mask = scene
    image.info["icc_profile"] = adobe_rgb()
    return image, mask


def look(picture):
    """Return the picture as it looks, in sRGB."""
    return np.asarray(convert(picture, picture.info.get("icc_profile"), None)).astype(int)


def test_a_brand_color_looks_as_asked_for_behind_a_photo_with_a_profile(adobe):
    picture = u2.replace_background(*adobe, "#ff6600")
    assert np.abs(look(picture)[0, 0] - ORANGE).max() <= 1
    assert picture.getpixel((0, 0)) != ORANGE


def test_a_tint_and_the_line_of_a_box_look_as_asked_for_too(adobe):
    tinted = look(u2.highlight(*adobe, color=ORANGE, strength=1))
    boxed = look(u2.draw_box(*adobe, color="#ff6600", width=1))
    assert np.abs(tinted[2, 3] - ORANGE).max() <= 1
    assert np.abs(boxed[1, 2] - ORANGE).max() <= 1


def test_a_color_is_written_as_asked_for_where_the_profile_is_srgb(scene):
    image, mask = scene
    srgb = ImageCms.createProfile("sRGB")
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(srgb).tobytes()
    assert u2.replace_background(image, mask, ORANGE).getpixel((0, 0)) == ORANGE


@pytest.mark.parametrize("profile", [None, adobe_rgb(), of_code_points(12, 13)])
@pytest.mark.parametrize("other", [None, adobe_rgb(), of_code_points(12, 13)])
def test_a_background_photo_looks_as_it_did(profile, other, scene):
    image, mask = scene
    backdrop = Image.new("RGB", image.size, (90, 150, 110))
    for photo, icc in ((image, profile), (backdrop, other)):
        if icc:
            photo.info["icc_profile"] = icc
    picture = u2.replace_background(image, mask, backdrop)
    assert picture.info.get("icc_profile") == profile
    assert np.abs(look(picture)[0, 0] - look(backdrop)[0, 0]).max() <= 2
    assert picture.getpixel((3, 2)) == image.getpixel((3, 2))


@pytest.mark.parametrize(
    "damaged", [b"no profile", adobe_rgb()[:200], adobe_rgb()[:160] + b"x" * 400]
)
def test_a_damaged_profile_costs_no_picture(damaged, scene):
    image, mask = scene
    image.info["icc_profile"] = damaged
    assert u2.replace_background(image, mask, ORANGE).getpixel((0, 0)) == ORANGE
