"""records <-> files: what became of each photo of a folder, kept on disk during a run.

``manifest.jsonl`` gets a line when a photo is begun, one before each of its pictures is written,
and one when it is finished. So the run after a killed one knows which pictures are complete, and
which files it may replace: those whose content is still what the journal says was written.
``manifest.csv`` holds the same for spreadsheets. It exists only between runs, so it is never out of
date.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TextIO

from u2demo.machine.disk import discard_partial_files, not_ours, retry_busy, write_file
from u2demo.machine.lock import Lock
from u2demo.runs import table
from u2demo.runs.checksums import is_as_written, is_whole
from u2demo.runs.records import JOURNAL, Record, foreign_lines, read_records, to_line


class Manifest:
    """The records of a results folder, by photo; open it with ``with``, one process at a time."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.records: dict[str, Record] = {}
        self._foreign: list[bytes] = []  # lines of the journal that somebody else has added
        self._journal = folder / JOURNAL
        self._table = folder / "manifest.csv"
        self._lock = Lock(folder / ".manifest.lock")
        self._adding = threading.Lock()

    def __enter__(self) -> "Manifest":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._read()
            self._rewrite()  # a line that a kill left unfinished must not swallow the next one
            retry_busy(lambda: self._table.unlink(missing_ok=True), self.folder, os.W_OK)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType
    ) -> None:
        try:
            self._rewrite()
            write_file(self._table, table.encode_table(self.records.values()))
        except OSError:
            if not error:  # otherwise the first error counts
                raise
        finally:
            self._lock.release()

    def add(self, record: Record) -> None:
        """Store ``record``, on disk at once; any thread may call this."""
        with self._adding:
            self.records[record.photo] = record
            line = to_line(record, self.folder)
            with retry_busy(self._open_journal, self.folder, os.W_OK) as file:
                file.write(line)

    def is_complete(self, known: Record, effects: Mapping[str, str]) -> bool:
        """Return whether a photo is done with these effects, and its pictures are whole."""
        return (
            known.status == "done"
            and effects.items() <= known.effects.items()
            and all(is_whole(self.folder / file) for file in known.files)
        )

    def renew(self, photo: str, version: str, identity: str) -> Record:
        """Note that the file of a photo has moved or been touched; return the photo's record."""
        known = self.records[photo]
        if known.content:
            known = replace(known, version=version, identity=identity)
            self.records[photo] = known
        return known

    def _read(self) -> None:
        """Read what earlier runs left, and clear away what they were killed while writing.

        Raises:
            ValueError: a file that this run would replace is not u2demo's, or was changed since.
        """
        foreign = foreign_lines(self._journal)
        if foreign is None:
            raise not_ours(self._journal)
        self._foreign = foreign
        records = {record.photo: record for record in read_records(self.folder)}
        self._check_table(records)
        discard_partial_files(self.folder)
        self.records = {photo: self._settled(record) for photo, record in records.items()}

    def _check_table(self, records: Mapping[str, Record]) -> None:
        if not os.path.lexists(self._table):
            return
        if self._table.is_symlink() or not self._table.is_file():
            raise not_ours(self._table)
        if not table.has_our_columns(self._table):
            raise not_ours(self._table)
        # A run writes the journal first. One that is newer was edited, so the two may differ.
        edited = self._journal.stat().st_mtime_ns > self._table.stat().st_mtime_ns
        if not edited and not table.agrees(self._table, records.values()):
            raise not_ours(self._table, "was changed since u2demo wrote it")

    def _rewrite(self) -> None:
        lines = [to_line(record, self.folder) for record in self.records.values()]
        content = b"".join(self._foreign) + "".join(lines).encode()
        write_file(self._journal, content, durable=True)

    def _open_journal(self) -> TextIO:
        # Opened, not created: if somebody deletes the folder, the run ends, not starts over.
        return open(self._journal, "a", encoding="utf-8", opener=_open_existing)

    def _settled(self, record: Record) -> Record:
        """Return ``record``; if a run left it unfinished, with the pictures that are on disk."""
        if record.status != "started":
            return record
        for parent in {(self.folder / file).parent for file in record.writing}:
            discard_partial_files(parent)
        written = {}
        for file in record.pictures:
            for known in (record.written.get(file), record.writing.get(file)):
                if known is not None and is_as_written(self.folder / file, known):
                    written[file] = known
        files = [file for file in record.files if is_whole(self.folder / file)]
        files = tuple(dict.fromkeys([*files, *written]))
        return replace(record, files=files, written=written, writing={})


def _open_existing(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_CREAT | getattr(os, "O_NOFOLLOW", 0))
