"""records <-> files: what became of each photo of a folder, kept on disk during a run.

``manifest.jsonl`` gets a line when a photo is begun, one before each of its pictures is written,
which no power cut can take, and one when it is finished. So the run after a killed one knows which
pictures are complete, and which files it may replace: those whose content is still what the journal
says was written. Lines are only ever added; once too many of them are superseded, the journal is
written anew. Each line has its time, later than all before it, and a photo's latest line counts. So
a kill while journals are put together brings no older record back, whichever of them are left.
``manifest.csv`` holds the same for spreadsheets. It goes when a run adds its first line and comes
back when the run ends, so it is never out of date.

A shard, one of several runs that share a folder of photos, has a journal of its own, such as
``manifest-3-of-10.jsonl``, and reads those of the others only when it begins. A run over all photos
takes the lines of all shards into ``manifest.jsonl``.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from u2demo.machine.disk import (
    advise,
    discard,
    discard_partial_files,
    flush,
    not_ours,
    retry_busy,
    write_pieces,
)
from u2demo.machine.lock import HeldError, Lock
from u2demo.runs import table
from u2demo.runs.folder import Folder
from u2demo.runs.lines import to_line
from u2demo.runs.record import Record
from u2demo.runs.records import Records, Shard, journal_of, journals

_MOST_SUPERSEDED = 0.1  # share of superseded lines above which a journal is written anew
_TICK = 0.001  # seconds; finer times are not noted
_OLDER = 2 * 10**9  # ns by which an untouched table is older than its journal; FAT counts in 2 s


class Manifest:
    """The records of a results folder, by photo; open it with ``with``, one process at a time.

    With ``shard``, its number and how many there are, as many processes as shards may. Otherwise
    journals of shards are taken over and deleted, unless ``keep_shards``.
    """

    def __init__(self, folder: Path, shard: Shard | None = None, *, keep_shards: bool = False):
        self.folder, self.shard, self._keep_shards = folder, shard, keep_shards
        self.results = Folder(folder)
        self.records = Records(folder)
        self._journal = journal_of(folder, shard)
        self._taken_over: list[Path] = []  # journals that this one takes the place of
        self._foreign: list[bytes] = []  # lines of journals that somebody else has added
        self._table = folder / "manifest.csv"
        self._lock = Lock(lock_of(self._journal))
        self._adding = threading.Lock()
        self._has_table = False
        self._needs_table = False  # whether it has to be written in the end
        self._is_torn = False  # whether the last line is incomplete

    def __enter__(self) -> "Manifest":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._check_alone()
            self._read()
            if self._has_to_be_written():
                self._drop_table()
                self._rewrite()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType
    ) -> None:
        try:
            if self._needs_table:
                self._put_in_order()
        except OSError:
            if not error:  # otherwise the first error counts
                raise
        finally:
            self.records.close()
            self._lock.release()

    def add(self, record: Record) -> None:
        """Store ``record``, on disk at once; any thread may call this."""
        with self._adding:
            # The clock may have been set back, or that of another computer is ahead.
            noted = round(max(time.time(), self.records.latest + _TICK), 3)
            line = to_line(record, self.folder, noted=noted).encode()
            self._drop_table()
            with retry_busy(self._open_journal, self.folder, os.W_OK) as file:
                if self._is_torn:  # by a fault that another thread met just now
                    file.write(b"\n")
                self._is_torn = True
                offset = file.tell()
                file.write(line)
                if record.writing:  # after a power cut, the picture may be there, but empty
                    file.flush()
                    os.fsync(file.fileno())
            self._is_torn = False
            self.records.add(record, self._journal, offset, noted)

    def is_complete(self, known: Record, effects: Mapping[str, str]) -> bool:
        """Return whether a photo is done with these effects, and its pictures are whole."""
        return (
            known.status == "done"
            and effects.items() <= known.effects.items()
            and all(map(self._is_whole, known.files))
        )

    def expect(self, photos: Sequence[str]) -> None:
        """Get ready to be asked whether these photos, in this order, are complete."""

    def renew(self, known: Record, version: str, identity: str) -> Record:
        """Note that the file of a photo has moved or been touched; return its record."""
        if not known.content or (known.version, known.identity) == (version, identity):
            return known
        renewed = replace(known, version=version, identity=identity)
        self.add(renewed)
        return renewed

    def known(self, photo: str) -> Record | None:
        """Return the record of a photo that earlier runs left, None if there is none.

        If they left it unfinished, it has the pictures that are on disk.
        """
        record = self.records.get(photo)
        if record is None or record.photo != photo:
            return None
        return self._settled(record) if record.status == "started" else record

    def _is_whole(self, file: str) -> bool:
        return self.results.is_whole(file)

    def _check_alone(self) -> None:
        """Raise ``HeldError`` if another run writes what this one would.

        The locks that killed shards left go.
        """
        if self.shard is None:
            # A shard that has just begun has its lock, but no journal yet.
            for file in sorted(self.folder.glob(lock_of(Path("manifest-*-of-*.jsonl")).name)):
                lock = Lock(file)
                lock.acquire()
                lock.release()
        elif Lock(lock_of(journal_of(self.folder, None))).is_held():
            raise HeldError(
                f"another run is writing into {self.folder}; let it finish or choose another folder"
            )

    def _has_to_be_written(self) -> bool:
        """Return whether no line may be added to the journal as it is."""
        if self._is_torn or self._taken_over:
            return True
        try:
            return self._journal.stat().st_nlink > 1  # a backup of hard links, as by rsync
        except FileNotFoundError:
            return True

    def _read(self) -> None:
        """Read what earlier runs left, and clear away what they were killed while writing.

        Raises:
            ValueError: a file that this run would replace is not u2demo's, or was changed since.
        """
        if os.path.lexists(self._journal) and not _is_plain(self._journal):
            raise not_ours(self._journal)
        own = self.records.read(self._journal)
        paths = [path for path in journals(self.folder) if path != self._journal]
        others = [self.records.read(path) for path in filter(_is_plain, paths)]
        if not own.is_ours:
            raise not_ours(self._journal)
        self._is_torn = not own.ends_in_line
        self._foreign += own.foreign
        if self.shard is None:
            taken = [journal for journal in others if journal.is_ours]
            self._taken_over = [journal.path for journal in taken]
            if not self._keep_shards:
                self._foreign += [line for journal in taken for line in journal.foreign]
        self._check_table()
        # Once this run writes, its own files are among them.
        for folder in {"", *self.records.in_use}:
            discard_partial_files(self.folder / folder, shared=self.shard is not None)

    def _check_table(self) -> None:
        """Note whether the table has to be written.

        Raises:
            ValueError: it is not u2demo's, or was changed since.
        """
        self._has_table = os.path.lexists(self._table)
        self._needs_table = not self._has_table
        if not self._has_table:
            return
        with contextlib.suppress(FileNotFoundError):  # another shard has just begun
            if not _is_plain(self._table) or not table.has_our_columns(self._table):
                raise not_ours(self._table)
            # A run writes the journal first. One that is newer was edited, so the two may differ.
            journal = journal_of(self.folder, None)
            if not journal.is_file() and self._table.is_file():
                raise not_ours(self._table, f"has no {journal.name} beside it")
            age = journal.stat().st_mtime_ns - self._table.stat().st_mtime_ns
            if age == _OLDER:
                return
            if age <= 0 and not table.agrees(self._table, self.records.values()):
                raise not_ours(self._table, "was changed since u2demo wrote it")
            self._needs_table = True

    def _drop_table(self) -> None:
        """Delete the table, if it is there: the journal is about to change."""
        if self._has_table:
            retry_busy(lambda: self._table.unlink(missing_ok=True), self.folder, os.W_OK)
        self._has_table, self._needs_table = False, True

    def _put_in_order(self) -> None:
        """Write the journal anew if that is worth while, and the table."""
        if self._is_torn or self.records.superseded > _MOST_SUPERSEDED * len(self.records):
            self._rewrite()
        if self.shard is not None:
            return
        flush(self._journal)  # after a power cut, the table must not say more
        pieces = table.pieces(self.records.values(), with_mark=self.records.escaped)
        write_pieces(self._table, pieces, durable=True)
        with contextlib.suppress(OSError):  # without it, the next run compares every row
            written = self._journal.stat().st_mtime_ns
            os.utime(self._table, ns=(written - _OLDER, written - _OLDER))

    def _rewrite(self) -> None:
        """Write the journal anew, with the last line of each photo only."""
        if self.shard is None:
            lines = self.records.merged_lines()
        else:
            lines = self.records.lines_of(self._journal)
        write_pieces(self._journal, chain(self._foreign, lines), durable=True)
        if not self._keep_shards:
            for journal in self._taken_over:
                discard(journal)
        self._is_torn = False
        self.records.read_again()

    def _open_journal(self) -> BinaryIO:
        # Opened, not created: if somebody deletes the folder, the run ends, not starts over.
        return open(self._journal, "ab", opener=_open_existing)

    def _settled(self, record: Record) -> Record:
        """Return ``record``, which a run left unfinished, with the pictures that are on disk.

        If one is gone, no effect counts as done, as in ``Pictures.fields``.
        """
        written = {}
        for file in record.pictures:
            for known in (record.written.get(file), record.writing.get(file)):
                if known is not None and self.results.is_as_written(file, known):
                    written[file] = known
        files = list(filter(self.results.is_whole, record.files))
        effects = record.effects if len(files) == len(record.files) else {}
        files = tuple(dict.fromkeys([*files, *written]))
        return replace(record, files=files, effects=effects, written=written, writing={})


@contextlib.contextmanager
def locked(journal: Path) -> Iterator[None]:
    """Let no other run add to ``journal`` meanwhile.

    Raises:
        HeldError: another run does.
        OSError: the results cannot be written to; the text says what to do.
    """
    lock = Lock(lock_of(journal))
    with advise(journal.parent):
        lock.acquire()
        try:
            yield
        finally:
            lock.release()


def lock_of(journal: Path) -> Path:
    """Return the file that is locked while a run adds to a journal."""
    return journal.with_name(f".{journal.stem}.lock")


def _is_plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _open_existing(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_CREAT | getattr(os, "O_NOFOLLOW", 0))
