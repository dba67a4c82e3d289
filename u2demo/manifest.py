"""records <-> files: what became of each photo of a folder, kept on disk while a run goes on.

``manifest.jsonl`` gets a line when a photo is begun and one when it is finished, so that a run
that was killed knows what is whole. ``manifest.csv`` is the same for spreadsheets, made at the end.
"""

import contextlib
import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

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
    confidence: float = 0.0  # the mask's highest value
    clear: bool = True  # whether a subject stands out, see pipeline.Result
    seconds: float = 0.0
    files: tuple[str, ...] = ()  # its pictures, relative to the results folder


class Manifest:
    """The records of a results folder, by photo; open it with ``with``, one process at a time."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.records: dict[str, Record] = {}
        self._journal = folder / "manifest.jsonl"
        self._lock = FileLock(folder / ".manifest.lock", timeout=0)

    def __enter__(self) -> "Manifest":
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise ValueError(
                f"another run is writing into {self.folder}; let it finish or choose another folder"
            ) from None
        self.records = {record.photo: record for record in _read(self._journal)}
        self._rewrite()  # a line that a kill left unfinished must not swallow the next one
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType
    ) -> None:
        with contextlib.suppress(OSError):  # a full disk: the journal still has every line
            self._rewrite()
            self._write_csv()
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def add(self, record: Record) -> None:
        """Note ``record``, on disk at once."""
        self.records[record.photo] = record
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")

    def is_done(self, record: Record) -> bool:
        """Tell whether the photo was done before, unchanged, and its pictures are still there."""
        known = self.records.get(record.photo)
        return (
            known is not None
            and (known.status, known.version) == ("done", record.version)
            and all((self.folder / file).is_file() for file in known.files)
        )

    def _rewrite(self) -> None:
        lines = [json.dumps(asdict(record)) + "\n" for record in self.records.values()]
        _replace(self._journal, "".join(lines))

    def _write_csv(self) -> None:
        names = [field.name for field in fields(Record)]
        path = self.folder / "manifest.csv"
        partial = path.with_name(f".{path.name}.part")
        # Names that are not valid Unicode exist on disks; they come back out as they went in.
        with partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            for record in self.records.values():
                row = asdict(record)
                size, box = (" ".join(map(str, row[name] or ())) for name in ("size", "box"))
                files = "; ".join(record.files)
                writer.writerow({**row, "size": size, "box": box, "files": files})
        partial.replace(path)


def _read(journal: Path) -> Iterator[Record]:
    if not journal.exists():
        return
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(
            ValueError, TypeError, KeyError
        ):  # cut off by a kill, or another version's
            row = json.loads(line)
            row["box"] = row["box"] and Box(*row["box"])
            row["size"] = row["size"] and tuple(row["size"])
            yield Record(**{**row, "files": tuple(row["files"])})


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
