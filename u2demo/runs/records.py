"""lines of manifest.jsonl <-> records: what became of each photo.

Anybody may have a file of that name, have edited it, or have killed what wrote it. So each line is
judged alone: a record, a record that is damaged, or somebody else's.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePath

from u2demo.masks.box import Box
from u2demo.runs.checksums import is_content_checksum

JOURNAL = "manifest.jsonl"
_FROM_HERE = "photo_from_results"  # journal field: the photo's path relative to the results
# The errors of a line that is not a record.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_KEYS = {"photo", "stem", "version", "status", "files"}  # what every version has written
_LONGEST_LINE = 2**26  # bytes; a record of ten thousand objects has a hundredth
_BEGIN = b'{"photo": "'
# What a kill or a full disk leaves of a record: it ends within the photo's name or after the stem.
_CUT_OFF = re.compile(_BEGIN + rb'(?:[^"\\]|\\.)*\\?(?:", "stem": .*)?\s*', re.DOTALL)


@dataclass(frozen=True)
class Record:
    """What became of one photo, or of one clip: a line of the manifest."""

    photo: str  # absolute path
    stem: str  # what the names of its pictures begin with, relative to the results folder
    version: str  # of the photo, net and quality: when it changes, the photo is done again
    status: str = "started"  # then "done", "failed", or "left out": a kind that is not read
    error: str = ""
    size: tuple[int, int] | None = None  # width and height of the photo, upright
    box: Box | None = None  # around the whole subject
    objects: tuple[Box, ...] = ()  # around each separate object, largest first
    area: float = 0.0  # of the subject, as a share of the picture
    confidence: float = 0.0  # the highest probability that the net gave a pixel, see Prediction
    clear: bool = True  # whether a subject stands out, see pipeline.Result
    seconds: float = 0.0
    files: tuple[str, ...] = ()  # its pictures in the results folder
    effects: Mapping[str, str] = field(default_factory=dict)  # checksum of each finished effect
    written: Mapping[str, str] = field(default_factory=dict)  # checksum of each file, as written
    writing: Mapping[str, str] = field(default_factory=dict)  # the same for a file being written
    renamed: Mapping[str, str] = field(default_factory=dict)  # name that was taken: name used
    corrections: str = ""  # name of the file beside the photo that says how to correct its mask
    left_out: tuple[str, ...] = ()  # what the photo's file held that its pictures do not
    outlines: tuple[str, ...] | None = None  # of each object, None unless asked for: see outlines
    identity: str = ""  # of the photo's file on its disk, which a file put in its place has not
    content: str = ""  # checksum of the photo's file
    frames: int = 0  # of a clip; 0 is a photo
    duration: float = 0.0  # of a clip, in seconds
    damage: str = ""  # what of a clip could not be decoded
    # The time of each frame of a clip and the box in it: "0.04 10 20 110 220", "0.04" without one.
    track: tuple[str, ...] | None = None  # None unless asked for

    @property
    def subjects(self) -> list[tuple[Box, str]]:
        """The box and the outline of each object to learn: none if no subject stands out.

        An outline is "" where the run found none.
        """
        outlines = self.outlines or ("",) * len(self.objects)
        return list(zip(self.objects, outlines, strict=False)) if self.clear else []

    @property
    def pictures(self) -> tuple[str, ...]:
        """Every file that is one of the photo's pictures, or may be one after a kill."""
        return tuple(dict.fromkeys([*self.files, *self.written, *self.writing]))


def to_line(record: Record, folder: Path) -> str:
    """Return the line of ``folder``'s journal that holds ``record``."""
    row = dict(vars(record))
    with contextlib.suppress(ValueError):  # another drive of Windows
        row[_FROM_HERE] = os.path.relpath(record.photo, folder)
    return json.dumps(row) + "\n"


def read_records(folder: Path) -> Iterator[Record]:
    """Yield the records that earlier runs left in ``folder``, each photo's last one last."""
    folder = folder.resolve()
    for line in _lines(folder / JOURNAL):
        if b'"stem"' not in line:  # somebody's large file is passed over quickly
            continue
        with contextlib.suppress(*_UNREADABLE):
            yield _record(_row(line), folder)


def foreign_lines(journal: Path) -> list[bytes] | None:
    """Return the lines of a journal that no run wrote, None if the whole file is somebody else's.

    A journal of records that also has notes of a person is u2demo's, and so is an empty one.
    """
    if not os.path.lexists(journal):
        return []
    if journal.is_symlink() or not journal.is_file():
        return None
    foreign = []
    records = cut_off = 0
    for line in filter(bytes.strip, _lines(journal)):
        if _is_like_a_record(line):
            records += 1
        elif _BEGIN.startswith(line) or (_CUT_OFF.fullmatch(line) and not _is_json(line)):
            cut_off += 1
        else:
            foreign.append(line if line.endswith(b"\n") else line + b"\n")
    is_ours = records or (not foreign and cut_off <= 1)
    return foreign if is_ours else None


def _lines(journal: Path) -> Iterator[bytes]:
    if not journal.is_file():  # a pipe of that name is not a journal either, and never ends
        return
    with journal.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            yield line.removeprefix(b"\xef\xbb\xbf")  # as some editors put it at the beginning


def _row(line: bytes) -> dict:
    return json.loads(line.decode(errors="replace"))


def _is_json(line: bytes) -> bool:
    try:
        _row(line)
    except (ValueError, RecursionError):
        return False
    return True


def _is_like_a_record(line: bytes) -> bool:
    """Return whether a line has the keys of a record, whatever their values."""
    with contextlib.suppress(*_UNREADABLE):
        row = _row(line)
        return isinstance(row, dict) and row.keys() >= _KEYS
    return False


def _record(row: dict, folder: Path) -> Record:
    known = {field.name for field in fields(Record)}  # later versions may know more
    from_here = row.pop(_FROM_HERE, "")
    row = {name: value for name, value in row.items() if name in known}
    row["photo"] = _where(row["photo"], from_here, folder)
    row["size"] = _whole_numbers(row["size"]) if row["size"] else None
    row["box"] = Box(*_whole_numbers(row["box"])) if row["box"] else None
    row["objects"] = tuple(Box(*_whole_numbers(box)) for box in row["objects"])
    row["files"] = tuple(row["files"])
    row["left_out"] = tuple(row.get("left_out", ()))
    for name in ("outlines", "track"):
        row[name] = None if row.get(name) is None else tuple(row[name])
    for name in ("effects", "written", "writing", "renamed"):  # the last three came later
        row[name] = dict(row.get(name, {}))
    record = Record(**row)
    _check(record)
    return record


def _where(photo: str, from_here: str, folder: Path) -> str:
    """Return the photo's path: photos and results may have moved together, or the results alone."""
    moved = os.path.normpath(folder / from_here)
    with contextlib.suppress(OSError):  # a share that is gone, a name too long
        if Path(moved).is_file():
            return moved
    return photo


def _whole_numbers(values: list) -> tuple[int, ...]:
    if not all(type(value) is int for value in values):
        raise ValueError("not pixels")
    return tuple(values)


def _check(record: Record) -> None:
    """Raise an error if values are not what a run writes: somebody may have edited them."""
    os.fsencode(record.photo)  # raises if no file can have this name
    texts = [record.photo, record.stem, record.version, record.status, record.error]
    texts += [record.identity, record.content, record.corrections, *record.files, *record.left_out]
    texts += [*record.renamed, *record.renamed.values(), *(record.outlines or ())]
    texts += [record.damage, *(record.track or ())]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not texts")
    _whole_numbers([record.frames])
    if record.size is not None and len(record.size) != 2:
        raise ValueError("not a size")
    if not all(map(is_content_checksum, [*record.written.values(), *record.writing.values()])):
        raise ValueError("not checksums of files")
    if any(_leads_out(name) for name in (record.stem, *record.pictures)):
        raise ValueError("files outside the results")


def _leads_out(name: str) -> bool:
    """Return whether a name, which somebody may have edited by hand, leads out of the folder."""
    path = PurePath(name)
    return bool(path.anchor) or ".." in path.parts or "\0" in name
