"""Directories of TIFF and EXIF: what they claim, against what the file has.

Both list entries (tag, type, count, place); Pillow copies what an entry points to, so entries that
share their bytes can make gigabytes of a few kilobytes. Layouts: TIFF 6.0, section 2, and BigTIFF.
"""

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8,
          17: 8, 18: 8}  # fmt: skip
_FORMS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # of unsigned whole numbers
_LINKS = 34665, 34853, 40965  # to the directories of Exif, of GPS, and of Interoperability
_SPARE = 2**16  # bytes that small directories may share
_MOST_DIRECTORIES = 100  # that name each other
_MOST_ENTRIES = 300_000  # of all directories; a page has about twenty


@dataclass(frozen=True)
class Entry:
    """What a directory says of a tag: the type of its values, their count, and where they are."""

    kind: int
    count: int
    place: int

    @property
    def size(self) -> int:
        """The number of bytes its values take."""
        return _SIZES.get(self.kind, 1) * self.count


@dataclass(frozen=True)
class Directory:
    """Entries by tag, and the place of the next directory, 0 after the last."""

    entries: dict[int, Entry]
    next: int


class Directories:
    """The directories of a TIFF file, or of EXIF, which is one without a picture."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._room = _MOST_ENTRIES
        self.size = file.seek(0, os.SEEK_END)
        head = self._read(0, 16)
        self.order = {b"II": "<", b"MM": ">"}[head[:2]]
        (version,) = struct.unpack_from(self.order + "H", head, 2)
        self.big = version == 43
        self.is_raw = head[8:10] == b"CR"  # of a Canon
        if not self.big and version != 42:
            raise ValueError(f"TIFF version {version}")
        form, start = ("Q", 8) if self.big else ("I", 4)
        (self.first,) = struct.unpack_from(self.order + form, head, start)

    def _read(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    def read(self, place: int) -> Directory:
        """Return the directory at ``place``; one that is cut short ends with its last entry."""
        count_form, row_form, next_form = ("Q", "HHQ", "Q") if self.big else ("H", "HHI", "I")
        head = struct.calcsize("=" + count_form)
        inline = 8 if self.big else 4
        row = struct.calcsize("=" + row_form) + inline
        (count,) = struct.unpack(self.order + count_form, self._read(place, head))
        count = min(count, 2**16)
        self._room -= count
        if self._room < 0:
            raise ValueError("its directories have too many entries")
        data = self._read(place + head, count * row + inline)
        entries = {}
        for at in range(0, min(count * row, len(data) - row + 1), row):
            tag, kind, number = struct.unpack_from(self.order + row_form, data, at)
            start = place + head + at + row - inline
            if _SIZES.get(kind, 1) * number > inline:
                (start,) = struct.unpack_from(self.order + next_form, data, at + row - inline)
            entries.setdefault(tag, Entry(kind, number, start))
        rest = data[count * row :]
        following = struct.unpack(self.order + next_form, rest)[0] if len(rest) == inline else 0
        return Directory(entries, following)

    def chain(self, most: int) -> Iterator[Directory]:
        """Yield at most that many directories, each named by the one before it."""
        seen, place = set(), self.first
        while 0 < place < self.size and place not in seen and len(seen) < most:
            seen.add(place)
            directory = self.read(place)
            yield directory
            place = directory.next

    def numbers(self, entry: Entry | None, most: int) -> tuple[int, ...]:
        """Return the whole numbers of an entry, at most that many; none if it has other values."""
        form = _FORMS.get(entry.kind) if entry else None
        if form is None:
            return ()
        data = self._read(entry.place, min(entry.count, most) * _SIZES[entry.kind])
        count = len(data) // _SIZES[entry.kind]
        return struct.unpack(f"{self.order}{count}{form}", data[: count * _SIZES[entry.kind]])

    def data(self, entry: Entry | None, most: int) -> bytes:
        """Return the bytes of an entry, at most that many."""
        return self._read(entry.place, min(entry.size, most)) if entry else b""

    def claimed(self, first: list[int]) -> int:
        """Return how many bytes the entries point to, in these directories and those they name."""
        waiting, seen, total = list(first), set(), 0
        while waiting and len(seen) < _MOST_DIRECTORIES:
            place = waiting.pop()
            if place in seen or not 0 < place < self.size:
                continue
            seen.add(place)
            entries = self.read(place).entries
            total += sum(
                min(entry.size, max(0, self.size - entry.place)) for entry in entries.values()
            )
            links = (self.numbers(entries.get(tag), 1) for tag in _LINKS)
            waiting += [link[0] for link in links if link]
        return total

    def are_honest(self) -> bool:
        """Return whether the first directory, with all it names, claims about what there is."""
        return self.claimed([self.first]) <= 2 * self.size + _SPARE


def is_honest_exif(exif: bytes) -> bool:
    """Return whether EXIF, with or without its six bytes of signature, claims what it has."""
    try:
        directories = Directories(io.BytesIO(exif.removeprefix(b"Exif\0\0")))
        places = [directories.first]
        places += [directory.next for directory in directories.chain(2)]
        return directories.claimed(places) <= 2 * directories.size + _SPARE
    except (KeyError, ValueError, struct.error):
        return False
