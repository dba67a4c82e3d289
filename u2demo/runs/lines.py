"""lines of a journal <-> records: what became of each photo.

Anybody may have a file of that name, have edited it, or have killed what wrote it. So each line is
judged alone: a record, a record that is damaged, or somebody else's.
"""

import contextlib
import json
import os
import re
from dataclasses import fields
from pathlib import Path, PurePath
from typing import NamedTuple

from u2demo.machine.places import is_url
from u2demo.masks.box import Box
from u2demo.runs.checksums import is_content_checksum
from u2demo.runs.record import Record

_FROM_HERE = "photo_from_results"  # journal field: the photo's path relative to the results
_NOTED = "noted"  # journal field: when, in seconds since 1970; earlier versions had it for shards
# The errors of a line that is not a record.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_KEYS = {"photo", "stem", "version", "status", "files"}  # what every version has written
_FIELDS = frozenset(field.name for field in fields(Record))
_WITHOUT_DEFAULT = {"photo", "stem", "version"}
_DEFAULTS = vars(Record("", "", ""))
_BEGIN = b'{"photo": "'
# What a kill or a full disk leaves of a record: it ends within the photo's name or after the stem.
_CUT_OFF = re.compile(_BEGIN + rb'(?:[^"\\]|\\.)*\\?(?:", "stem": .*)?\s*', re.DOTALL)
# A line as ``to_line`` writes it, if nothing in its names had to be escaped.
_TEXT = rb'"([ !#-\[\]-~]*)"'
_HEAD = re.compile(rb'\{"photo": %b, "stem": %b, "version": %b, "status": ' % (_TEXT, _TEXT, _TEXT))
_LAST = b', "photo_from_results": "'
_TAIL = re.compile(re.escape(_LAST) + _TEXT[1:] + rb'(?:, "noted": ([0-9.]+))?\}\n')
# A name that cannot lead out of the folder, whatever the system.
_PLAIN = re.compile(r"(?:[\w()+-][\w ().+-]*/)*[\w()+-][\w ().+-]*", re.ASCII)


def to_line(record: Record, folder: Path, *, noted: float) -> str:
    """Return the line of ``folder``'s journal that holds ``record``; ``noted`` is the time."""
    row = dict(vars(record))
    if not is_url(record.photo):
        with contextlib.suppress(ValueError):  # another drive of Windows
            row[_FROM_HERE] = os.path.relpath(record.photo, folder)
    row[_NOTED] = noted
    return json.dumps(row) + "\n"


class Heading(NamedTuple):
    """What a journal is searched by."""

    photo: str
    stem: str
    noted: float  # 0 if the line does not say


class Reader:
    """Reads the lines of the journals in ``folder``, which must be resolved."""

    def __init__(self, folder: Path):
        self._folder = str(folder)
        self._moved: dict[str, str] = {}  # folder, by its path from here
        self._have_moved: dict[tuple[Path, Path], bool] = {}  # by where they were and are

    def heading(self, line: bytes) -> Heading | None:
        """Return the heading of a line, None if it is not a record.

        A line that looks as it was written is not read further. ``record`` has the last word.
        """
        if (head := _HEAD.match(line)) and (tail := _TAIL.fullmatch(line, line.rfind(_LAST))):
            photo = self._where(head[1].decode(), tail[1].decode())
            return Heading(photo, head[2].decode(), float(tail[2] or 0))
        if b'"stem"' not in line:  # somebody's large file is passed over quickly
            return None
        with contextlib.suppress(*_UNREADABLE):
            row = _row(line)
            noted = row.get(_NOTED, 0)
            record = self._record(row)
            return Heading(record.photo, record.stem, float(noted))
        return None

    def record(self, line: bytes) -> Record | None:
        """Return the record in a line, None if there is none."""
        with contextlib.suppress(*_UNREADABLE):
            return self._record(_row(line))
        return None

    def _record(self, row: dict) -> Record:
        row["photo"] = self._where(row["photo"], row.pop(_FROM_HERE, ""))
        if not row.keys() <= _FIELDS:  # later versions may know more
            row = {name: value for name, value in row.items() if name in _FIELDS}
        row["size"] = _whole_numbers(row["size"]) if row["size"] else None
        row["box"] = Box(*_whole_numbers(row["box"])) if row["box"] else None
        row["objects"] = tuple([Box(*_whole_numbers(box)) for box in row["objects"]])
        row["files"] = tuple(row["files"])
        row["left_out"] = tuple(row.get("left_out", ()))
        for name in ("outlines", "track"):
            row[name] = None if row.get(name) is None else tuple(row[name])
        for name in ("effects", "written", "writing", "renamed"):  # the last three came later
            row[name] = dict(row.get(name, {}))
        record = _made_of(row)
        _check(record)
        return record

    def _where(self, photo: str, from_here: str) -> str:
        """Return the photo's path: photos and results may have moved, or the results alone.

        Of a photo that is gone, the folder says whether it had moved, so that all its lines agree.
        """
        if not from_here:  # a URL
            return photo
        folder, _, name = from_here.rpartition(os.sep)
        if not folder or name in ("", ".", ".."):
            moved = os.path.normpath(os.path.join(self._folder, from_here))  # noqa: PTH118
        else:
            if folder not in self._moved:
                there = os.path.normpath(os.path.join(self._folder, folder))  # noqa: PTH118
                self._moved[folder] = os.path.join(there, "")  # noqa: PTH118 - ends with a slash
            moved = self._moved[folder] + name
        if moved == photo:
            return photo
        with contextlib.suppress(OSError):  # a share that is gone, a name too long
            if Path(moved).is_file() or self._is_folder_moved(photo, moved):
                return moved
        return photo

    def _is_folder_moved(self, photo: str, moved: str) -> bool:
        """Return whether the folder of a photo is where it would have moved, and there only."""
        folders = Path(photo).parent, Path(moved).parent
        if folders not in self._have_moved:
            self._have_moved[folders] = folders[1].is_dir() and not folders[0].is_dir()
        return self._have_moved[folders]


def is_like_a_record(line: bytes) -> bool:
    """Return whether a line has the keys of a record, whatever their values."""
    with contextlib.suppress(*_UNREADABLE):
        row = _row(line)
        return isinstance(row, dict) and row.keys() >= _KEYS
    return False


def is_cut_off(line: bytes) -> bool:
    """Return whether a line is what a kill or a full disk leaves of a record."""
    return _BEGIN.startswith(line) or (bool(_CUT_OFF.fullmatch(line)) and not _is_json(line))


def _row(line: bytes) -> dict:
    return json.loads(line.decode(errors="replace"))


def _is_json(line: bytes) -> bool:
    try:
        _row(line)
    except (ValueError, RecursionError):
        return False
    return True


def _made_of(row: dict) -> Record:
    """Return ``Record(**row)``, in a fifth of the time: a million of them are read."""
    if not row.keys() >= _WITHOUT_DEFAULT:
        raise KeyError("a field is missing")
    record = object.__new__(Record)
    vars(record).update(_DEFAULTS)
    vars(record).update(row)
    return record


def _whole_numbers(values: list) -> tuple[int, ...]:
    for value in values:
        if type(value) is not int:
            raise ValueError("not pixels")
    return tuple(values)


def _check(record: Record) -> None:
    """Raise an error if values are not what a run writes: somebody may have edited them."""
    if not record.photo.isascii():
        os.fsencode(record.photo)  # raises if no file can have this name
    texts = [record.photo, record.stem, record.version, record.status, record.error]
    texts += [record.identity, record.content, record.corrections, record.damage]
    texts += [*record.files, *record.left_out, *record.renamed, *record.renamed.values()]
    texts += [*(record.outlines or ()), *(record.track or ())]
    if set(map(type, texts)) != {str}:
        raise ValueError("not texts")
    _whole_numbers([record.frames])
    if record.size is not None and len(record.size) != 2:
        raise ValueError("not a size")
    if not all(map(is_content_checksum, [*record.written.values(), *record.writing.values()])):
        raise ValueError("not checksums of files")
    if any(map(leads_out, (record.stem, *record.pictures))):
        raise ValueError("files outside the results")


def leads_out(name: str) -> bool:
    """Return whether a name, which somebody may have edited by hand, leads out of the folder."""
    if _PLAIN.fullmatch(name):
        return False
    path = PurePath(name)
    return bool(path.anchor) or ".." in path.parts or "\0" in name
