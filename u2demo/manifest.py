"""records <-> files: what became of each photo of a folder, kept on disk while a run goes on.

``manifest.jsonl`` gets a line when a photo is begun and one when it is finished, so that the run
after one that was killed knows what is whole. ``manifest.csv`` is the same for spreadsheets; it is
there only while no run is going on, and so never out of date.
"""

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePath
from types import TracebackType

from filelock import FileLock, Timeout

from u2demo.files import discard, partial_file, write_file
from u2demo.formats import is_whole
from u2demo.masks import Box


@dataclass(frozen=True)
class Record:
    """What became of one photo: a line of the manifest."""

    photo: str  # absolute path
    stem: str  # what the names of its pictures begin with, relative to the results folder
    version: str  # of the photo and the settings: when it changes, the photo is done again
    status: str = "started"  # then "done" or "failed"
    error: str = ""
    size: tuple[int, int] | None = None  # width and height of the photo, upright
    box: Box | None = None
    area: float = 0.0  # of the subject, as a share of the picture
    confidence: float = 0.0  # the highest probability that the net gave a pixel
    clear: bool = True  # whether a subject stands out, see pipeline.Result
    seconds: float = 0.0
    files: tuple[str, ...] = ()  # its pictures in the results folder; "started": their names


class Manifest:
    """The records of a results folder, by photo; open it with ``with``, one process at a time."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.records: dict[str, Record] = {}
        self._journal = folder / "manifest.jsonl"
        self._table = folder / "manifest.csv"
        self._lock = FileLock(folder / ".manifest.lock", timeout=0)

    def __enter__(self) -> "Manifest":
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise ValueError(
                f"another run is writing into {self.folder}; let it finish or choose another folder"
            ) from None
        try:
            self.records = {record.photo: record for record in _read(self._journal)}
            self._rewrite()  # a line that a kill left unfinished must not swallow the next one
            self._table.unlink(missing_ok=True)
            self._discard_partial_files()
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
            if not error:  # else the first one counts
                raise
        finally:
            self._release()

    def add(self, record: Record) -> None:
        """Note ``record``, on disk at once."""
        self.records[record.photo] = record
        # Not made anew: when somebody deletes the folder, the run ends instead of starting over.
        with open(self._journal, "a", encoding="utf-8", opener=_open_existing) as file:
            file.write(json.dumps(asdict(record)) + "\n")

    def is_done(self, record: Record) -> bool:
        """Tell whether the photo was done before, unchanged, and its pictures are still whole."""
        known = self.records.get(record.photo)
        return (
            known is not None
            and (known.status, known.version) == ("done", record.version)
            and all(is_whole(self.folder / file) for file in known.files)
        )

    def _rewrite(self) -> None:
        lines = [json.dumps(asdict(record)) + "\n" for record in self.records.values()]
        write_file(self._journal, "".join(lines).encode(), durable=True)

    def _write_csv(self) -> None:
        names = [field.name for field in fields(Record)]
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, names)
        writer.writeheader()
        for record in self.records.values():
            row = asdict(record)
            size, box = (" ".join(map(str, row[name] or ())) for name in ("size", "box"))
            files = "; ".join(record.files)
            writer.writerow({**row, "size": size, "box": box, "files": files})
        # Names that are not valid Unicode exist on disks; they come back out as they went in.
        write_file(self._table, table.getvalue().encode(errors="surrogateescape"))

    def _discard_partial_files(self) -> None:
        """Delete what a run that was killed was just writing."""
        for record in self.records.values():
            for file in record.files if record.status == "started" else ():
                discard(partial_file(self.folder / file))

    def _release(self) -> None:
        discard(Path(self._lock.lock_file))
        self._lock.release()


def _open_existing(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_CREAT)


def _read(journal: Path) -> Iterator[Record]:
    if not journal.exists():
        return
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(
            ValueError, TypeError, KeyError
        ):  # cut off by a kill, or another version's
            row = json.loads(line)
            if any(_leads_out(name) for name in (row["stem"], *row["files"])):
                continue
            row["box"] = row["box"] and Box(*row["box"])
            row["size"] = row["size"] and tuple(row["size"])
            yield Record(**{**row, "files": tuple(row["files"])})


def _leads_out(name: str) -> bool:
    """Tell whether a name, which somebody may have written by hand, is none in this folder."""
    return bool(PurePath(name).anchor) or ".." in PurePath(name).parts
