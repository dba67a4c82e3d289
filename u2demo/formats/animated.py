"""file -> whether it is an animation: a GIF, PNG or WebP of more than one frame.

Of a PNG or WebP only headers are read: in a folder of many photos animations are found soon.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from u2demo.formats import gif
from u2demo.formats.chunks import PNG, WEBP

_MOST_CHUNKS = 1000  # before the one that tells


def is_animated(file: BinaryIO) -> bool:
    """Return whether an open file holds more than one frame; its place moves."""
    start = file.read(12)
    if start.startswith(gif.SIGNATURES):
        file.seek(0)
        return gif.has_more_frames(file.read())
    if start.startswith(PNG):
        return _png_frames(file) > 1
    if start.startswith(WEBP) and start[8:] == b"WEBP":
        kinds = (kind for kind, _ in _chunks(file, len(start), is_png=False))
        return sum(kind == b"ANMF" for kind in kinds) > 1
    return False


def _png_frames(file: BinaryIO) -> int:
    """Return how many frames a PNG says it has; that stands before its first pixels."""
    for kind, size in _chunks(file, len(PNG), is_png=True):
        if kind == b"acTL" and size >= 4:
            return int.from_bytes(file.read(4), "big")
        if kind == b"IDAT":
            break
    return 1


def _chunks(file: BinaryIO, at: int, *, is_png: bool) -> Iterator[tuple[bytes, int]]:
    """Yield kind and size of chunks from ``at`` on; the file is then at the data of each."""
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        if is_png:
            size, kind = struct.unpack(">I4s", head)
            after = 4  # a checksum
        else:
            kind, size = struct.unpack("<4sI", head)
            after = size % 2  # to an even place
        yield kind, size
        at += 8 + size + after
