"""A small file takes neither seconds nor gigabytes, whatever it claims to hold."""

import io
import os
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from test_baggage import PHOTO, chunk, encoded, segment

from u2demo.images.read import open_image

SECONDS = 2.0  # of the processor; each takes a tenth or two, and took many before


def outcome(data):
    """Return the photo or the reason, and the seconds it took."""
    start = time.process_time()
    try:
        result = open_image(io.BytesIO(data))
    except ValueError as error:
        result = str(error)
    return result, time.process_time() - start


def check_opens(data):
    result, seconds = outcome(data)
    assert seconds < SECONDS
    assert isinstance(result, Image.Image), result
    return result


def check_refused(data, said):
    result, seconds = outcome(data)
    assert seconds < SECONDS
    assert isinstance(result, str)
    assert said in result


def greedy(entries, size, links=()):
    """Return EXIF whose entries all point to the same bytes; ``links`` name directories like it."""
    rows = [(40_000 + number, 7, size) for number in range(entries)]
    count = entries + len(links)
    after = 8 + 2 + count * 12 + 4
    place = after + size
    data = b"".join(struct.pack("<HHII", *row, after) for row in rows)
    data += b"".join(struct.pack("<HHII", tag, 4, 1, place) for tag in links)
    inner = struct.pack("<H", 3000)
    inner += b"".join(struct.pack("<HHII", number, 7, size, after) for number in range(3000))
    head = b"II*\0" + struct.pack("<IH", 8, count)
    return head + data + bytes(4 + size) + (inner + bytes(4)) * bool(links)


MULTIPLYING = {
    "in the first directory": greedy(6000, 100_000),
    "in that of the camera": greedy(1, 100_000, links=[34665]),
    "in those of camera and place": greedy(1, 100_000, links=[34665, 34853]),
}


@pytest.mark.filterwarnings("ignore:Tag data larger")  # Pillow's, while the test writes an AVIF
@pytest.mark.parametrize("where", MULTIPLYING)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_exif_whose_entries_share_their_bytes_is_left_alone(where, file_format):
    exif = MULTIPLYING[where]
    if file_format == "JPEG":  # in pieces, which Pillow joins
        parts = [exif[at : at + 65_000] for at in range(0, len(exif), 65_000)]
        data = encoded("JPEG")
        data = data[:2] + b"".join(segment(0xE1, b"Exif\0\0" + part) for part in parts) + data[2:]
    elif file_format == "PNG":
        data = encoded("PNG")
        data = data[:33] + chunk(b"eXIf", exif) + data[33:]
    else:
        try:
            data = encoded(file_format, exif=b"Exif\0\0" + exif)
        except (KeyError, OSError, SystemError, ValueError) as error:
            pytest.skip(f"this Pillow cannot write it: {error}")
    check_opens(data)


def test_a_heic_whose_exif_multiplies_is_read():
    heif = pytest.importorskip("pillow_heif")
    exif = b"Exif\0\0" + MULTIPLYING["in the first directory"]
    heif.from_pillow(PHOTO).save(file := io.BytesIO(), exif=exif)
    check_opens(file.getvalue())


@pytest.mark.parametrize("where", MULTIPLYING)
def test_a_tiff_whose_directories_multiply_is_refused(where):
    check_refused(MULTIPLYING[where], "damaged or truncated")


def test_honest_exif_of_many_fields_is_kept():
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    exif.get_ifd(0x8769).update({0x9286: b"a" * 50_000, 0x9003: "2026:01:01 00:00:00"})
    for file_format in ("JPEG", "PNG", "WEBP"):
        assert b"somebody" in check_opens(encoded(file_format, exif=exif)).info["exif"]


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("sides", [(8_000_000, 1), (1, 2_000_000), (3000, 2000)])
def test_a_bmp_that_skips_far_takes_no_memory(sides, bits):
    colors = bytes(4 * 2**bits)
    start = 54 + len(colors)
    for move in (b"\0\2\0\xff", b"\0\2\xff\xff", b"\0\2\xff\0"):
        body = move * 1000 + b"\1\1\0\1"
        head = b"BM" + struct.pack("<I2HI", start + len(body), 0, 0, start)
        compression = 2 if bits == 4 else 1
        info = struct.pack("<I2i2H6I", 40, *sides, 1, bits, compression, len(body), 0, 0, 0, 0)
        assert check_opens(head + info + colors + body).size == sides


def tiff(tags, tail=b""):
    """Return a TIFF of such tags, all of four bytes; None stands for the place of ``tail``."""
    place = 8 + 2 + 12 * len(tags) + 4
    rows = (struct.pack("<HHII", tag, 4, 1, place if value is None else value)
            for tag, value in sorted(tags.items()))  # fmt: skip
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(rows) + bytes(4) + tail


BASIC = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1}


@pytest.mark.parametrize("sides", [(46_320, 46_320), (2**31, 16), (16, 2**31), (2**20, 2**10)])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("padding", [0, 5_000_000])
def test_a_tile_far_larger_than_its_picture_is_refused(sides, bits, padding):
    body = zlib.compress(bytes(512)) + bytes(padding)
    changes = {258: bits, 322: sides[0], 323: sides[1], 324: None, 325: len(body)}
    check_refused(tiff({**BASIC, **changes}, body), "a decompression bomb")


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_strip_far_larger_than_its_picture_is_no_larger_than_that(bits):
    body = zlib.compress(bytes(16 * 16 * 2))
    check_opens(tiff({**BASIC, 258: bits, 273: None, 278: 2**32 - 1, 279: len(body)}, body))


def test_a_tile_a_little_larger_than_its_picture_is_read():
    body = zlib.compress(bytes(512 * 512))
    tags = {**BASIC, 322: 512, 323: 512, 324: None, 325: len(body)}
    assert check_opens(tiff(tags, body)).size == (16, 16)


def test_pages_without_end_are_counted_no_further_than_there_is_room():
    tiff_file = bytearray(encoded("TIFF"))
    first = struct.unpack_from("<I", tiff_file, 4)[0]
    count = struct.unpack_from("<H", tiff_file, first)[0]
    entries = 5000 * struct.pack("<HHII", 256, 4, 1, 1)
    for _ in range(100):
        struct.pack_into("<I", tiff_file, first + 2 + 12 * count, len(tiff_file))
        first, count = len(tiff_file), 5000
        tiff_file += struct.pack("<H", count) + entries + bytes(4)
    check_refused(bytes(tiff_file), "too many entries")


@pytest.mark.parametrize("scan", [0xDA, 0xC4, 0xDB, 0xDC, 0xFE, 0xE1])
def test_a_jpeg_of_a_million_empty_segments_is_refused_at_once(scan):
    jpeg = encoded("JPEG", progressive=True)
    empty, end = segment(scan, b"") * 250_000, len(jpeg) - 2
    said = "damaged or truncated" if scan == 0xDA else "more than 5,000 segments"
    check_refused(jpeg[:2] + empty + jpeg[2:], said)
    check_refused(jpeg[:end] + empty + jpeg[end:], "more than 5,000 segments")


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\0", b"\0\xff", b"\xff\xd0", b"\xff\1"])
def test_megabytes_of_filling_in_a_jpeg_take_no_time(filling):
    jpeg = encoded("JPEG", progressive=True)
    end = len(jpeg) - 2
    check_opens(jpeg[:end] + filling * 1_500_000 + jpeg[end:])
    filled = jpeg[:2] + filling * 1_500_000 + jpeg[2:]
    if filling.startswith(b"\xff"):
        check_opens(filled)
    else:
        check_refused(filled, "not an image of a known format")


def scans(side, count, frame):
    """Return a gray JPEG of ``count`` scans without data."""
    header = struct.pack(">BHHB3B", 8, side, side, 1, 1, 0x11, 0)
    tables = segment(0xDB, b"\0" + b"\1" * 64)
    for kind in (0, 16):
        tables += segment(0xC4, bytes([kind, 1, *[0] * 15, 0]))
    band = b"\0\0\0" if frame in (0xC2, 0xCA) else b"\0\x3f\0"
    scan = segment(0xDA, b"\1\1\0" + band)
    return b"\xff\xd8" + tables + segment(frame, header) + scan * count + b"\xff\xd9"


@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA])
def test_scans_without_data_are_refused_at_once_in_every_coding(frame):
    said = "damaged or truncated" if frame in (0xC0, 0xC1, 0xC9) else "scans of one picture"
    for count in (400, 4000):
        check_refused(scans(3000, count, frame), said)


def test_a_gif_of_a_million_comments_is_answered_at_once():
    gif = encoded("GIF", PHOTO.quantize(16))
    start = 13 + 3 * (2 << (gif[10] & 7))

    def with_many(block):
        return gif[:start] + block * (2_000_000 // len(block)) + gif[start:]

    for block in (b"!\xfe\0", b"!\xfe\1A\0", b"!\xf9\0"):
        check_refused(with_many(block), "more than 100,000 blocks")
    check_opens(with_many(b"!\xfe" + b"\1A" * 1000 + b"\0"))  # a thousand long ones
    check_opens(with_many(b"\0"))


@pytest.mark.parametrize("kind", [b"IDAT", b"tEXt", b"zTXt", b"prVt", b"fcTL"])
def test_a_png_of_chunks_without_end_is_refused_at_once(kind):
    png = encoded("PNG")
    for place in (33, len(png) - 12):
        endless = png[:place] + chunk(kind, b"") * 110_000 + png[place:]
        check_refused(endless, "more than 100,000 chunks")


def test_a_png_of_a_thousand_texts_that_inflate_is_read():
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000)))
    png = encoded("PNG")
    assert np.array_equal(check_opens(png[:33] + text * 1000 + png[33:]), PHOTO)


def test_a_webp_of_chunks_without_end_is_refused_at_once():
    webp = encoded("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    odd = (b"prVt" + bytes(4)) * 200_000
    whole = webp[:4] + struct.pack("<I", len(webp) + len(odd) - 8) + webp[8:] + odd
    check_refused(whole, "more than 100,000 chunks")


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="needs POSIX")
def test_what_is_refused_for_its_size_is_refused_before_memory_is_taken():
    huge = 2**31 - 1
    bmp = b"BM" + struct.pack("<I2HI", 0, 0, 0, 54)
    bmp += struct.pack("<I2i2H6I", 40, huge, huge, 1, 24, 0, 0, 0, 0, 0, 0)
    check_refused(bmp, "damaged or truncated")
    check_refused(tiff({**BASIC, 256: huge, 257: huge, 273: 8, 278: 1, 279: 9}), "more pixels than")
