"""JPEG -> what is in it: its picture without odd baggage, and what else it shows.

Pillow is given the segments that say how the picture looks, and the picture. Comments, text, lists
of other pictures and what comes after the end are left out: sound files bring megabytes of them,
hostile ones make Pillow add each to all before it.
"""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from PIL import Image

from u2demo.formats.content import PLAIN, PROGRESSIVE, Content, RefusedError, more
from u2demo.formats.directory import Directories, is_honest_exif
from u2demo.formats.pieces import Piece, join

SIGNATURE = b"\xff\xd8\xff"
_SOF = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB}
_HIERARCHICAL = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
_SEQUENTIAL = {0xC0, 0xC1, 0xC9}
_SOS, _EOI, _DNL, _APP1, _APP2, _APP13, _COM = 0xDA, 0xD9, 0xDC, 0xE1, 0xE2, 0xED, 0xFE
_TABLES = {0xC4, 0xCC, 0xDB, 0xDD}  # of Huffman, arithmetic coding, quantization; restarts
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]", re.DOTALL)  # none that stand inside a scan
_MOST_SEGMENTS = 5000  # before the picture, 64 kB each, and from there to its end
_MOST_EXIF = 20  # segments of it
_MOST_RESOURCES = 20
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"
_MPF = b"MPF\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_GAIN_MAP = re.compile(rb"hdr-gain-map/|hdrgm:|Semantic\W{1,3}GainMap|HDRGainMap|21496:-1")
_CLIP = re.compile(rb"MotionPhoto\W{1,3}1|MicroVideo\W{1,3}1|Semantic\W{1,3}MotionPhoto")
_SAMSUNG_CLIP = b"MotionPhoto_Data"
_PREVIEW = 0x10000  # MPF's class of large thumbnails (CIPA DC-007, 5.2.3.3.1)
# Encoders visit a block less than ten times; visits beyond that must be few. Each takes 40 ns.
_USUAL_VISITS = 12
_MOST_VISITS = 25_000_000


@dataclass
class _Found:
    """What the segments before the picture say."""

    pieces: list[Piece] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: bytes = b""  # the start-of-frame segment, from its marker on
    exif: list[bytes] = field(default_factory=list)  # its segments
    xmp: bytes = b""
    others: tuple[bytes, int] = (b"", 0)  # MPF: the list of other pictures, and where it stands
    has_iso_gain_map: bool = False
    resources: int = 0  # segments of Photoshop


def examine(file: BinaryIO) -> Content:
    """Return what a JPEG holds."""
    file.seek(0)
    data = file.read()
    found = _Found()
    start = _read_segments(data, found)
    if not found.frame:
        raise ValueError("no start of frame")
    _check_kind(found.frame)
    coding, height, width, blocks = _frame(found.frame)
    end = len(data)
    lines, visits, scans = 0, 0, 0
    for marker, place in _markers(data, start):
        if marker == _EOI:
            end = place + 2
            break
        if marker == _SOS:
            scans += 1
            visits += sum(blocks.get(part, 0) for part in _parts(data, place))
        elif marker == _DNL:
            lines = lines or int.from_bytes(data[place + 4 : place + 6], "big")
    if height == 0:  # the number of lines comes after the first scan
        height = lines
        found.pieces = [_with_height(piece, found.frame, lines) for piece in found.pieces]
        visits = (visits + 1) * lines
    is_sequence = coding in _SEQUENTIAL and len(_parts(data, start)) == len(blocks)
    if not is_sequence and visits > max(_USUAL_VISITS * sum(blocks.values()), _MOST_VISITS):
        raise RefusedError(f"a decompression bomb: {scans} scans of one picture")
    picture = join(file, [*found.pieces, *_exif(found), (start, end)])
    return Content(
        (width, height),
        end - start,
        lambda: _open(picture),
        _left_out(data, end, found),
        PLAIN if is_sequence else PROGRESSIVE,
    )


def _open(file: BinaryIO) -> Image.Image:
    factory, _ = Image.OPEN["JPEG"]
    return factory(file, "")


def _read_segments(data: bytes, found: _Found) -> int:
    """Note what the segments say, and return where the first scan starts."""
    for number, (marker, place, body) in enumerate(_segments(data)):
        if number > _MOST_SEGMENTS:
            raise RefusedError(f"more than {_MOST_SEGMENTS:,} segments before the picture")
        if marker == _SOS:
            return place
        segment = data[place : place + 4 + len(body)]
        if marker in _SOF | _HIERARCHICAL or marker in (0xC8, 0xF7):
            found.frame = segment
            found.pieces.append(segment)
        elif marker in _TABLES or marker in (0xE0, 0xEE):
            found.pieces.append(segment)
        elif marker == _APP13:
            _note_app13(segment, body, found)
        elif marker == _APP1:
            _note_app1(segment, body, found)
        elif marker == _APP2:
            _note_app2(segment, body, place, found)
    raise EOFError("it ends before the picture")


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (marker, its place, what follows its length), up to the first scan."""
    at = 2
    while found := _MARKER.search(data, at):
        at = found.start()
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise EOFError("a segment is longer than the file")
        yield data[at + 1], at, data[at + 4 : at + 2 + length]
        at += 2 + length


def _note_app1(segment: bytes, body: bytes, found: _Found) -> None:
    if body.startswith(b"Exif\0\0"):
        found.exif.append(segment)
    elif body.startswith(_XMP) and not found.xmp:
        found.xmp = body
        found.pieces.append(segment)


def _exif(found: _Found) -> list[bytes]:
    """Return the segments of EXIF, which Pillow joins; none if they claim more than they have."""
    whole = b"".join(segment[10:] for segment in found.exif[:_MOST_EXIF])
    return found.exif[:_MOST_EXIF] if is_honest_exif(whole) else []


def _note_app13(segment: bytes, body: bytes, found: _Found) -> None:
    """Note Photoshop's resources, IPTC among them; only a few are read."""
    if body.startswith(b"Photoshop 3.0\0") and found.resources < _MOST_RESOURCES:
        found.resources += 1
        found.pieces.append(segment)


def _note_app2(segment: bytes, body: bytes, place: int, found: _Found) -> None:
    if body.startswith(_ICC):
        found.pieces.append(segment)
    elif body.startswith(_MPF) and not found.others[1]:
        found.others = body[4:], place + 8
    elif body.startswith(_ISO_GAIN_MAP):
        found.has_iso_gain_map = True


def _check_kind(frame: bytes) -> None:
    """Raise ``RefusedError`` for sound kinds that Pillow cannot read."""
    marker, bits, count = frame[1], frame[4], frame[9]
    if marker == 0xF7:
        raise RefusedError("a JPEG-LS file; export it as JPEG or PNG")
    if marker in _HIERARCHICAL:
        raise RefusedError("a hierarchical JPEG; export it as an ordinary JPEG, or as PNG")
    if bits != 8:
        raise RefusedError(f"a {bits}-bit JPEG; export it as an 8-bit JPEG, or as PNG")
    if count not in (1, 3, 4):
        raise RefusedError(f"a JPEG of {count} channels; export it in gray or RGB")


def _frame(frame: bytes) -> tuple[int, int, int, dict[int, int]]:
    """Return marker, height, width, and for each component its number of blocks.

    Where the height is not known yet, blocks are those of a row of pixels.
    """
    height, width = struct.unpack_from(">HH", frame, 5)
    parts = [frame[at : at + 3] for at in range(10, 10 + 3 * frame[9], 3)]
    most = max((part[1] >> 4 or 1) * (part[1] & 15 or 1) for part in parts)
    pixels = width * max(height, 1)
    return frame[1], height, width, {
        part[0]: pixels * (part[1] >> 4 or 1) * (part[1] & 15 or 1) // most // 64 + 1
        for part in parts
    }  # fmt: skip


def _parts(data: bytes, place: int) -> list[int]:
    """Return the components in the scan at ``place``."""
    count = data[place + 4] if place + 4 < len(data) else 0
    return list(data[place + 5 : place + 5 + 2 * count : 2])


def _markers(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Yield (marker, place) from the first scan on; those inside segments are passed over."""
    at = start
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            return
        marker, place = data[found.start() + 1], found.start()
        yield marker, place
        at = place + 2
        if marker in _TABLES | {_SOS, _COM} or 0xE0 <= marker <= 0xEF:
            at += int.from_bytes(data[place + 2 : place + 4], "big")
    raise RefusedError(f"a decompression bomb: more than {_MOST_SEGMENTS:,} segments")


def _with_height(piece: Piece, frame: bytes, height: int) -> Piece:
    return frame[:5] + height.to_bytes(2, "big") + frame[7:] if piece == frame else piece


def _left_out(data: bytes, end: int, found: _Found) -> tuple[str, ...]:
    """Return what the file shows besides its picture."""
    phrases = []
    others = _other_pictures(data, found)
    maps = [data[place : place + 2**16] for place in others]
    has_map = found.has_iso_gain_map or _GAIN_MAP.search(found.xmp)
    if has_map or any(_GAIN_MAP.search(start) for start in maps):
        phrases.append("an HDR gain map")
        if has_map and len(others) == 1:  # it is the map, even if it does not say so itself
            others = []
        starts = zip(others, maps, strict=False)
        others = [place for place, start in starts if not _GAIN_MAP.search(start)]
    phrases += more(len(others), "picture")
    if _CLIP.search(found.xmp) or data.find(_SAMSUNG_CLIP, max(end, len(data) - 2**16)) >= 0:
        phrases.append("a motion photo's clip")
    return tuple(phrases)


def _other_pictures(data: bytes, found: _Found) -> list[int]:
    """Return where the pictures start that MPF lists besides the first, previews excepted."""
    index, base = found.others
    try:
        directories = Directories(io.BytesIO(index))
        table = directories.data(directories.read(directories.first).entries.get(0xB002), 2**14)
    except (KeyError, ValueError, struct.error):
        return []
    rows = (table[at : at + 16] for at in range(16, len(table) - 15, 16))
    fields = [struct.unpack(directories.order + "3I", row[:12]) for row in rows]
    places = [base + place for kind, _, place in fields if not kind & _PREVIEW]
    return [place for place in places if data[place : place + 2] == b"\xff\xd8"]
