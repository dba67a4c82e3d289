"""A file made of pieces of another: what a reader need not see is left out, nothing is copied."""

import bisect
import io
import itertools
import os
from collections.abc import Sequence
from typing import BinaryIO

Piece = bytes | tuple[int, int]  # bytes of our own, or (start, end) in the file


def join(file: BinaryIO, pieces: Sequence[Piece]) -> BinaryIO:
    """Return a file that can be read and searched, and is these pieces in their order."""
    return io.BufferedReader(_Pieces(file, pieces))


class _Pieces(io.RawIOBase):
    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]):
        self._file = file
        self._pieces = pieces
        self._ends = list(itertools.accumulate(map(_size, pieces)))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = self._ends[-1] if self._ends else 0
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:
        number = bisect.bisect_right(self._ends, self._at)
        if number == len(self._ends):
            return 0
        piece = self._pieces[number]
        size = min(len(buffer), self._ends[number] - self._at)
        if isinstance(piece, bytes):
            start = len(piece) - (self._ends[number] - self._at)
            data = piece[start : start + size]
        else:
            self._file.seek(piece[1] - (self._ends[number] - self._at))
            data = self._file.read(size)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _size(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
