"""journals -> records: the last line of each photo, found without holding any other in memory.

A run notes some 900 bytes a photo. Here a photo takes 40 bytes: which journal, where in it, and
hashes of the photo's path and of the folder that its pictures are in.
"""

import contextlib
import heapq
import os
import re
import threading
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from u2demo.machine.names import fold_name, natural_order_of
from u2demo.runs.index import Index
from u2demo.runs.lines import Reader, is_cut_off, is_like_a_record, leads_out
from u2demo.runs.record import Record

JOURNAL = "manifest.jsonl"
OF_SHARDS = re.compile(r"manifest-([1-9][0-9]*)-of-([1-9][0-9]*)\.jsonl")
_LONGEST_LINE = 2**26  # bytes; a record of ten thousand objects has a hundredth
_WRITING = b', "writing": {"'  # in the line of a photo that has a picture on its way
_MARK = b"\xef\xbb\xbf"  # as some editors put it at the beginning
NOTE = b'{"shard": '  # a line about all of a shard
_FAR = 48  # bits of an offset; above them is the number of the journal
_AT_HAND = 10_000  # records that stay in memory
_OPEN = 64  # journals at a time: a cluster leaves thousands, and macOS lets a process have 256

Shard = tuple[int, int]  # its number, from 1, and how many there are


@dataclass
class Journal:
    """What a file that may be a journal holds beside records."""

    path: Path
    records: int = 0  # lines that are records, or were
    cut_off: int = 0
    foreign: list[bytes] = field(default_factory=list)  # lines that somebody else has added
    ends_in_line: bool = True  # otherwise the next line would be lost

    @property
    def is_ours(self) -> bool:
        """Whether a run wrote it. One of records with notes of a person is, and an empty one."""
        return bool(self.records or (not self.foreign and self.cut_off <= 1))


class Records:
    """The records in the journals of ``folder``, by photo; ``read`` adds those of a journal."""

    def __init__(self, folder: Path):
        self._reader = Reader(folder.resolve())
        self._paths: list[Path] = []
        self._files: dict[int, BinaryIO] = {}  # the one that was last needed is last
        weakref.finalize(self, _close_all, self._files)
        self._index = Index()
        self._at_hand: dict[int, Record | None] = {}
        self._begun: dict[int, int] = {}  # where in the index, of photos that are not finished
        self._reading = threading.Lock()
        self.in_use: set[str] = set()  # folders of the results into which a run was writing
        self.escaped = False  # whether a line has characters beyond ASCII
        self.latest = 0.0  # of the times that lines note, in seconds since 1970

    def read(self, path: Path) -> Journal:
        """Find the records in a journal, and return what else it holds."""
        self._paths.append(path)
        return self._find_in(len(self._paths) - 1)

    def read_again(self) -> None:
        """Find the records in all journals, which were written anew or deleted."""
        self.close()
        with self._reading:
            self._index = Index()
            self._at_hand.clear()
            self._begun.clear()
        for number in range(len(self._paths)):
            self._find_in(number)

    def _find_in(self, number: int) -> Journal:
        path = self._paths[number]
        journal = Journal(path)
        noted = offset = 0
        for line in _lines(path):
            found = self._reader.heading(line.removeprefix(_MARK))
            if found:
                noted = found.noted or noted  # an earlier version noted no time
                self.latest = max(self.latest, noted)
                self._enter(found.photo, found.stem, number << _FAR | offset, noted)
                self.escaped = self.escaped or rb"\u" in line
                if _WRITING in line and not leads_out(found.stem):
                    self.in_use.add(found.stem.rpartition("/")[0])
                journal.records += 1
            else:
                _count_in(line.removeprefix(_MARK), journal)
            offset += len(line)
            journal.ends_in_line = line.endswith(b"\n")
        return journal

    def add(self, record: Record, path: Path, offset: int, noted: float) -> None:
        """Note that a line of ``record`` is now at ``offset`` of a journal."""
        with self._reading:
            number = self._paths.index(path)
            place, photo = number << _FAR | offset, hash(record.photo)
            self.latest = noted
            if photo in self._begun:
                self._index.move(self._begun[photo], place, noted)
            else:
                self._begun[photo] = self._enter(record.photo, record.stem, place, noted)
            if record.status != "started":
                del self._begun[photo]
            self.escaped = self.escaped or not (record.photo + record.error).isascii()

    def get(self, photo: str) -> Record | None:
        """Return the record of a photo, None if there is none."""
        return self.by_hash(hash(photo))

    def __getitem__(self, photo: str) -> Record:
        record = self.get(photo)
        if record is None:
            raise KeyError(photo)
        return record

    def by_hash(self, photo: int) -> Record | None:
        """Return the record of the photo with this hash."""
        with self._reading:
            place = self._index.place_of(photo)
            return None if place is None else self._at(place)

    def in_folder(self, key: str) -> Iterator[Record]:
        """Yield the records whose pictures are in a folder of the results, see ``folder_key``."""
        with self._reading:
            places = self._index.places_in(hash(key))
        yield from self._all(places)

    def values(self) -> Iterator[Record]:
        """Yield all records, in the order in which their photos were first noted."""
        with self._reading:
            places = self._index.places()
        yield from self._all(places)

    def __len__(self) -> int:
        return self._index.photos

    @property
    def superseded(self) -> int:
        """How many lines are of no use any more."""
        return self._index.lines - self._index.photos

    def merged_lines(self) -> Iterator[bytes]:
        """Yield the last line of each photo.

        Those of several journals come in the order in which a run goes through photos.
        """
        places = self._index.places()
        numbers = places >> _FAR
        each = [places[numbers == number] for number in np.unique(numbers)]
        in_turn = heapq.merge(*each, key=self._turn) if len(each) > 1 else places
        for line in self._lines_at(in_turn):
            yield line.rstrip(b"\r\n") + b"\n"

    def lines_of(self, path: Path) -> Iterator[bytes]:
        """Yield the last lines that are in this journal."""
        places = self._index.places()
        return self._lines_at(places[places >> _FAR == self._paths.index(path)])

    def _lines_at(self, places: Iterable[int]) -> Iterator[bytes]:
        for place in places:
            with self._reading:
                line = self._line(int(place))
            yield line
        self.close()  # Windows replaces no file that is open

    def close(self) -> None:
        """Close the journals; they are opened again when needed."""
        with self._reading:
            _close_all(self._files)

    def _all(self, places: Iterable[int]) -> Iterator[Record]:
        for place in places:
            with self._reading:
                record = self._at(int(place))
            if record is not None:
                yield record

    def _turn(self, place: int) -> list:
        """Return a sort key of a line: when a run comes to its photo."""
        with self._reading:
            found = self._reader.heading(self._line(int(place)))
        parts = Path(found.photo).parts if found else ()
        return [(natural_order_of(part), part) for part in parts]

    def _enter(self, photo: str, stem: str, place: int, noted: float) -> int:
        return self._index.add(hash(photo), hash(folder_key(stem)), place, noted)

    def _at(self, place: int) -> Record | None:
        if place not in self._at_hand:
            if len(self._at_hand) >= _AT_HAND:
                self._at_hand.clear()
            self._at_hand[place] = self._reader.record(self._line(place))
        return self._at_hand[place]

    def _line(self, place: int) -> bytes:
        number, offset = place >> _FAR, place & (1 << _FAR) - 1
        file = self._opened(number)
        file.seek(offset)
        return file.readline(_LONGEST_LINE).removeprefix(_MARK)

    def _opened(self, number: int) -> BinaryIO:
        file = self._files.pop(number, None) or self._paths[number].open("rb")
        if len(self._files) >= _OPEN:
            longest_unused = next(iter(self._files))
            self._files.pop(longest_unused).close()
        self._files[number] = file
        return file


def _close_all(files: dict[int, BinaryIO]) -> None:
    for file in files.values():
        file.close()
    files.clear()


class Told(Sequence[Record]):
    """The records that a run has told of, in order; all but the first are read when asked for."""

    def __init__(self, records: Records):
        self._records = records
        self._photos = array("q")  # a hash of each one's path
        self._skipped = bytearray()
        self._at_hand: dict[int, Record] = {}  # by number: the first, and what no journal holds

    def add(self, record: Record) -> None:
        """Add a record that the journal holds, maybe with another status: "skipped".

        One without a version, as of a clip that is left out, is in no journal, and stays in memory.
        """
        if len(self) < _AT_HAND or not record.version:
            self._at_hand[len(self)] = record
        self._photos.append(hash(record.photo))
        self._skipped.append(record.status == "skipped")

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, number: int | slice) -> "Record | list[Record]":
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        at = range(len(self))[number]
        if at in self._at_hand:
            return self._at_hand[at]
        record = self._records.by_hash(self._photos[at])
        return replace(record, status="skipped") if self._skipped[at] else record


def folder_key(stem: str) -> str:
    """Return what all stems have in common whose pictures may get the same name."""
    return _folded(stem.rpartition("/")[0])


_folded = lru_cache(fold_name)


class _Noted(Iterable[Record]):
    """All records in a folder, each read when its turn comes."""

    def __init__(self, folder: Path):
        self._records = Records(folder)
        for path in journals(folder):
            self._records.read(path)

    def __iter__(self) -> Iterator[Record]:
        with contextlib.closing(self._records):
            yield from self._records.values()


def read_records(folder: Path) -> Iterable[Record]:
    """Return the records that earlier runs left in ``folder``, one of each photo.

    They may be gone through any number of times; none is in memory.
    """
    return _Noted(folder)


def journals(folder: Path) -> list[Path]:
    """Return the journals in ``folder``: that of all photos first, then those of shards."""
    return [folder / JOURNAL, *shard_journals(folder)]


def shard_journals(folder: Path) -> dict[Path, Shard]:
    """Return the journals of shards in ``folder``, in order."""
    found = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if name := OF_SHARDS.fullmatch(entry.name):
                found[folder / entry.name] = int(name[1]), int(name[2])
    return dict(sorted(found.items(), key=lambda pair: pair[1][::-1]))


def journal_of(folder: Path, shard: Shard | None) -> Path:
    """Return the journal of a shard, or that of all photos."""
    return folder / (JOURNAL if shard is None else f"manifest-{shard[0]}-of-{shard[1]}.jsonl")


def _count_in(line: bytes, journal: Journal) -> None:
    """Count a line that is not a record."""
    if not line.strip() or line.startswith(NOTE):
        return
    if is_like_a_record(line):
        journal.records += 1
    elif is_cut_off(line):
        journal.cut_off += 1
    else:
        journal.foreign.append(line if line.endswith(b"\n") else line + b"\n")


def _lines(journal: Path) -> Iterator[bytes]:
    if not journal.is_file():  # a pipe of that name is not a journal either, and never ends
        return
    with journal.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            yield line
