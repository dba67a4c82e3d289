"""checkpoint -> verified file: found on this machine, or downloaded once for all its processes.

A file is checked against its published size and hash every time it is used, and gets its final name
only then: that a file exists does not make it good.
"""

import contextlib
import errno
import hashlib
import os
import pkgutil
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from u2demo.machine.disk import write_file
from u2demo.machine.names import expand_home, printable
from u2demo.nets.advice import by_hand, not_written, way_out
from u2demo.nets.checkpoints import Checkpoint, WeightsError
from u2demo.nets.download import RefusedError, download

Check = Callable[[Path], None]  # raises WeightsError unless the weights in a file fit their net
# Called with the number of bytes received so far, again and again. It may raise
# ``download.Stopped`` to end the download; the next one resumes from there.
Progress = Callable[[int], None]

_PACKAGED = Path(__file__).parents[1] / "data"


def fetch(checkpoint: Checkpoint, *, check: Check, progress: Progress | None = None) -> Path:
    """Return a file that is known to be good, downloading it if this machine has none.

    ``check`` judges a file whose hash nobody has published. The first one that fits is adopted: its
    hash is recorded beside it, with a warning. Without ``progress`` a bar is drawn.

    Raises:
        WeightsError: there is no such file here or at its sources; the text says what to do.
    """
    path, faults = find(checkpoint, check=check)
    if path is None and not checkpoint.sources and not _PACKAGED.is_dir():
        path = _unpack(checkpoint)
    if path is None:
        _demand_sources(checkpoint, faults)
        path = _fetch_alone(checkpoint, check, progress)
    adopt(checkpoint, path)
    return path


def find(checkpoint: Checkpoint, *, check: Check) -> tuple[Path | None, list[str]]:
    """Return the first good file, None if there is none, and what is wrong with those before it.

    Files are only read. A file whose hash nobody has published is good if it passes ``check``.
    """
    faults = []
    for path in present(checkpoint):
        wrong = _fault(checkpoint, path, path, check)
        if wrong is None:
            return path, faults
        faults.append(f"{path} exists but {wrong}.")
    return None, faults


def present(checkpoint: Checkpoint) -> list[Path]:
    """Return the files, good or bad, in the places where this one is looked for."""
    places = folders() if checkpoint.sources else [_PACKAGED, *folders()]
    paths = [folder / checkpoint.file for folder in places]
    return [path for path in paths if path.is_file()]


def verdict(checkpoint: Checkpoint, path: Path) -> str:
    """Return in words how far a file that ``find`` returned can be trusted; only reads."""
    if checkpoint.sha256:
        return "good"
    if _recorded_sha256(path):
        return "as it was when first used, but nobody has published its hash"
    return "fits, but nobody has published its hash"


def adopt(checkpoint: Checkpoint, path: Path) -> None:
    """Record the hash of a file that fits, with a warning, unless one is published or recorded.

    From then on ``find`` accepts no other file in its place.
    """
    if checkpoint.sha256 or _recorded_sha256(path):
        return
    found = file_sha256(path)
    with contextlib.suppress(OSError):  # a read-only folder
        write_file(_record_of(path), f"{found}  {path.name}\n".encode())
    warning = (
        f"nobody has published a hash of {path.name}, so nothing proves that {path} is the authors'"
        " own file. It fits the network and is trusted from now on: no other file will be accepted"
        f" in its place. Its sha256 is {found}"
    )
    warnings.warn(printable(warning), stacklevel=2)


def folders() -> list[Path]:
    """Return where weights are looked for: ``U2DEMO_HOME`` or the cache, then a temporary place."""
    home = os.environ.get("U2DEMO_HOME")
    preferred = expand_home(home) if home else platformdirs.user_cache_path("u2demo")
    # Several users may share a temporary folder; on Windows each user has one.
    user = os.getuid() if hasattr(os, "getuid") else 0
    temporary = Path(tempfile.gettempdir(), f"u2demo-{user}")
    # A user without a home, as in some containers, would get a folder that is called "~".
    return [temporary] if preferred.parts[:1] == ("~",) else [preferred, temporary]


def _unpack(checkpoint: Checkpoint) -> Path | None:
    """Copy a file out of a package that is inside a zip; return the copy if it is good."""
    try:
        data = pkgutil.get_data("u2demo", f"data/{checkpoint.file}")
    except OSError:
        return None
    path = _writable_folder() / checkpoint.file
    write_file(path, data)
    return path if file_sha256(path) == checkpoint.sha256 else None


# Is it the right file?


def _fault(checkpoint: Checkpoint, path: Path, final: Path, check: Check) -> str | None:
    """Return what is wrong with the file at ``path``, None if it is good enough for ``final``."""
    try:
        size = path.stat().st_size
        if checkpoint.sha256 and size != checkpoint.bytes:
            return f"has {size:,} bytes instead of {checkpoint.bytes:,}"
        expected = checkpoint.sha256 or _recorded_sha256(final)
        if expected is None:
            check(path)
            return None
        found = file_sha256(path)
        return None if found == expected else f"has sha256 {found} instead of {expected}"
    except WeightsError as error:
        return f"does not load: {error}"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _recorded_sha256(path: Path) -> str | None:
    """Return the hash recorded when the file at ``path`` was adopted, None if it never was."""
    record = _record_of(path)
    if not record.is_file():
        return None
    with record.open("rb") as file:
        return file.read(64).decode("utf-8", "replace")


def _record_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")  # as the command sha256sum writes and checks it


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# Fetching it


def _demand_sources(checkpoint: Checkpoint, faults: list[str]) -> None:
    """Raise ``WeightsError`` if there is nowhere to download from, or downloads are off."""
    if not checkpoint.sources:
        missing = faults or [f"{_PACKAGED / checkpoint.file} is missing."]
        raise WeightsError("\n".join([*missing, "Install u2demo again to repair the package."]))
    if _is_offline():
        off = (
            f"{checkpoint.name} is not on this machine and downloads are switched off; unset"
            " U2DEMO_OFFLINE to allow them."
        )
        links = [f"- {url}" for url in checkpoint.sources]
        raise WeightsError("\n".join([off, *faults, *links, by_hand(checkpoint, folders()[0])]))


def _is_offline() -> bool:
    return os.environ.get("U2DEMO_OFFLINE", "").lower() not in ("", "0", "false", "no")


def _fetch_alone(checkpoint: Checkpoint, check: Check, progress: Progress | None) -> Path:
    """Download the file while no other process does; use what another one has just fetched."""
    folder = _writable_folder()
    path = folder / checkpoint.file
    part = folder / f"{checkpoint.file}.part"
    if path.is_dir():
        raise WeightsError(f"{path} is a folder, but weights go there.\n{way_out(None)}")
    for link in filter(Path.is_symlink, (part, part.with_suffix(".lock"))):
        raise WeightsError(f"{link} is a link, and is not followed.\n{way_out(None)}")
    try:
        with _told(progress, checkpoint) as told, _lock(part, told):
            found, faults = find(checkpoint, check=check)  # another process may have fetched it
            return found or _download(checkpoint, path, part, faults, check, told)
    except WeightsError:
        raise
    except OSError as error:
        raise not_written(checkpoint, part, error) from error


def _writable_folder() -> Path:
    """Return the first folder that can be written to; warn if it is not the preferred one."""
    faults = []
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            faults.append(f"{folder} cannot be written to ({error.strerror})")
            continue
        if faults:
            warnings.warn(printable(f"{faults[0]}; weights go to {folder} for now"), stacklevel=2)
        return folder
    raise WeightsError(f"{'; '.join(faults)}. Set U2DEMO_HOME to one that can.")


@contextlib.contextmanager
def _told(progress: Progress | None, checkpoint: Checkpoint) -> Iterator[Progress]:
    if progress:
        yield progress
        return
    from tqdm.auto import tqdm

    # It stays: where a bar was closed, a page that opens later, as Voila's, finds no model.
    with tqdm(total=checkpoint.bytes, desc=checkpoint.file, unit="B", unit_scale=True) as bar:
        yield lambda size: bar.update(size - bar.n)
        bar.update(bar.total - bar.n)  # another process may have fetched it


@contextlib.contextmanager
def _lock(part: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock on ``part`` that the system releases if its process dies.

    While another process holds it, ``progress`` gets the number of bytes that one has received.
    """
    held = FileLock(part.with_suffix(".lock"))
    try:
        _try_to_hold(held, timeout=1)
        if not held.is_locked:
            warnings.warn(f"another process is fetching {part.stem}; waiting for it", stacklevel=2)
        while not held.is_locked:
            progress(_size(part))
            _try_to_hold(held, timeout=0.5)
        yield
    finally:
        held.release()


def _try_to_hold(lock: FileLock, *, timeout: float) -> None:
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        return
    except OSError as error:
        reason = error.strerror or str(error)
        raise WeightsError(
            f"the lock {lock.lock_file} cannot be written: {reason}.\n{way_out(error.errno)}"
        ) from error


def _size(path: Path) -> int:
    """Return the size of a file in bytes, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _download(
    checkpoint: Checkpoint,
    path: Path,
    part: Path,
    faults: list[str],
    check: Check,
    progress: Progress,
) -> Path:
    """Try each source in turn until the file is complete."""
    free = shutil.disk_usage(part.parent).free
    if free < checkpoint.most - _size(part):
        full = OSError(errno.ENOSPC, f"{free / 1e6:.1f} MB are free")
        raise not_written(checkpoint, part, full)
    reasons = []
    for url in checkpoint.sources:
        try:
            _bring(url, path, part, checkpoint, check, progress)
            part.replace(path)
            return path
        except RefusedError as error:
            reasons.append(f"- {url}\n  {error}")
        except OSError as error:  # of this machine, so that no other source helps
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise not_written(checkpoint, part, error) from None
    failed = f"{checkpoint.name} could not be downloaded. What each source answered:"
    raise WeightsError("\n".join([failed, *reasons, *faults, by_hand(checkpoint, path.parent)]))


def _bring(
    url: str, path: Path, part: Path, checkpoint: Checkpoint, check: Check, progress: Progress
) -> None:
    """Fill ``part`` with the good file from one source, or raise ``RefusedError``."""
    is_known = checkpoint.sha256 or _recorded_sha256(path)
    if not is_known:  # bytes of two sources could be joined without anybody noticing
        part.unlink(missing_ok=True)
    if not is_known and not url.startswith("https:"):
        raise RefusedError(
            "is not asked: nobody has published this file's hash, so it must come over https"
        )
    size = checkpoint.bytes if checkpoint.sha256 else None
    for _ in range(2):
        in_pieces = download(url, part, size=size, most=checkpoint.most, progress=progress)
        wrong = _fault(checkpoint, part, path, check)
        if wrong is None:
            return
        part.unlink()
        if not in_pieces:
            break  # only joined pieces, perhaps of two sources or versions, are fetched once more
    raise RefusedError(f"sent a file that {wrong}")
