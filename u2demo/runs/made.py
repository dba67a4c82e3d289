"""journals in a folder -> the pictures that runs have made, while they make more."""

import contextlib
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from u2demo.runs.lines import Reader
from u2demo.runs.record import Record
from u2demo.runs.records import journals, read_records

_FEW = 2**16  # hashes that are kept apart, before the others are sorted again


class Made:
    """The pictures that the journals in ``folder`` list, as 8 bytes each.

    Other shards go on making pictures: ``catch_up`` reads what they have noted since.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._reader = Reader(folder.resolve())
        # First how long they are: what is added meanwhile is read twice rather than never.
        self._read = {path: _end(path) for path in journals(folder)}
        pictures = (file for record in read_records(folder) for file in record.pictures)
        self._hashes = np.sort(np.array(array("q", map(self._hash, pictures)), np.int64))
        self._new: set[int] = set()
        self._unfinished: dict[str, set[int]] = {}  # by photo: it may yet get other names

    def __contains__(self, picture: str) -> bool:
        wanted = hash(picture)
        at = np.searchsorted(self._hashes, wanted)
        if at < len(self._hashes) and self._hashes[at] == wanted:
            return True
        return wanted in self._new or any(wanted in some for some in self._unfinished.values())

    def catch_up(self) -> None:
        """Read what runs have noted since this was last asked for."""
        for path in journals(self._folder):
            for record in self._added(path):
                files = set(map(self._hash, record.pictures))
                if record.status == "started":
                    self._unfinished[record.photo] = files
                else:
                    self._unfinished.pop(record.photo, None)
                    self._new |= files
        if len(self._new) > _FEW:
            self._hashes = np.union1d(self._hashes, np.fromiter(self._new, np.int64))
            self._new.clear()

    def _hash(self, file: str) -> int:
        return hash(str(self._folder / file))

    def _added(self, path: Path) -> Iterator[Record]:
        """Yield the records in the whole lines that a journal has got since it was last read."""
        file_then, offset = self._read.get(path, (0, 0))
        file_now, end = _end(path)
        if file_now != file_then or end < offset:
            offset = 0  # it was written anew
        self._read[path] = file_now, offset
        if end == offset:
            return
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # it is just being written
                offset += len(line)
                self._read[path] = file_now, offset
                record = self._reader.record(line)
                if record is not None:
                    yield record


def made_in(folder: Path) -> Made | None:
    """Return the pictures listed by the manifests in a folder, None if there are none."""
    with contextlib.suppress(OSError):  # another user's manifest may be unreadable
        if any(path.is_file() for path in journals(folder)):
            return Made(folder)
    return None


def _end(path: Path) -> tuple[int, int]:
    """Return which file has this name, and how long it is."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_ino, state.st_size
