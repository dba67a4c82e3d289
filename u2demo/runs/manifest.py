"""records <-> files: what became of each photo of a folder, kept on disk during a run.

``manifest.jsonl`` gets a line when a photo is begun, one before each of its pictures is written,
and one when it is finished. So the run after a killed one knows which pictures are complete, and
which files it may replace: those whose content is still what the journal says was written.
``manifest.csv`` holds the same for spreadsheets. It exists only between runs, so it is never out of
date.
"""

import contextlib
import csv
import io
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path, PurePath
from types import TracebackType

from filelock import FileLock, Timeout

from u2demo.images.write import is_whole
from u2demo.machine.disk import discard, not_ours, partial_file, write_file
from u2demo.masks.box import Box
from u2demo.runs.checksums import is_as_written

_FROM_HERE = "photo_from_results"  # journal field: the photo's path relative to the results
# The errors of a line that is not a record.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError)
_CHECKSUM = re.compile("[0-9]+-[0-9a-f]{32}")  # as content_checksum returns it
_NOT_IN_TABLE = {"written", "writing"}  # fields that only u2demo reads


@dataclass(frozen=True)
class Record:
    """What became of one photo: a line of the manifest."""

    photo: str  # absolute path
    stem: str  # what the names of its pictures begin with, relative to the results folder
    version: str  # of the photo, net and quality: when it changes, the photo is done again
    status: str = "started"  # then "done" or "failed"
    error: str = ""
    size: tuple[int, int] | None = None  # width and height of the photo, upright
    box: Box | None = None  # around the whole subject
    objects: tuple[Box, ...] = ()  # around each separate object, largest first
    area: float = 0.0  # of the subject, as a share of the picture
    confidence: float = 0.0  # the highest probability that the net gave a pixel
    clear: bool = True  # whether a subject stands out, see pipeline.Result
    seconds: float = 0.0
    files: tuple[str, ...] = ()  # its pictures in the results folder
    effects: Mapping[str, str] = field(default_factory=dict)  # checksum of each finished effect
    written: Mapping[str, str] = field(default_factory=dict)  # checksum of each file, as written
    writing: Mapping[str, str] = field(default_factory=dict)  # the same for a file being written
    renamed: Mapping[str, str] = field(default_factory=dict)  # name that was taken: name used

    @property
    def pictures(self) -> tuple[str, ...]:
        """Every file that is one of the photo's pictures, or may be one after a kill."""
        return tuple(dict.fromkeys([*self.files, *self.written, *self.writing]))


class Manifest:
    """The records of a results folder, by photo; open it with ``with``, one process at a time."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.records: dict[str, Record] = {}
        self._journal = folder / "manifest.jsonl"
        self._table = folder / "manifest.csv"
        self._lock = FileLock(folder / ".manifest.lock", timeout=0)
        self._adding = threading.Lock()

    def __enter__(self) -> "Manifest":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._check_owner()
            records = {record.photo: record for record in read_records(self.folder)}
            self.records = {photo: self._settled(record) for photo, record in records.items()}
            self._rewrite()  # a line that a kill left unfinished must not swallow the next one
            self._table.unlink(missing_ok=True)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType
    ) -> None:
        try:
            self._rewrite()
            self._write_csv()
        except OSError:
            if not error:  # otherwise the first error counts
                raise
        finally:
            self._release()

    def add(self, record: Record) -> None:
        """Store ``record``, on disk at once; any thread may call this."""
        with self._adding:
            self.records[record.photo] = record
            # Opened, not created: if somebody deletes the folder, the run ends instead of starting
            # over.
            with open(self._journal, "a", encoding="utf-8", opener=_open_existing) as file:
                file.write(self._line(record))

    def is_done(self, photo: str, version: str, effects: Mapping[str, str]) -> bool:
        """Return whether the photo has these effects, and photo and pictures are unchanged."""
        known = self.records.get(photo)
        return (
            known is not None
            and (known.status, known.version) == ("done", version)
            and effects.items() <= known.effects.items()
            and all(is_whole(self.folder / file) for file in known.files)
        )

    def _take_lock(self) -> None:
        """Lock the folder for this process, or raise ``ValueError``.

        The lock file is deleted at the end of a run. A process that opened it just before could
        still lock it, while another one creates and locks a new file; so it checks again.
        """
        file = Path(self._lock.lock_file)
        while True:
            is_new = _identity(file) is None
            file.touch()
            before = _identity(file)
            try:
                self._lock.acquire()
            except Timeout:
                raise ValueError(
                    f"another run is writing into {self.folder};"
                    " let it finish or choose another folder"
                ) from None
            except OSError:
                if is_new:
                    discard(file)
                raise
            if before is not None and before == _identity(file):
                return
            self._lock.release()

    def _check_owner(self) -> None:
        """Raise ``ValueError`` if u2demo did not write a file that this would replace."""
        begins = {self._journal: b'{"photo": ', self._table: b"photo,stem,version,"}
        for file, begin in begins.items():
            with contextlib.suppress(FileNotFoundError), file.open("rb") as content:
                lines = [line[: len(begin)] for line in content if line.strip()]
                if lines and not any(begin.startswith(line) for line in lines):
                    raise not_ours(file)

    def _rewrite(self) -> None:
        lines = map(self._line, self.records.values())
        write_file(self._journal, "".join(lines).encode(), durable=True)

    def _line(self, record: Record) -> str:
        row = asdict(record)
        with contextlib.suppress(ValueError):  # another drive of Windows
            row[_FROM_HERE] = os.path.relpath(record.photo, self.folder)
        return json.dumps(row) + "\n"

    def _write_csv(self) -> None:
        names = [field.name for field in fields(Record) if field.name not in _NOT_IN_TABLE]
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, names, extrasaction="ignore")
        writer.writeheader()
        for record in self.records.values():
            row = asdict(record)
            row["size"] = " ".join(map(str, record.size or ()))
            row["box"] = " ".join(map(str, record.box or ()))
            row["objects"] = "; ".join(" ".join(map(str, box)) for box in record.objects)
            row["files"] = "; ".join(record.files)
            row["effects"] = "; ".join(record.effects)
            row["renamed"] = "; ".join(f"{old} -> {new}" for old, new in record.renamed.items())
            writer.writerow(row)
        # Disks hold names that are not valid Unicode; they are written back unchanged.
        write_file(self._table, table.getvalue().encode(errors="surrogateescape"))

    def _settled(self, record: Record) -> Record:
        """Return ``record``; if a run left it unfinished, with the pictures that are on disk."""
        if record.status != "started":
            return record
        for file in record.pictures:
            discard(partial_file(self.folder / file))
        written = {}
        for file in record.pictures:
            for known in (record.written.get(file), record.writing.get(file)):
                if known is not None and is_as_written(self.folder / file, known):
                    written[file] = known
        files = [file for file in record.files if is_whole(self.folder / file)]
        files = tuple(dict.fromkeys([*files, *written]))
        return replace(record, files=files, written=written, writing={})

    def _release(self) -> None:
        discard(Path(self._lock.lock_file))
        self._lock.release()


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        state = file.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino


def _open_existing(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_CREAT)


def read_records(folder: Path) -> Iterator[Record]:
    """Yield the records that earlier runs left in ``folder``, each photo's last one last."""
    folder = folder.resolve()
    journal = folder / "manifest.jsonl"
    if not journal.is_file():  # a pipe of that name is not a journal either, and never ends
        return
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        # A kill may have cut a line off; another version or a person may have written it.
        with contextlib.suppress(*_UNREADABLE):
            yield _record(json.loads(line), folder)


def _record(row: dict, folder: Path) -> Record:
    # Photos and results may have moved together, or the results alone.
    from_here = os.path.normpath(folder / row.pop(_FROM_HERE, ""))
    if Path(from_here).is_file():
        row["photo"] = from_here
    row["size"] = tuple(row["size"]) if row["size"] else None
    row["box"] = Box(*row["box"]) if row["box"] else None
    row["objects"] = tuple(Box(*box) for box in row["objects"])
    row["files"] = tuple(row["files"])
    for name in ("effects", "written", "writing", "renamed"):  # the last three came later
        row[name] = dict(row.get(name, {}))
    record = Record(**row)
    os.fsencode(record.photo)  # raises if no file can have this name
    if not all(map(_CHECKSUM.fullmatch, [*record.written.values(), *record.writing.values()])):
        raise ValueError("not checksums of files")
    if any(_leads_out(name) for name in (record.stem, *record.pictures)):
        raise ValueError("files outside the results")
    return record


def _leads_out(name: str) -> bool:
    """Return whether a name, which somebody may have edited by hand, leads out of the folder."""
    path = PurePath(name)
    return bool(path.anchor) or ".." in path.parts or "\0" in name
