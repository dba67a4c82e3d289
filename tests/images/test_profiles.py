"""Profiles made by hand say what the standards say, as little CMS reads them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from u2demo.images.profiles import (
    SRGB,
    Primaries,
    adobe_rgb,
    is_for,
    of_chromaticities,
    of_code_points,
)


def seen(profile, *colors):
    """Return what colors with this profile look like: in sRGB."""
    picture = Image.new("RGB", (len(colors), 1))
    for x, color in enumerate(colors):
        picture.putpixel((x, 0), color)
    given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    result = ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"))
    return [result.getpixel((x, 0)) for x in range(len(colors))]


def test_adobe_rgb_is_what_adobe_says():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(adobe_rgb())).profile
    # Adobe RGB (1998) Color Image Encoding, 4.3.5.2: the columns of its ICC profile's matrix.
    columns = [profile.red_colorant, profile.green_colorant, profile.blue_colorant]
    expected = [
        (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)
    ]  # fmt: skip
    assert np.allclose([xyz for xyz, _ in columns], expected, atol=2e-4)
    assert seen(adobe_rgb(), (90, 180, 60), (128, 128, 128)) == [(0, 181, 42), (129, 129, 129)]


def test_white_and_gray_of_a_profile_are_those_of_little_cms():
    wide = of_code_points(12, 13)  # Display P3 has sRGB's white and curve
    own = ImageCms.ImageCmsProfile(io.BytesIO(wide)).profile
    known = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).profile
    assert np.allclose(own.chromatic_adaptation[0], known.chromatic_adaptation[0], atol=2e-4)
    grays = [(level,) * 3 for level in range(0, 256, 5)]
    assert np.abs(np.subtract(seen(wide, *grays), grays)).max() <= 1


def test_red_of_display_p3_is_redder_than_srgbs():
    (seen_red,) = seen(of_code_points(12, 13), (234, 51, 35))
    assert np.abs(np.subtract(seen_red, (255, 0, 0))).max() <= 3


@pytest.mark.parametrize("points", [(1, 13), (1, 1), (2, 2), (1, 2), (1, 6), (0, 13), (12, 99)])
def test_srgb_and_what_nobody_knows_needs_no_profile(points):
    assert of_code_points(*points) is None


@pytest.mark.parametrize(("transfer", "white"), [(16, 148), (18, 191)])  # 58 % and 75 %: BT.2408
def test_white_of_pq_and_hlg_looks_white_and_what_is_brighter_no_darker(transfer, white):
    grays = [(level,) * 3 for level in range(256)]
    levels = [gray[0] for gray in seen(of_code_points(9, transfer), *grays)]
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert 235 <= levels[white] <= 250
    assert levels[255] == 255


def test_chromaticities_of_a_png_make_a_profile():
    adobe = Primaries((0.3127, 0.329), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
    (green,) = seen(of_chromaticities(adobe, 2.2), (90, 180, 60))
    assert np.abs(np.subtract(green, (0, 181, 42))).max() <= 1
    (gray,) = seen(of_chromaticities(SRGB, 1.0), (55, 55, 55))
    assert abs(gray[0] - 128) <= 1


@pytest.mark.parametrize("gamma", [2.2, 1 / 0.45455])
def test_chromaticities_of_srgb_need_none(gamma):
    assert of_chromaticities(SRGB, gamma) is None


NONE, LINE = (0.0, 0.0), Primaries((0.3, 0.3), (0.1, 0.1), (0.2, 0.2), (0.3, 0.3))


@pytest.mark.parametrize(
    "primaries", [Primaries(NONE, NONE, NONE, NONE), LINE, SRGB._replace(white=(0.9, 0.05))]
)
def test_chromaticities_that_span_no_colors_make_none(primaries):
    assert of_chromaticities(primaries, 1.8) is None


@pytest.mark.parametrize("gamma", [0.001, 1000.0, float("inf")])
def test_an_absurd_gamma_makes_none(gamma):
    assert of_chromaticities(SRGB, gamma) is None


def test_a_profile_says_what_it_is_for():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert is_for(adobe_rgb(), b"RGB ")
    assert not is_for(lab, b"RGB ")
    for nonsense in (None, b"", b"a profile", bytes(999), adobe_rgb()[:100], "text"):
        assert not is_for(nonsense, b"RGB ")
