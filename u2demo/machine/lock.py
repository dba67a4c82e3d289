"""file -> lock: one process at a time, however the last one ended."""

import errno
import os
import platform
import stat
from pathlib import Path

from u2demo.machine.disk import discard, is_running, not_ours, this_computer

if os.name == "nt":
    import msvcrt
else:
    import fcntl

# Then the computer's name, its number and the process; a file without it is not ours.
_MARK = b"u2demo is writing here: "
_FAR = 2**30  # the byte that is locked on Windows, where nobody can read what is locked
_HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
# What network drives and FUSE say that have no locks.
_WITHOUT_LOCKS = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL}


class HeldError(ValueError):
    """Another process has the lock; it may be at work."""


class Lock:
    """A lock that ends with its process, held by having ``file`` open.

    On a drive without locks, it is held as long as ``file`` is there.
    """

    def __init__(self, file: Path):
        self._file = file
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ValueError: another process has it, or the file belongs to somebody else.
            OSError: the file can be neither created nor opened.
        """
        while self._descriptor is None:
            descriptor, is_new = self._open()
            try:
                if self._try_to_take(descriptor, is_new):
                    self._descriptor = descriptor
            finally:
                if self._descriptor is None:
                    os.close(descriptor)

    def is_held(self) -> bool:
        """Return whether another process has the lock.

        On Windows, of several that ask in the same moment all but one are told that it has.
        """
        try:
            descriptor = os.open(self._file, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except OSError:  # there is none
            return False
        owner = None
        try:
            owner = _owner(descriptor)
            if owner is None:
                return False
            _lock(descriptor, shared=True)
        except OSError as error:
            return error.errno in _HELD or not _is_of_the_dead(owner)
        finally:
            os.close(descriptor)
        return False

    def release(self) -> None:
        """Give the lock back and delete its file."""
        if self._descriptor is None:
            return
        signed = _owner(self._descriptor) is not None
        is_ours = signed and _is_the_file(self._descriptor, self._file)
        if is_ours and os.name != "nt":  # deleted first, so that nobody opens it in between
            discard(self._file)
        os.close(self._descriptor)
        self._descriptor = None
        if is_ours and os.name == "nt":  # which deletes no file that is open
            discard(self._file)

    def _open(self) -> tuple[int, bool]:
        """Return a descriptor of the file, and whether it has just been created."""
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        while True:
            try:
                descriptor = os.open(self._file, flags | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                pass
            else:
                self._sign(descriptor)
                return descriptor, True
            try:
                if not stat.S_ISREG(self._file.lstat().st_mode):
                    raise not_ours(self._file)
                return os.open(self._file, flags), False
            except FileNotFoundError:  # its owner has just deleted it
                continue

    def _sign(self, descriptor: int) -> None:
        try:
            os.write(descriptor, _MARK + f"{platform.node()} {_here(os.getpid())}\n".encode())
            os.fsync(descriptor)  # after a power cut, nobody would know an empty file
        except OSError:
            os.close(descriptor)
            discard(self._file)
            raise

    def _try_to_take(self, descriptor: int, is_new: bool) -> bool:
        """Return whether the lock is taken; False means to try again with the file that is there.

        Raises:
            ValueError: as ``acquire``.
        """
        size = os.fstat(descriptor).st_size
        owner = _owner(descriptor)
        if size and owner is None:
            raise not_ours(self._file)
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno in _HELD:
                raise self._taken() from None
            if error.errno not in _WITHOUT_LOCKS:
                raise
            if not is_new:
                self._clear_away(descriptor, owner)
                return False
        # A process that opened the file just before its owner deleted it has locked nothing.
        return _is_the_file(descriptor, self._file)

    def _clear_away(self, descriptor: int, owner: str | None) -> None:
        """Delete the file that a killed process left on a drive without locks."""
        if not _is_of_the_dead(owner):
            raise self._taken(f"; if no run is, delete {self._file.name} there")
        if _is_the_file(descriptor, self._file):  # not that of another, who was quicker
            discard(self._file)

    def _taken(self, more: str = "") -> HeldError:
        return HeldError(
            f"another run is writing into {self._file.parent};"
            f" let it finish or choose another folder{more}"
        )


def _lock(descriptor: int, *, shared: bool = False) -> None:
    """Lock an open file, maybe ``shared``; raise ``OSError`` at once if that cannot be."""
    if os.name == "nt":
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _owner(descriptor: int) -> str | None:
    """Return the computer and process that wrote the file, None if u2demo did not write it."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = os.read(descriptor, 1000)
    if not content.startswith(_MARK):
        return None
    return content.removeprefix(_MARK).decode(errors="replace").strip()


def _here(process: int) -> str:
    return f"{this_computer()} {process}"


def _is_of_the_dead(owner: str | None) -> bool:
    owner = owner or ""
    process = owner.rpartition(" ")[2]
    if not process.isdecimal() or not owner.endswith(_here(int(process))):
        return False
    return not is_running(int(process))


def _is_the_file(descriptor: int, file: Path) -> bool:
    try:
        there = file.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
