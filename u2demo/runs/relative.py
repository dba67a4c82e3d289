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
        parts = _parts(record)
        folder = parts[:-1]
        given.add(parts[: len(parts) - _depth(record.stem, parts)])
        common = folder if common is None else tuple(os.path.commonprefix([common, folder]))
    holding_all = [folder for folder in given if common[: len(folder)] == folder]
    return max(holding_all, key=len, default=common or ())


def name_below(shared: tuple[str, ...], record: Record) -> str:
    """Return the path of a photo relative to the ``shared`` folder, with ``/`` in between."""
    return "/".join(_parts(record)[len(shared) :])


def _parts(record: Record) -> tuple[str, ...]:
    photo = PurePath(record.photo)
    return photo.relative_to(photo.anchor).parts


def _depth(stem: str, parts: tuple[str, ...]) -> int:
    """Return how many parts of a photo's path are its place in the folder that was given.

    A run mirrors that folder, so the stem of the pictures has the same folders in front.
    """
    folders = stem.split("/")[:-1]
    mirrored = [safe_name(part) for part in parts[-1 - len(folders) : -1]]
    return 1 + len(folders) if mirrored == folders else 1
