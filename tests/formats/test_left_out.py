"""What a file shows besides its picture is said in the image's info."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from test_baggage import XMP, encoded, mpf, segment

from u2demo.images.read import open_image

FRAMES = [Image.effect_noise((40, 24), 90).convert("RGB").rotate(turn) for turn in (0, 90, 180)]


def left_out(data):
    return open_image(io.BytesIO(data)).info.get("left_out", ())


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_frames_and_pages_after_the_first_are_counted(file_format):
    try:
        several = encoded(file_format, FRAMES[0], save_all=True, append_images=FRAMES[1:])
        two = encoded(file_format, FRAMES[0], save_all=True, append_images=FRAMES[1:2])
        single = encoded(file_format, FRAMES[0])
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write {file_format}: {error}")
    name = "page" if file_format == "TIFF" else "frame"
    assert left_out(several) == (f"2 more {name}s",)
    assert left_out(two) == (f"1 more {name}",)
    assert left_out(single) == ()


def test_pictures_in_one_heic_are_counted():
    heif = pytest.importorskip("pillow_heif")
    several = heif.from_pillow(FRAMES[0])
    several.add_from_pillow(FRAMES[1])
    several.save(file := io.BytesIO())
    assert left_out(file.getvalue()) == ("1 more picture",)


@pytest.mark.parametrize("kind", [1, 4, 5], ids=["smaller copy", "mask", "mask of a smaller copy"])
def test_smaller_copies_and_masks_in_a_tiff_are_no_pages(kind):
    tiff = bytearray(encoded("TIFF", FRAMES[0]))
    second = len(tiff)
    first = struct.unpack_from("<I", tiff, 4)[0]
    count = struct.unpack_from("<H", tiff, first)[0]
    struct.pack_into("<I", tiff, first + 2 + 12 * count, second)
    tiff += struct.pack("<HHHII", 1, 254, 4, 1, kind) + bytes(4)
    assert left_out(bytes(tiff)) == ()


def with_more(*segments, others=()):
    """Return a JPEG with segments, and other JPEGs behind it."""
    jpeg = encoded("JPEG", FRAMES[0])
    return jpeg[:2] + b"".join(segments) + jpeg[2:] + b"".join(others)


HDR = b'<x xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
SMALL = encoded("JPEG", FRAMES[1].convert("L"))


def listed(kinds, *before, others):
    """Return a JPEG with a list of the JPEGs behind it."""
    sizes = [len(other) for other in others]
    empty = mpf([(0, 0, 0)] * (1 + len(others)))
    length = len(with_more(*before, empty))
    base = 2 + len(b"".join(before)) + 8  # offsets count from the list's own header
    places = np.cumsum([length - base, *sizes]).tolist()
    entries = [(0x30000, length, 0)]
    entries += [
        (kind, size, place) for kind, size, place in zip(kinds, sizes, places, strict=False)
    ]
    return with_more(*before, mpf(entries), others=others)


def test_the_gain_map_of_an_ultra_hdr_photo_is_said():
    assert left_out(with_more(segment(0xE1, XMP + HDR))) == ("an HDR gain map",)
    iso = segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")
    assert left_out(with_more(iso)) == ("an HDR gain map",)
    ultra = listed([0], segment(0xE1, XMP + HDR), others=[SMALL])
    assert left_out(ultra) == ("an HDR gain map",)


def test_a_gain_map_that_only_the_second_picture_tells_of_is_said():
    apple = SMALL[:2] + segment(0xE1, XMP + b"<HDRGainMap:HDRGainMapVersion/>") + SMALL[2:]
    assert left_out(listed([0], others=[apple])) == ("an HDR gain map",)


def test_the_second_picture_of_a_stereo_photo_is_said_a_preview_is_not():
    assert left_out(listed([0x20002], others=[SMALL])) == ("1 more picture",)
    assert left_out(listed([0x20003] * 2, others=[SMALL] * 2)) == ("2 more pictures",)
    assert left_out(listed([0x10001], others=[SMALL])) == ()
    assert left_out(listed([0x10001, 0x20002], others=[SMALL] * 2)) == ("1 more picture",)


@pytest.mark.parametrize(
    "said",
    [b'GCamera:MotionPhoto="1"', b'GCamera:MicroVideo="1"', b'Item:Semantic="MotionPhoto"'],
)
def test_the_clip_of_a_motion_photo_is_said(said):
    jpeg = with_more(segment(0xE1, XMP + said), others=[b"\0\0\0\x18ftypmp42" + bytes(9999)])
    assert left_out(jpeg) == ("a motion photo's clip",)


def test_the_clip_of_an_older_samsung_is_said():
    tail = (
        b"\0\0\0\x18ftypmp42" + bytes(9999) + b"\0\0\x30\x0aMotionPhoto_Data" + bytes(30) + b"SEFT"
    )
    assert left_out(with_more(others=[tail])) == ("a motion photo's clip",)


def test_a_depth_of_16_bits_is_no_loss_worth_a_word():
    deep = Image.fromarray(np.zeros((24, 40), np.uint16))
    assert left_out(encoded("PNG", deep)) == ()
