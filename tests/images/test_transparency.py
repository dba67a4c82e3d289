"""What is transparent in a file is transparent in the image, whichever way the file says so."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from u2demo.images.read import open_image
from u2demo.images.rgb import as_photo, as_rgb


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def keyed_png(depth, color, pixels, key):
    """Return a PNG, one row high, whose packed ``pixels`` of one color are transparent."""
    size = len(pixels) * 8 // (depth * {0: 1, 2: 3}[color])
    header = struct.pack(">2I5B", size, 1, depth, color, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", key), (b"IDAT", zlib.compress(b"\0" + pixels))]
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in [*chunks, (b"IEND", b"")]))


KEYED = {  # pixels of which the first has the transparent color, and the last has not
    "1-bit gray": (1, 0, b"\x80", b"\0\1"),
    "2-bit gray": (2, 0, b"\x80", b"\0\2"),
    "4-bit gray": (4, 0, b"\xe0", b"\0\x0e"),
    "8-bit gray": (8, 0, b"\x64\x00", b"\0\x64"),
    "16-bit gray": (16, 0, b"\x12\x34\x12\x35", b"\x12\x34"),
    "8-bit RGB": (8, 2, b"\1\2\3\0\0\0", b"\0\1\0\2\0\3"),
    "16-bit RGB": (16, 2, b"\x12\x34\x56\x78\x9a\xbc" + bytes(6), b"\x12\x34\x56\x78\x9a\xbc"),
}


@pytest.mark.parametrize("kind", KEYED)
def test_one_color_of_a_png_is_transparent_at_every_depth(kind):
    image = open_image(keyed_png(*KEYED[kind]))
    alpha = image.getchannel("A")
    assert (alpha.getpixel((0, 0)), alpha.getpixel((image.width - 1, 0))) == (0, 255)


def test_deep_gray_is_scaled_beside_its_transparent_gray():
    image = open_image(keyed_png(16, 0, b"\x12\x34\xff\xff", b"\x12\x34"))
    assert image.getpixel((1, 0)) == (255, 255, 255, 255)


def with_alpha(mode, alpha):
    """Return a picture of three pixels in ``mode`` with this alpha."""
    picture = Image.new("RGBA", (3, 1), (200, 100, 50, 255))
    picture.putalpha(Image.fromarray(np.uint8([alpha])))
    if mode == "PA":
        palette = Image.new("P", (3, 1))
        palette.putpalette([200, 100, 50])
        return Image.merge("PA", (palette, picture.getchannel("A")))
    return picture.convert("LA").convert(mode) if "L" in mode.upper() else picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "La", "PA"])
def test_every_mode_with_alpha_becomes_rgba_with_straight_colors(mode):
    image = as_photo(with_alpha(mode, [0, 128, 255]))
    assert image.mode == "RGBA"
    assert list(image.getchannel("A").tobytes()) == [0, 128, 255]
    assert np.abs(np.int16(image.getpixel((1, 0))[:3]) - image.getpixel((2, 0))[:3]).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_that_hides_nothing_is_not_kept(mode):
    assert as_photo(with_alpha(mode, [255, 255, 255])).mode == "RGB"


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_formats_with_alpha_keep_it(file_format, two_tone):
    picture = two_tone.convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 10, 24))
    file = io.BytesIO()
    try:
        picture.save(file, file_format)
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write {file_format}: {error}")
    alpha = np.asarray(open_image(file).getchannel("A"))
    assert alpha[:, :9].max() == 0
    assert alpha[:, 11:].min() == 255


def test_a_palette_may_be_half_transparent():
    palette = Image.new("P", (2, 1))
    palette.putpalette([200, 100, 50, 1, 2, 3])
    palette.putpixel((1, 0), 1)
    file = io.BytesIO()
    palette.save(file, "PNG", transparency=b"\x40\xff")
    image = open_image(file)
    assert (image.getpixel((0, 0)), image.getpixel((1, 0))) == ((200, 100, 50, 64), (1, 2, 3, 255))


def test_a_transparent_photo_as_from_open_image_is_not_copied():
    photo = with_alpha("RGBA", [0, 128, 255])
    assert as_photo(photo) is photo
    assert as_rgb(photo).getpixel((0, 0)) == (255, 255, 255)


def test_a_gif_is_transparent_where_its_picture_does_not_reach():
    file = io.BytesIO()
    Image.new("P", (4, 3)).save(file, "GIF")
    data = bytearray(file.getvalue())
    frame = data.index(b",\0\0\0\0")
    struct.pack_into("<2H", data, 6, 8, 5)  # the screen
    struct.pack_into("<2H", data, frame + 1, 3, 2)  # where the picture begins on it
    alpha = np.asarray(open_image(io.BytesIO(data)))[..., 3]
    expected = np.zeros((5, 8), np.uint8)
    expected[2:5, 3:7] = 255
    assert np.array_equal(alpha, expected)


def test_a_webp_is_transparent_where_its_first_frame_does_not_reach():
    file = io.BytesIO()
    Image.new("RGB", (4, 3)).save(file, "WEBP", lossless=True)
    where = b"".join(number.to_bytes(3, "little") for number in (1, 1, 3, 2, 100)) + b"\0"
    frame = where + file.getvalue()[12:]  # from (2, 2) on, in steps of two
    screen = b"\2\0\0\0" + (9).to_bytes(3, "little") + (5).to_bytes(3, "little")
    chunks = (b"VP8X", screen), (b"ANIM", bytes(6)), (b"ANMF", frame)
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data for kind, data in chunks)
    file = io.BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body)
    expected = np.zeros((6, 10), np.uint8)
    expected[2:5, 2:6] = 255
    assert np.array_equal(np.asarray(open_image(file))[..., 3], expected)
