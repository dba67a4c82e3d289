"""records -> where their photos are in the folder of photos, as training data names them."""

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePath

from u2demo.machine.names import safe_name
from u2demo.runs.record import Record


def shared_folder(records: Iterable[Record]) -> tuple[str, ...]:
    """Return the parts of the folder that photos are named from: that which was given.

    If several were given, or photos singly as well, it is the innermost one that holds all photos
    or, if none does, what their folders have in common: nothing for several drives of Windows.
    """
    folders = {_folders(record) for record in records}
    common = tuple(os.path.commonprefix([_parts(folder) for folder, _ in folders]))
    given = {_parts(str(_given(*pair))) for pair in folders}
    holding_all = [parts for parts in given if common[: len(parts)] == parts]
    return max(holding_all, key=len, default=common)


def name_below(shared: tuple[str, ...], record: Record) -> str:
    """Return the path of a photo relative to the ``shared`` folder, with ``/`` in between."""
    folder, name = os.path.split(record.photo)
    return "/".join((*_parts(folder)[len(shared) :], name))


def folder_given(record: Record) -> PurePath:
    """Return the folder that a run was given to find the photo in; of a single photo, its own.

    A run mirrors that folder, so the stem of the pictures has the same folders in front.
    """
    return _given(*_folders(record))


def _folders(record: Record) -> tuple[str, str]:
    """Return the folder of a photo, and that of its pictures in the results."""
    return os.path.dirname(record.photo), record.stem.rpartition("/")[0]  # noqa: PTH120 - as below


@lru_cache  # millions of photos are in far fewer folders
def _given(folder: str, mirrored: str) -> PurePath:
    places = mirrored.split("/") if mirrored else []
    path, names = PurePath(folder), _parts(folder)
    ends = [safe_name(name) for name in names[-len(places) :]] if places else []
    return [path, *path.parents][len(places)] if ends == places else path


@lru_cache
def _parts(folder: str) -> tuple[str, ...]:
    """Return the parts of a path without the drive."""
    path = PurePath(folder)
    return path.relative_to(path.anchor).parts
