"""What is written can be read again, with the colors it had."""

import io
import struct

import pytest
from PIL import Image, ImageCms

import u2demo as u2
from u2demo.images.write import encode, suffix


def profile_with_red_and_blue_exchanged(length):
    """Return an RGB profile of ``length`` bytes in which (254, 0, 0) is blue."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    return struct.pack(">I", length) + exchanged[4:].ljust(length - 4, b"\0")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_color_profile_goes_along(mode, suffix):
    photo = Image.new("RGB", (8, 8))
    photo.info["icc_profile"] = profile_with_red_and_blue_exchanged(4000)
    written = encode(Image.new(mode, (8, 8), "red"), suffix, like=photo)
    assert u2.open_image(io.BytesIO(written)).info == photo.info


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_profile_too_long_for_readers_of_png_is_applied(mode):
    photo = Image.new("RGB", (8, 8))
    photo.info["icc_profile"] = profile_with_red_and_blue_exchanged(1_200_000)
    written = encode(Image.new(mode, (8, 8), (254, 0, 0)), ".png", like=photo)
    picture = Image.open(io.BytesIO(written))
    assert (picture.mode, picture.info) == (mode, {})
    red, green, blue = picture.getpixel((0, 0))[:3]
    assert blue > 250 and max(red, green) < 5


def test_a_profile_that_is_too_long_and_damaged_is_left_out():
    photo = Image.new("RGB", (8, 8))
    photo.info["icc_profile"] = bytes(1_200_000)
    written = encode(Image.new("RGBA", (8, 8), (254, 0, 0)), ".png", like=photo)
    assert Image.open(io.BytesIO(written)).getpixel((0, 0)) == (254, 0, 0, 255)


@pytest.mark.parametrize("format", ["auto", "webp", "png"])
def test_a_picture_with_one_transparent_color_stays_transparent(format):
    picture = Image.new("RGB", (9, 6), "teal")
    picture.paste("red", (0, 0, 4, 6))
    picture.info["transparency"] = (255, 0, 0)
    kind = suffix(picture, format)
    assert kind in (".png", ".webp")
    opened = Image.open(io.BytesIO(encode(picture, kind, like=Image.new("RGB", (9, 6)))))
    alpha = opened.convert("RGBA").getchannel("A")
    assert alpha.getpixel((1, 1)) == 0 and alpha.getpixel((8, 1)) == 255
