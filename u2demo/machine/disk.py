"""bytes -> file: whole or not at all, and advice when the disk refuses."""

import contextlib
import errno
import os
import platform
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from u2demo.machine.names import numbered

T = TypeVar("T")

IN_USE = "in use by another program; close it, or pause what scans or syncs this folder"
# What a person can do about an error of the machine.
_ADVICE = {
    errno.ENOSPC: "the disk is full; make room, or choose another folder",
    errno.EDQUOT: "your share of the disk is used up; make room, or choose another folder",
    errno.EFBIG: "the file is larger than this disk or account may hold; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EACCES: "no permission to write here, or a file is open in another program; change that"
    " or choose another folder",
    errno.EPERM: "no permission to write here; change that, or choose another folder",
    errno.EBUSY: IN_USE,
    errno.ETXTBSY: IN_USE,
    errno.EIO: "the disk does not answer; is it still connected? Or choose another folder",
    errno.EMFILE: "too many files are open; raise the limit of open files (ulimit -n)",
    errno.ENFILE: "too many files are open; close other programs",
    errno.ENOENT: "this was moved or deleted in the meantime; choose a folder that stays",
    errno.EEXIST: "this is a file; choose a folder",
    errno.ENOTDIR: "part of this path is a file; choose a folder",
}
_NO_FOLDER = {errno.EEXIST, errno.ENOTDIR}
# Errors that may pass: a virus scanner or a cloud folder holds a new file open for a moment.
_BUSY = {errno.EBUSY, errno.ETXTBSY}
_BUSY_ON_WINDOWS = {32, 33}  # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
# Hidden until complete: who writes it (from this version on), then chance.
_PARTIAL = re.compile(r"\.u2demo-(?:([0-9a-f]{8})([0-9a-f]{8}))?[0-9a-f]{16}\.part")
_FRAME = re.compile(r"[0-9]{6,}\.png")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PAUSES = (0.05, 0.1, 0.2, 0.3, 0.4)  # seconds between attempts, about one in all


def retry_busy(operation: Callable[[], T], path: Path, mode: int = os.R_OK) -> T:
    """Return ``operation()``, tried again for about a second while another program is in the way.

    ``path`` and ``mode`` are what the operation needs permission for, as in ``os.access``. A file
    whose own rights forbid it is not waited for.

    Raises:
        OSError: what ``operation`` raised last. If it is still busy, ``strerror`` is ``IN_USE``.
    """
    pauses = iter(_PAUSES)
    while True:
        try:
            return operation()
        except OSError as error:
            if not _is_busy(error, path, mode):
                raise
            pause = next(pauses, None)
            if pause is None:
                raise OSError(error.errno or errno.EACCES, IN_USE, str(path)) from error
        time.sleep(pause)


def _is_busy(error: OSError, path: Path, mode: int) -> bool:
    if getattr(error, "winerror", None) in _BUSY_ON_WINDOWS or error.errno in _BUSY:
        return True
    denied = isinstance(error, PermissionError) and error.errno != errno.EPERM
    return denied and os.access(path, mode)


def write_file(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write ``data`` to ``path``; until it is complete, whatever was there stays.

    ``durable`` waits until the disk holds it, so that even a power cut cannot lose it.
    """
    write_pieces(path, [data], durable=durable)


def write_pieces(path: Path, pieces: Iterable[bytes], *, durable: bool = False) -> None:
    """Do what ``write_file`` does with data that comes in pieces."""
    partial = _write_partial(path.parent, pieces, durable)
    try:
        _replace(partial, path)
    except BaseException:
        discard(partial)
        raise


def write_new_file(
    path: Path, data: bytes, *, may_replace: Callable[[Path], bool] = lambda path: False
) -> None:
    """Write ``data`` to ``path``, whole, if nothing is there or ``may_replace(path)`` is true.

    Raises:
        FileExistsError: something else is there, even if it has just appeared; it is not changed.
    """
    partial = _write_partial(path.parent, [data])
    try:
        place(partial, path, may_replace=may_replace)
    finally:
        discard(partial)


def place(
    partial: Path, path: Path, *, may_replace: Callable[[Path], bool] = lambda path: False
) -> None:
    """Give a hidden file or folder, now complete, the name ``path``; see ``write_new_file``.

    Raises:
        FileExistsError: something else is there; ``partial`` stays.
    """
    replaced = may_replace(path)  # asked last, to leave hardly any time for a later change
    if partial.is_dir():
        _place_folder(partial, path, replaced=replaced)
    elif replaced:
        _replace(partial, path)
    else:
        _move_unless_taken(partial, path)


def at_free_name(path: Path, put: Callable[[Path], object], *, suffix: str | None = None) -> Path:
    """Call ``put(path)`` or, if something is there, ``put`` with the next free ``path (n)``.

    Return that path. ``put`` raises ``FileExistsError`` if something has just appeared there, and
    is then called with the next. For ``suffix`` see ``numbered``.
    """
    for free in map(path.with_name, numbered(path.name, suffix=suffix)):
        if os.path.lexists(free):
            continue
        try:
            put(free)
        except FileExistsError:
            continue
        return free
    raise AssertionError("unreachable: the numbers do not end")


def flush(path: Path) -> None:
    """Wait until the disk holds a file, so that even a power cut cannot lose it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def discard_partial_files(folder: Path, *, shared: bool = False) -> None:
    """Delete what processes were killed while writing into ``folder``: files, folders of frames.

    In a ``shared`` folder others may be writing: only what processes of this computer left there
    goes, and only of those that have ended.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            partial = _PARTIAL.fullmatch(entry.name)
            if not partial or entry.is_symlink():
                continue
            if shared and not _is_of_the_dead(*partial.groups()):
                continue
            if entry.is_file() or _holds_frames_only(Path(entry)):
                discard(Path(entry))


def partial_file(folder: Path) -> Path:
    """Return the path of a hidden file in ``folder`` that gets its own name when it is complete.

    Its name says which process writes it, and is random, so that nobody can have put a file or a
    link there.
    """
    return folder / f".u2demo-{this_computer()}{os.getpid():08x}{os.urandom(8).hex()}.part"


def _write_partial(folder: Path, pieces: Iterable[bytes], durable: bool = False) -> Path:
    """Write ``pieces`` to a new hidden file in ``folder``, and return it."""
    partial = partial_file(folder)
    try:
        with partial.open("xb") as file:
            file.writelines(pieces)
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except FileExistsError:
        raise
    except BaseException:
        discard(partial)
        raise
    return partial


def _replace(source: Path, target: Path) -> None:
    retry_busy(lambda: source.replace(target), target.parent, os.W_OK)


def _move_unless_taken(source: Path, target: Path) -> None:
    """Give ``source`` the name ``target``; raise ``FileExistsError`` if that is taken."""
    if os.name == "nt":  # Windows renames to free names only
        retry_busy(lambda: source.rename(target), target.parent, os.W_OK)
        return
    try:
        os.link(source, target)  # rename would replace what is there
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links, such as exFAT: reserve the name, then take it
        target.touch(exist_ok=False)
        try:
            _replace(source, target)
        except BaseException:
            if target.stat().st_size == 0:
                discard(target)
            raise
    else:
        source.unlink()  # a hidden file that stays is an error, for nobody would look for it


def _place_folder(partial: Path, path: Path, *, replaced: bool) -> None:
    if replaced:
        old = partial_file(path.parent)
        _replace(path, old)
        try:
            _replace(partial, path)
        except BaseException:
            _replace(old, path)
            raise
        discard(old)
    elif os.name == "nt":  # Windows renames to free names only
        retry_busy(lambda: partial.rename(path), path.parent, os.W_OK)
    else:
        path.mkdir()  # fails if something is there; then the name is taken
        try:
            _replace(partial, path)
        except BaseException:
            with contextlib.suppress(OSError):
                path.rmdir()
            raise


def _holds_frames_only(folder: Path) -> bool:
    """Return whether all in a folder are numbered pictures; another one is somebody else's."""
    with os.scandir(folder) as entries:
        return all(_FRAME.fullmatch(entry.name) for entry in entries)


def discard(path: Path) -> None:
    """Delete a file, or a folder of frames, if possible; nothing depends on it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        retry_busy(lambda: path.unlink(missing_ok=True), path.parent, os.W_OK)


def not_ours(path: Path, because: str = "was not written by u2demo") -> ValueError:
    """Return the error for a file of the user's that a run would replace."""
    return ValueError(
        f"{path} {because} and would be replaced; move it, or choose another folder for the results"
    )


def is_running(process: int) -> bool:
    """Return whether a process of this computer, given by its number, has not ended."""
    if os.name == "nt":  # where asking would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _is_of_the_dead(computer: str | None, process: str | None) -> bool:
    return computer == this_computer() and not is_running(int(process, 16))


def this_computer() -> str:
    """Return eight digits for what numbers its processes: a computer, or a container on one.

    Copies of a virtual machine share its name, but each has been started on its own.
    """
    try:
        numbers = os.readlink("/proc/self/ns/pid") + _BOOT.read_text()  # noqa: PTH115 - not a path
    except OSError:  # not Linux
        numbers = ""
    return f"{zlib.crc32(f'{platform.node()} {numbers}'.encode()):08x}"


@contextlib.contextmanager
def advise(folder: Path, then: str = "") -> Iterator[None]:
    """Add advice, and ``then``, to errors of the disk that holds ``folder``."""
    try:
        yield
    except OSError as error:
        if error.errno not in _ADVICE or error.strerror in (IN_USE, *_ADVICE.values()):
            raise
        if error.errno in _NO_FOLDER:
            then = ""  # nothing has begun
        raise OSError(error.errno, f"{folder}: {_ADVICE[error.errno]}{then}") from error
