"""Pillow reads what encode_png writes."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from u2demo.images import png


def decoded(data):
    return Image.open(io.BytesIO(data))


def noise(mode, size, seed=0):
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], bands), np.uint8)
    return Image.fromarray(pixels.squeeze(2) if bands == 1 else pixels)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (33, 65), (641, 479)])
def test_pixels_come_back(mode, size):
    image = noise(mode, size)
    again = decoded(png.encode_png(image))
    assert (again.format, again.mode, again.size) == ("PNG", mode, size)
    assert again.tobytes() == image.tobytes()


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("strip", [1, 700, 2**19])
def test_pixels_come_back_with_any_filter_and_any_strips(monkeypatch, kind, strip):
    monkeypatch.setattr(png, "_FILTERS", (kind,))
    monkeypatch.setattr(png, "_STRIP", strip)
    image = noise("RGBA", (50, 37))
    assert decoded(png.encode_png(image)).tobytes() == image.tobytes()


def test_a_picture_that_is_mostly_empty_comes_back(monkeypatch):
    monkeypatch.setattr(png, "_STRIP", 300)
    image = Image.new("RGBA", (40, 90))
    image.paste(noise("RGBA", (9, 20)), (5, 33))
    assert decoded(png.encode_png(image)).tobytes() == image.tobytes()


def test_the_stream_of_all_strips_ends_with_its_checksum():
    image = noise("RGB", (400, 900))
    file, stream = io.BytesIO(png.encode_png(image)), b""
    file.seek(8)
    while head := file.read(8):
        length, name = struct.unpack(">I4s", head)
        stream += file.read(length) if name == b"IDAT" else file.read(length) * 0
        file.seek(4, io.SEEK_CUR)
    assert len(zlib.decompress(stream)) == 900 * (1 + 3 * 400)  # raises where Adler-32 differs


def test_files_are_verified_whole():
    image = noise("RGB", (400, 900))
    data = bytearray(png.encode_png(image))
    decoded(data).verify()  # the checksum of every chunk
    data[len(data) // 2] ^= 1
    with pytest.raises((SyntaxError, OSError)):
        decoded(data).verify()


def test_a_color_profile_comes_back():
    profile = bytes(range(256)) * 3
    assert (
        decoded(png.encode_png(noise("RGB", (9, 9)), icc_profile=profile)).info["icc_profile"]
        == profile
    )


def test_a_photo_is_smaller_than_with_pillows_fast_level(samples):
    image = samples["astronaut.jpg"].resize((1500, 1500))
    fast = io.BytesIO()
    image.save(fast, "PNG", compress_level=1)
    assert len(png.encode_png(image)) < fast.tell()
