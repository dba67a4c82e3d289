"""folder -> the files in it that u2demo wrote, so that it replaces no other and no changed one."""

import contextlib
import json
import os
from pathlib import Path

from u2demo.machine.disk import not_ours, write_file, write_new_file
from u2demo.runs.checksums import content_checksum, is_as_written, is_content_checksum


class Registry:
    """Names of files with their checksums, in ``folder``, kept in the hidden file ``mark``.

    A file has several checksums while it is about to be replaced. ``kept`` are the files that
    somebody else has written or changed, and that stayed.
    """

    def __init__(self, folder: Path, mark: str, title: str):
        self._folder, self._mark, self._title = folder.resolve(), folder / mark, title
        self._known: dict[str, list[str]] = {}
        self._inside: dict[Path, bool] = {}
        self.kept: list[Path] = []
        if os.path.lexists(self._mark):
            self._read()

    def announce(self, name: str, data: bytes) -> None:
        """Note that ``data`` will be written to ``name``: ``store``, then ``write``."""
        known = self._known.setdefault(name, [])
        checksum = content_checksum(data)
        if checksum not in known:
            known.append(checksum)

    def store(self) -> None:
        """Put all that is known on disk."""
        lines = [json.dumps([name, *self._known[name]]) for name in sorted(self._known)]
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._mark, "\n".join([self._title, *lines, ""]).encode(), durable=True)

    def write(self, name: str, data: bytes) -> None:
        """Write ``data`` to ``name``, unless something is there that u2demo did not write.

        Raises:
            OSError: the file cannot be written, or its name is too long.
        """
        path = self._folder / name
        if not self._is_inside(path.parent):
            self.kept.append(path)
            return
        checksum = content_checksum(data)
        if not is_as_written(path, checksum):
            try:
                write_new_file(path, data, may_replace=lambda path: self._is_ours(path, name))
            except FileExistsError:
                self.kept.append(path)
                return
        self._known[name] = [checksum]

    def _is_inside(self, folder: Path) -> bool:
        """Create ``folder`` if it is missing; return False if a link makes it lie elsewhere."""
        if folder not in self._inside:
            self._inside[folder] = folder.resolve().is_relative_to(self._folder)
            if self._inside[folder]:
                folder.mkdir(parents=True, exist_ok=True)
        return self._inside[folder]

    def _is_ours(self, path: Path, name: str) -> bool:
        return any(is_as_written(path, checksum) for checksum in self._known.get(name, []))

    def _read(self) -> None:
        if self._mark.is_symlink() or not self._mark.is_file():
            raise not_ours(self._mark)
        title, *lines = self._mark.read_text("utf-8", errors="replace").splitlines() or [""]
        if title != self._title:
            raise not_ours(self._mark)
        for line in lines:
            with contextlib.suppress(ValueError, TypeError, RecursionError):
                name, *checksums = map(str, json.loads(line))
                self._known[name] = list(filter(is_content_checksum, checksums))
