"""results in an object store: pictures, and the journal that says what became of each photo.

A store has no files that grow. So a run keeps its journal on this computer and stores what is new
of it as a part of its own, whole: always before a picture is stored, so that a run that follows a
kill knows which pictures are u2demo's, as it does on a disk. When the run ends, the journal takes
the place of its parts; those that a kill leaves are older, and do not count. Many threads that wait
for the same part share it, so that there are fewer parts than pictures.
"""

import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from u2demo.machine.attempts import StoreError
from u2demo.machine.cores import in_parallel
from u2demo.machine.places import (
    delete,
    folders_below,
    is_url,
    join,
    name_of,
    read_bytes,
    stored,
    write_bytes,
    write_new_bytes,
)
from u2demo.runs.checksums import content_checksum, readable_checksum
from u2demo.runs.manifest import Manifest
from u2demo.runs.record import Record
from u2demo.runs.records import JOURNAL, OF_SHARDS, Shard, journal_of

_OURS = ".u2demo"  # where a run keeps the journals of shards, and parts
_TABLE = "manifest.csv"
_PART = ".part-"
_ASKED_AT_ONCE = 16  # pictures of which a store is asked at the same time
_AT_MOST = 30  # seconds in which a finished photo is stored in the journal


def manifest_of(results: str | Path, shard: Shard | None = None, **how: bool) -> Manifest:
    """Return the manifest of results, in a folder or, given its URL, in a store, to be opened."""
    if is_url(results):
        return StoredManifest(str(results), shard, **how)
    return Manifest(Path(results).resolve(), shard, **how)


class Store:
    """Results in an object store; names are relative to its URL. ``Folder`` has the same face."""

    def __init__(self, url: str):
        self.url = url

    def stems(self, effects: Iterable[str], suffixes: Collection[str]) -> "Unasked":
        """Return what takes every name to be free."""
        return Unasked()

    def name_in(self, file: str) -> str | None:
        """Return the name of a file, given by its URL, None if it lies elsewhere."""
        prefix = join(self.url, "")
        return file.removeprefix(prefix) if file.startswith(prefix) else None

    def is_there(self, name: str) -> bool:
        """Return whether anything has this name."""
        return stored(join(self.url, name)) is not None

    def is_whole(self, name: str) -> bool:
        """Return whether a picture is there; then it is complete."""
        return self.is_there(name)

    def is_as_written(self, name: str, checksum: str) -> bool:
        """Return whether a picture is the one with this checksum."""
        url = join(self.url, name)
        found = stored(url)
        if found is None or str(found.size) != checksum.partition("-")[0]:
            return False
        return content_checksum(read_bytes(url, found.size)) == checksum

    def put(self, name: str, data: bytes, may_replace: Callable[[str], bool]) -> None:
        """Store a picture, whole, if nothing is there or ``may_replace(name)`` is true.

        Raises:
            FileExistsError: something else is there; it is not changed.
        """
        url = join(self.url, name)
        if may_replace(name):
            write_bytes(url, data)
        else:
            write_new_bytes(url, data)

    def make_folders(self, name: str) -> None:
        """Do nothing: names in a store need no folders."""


class Unasked:
    """The names in a store: all free, for one that is taken is found when it is written."""

    def is_free(self, stem: str, own: Sequence[str] = ()) -> bool:
        """Return True; see ``Store.put``."""
        return True


class StoredManifest(Manifest):
    """The records of results in a store, by photo; see ``Manifest``.

    Two runs that write to the same results at once are not kept apart, as a store has no locks;
    each must be a shard of its own.
    """

    def __init__(self, url: str, shard: Shard | None = None, *, keep_shards: bool = False):
        self._scratch = tempfile.TemporaryDirectory(prefix="u2demo-")
        super().__init__(Path(self._scratch.name).resolve(), shard, keep_shards=keep_shards)
        self.results = Store(url)
        self._url = url
        self._run = f"{time.time_ns():020}-{os.urandom(2).hex()}"
        self._parts: list[str] = []
        self._stale: list[str] = []  # what this run's journal takes the place of
        self._offset = 0  # of the journal on this computer: what is stored
        self._is_stored = False  # whether nothing has to be stored in the end
        self._stored_at = time.monotonic()
        self._storing = threading.Lock()
        self._answers: Iterator[tuple[str, bool]] = iter(())  # which pictures are there

    def __enter__(self) -> "StoredManifest":
        try:
            self._stale = fetch(self._url, self.folder, self.shard)
            before = readable_checksum(self._journal)
            super().__enter__()
        except ValueError as error:  # about a file here that stands for one in the store
            self._scratch.cleanup()
            raise ValueError(str(error).replace(str(self.folder), self._url)) from error
        except BaseException:
            self._scratch.cleanup()
            raise
        self._offset = self._journal.stat().st_size
        has_all = self._has_table or self.shard is not None
        is_same = readable_checksum(self._journal) == before
        self._is_stored = has_all and is_same and not self._has_parts()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
            self._store_all()
        except OSError:
            if not error:  # otherwise the first error counts
                raise
        finally:
            self._scratch.cleanup()

    def add(self, record: Record) -> None:
        """Store ``record``, in the store before a picture is; any thread may call this."""
        super().add(record)
        if record.writing or time.monotonic() - self._stored_at > _AT_MOST:
            self._store_part()

    def expect(self, photos: Sequence[str]) -> None:
        """Begin to ask for the pictures of photos: several at a time, ahead of ``is_complete``."""
        known = filter(None, map(self.records.get, photos))
        files = (file for record in known if record.status == "done" for file in record.files)
        self._answers = in_parallel(self._ask, files, _ASKED_AT_ONCE)

    def _ask(self, file: str) -> tuple[str, bool]:
        return file, self.results.is_there(file)

    def _is_whole(self, file: str) -> bool:
        for name, there in self._answers:  # from where the last question ended
            if name == file:
                return there
        return self.results.is_there(file)

    def _drop_table(self) -> None:
        """Delete the table in the store, too, so that it is never out of date."""
        if self._has_table:
            delete(join(self._url, _TABLE))
        super()._drop_table()
        self._is_stored = False

    def _store_part(self) -> None:
        """Store what is new of the journal; return when all that was added before is stored."""
        wanted = self._journal.stat().st_size
        with self._storing:
            if self._offset >= wanted:  # another thread has stored this, too
                return
            with self._journal.open("rb") as file:
                file.seek(self._offset)
                lines = file.read()
            lines = lines[: lines.rfind(b"\n") + 1]  # another thread may be adding one
            number = len(self._parts)
            name = f"{_OURS}/{self._journal.name}{_PART}{self._run}-{number:06}"
            write_bytes(join(self._url, name), lines)
            self._parts.append(join(self._url, name))
            self._offset += len(lines)
        self._stored_at = time.monotonic()

    def _store_all(self) -> None:
        """Store the journal, and the table; then delete what they take the place of."""
        if self._is_stored:
            return
        kept = _url_of(self._url, self._journal.name)
        write_bytes(kept, self._journal.read_bytes())
        if self._table.exists():
            write_bytes(join(self._url, _TABLE), self._table.read_bytes())
        for url in [*self._parts, *filter(self._is_taken_over, self._stale)]:
            if url != kept:
                delete(url)

    def _is_taken_over(self, url: str) -> bool:
        """Return whether this run's journal has all that is in one that was fetched."""
        journal = _journal_in(url)
        takes_all = self.shard is None and not self._keep_shards
        return takes_all or journal == self._journal.name

    def _has_parts(self) -> bool:
        return any(_PART in url for url in filter(self._is_taken_over, self._stale))


def fetch(url: str, folder: Path, shard: Shard | None = None) -> list[str]:
    """Bring the journals of results in a store into ``folder``; return the URLs of all pieces.

    These are the journal of all photos, those of shards, and their parts. With ``shard``, those of
    other shards of the same division are left out: they hold no photo of this one.
    """
    for name in (JOURNAL, _TABLE):
        data = _read_if_there(join(url, name))
        if data is not None:
            (folder / name).write_bytes(data)
    pieces = []
    for found in sorted(itertools.chain.from_iterable(folders_below(join(url, _OURS)))):
        journal = _journal_in(found.url)  # a journal comes before its parts, and those by time
        if not _needs(journal, shard):
            continue
        with (folder / journal).open("ab") as file:
            file.write(read_bytes(found.url, found.size))
        os.utime(folder / journal, (found.when, found.when))
        pieces.append(found.url)
    return pieces


def add_note(url: str, shard: Shard, note: bytes) -> None:
    """Add a line to a shard's journal in a store, unless it ends with it."""
    journal = _url_of(url, journal_of(Path(), shard).name)
    data = read_bytes(journal)
    if not data.endswith(note):
        write_bytes(journal, data + note)


def _read_if_there(url: str) -> bytes | None:
    if stored(url) is None:
        return None
    try:
        return read_bytes(url)
    except StoreError:
        if stored(url) is None:  # another shard has just deleted the table
            return None
        raise


def _url_of(url: str, journal: str) -> str:
    return join(url, journal if journal == JOURNAL else f"{_OURS}/{journal}")


def _journal_in(url: str) -> str:
    """Return the name of the journal that is at a URL, or a part of it."""
    return name_of(url).partition(_PART)[0]


def _needs(journal: str, shard: Shard | None) -> bool:
    found = OF_SHARDS.fullmatch(journal)
    if found is None:
        return journal == JOURNAL
    other = int(found[1]), int(found[2])
    return shard is None or other == shard or other[1] != shard[1]
