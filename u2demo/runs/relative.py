"""records -> where their photos are in the folder of photos, as training data names them."""

import os
from collections.abc import Iterable
from pathlib import PurePath

from u2demo.machine.names import safe_name
from u2demo.runs.record import Record


def shared_folder(records: Iterable[Record]) -> tuple[str, ...]:
    """Return the parts of the folder that photos are named from: that which was given.

    If several were given, or photos singly as well, it is the innermost one that holds all photos
    or, if none does, what their folders have in common: nothing for several drives of Windows.
    """
    given: set[tuple[str, ...]] = set()
    common: tuple[str, ...] | None = None
    for record in records:
        folder = _parts(record.photo)[:-1]
        given.add(_parts(folder_given(record)))
        common = folder if common is None else tuple(os.path.commonprefix([common, folder]))
    holding_all = [folder for folder in given if common[: len(folder)] == folder]
    return max(holding_all, key=len, default=common or ())


def name_below(shared: tuple[str, ...], record: Record) -> str:
    """Return the path of a photo relative to the ``shared`` folder, with ``/`` in between."""
    return "/".join(_parts(record.photo)[len(shared) :])


def folder_given(record: Record) -> PurePath:
    """Return the folder that a run was given to find the photo in; of a single photo, its own.

    A run mirrors that folder, so the stem of the pictures has the same folders in front.
    """
    photo = PurePath(record.photo)
    folders = record.stem.split("/")[:-1]
    mirrored = [safe_name(part) for part in _parts(photo)[-1 - len(folders) : -1]]
    return photo.parents[len(folders)] if mirrored == folders else photo.parent


def _parts(path: str | PurePath) -> tuple[str, ...]:
    """Return the parts of a path without the drive."""
    path = PurePath(path)
    return path.relative_to(path.anchor).parts
