"""Matroska or WebM file -> what its bytes say where FFmpeg does not."""

import mmap
from pathlib import Path

_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_IN_A_FILE = {b"\x1a\x45\xdf\xa3", _SEGMENT}
_IN_A_SEGMENT = {
    _CLUSTER, b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b",
    b"\x1c\x53\xbb\x6b", b"\x10\x43\xa7\x70", b"\x12\x54\xc3\x67", b"\x19\x41\xa4\x69",
}  # fmt: skip
_IN_A_CLUSTER = {b"\xe7", b"\x58\x54", b"\xa7", b"\xab", b"\xa3", b"\xa0", b"\xaf"}
_ANYWHERE = {b"\xec", b"\xbf"}
_ELEMENTS = _IN_A_FILE | _IN_A_SEGMENT | _IN_A_CLUSTER | _ANYWHERE  # by RFC 9559
_LONGEST_HEAD = 12  # bytes: a name of 4 and a size of 8


def holes(path: Path) -> int:
    """Return in how many places one element does not follow on another.

    FFmpeg goes on with the next cluster then, without a word. What lies behind the last element of
    a file is no hole.
    """
    found = at = end = 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while 0 <= at < len(data) - _LONGEST_HEAD:
            name = data[at : at + _width(data[at])]
            if name not in _ELEMENTS:
                cluster = data.find(_CLUSTER, at)
                found += cluster >= 0 or at < end
                at = cluster
                continue
            at += len(name)
            width = _width(data[at])
            unknown = (1 << 7 * width) - 1
            size = int.from_bytes(data[at : at + width], "big") & unknown
            at += width
            if name not in (_SEGMENT, _CLUSTER):  # what is in these two follows
                at += size
            elif size != unknown:
                end = max(end, at + size)
    return found


def _width(first: int) -> int:
    """Return how many bytes a number or name has that begins with this byte, 9 if none does."""
    return 9 - first.bit_length()
