"""the results folder: what is there, and how a picture gets its name, replacing no other file."""

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePath

from u2demo.machine.disk import place, write_new_file
from u2demo.runs.checksums import is_as_written, is_whole
from u2demo.runs.names import Disk


class Folder:
    """Results on a disk; names are relative to it, with ``/`` in between. See also ``Store``."""

    def __init__(self, path: Path):
        self._path = path
        self._prefix = os.path.join(path, "")  # noqa: PTH118 - ends with a slash

    def stems(self, effects: Iterable[str], suffixes: Collection[str]) -> Disk:
        """Return what knows which files there are, by the stems of photos."""
        return Disk(self._path, effects, suffixes)

    def name_in(self, file: str) -> str | None:
        """Return the name of a file, given by its path, None if it lies elsewhere."""
        if not file.startswith(self._prefix):
            return None
        return PurePath(file).relative_to(self._prefix).as_posix()

    def is_there(self, name: str) -> bool:
        """Return whether anything has this name."""
        return os.path.lexists(self._path / name)

    def is_whole(self, name: str) -> bool:
        """Return whether a picture is there and complete."""
        return is_whole(self._prefix + name)

    def is_as_written(self, name: str, checksum: str) -> bool:
        """Return whether a picture is the one with this checksum, or was cut short by a crash."""
        return is_as_written(self._path / name, checksum)

    def put(self, name: str, data: bytes, may_replace: Callable[[str], bool]) -> None:
        """Write a picture, whole, if nothing is there or ``may_replace(name)`` is true.

        Raises:
            FileExistsError: something else is there; it is not changed.
        """
        path = self._path / name
        write_new_file(path, data, may_replace=lambda _: may_replace(name))

    def move(self, made: Path, name: str, may_replace: Callable[[str], bool]) -> None:
        """Give a hidden file or folder, now complete, a name, as ``put`` does."""
        place(made, self._path / name, may_replace=lambda _: may_replace(name))

    def make_folders(self, name: str) -> None:
        """Create the folders that ``name`` goes into, but not the results folder itself.

        If somebody deletes that one, the run must end instead of starting over.

        Raises:
            ValueError: a link there leads out of the results folder.
        """
        parent = PurePath(name).parent
        if not (self._path / parent).resolve().is_relative_to(self._path):
            raise ValueError(f"{parent} lies outside {self._path}; nothing is written there")
        *folders, _ = PurePath(name).parents
        for folder in reversed(folders):
            (self._path / folder).mkdir(exist_ok=True)
