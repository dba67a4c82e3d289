"""HEIC and AVIF -> what is in them: their picture, and what else they show.

Both are boxes of ISO 14496-12, read by libraries of their own.
"""

import io
import itertools
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image

from u2demo.formats.content import CODEC, Content, RefusedError, more
from u2demo.formats.directory import is_honest_exif

HEIC = re.compile(rb"....ftyp(?:hei|hev|mif|msf)", re.DOTALL)
AVIF = re.compile(rb"....ftyp(?:avi[fs]|(?:mif1|msf1).{4}.*avi[fs])", re.DOTALL)
_GAIN_MAPS = re.compile(rb"aux:hdrgainmap|tmap")
_DEPTH = re.compile(rb"auxid:2\0|auxiliary:depth|aux:depth|disparity")
_MOST_META = 2**22
_MOST_EXTENTS = 10_000
_NO_PICTURE = {b"Exif", b"mime", b"uri "}


def is_sequence(file: BinaryIO) -> bool:
    """Return whether an open HEIC or AVIF holds frames that follow each other, as a clip's do."""
    file.seek(0)
    return any(_boxes(file.read(), b"moov"))


def examine_avif(file: BinaryIO) -> Content:
    """Return what an AVIF holds."""
    if "AVIF" not in Image.OPEN:
        raise RefusedError("an AVIF photo; to read it: pip install --upgrade pillow")
    file.seek(0)
    return _content(file, Image.OPEN["AVIF"][0](file, ""))


def examine_heic(file: BinaryIO) -> Content:
    """Return what a HEIC holds.

    It is opened with pillow-heif's own class, because registering it would add a format to Pillow
    for the whole process.
    """
    try:
        from pillow_heif import HeifImageFile  # optional; may be installed later
    except ImportError:
        raise RefusedError("a HEIC photo; to read it: pip install pillow-heif") from None
    file.seek(0)
    return _content(file, HeifImageFile(file))


def _content(file: BinaryIO, picture: Image.Image) -> Content:
    exif = picture.info.get("exif")
    if exif and not is_honest_exif(exif):
        del picture.info["exif"]  # damaged metadata is no reason to refuse good pixels
    file.seek(0)
    data = file.read()
    metas = _boxes(data, b"meta")
    meta = b"".join(data[start : min(end, start + _MOST_META)] for start, end in metas)
    coded = _coded(meta) or sum(end - start for start, end in _boxes(data, b"mdat"))
    phrases = []
    if _GAIN_MAPS.search(meta):
        phrases.append("an HDR gain map")
    if _DEPTH.search(meta):
        phrases.append("a depth map")
    count = getattr(picture, "n_frames", 1) - 1
    phrases += more(count, "frame" if is_sequence(file) else "picture")
    return Content(picture.size, coded, lambda: picture, tuple(phrases), CODEC)


def _coded(meta: bytes) -> int:
    """Return how many bytes the items take that are pictures or parts of one, 0 if unknown."""
    try:
        kinds = dict(_kinds(meta[4:]))
        extents = list(itertools.islice(_extents(meta[4:]), _MOST_EXTENTS))
    except (IndexError, struct.error):
        return 0
    places = {tuple(extent) for item, *extent in extents if kinds.get(item) not in _NO_PICTURE}
    return sum(length for _, length in places)


def _kinds(boxes: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the kind of each item (ISO 14496-12, 8.11.6)."""
    for start, end in _boxes(boxes, b"iinf"):
        table = boxes[start + (6 if boxes[start] == 0 else 8) : end]
        for place, _ in _boxes(table, b"infe"):
            yield struct.unpack_from(">H2x4s" if table[place] == 2 else ">I2x4s", table, place + 4)


def _extents(boxes: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield of each part of an item the item's number, its place and its length (8.11.3)."""
    for start, end in _boxes(boxes, b"iloc"):
        version, sizes, more_sizes = boxes[start], boxes[start + 4], boxes[start + 5]
        table = io.BytesIO(boxes[start + 6 : end])

        def number(size: int, table: BinaryIO = table) -> int:
            return int.from_bytes(table.read(size), "big")

        for _ in range(min(number(4 if version == 2 else 2), _MOST_EXTENTS)):
            item = number(4 if version == 2 else 2)
            number(4 if version else 2)  # how it is stored, and in which file
            base = number(more_sizes >> 4)
            for _ in range(number(2)):
                number(more_sizes & 15 if version else 0)
                yield item, base + number(sizes >> 4), number(sizes & 15)


def _boxes(data: bytes, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the content of each box of that kind starts and ends."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        if size == 0:
            size = len(data) - at
        if size < head:
            return
        if kind == wanted:
            yield at + head, min(at + size, len(data))
        at += size
