"""A disk that fails when asked to: the n-th thing done below a folder, or all from there on.

In the manner of SQLite's tests (https://sqlite.org/testing.html, 3.2 I/O error testing): count what
a run does to its disk, then let each of these fail in turn.
"""

import builtins
import contextlib
import errno
import io
import os
import pathlib
import sys
import threading
from pathlib import Path

# What Python itself announces before it asks the system, whatever function was called.
_EVENTS = {
    "open": "open",
    "os.link": "link",
    "os.rename": "rename",
    "os.mkdir": "mkdir",
    "os.remove": "unlink",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NEEDS_NO_ROOM = {"unlink"}


class FailingDisk:
    """Fail the ``fail_at``-th operation below ``folder``, and all later ones if ``for_good``.

    A failing write leaves half of the data. ``operations`` lists what was asked of the disk.
    """

    active = None

    def __init__(self, folder, fail_at=0, *, code=errno.ENOSPC, for_good=False):
        self.folder, self.fail_at, self.code, self.for_good = str(folder), fail_at, code, for_good
        self.operations = []
        self._lock = threading.Lock()

    def __enter__(self):
        FailingDisk.active = self
        self._stack = contextlib.ExitStack()
        homes = [io, builtins, getattr(pathlib, "_NormalAccessor", None)]  # the last: Python 3.10
        for home in filter(None, homes):
            self._replace(home, "open", staticmethod(self._open))
        self._replace(os, "fsync", self._fsync)
        return self

    def _replace(self, home, name, function):
        self._stack.callback(setattr, home, name, getattr(home, name))
        setattr(home, name, function)

    def __exit__(self, *error):
        self._stack.close()
        FailingDisk.active = None

    @property
    def failed(self):
        """Whether there was a fault at all."""
        return 0 < self.fail_at <= len(self.operations)

    def holds(self, path):
        return isinstance(path, str | os.PathLike) and str(path).startswith(self.folder)

    def demand(self, operation, path):
        """Raise the error that is due, if any."""
        if operation in _NEEDS_NO_ROOM and self.code in (errno.ENOSPC, errno.EDQUOT):
            return
        with self._lock:
            self.operations.append(f"{operation} {Path(path).name}")
            count = len(self.operations)
        if count == self.fail_at or (self.for_good and self.failed):
            raise OSError(self.code, os.strerror(self.code), str(path))

    def _open(self, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None,
              closefd=True, opener=None):  # fmt: skip
        if not self.holds(file) or not set(mode) & set("wax+"):
            return _OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _File(file, mode.translate({ord("b"): "", ord("t"): ""}), opener=opener)
        raw.disk, raw.path = self, file
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

    def _fsync(self, descriptor):
        self.demand("fsync", self.folder)
        return _FSYNC(descriptor)


class _File(io.FileIO):
    disk = path = None

    def write(self, data):
        try:
            self.disk.demand("write", self.path)
        except OSError:
            super().write(memoryview(data)[: len(data) // 2])
            raise
        return super().write(data)

    def close(self):
        was_open = not self.closed
        super().close()
        if was_open and self.disk:
            self.disk.demand("close", self.path)


def _hear(event, arguments):
    disk = FailingDisk.active
    if disk is None or event not in _EVENTS or not disk.holds(arguments[0]):
        return
    if event != "open" or arguments[2] & _WRITING:
        disk.demand(_EVENTS[event], arguments[0])


_OPEN, _FSYNC = io.open, os.fsync
sys.addaudithook(_hear)
