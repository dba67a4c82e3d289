"""HEIC and AVIF -> what is in them: their picture, and what else they show.

Both are boxes of ISO 14496-12, read by libraries of their own.
"""

import io
import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
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
_NCLX = re.compile(rb"colrnclx(....)", re.DOTALL)  # ISO/IEC 14496-12, section 12.1.5
_CLAP = re.compile(rb"clap(.{32})", re.DOTALL)  # section 12.1.4
_MOST_START = 2**16  # bytes in which a sequence without items says its colors


def is_sequence(file: BinaryIO) -> bool:
    """Return whether an open HEIC or AVIF holds frames that follow each other, as a clip's do."""
    file.seek(0)
    return any(_boxes(file.read(), b"moov"))


def examine_avif(file: BinaryIO) -> Content:
    """Return what an AVIF holds."""
    if "AVIF" not in Image.OPEN:
        raise RefusedError("an AVIF photo; to read it: pip install --upgrade pillow")
    file.seek(0)
    picture = Image.OPEN["AVIF"][0](file, "")
    content = _content(file, picture)
    file.seek(0)
    data = file.read()
    said = b"".join(_properties(data)) or data[:_MOST_START]
    points, aperture = _NCLX.search(said), _CLAP.search(said)
    if points:  # as pillow-heif has them
        primaries, transfer = struct.unpack(">2H", points[1])
        numbers = {"color_primaries": primaries, "transfer_characteristics": transfer}
        picture.info["nclx_profile"] = numbers
    box = _clean_aperture(aperture[1], picture.size) if aperture else None
    return replace(content, picture=lambda: picture.crop(box)) if box else content


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


def _clean_aperture(numbers: bytes, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return the part of a picture that is to be seen, None if the numbers make no sense.

    They are fractions: its width, its height, and how far its middle is from the picture's.
    """
    values = struct.unpack(">iIiIiIiI", numbers)
    if not all(values[1::2]):
        return None
    *sides, across, down = (a / b for a, b in zip(values[::2], values[1::2], strict=True))
    width, height = map(round, sides)
    left, top = (
        round((whole - part) / 2 + off)
        for whole, part, off in zip(size, (width, height), (across, down), strict=True)
    )
    right, bottom = left + width, top + height
    fits = 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]
    return (left, top, right, bottom) if fits else None


def _properties(data: bytes) -> list[bytes]:
    """Return the properties of the main picture, each from its kind on (8.11.4 and 8.11.14)."""
    try:
        start, end = next(_boxes(data, b"meta"))
        meta = data[start + 4 : end]
        start, _ = next(_boxes(meta, b"pitm"))
        (main,) = struct.unpack_from(">I" if meta[start] else ">H", meta, start + 4)
        start, end = next(_boxes(meta, b"iprp"))
        properties = meta[start:end]
        start, end = next(_boxes(properties, b"ipco"))
        store = properties[start:end]
        stored = [store[at - 4 : stop] for at, stop in _boxes(store)]
        numbers = {  # each once, however often a hostile file names it
            number
            for start, end in _boxes(properties, b"ipma")
            for number in _associated(properties[start:end], main)
        }
        return [stored[number - 1] for number in sorted(numbers) if number]
    except (IndexError, StopIteration, struct.error):
        return []


def _associated(table: bytes, main: int) -> Iterator[int]:
    """Yield the numbers of the main picture's properties."""
    item_form, form, mask = ">IB" if table[0] else ">HB", "B", 0x7F
    if table[3] & 1:
        form, mask = "H", 0x7FFF
    (count,) = struct.unpack_from(">I", table, 4)
    at = 8
    for _ in range(min(count, _MOST_EXTENTS)):
        item, length = struct.unpack_from(item_form, table, at)
        at += struct.calcsize(item_form)
        numbers = struct.unpack_from(f">{length}{form}", table, at)
        at += length * struct.calcsize(form)
        if item == main:
            yield from (number & mask for number in numbers)


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
        item_size = 4 if version == 2 else 2
        table = io.BytesIO(boxes[start + 6 : end])
        items = _number(table, item_size)
        for _ in range(min(items, _MOST_EXTENTS)):
            item = _number(table, item_size)
            table.read(4 if version else 2)  # how it is stored, and in which file
            base = _number(table, more_sizes >> 4)
            parts = _number(table, 2)
            for _ in range(parts):
                table.read(more_sizes & 15 if version else 0)  # its index
                place = base + _number(table, sizes >> 4)
                length = _number(table, sizes & 15)
                yield item, place, length


def _number(table: BinaryIO, size: int) -> int:
    return int.from_bytes(table.read(size), "big")


def _boxes(data: bytes, wanted: bytes | None = None) -> Iterator[tuple[int, int]]:
    """Yield where the content of each box of that kind, None for any, starts and ends."""
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
        if wanted in (kind, None):
            yield at + head, min(at + size, len(data))
        at += size
