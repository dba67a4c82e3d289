"""MP4 file -> what its bytes say where FFmpeg does not."""

import struct
from pathlib import Path

CUT_OFF = (
    "damaged or cut off; the list of its frames, which is written last, is missing; copy it again"
)
ENCRYPTED = {"encv", "drmi"}  # sample entries of ISO 23001-7 and FairPlay
_HOLD_THE_CLIP = {b"moov", b"mdat"}  # phones put things of their own behind them


def names_encryption(path: Path) -> bool:
    """Return whether the start or the end of an MP4 file, where its tracks stand, says so."""
    with path.open("rb") as file:
        head = file.read(2**20)
        file.seek(max(0, path.stat().st_size - 2**20))
        tail = file.read()
    return any(name.encode() in part for name in ENCRYPTED for part in (head, tail))


def is_cut_off(path: Path) -> bool:
    """Return whether an MP4 file ends within, or before, a box of frames or the list of them."""
    end = path.stat().st_size
    begin, kind = 0, b""
    with path.open("rb") as file:
        while begin + 8 <= end:
            file.seek(begin)
            size, kind, long_size = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
            if size == 1:
                size = long_size
            if size < 8:  # the last one, or no box
                return False
            begin += size
    return kind == b"moof" or (begin > end and kind in _HOLD_THE_CLIP)
