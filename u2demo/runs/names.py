"""photos -> names: which photo of a folder claims which, and which are free."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePath

from u2demo.images.write import KINDS
from u2demo.machine.names import fold_name, numbered, safe_name
from u2demo.runs.record import Record

MADE_SUFFIXES = frozenset({*KINDS, ".webm", ".mov", ".mp4", ".gif", ".apng"})  # by runs
_PLAIN = re.compile(r"([^./\\]+)(\.[^./\\]+)")  # for others PurePath knows best


class Names:
    """The names in one folder of the results, whatever their suffixes: who claims each one.

    Which names photos get follows from their order, from the records of earlier runs and from
    nothing else, so that all shards of a run come to the same names.
    """

    def __init__(self, effects: Iterable[str], records: Iterable[Record]):
        self._endings = [f"_{effect}" for effect in effects]
        self._owners: dict[str, str] = {}  # photo, by folded file name without suffix
        self._counts: dict[str, int] = {}  # last number given, by folded name without number
        records = list(records)
        self._known = {record.photo: record.stem for record in records}
        for record in records:
            self._owners.update((_key(file), record.photo) for file in record.pictures)
        for record in records:
            for ending in self._endings:
                self._owners.setdefault(fold_name(record.stem + ending), record.photo)

    def known(self, photo: str) -> str | None:
        """Return the stem that a photo had in an earlier run, None if it had none here."""
        return self._known.get(photo)

    def claim(self, photo: str, stem: str) -> bool:
        """Keep other photos off the names that begin with ``stem``; False if one is taken."""
        names = [fold_name(stem + ending) for ending in self._endings]
        for name in names:
            if self._owners.get(name, photo) != photo:
                return False
        self._owners.update(dict.fromkeys(names, photo))
        return True

    def find(
        self,
        photo: str,
        folder: str,
        name: str,
        is_free: Callable[[str], bool] = lambda stem: True,
    ) -> str:
        """Return the best stem that is free, for a photo called ``name``, and claim it.

        ``folder`` is that of its pictures, "" for the results folder itself.
        """
        for stem in self._candidates(folder, name):
            if is_free(stem) and self.claim(photo, stem):
                return stem
        raise AssertionError("unreachable: the numbers do not end")

    def _candidates(self, folder: str, name: str) -> Iterator[str]:
        plain, suffix = split(name)
        first = joined(folder, safe_name(plain))
        yield first
        yield joined(folder, safe_name(f"{plain}_{suffix[1:].lower()}"))
        key = fold_name(first)
        start = self._counts.get(key, 1) + 1
        for number, stem in enumerate(numbered(first, suffix="", first=start), start):
            self._counts[key] = number
            yield stem


class Disk:
    """The files in a results folder, by the stems of photos."""

    def __init__(self, folder: Path, effects: Iterable[str], suffixes: Collection[str]):
        self._folder = os.path.join(folder, "")  # noqa: PTH118 - asked of millions of names
        self._endings = [f"_{effect}{suffix}" for effect in effects for suffix in suffixes]

    def is_free(self, stem: str, own: Sequence[str] = ()) -> bool:
        """Return whether no file, except a photo's ``own``, has a name that it may want."""
        for ending in self._endings:
            file = stem + ending
            if file not in own and os.path.lexists(self._folder + file):
                return False
        return True


def split(name: str) -> tuple[str, str]:
    """Return a file's name without its suffix, and the suffix."""
    if plain := _PLAIN.fullmatch(name):
        return plain[1], plain[2]
    path = PurePath(name)
    return path.stem, path.suffix


def joined(folder: str, name: str) -> str:
    """Return ``name`` in a folder of the results, "" for the results folder itself."""
    return f"{folder}/{name}" if folder else name


@lru_cache
def safe_folder(place: str) -> str:
    """Return the folder of the results that mirrors ``place``, names between slashes."""
    return "/".join([safe_name(part) for part in place.split("/") if part])


def _key(file: str) -> str:
    """Return what is claimed with a file: its name without the suffix of a picture."""
    stem, dot, suffix = file.rpartition(".")
    return fold_name(stem if dot and f".{suffix}" in MADE_SUFFIXES else file)
