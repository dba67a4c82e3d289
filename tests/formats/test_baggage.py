"""Sound files with odd baggage open: what does not say how a picture looks cannot spoil it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import u2demo as u2
from u2demo.images.profiles import adobe_rgb
from u2demo.images.read import open_image

PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 40, 3), np.uint8))
XMP = b"http://ns.adobe.com/xap/1.0/\0"
BOMB = zlib.compress(bytes(50_000_000))


def encoded(file_format, picture=PHOTO, **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(*chunks, late=False):
    png = encoded("PNG")
    place = len(png) - 12 if late else 33
    return png[:place] + b"".join(chunks) + png[place:]


PNG_BAGGAGE = {
    "megabytes of text": [chunk(b"tEXt", b"workflow\0" + b"node " * 2_000_000)],
    "text that inflates": [chunk(b"zTXt", b"workflow\0\0" + BOMB)],
    "XMP that inflates": [chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB)],
    "XMP in two languages": [chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0de\0ex\0<x/>")] * 2,
    "100 times as much text as fits": [chunk(b"tEXt", b"a\0" + bytes(900_000))] * 100,
    "text that is damaged": [chunk(b"zTXt", b"a\0\0" + b"no zlib"), chunk(b"iTXt", b"a\0\1")],
    "text without a key": [chunk(b"tEXt", b""), chunk(b"iTXt", b""), chunk(b"zTXt", b"")],
    "unknown chunks": [chunk(b"prVt", bytes(9)), chunk(b"caBX", bytes(100_000))],
    "a wrong checksum": [chunk(b"tEXt", b"a\0b")[:-1] + b"?", chunk(b"pHYs", bytes(9))[:-1] + b"?"],
    "a resolution cut short": [chunk(b"pHYs", b"\0\0"), chunk(b"gAMA", b""), chunk(b"sRGB", b"")],
    "a profile that inflates": [chunk(b"iCCP", b"p\0\0" + BOMB)],
    "a profile that is damaged": [chunk(b"iCCP", b"p\0\0" + b"no zlib")],
    "EXIF that is noise": [chunk(b"eXIf", b"II*\0\xff\xff\xff\xff")],
    "an animation that is none": [chunk(b"acTL", bytes(8)), chunk(b"fcTL", bytes(5))],
}  # fmt: skip


@pytest.mark.parametrize("late", [False, True], ids=["before the pixels", "after them"])
@pytest.mark.parametrize("baggage", PNG_BAGGAGE)
def test_a_png_with_odd_baggage_opens(baggage, late):
    image = open_image(io.BytesIO(png_with(*PNG_BAGGAGE[baggage], late=late)))
    assert np.array_equal(image, PHOTO)


def test_a_png_with_a_profile_of_megabytes_keeps_it():
    profile = adobe_rgb() + np.random.default_rng(1).bytes(2_000_000)
    png = png_with(chunk(b"iCCP", b"print\0\0" + zlib.compress(profile)))
    assert open_image(io.BytesIO(png)).info["icc_profile"] == profile


def test_a_cut_out_of_a_photo_with_a_profile_of_megabytes_opens_again(tmp_path):
    profile = adobe_rgb() + np.random.default_rng(1).bytes(1_200_000)
    photo = open_image(io.BytesIO(encoded("JPEG", icc_profile=profile)))
    png = tmp_path / "photo.png"
    photo.save(png, icc_profile=photo.info["icc_profile"])
    assert u2.open_image(png).info["icc_profile"] == profile


def test_a_png_in_many_tiny_chunks_is_joined():
    png = encoded("PNG")
    start = png.index(b"IDAT")
    size = struct.unpack_from(">I", png, start - 4)[0]
    tiny = [chunk(b"IDAT", png[at : at + 1]) for at in range(start + 4, start + 4 + size)]
    whole = png[: start - 4] + b"".join(tiny) + chunk(b"IDAT", b"") * 5000 + png[-12:]
    assert np.array_equal(open_image(io.BytesIO(whole)), PHOTO)


def segment(kind, body):
    return b"\xff" + bytes([kind]) + struct.pack(">H", len(body) + 2) + body


def mpf(entries, count=2):
    """Return a list of pictures (CIPA DC-007) of these (kind, size, offset)."""
    rows = b"".join(struct.pack("<3I4x", *entry) for entry in entries)
    directory = struct.pack("<HHHI4s", 3, 0xB000, 7, 4, b"0100")
    directory += struct.pack("<HHII", 0xB001, 4, 1, count)
    directory += struct.pack("<HHIII", 0xB002, 7, len(rows), 50, 0)
    return segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + directory + rows)


JPEG_BAGGAGE = {
    "a list of pictures that are not there": mpf([(0, 9, 0), (0, 9, 2**31), (0, 9, 7)], 3),
    "a list that is cut short": mpf([], 9),
    "a list of noise": segment(0xE2, b"MPF\0" + b"noise" * 9),
    "XMP of many parts": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(65_000))
    * 99,
    "two XMP": segment(0xE1, XMP + b"<x/>") * 2,
    "EXIF that is noise": segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "two EXIF": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0") * 2,
    "Photoshop's resources cut short": segment(0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\0\xff\0\0a"),
    "a profile without its second half": segment(0xE2, b"ICC_PROFILE\0\1\2" + bytes(99)),
    "comments": segment(0xFE, b"hello") * 3000,
    "padding": b"\xff" * 1000,
    "unknown segments": segment(0xEB, b"JP" + bytes(60_000)) * 30,
}


@pytest.mark.parametrize("baggage", JPEG_BAGGAGE)
def test_a_jpeg_with_odd_baggage_opens(baggage):
    jpeg = encoded("JPEG", quality=95)
    plain = open_image(io.BytesIO(jpeg))
    image = open_image(io.BytesIO(jpeg[:2] + JPEG_BAGGAGE[baggage] + jpeg[2:]))
    assert np.array_equal(image, plain)
    assert "left_out" not in image.info


TAILS = {
    "zeros": bytes(5000), "ends": b"\xff\xd9" * 99, "a clip": b"\0\0\0\x18ftypmp42" + bytes(9999),
    "text": b"<html>", "another photo": encoded("JPEG"), "a zip": b"PK\3\4" + bytes(99),
}  # fmt: skip


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_what_comes_after_the_end_does_not_matter(tail, file_format):
    data = encoded(file_format)
    image = open_image(io.BytesIO(data + TAILS[tail]))
    assert np.array_equal(image, open_image(io.BytesIO(data)))


@pytest.mark.parametrize("count", [1, 3000])
def test_a_gif_with_comments_and_programs_messages_opens(count):
    gif = encoded("GIF", PHOTO.quantize(16))
    start = 13 + 3 * (2 << (gif[10] & 7))
    baggage = b"\x21\xfe\5hello\0" + b"\x21\xff\x0bXMP DataXMP\5hello\0" + b"\x21\1\0"
    image = open_image(io.BytesIO(gif[:start] + baggage * count + gif[start:]))
    assert np.array_equal(image, open_image(io.BytesIO(gif)))


@pytest.mark.parametrize("kind", [b"XMP ", b"EXIF", b"ICCP", b"prVt"])
def test_a_webp_with_odd_chunks_opens(kind):
    webp = encoded("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    odd = kind + struct.pack("<I", 60_000) + b"noise" * 12_000
    whole = webp[:4] + struct.pack("<I", len(webp) + len(odd) - 8) + webp[8:] + odd
    assert np.array_equal(open_image(io.BytesIO(whole)), open_image(io.BytesIO(webp)))


def test_reading_changes_no_limit_of_pillows(monkeypatch):
    before = dict(vars(PngImagePlugin))
    open_image(io.BytesIO(png_with(*PNG_BAGGAGE["text that inflates"])))
    assert {name: before[name] for name in ("MAX_TEXT_CHUNK", "MAX_TEXT_MEMORY")} == {
        name: getattr(PngImagePlugin, name) for name in ("MAX_TEXT_CHUNK", "MAX_TEXT_MEMORY")
    }


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"\xc0\0\x0b\x0c\0\x18\0\x28\1\1\x11\0", "a 12-bit JPEG"),
        (b"\xc5\0\x0b\x08\0\x18\0\x28\1\1\x11\0", "a hierarchical JPEG"),
        (b"\xf7\0\x0b\x08\0\x18\0\x28\1\1\x11\0", "a JPEG-LS file"),
        (b"\xc0\0\x0e\x08\0\x18\0\x28\2\1\x11\0\2\x11\0", "a JPEG of 2 channels"),
    ],
)
def test_sound_files_of_other_kinds_are_called_what_they_are(frame, said):
    jpeg = b"\xff\xd8\xff" + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(9) + b"\xff\xd9"
    with pytest.raises(ValueError, match=said) as caught:
        open_image(io.BytesIO(jpeg))
    assert "export it" in str(caught.value)
    assert "damaged" not in str(caught.value)


def test_a_jpeg_that_tells_its_height_after_the_pixels_is_read():
    jpeg = bytearray(encoded("JPEG", PHOTO.convert("L")))
    frame = jpeg.index(b"\xff\xc0")
    height = jpeg[frame + 5 : frame + 7]
    jpeg[frame + 5 : frame + 7] = b"\0\0"
    late = jpeg[:-2] + segment(0xDC, bytes(height)) + jpeg[-2:]
    assert open_image(io.BytesIO(late)).size == (40, 24)
