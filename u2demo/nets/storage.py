"""Where weights lie on this machine, and that one process at a time writes them."""

import contextlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from u2demo.nets.checkpoints import WeightsError


def folders() -> list[Path]:
    """Return where weights are looked for: ``U2DEMO_HOME`` or the cache, then a temporary place."""
    home = os.environ.get("U2DEMO_HOME")
    user = getattr(os, "getuid", int)()  # a temporary folder may belong to many people
    return [
        Path(home).expanduser() if home else platformdirs.user_cache_path("u2demo"),
        Path(tempfile.gettempdir(), f"u2demo-{user}"),
    ]


def writable_folder() -> Path:
    """Return the first folder that takes a file; tell when it is not the preferred one."""
    faults = []
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            faults.append(f"{folder} cannot be written to ({error.strerror})")
            continue
        if faults:
            warnings.warn(f"{faults[0]}; weights go to {folder} for now", stacklevel=2)
        return folder
    raise WeightsError(f"{'; '.join(faults)}. Set U2DEMO_HOME to a folder that can be.")


def size(path: Path) -> int:
    """Return the bytes of a file, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextlib.contextmanager
def lock(part: Path, progress: Callable[[int], None]) -> Iterator[None]:
    """Hold a lock on ``part`` that the system releases should its process die.

    While another process holds it, ``progress`` gets the size of what that one has fetched.
    """
    held = FileLock(part.with_suffix(".lock"))
    try:
        held.acquire(timeout=1)
    except Timeout:
        warnings.warn(f"another process is fetching {part.stem}; waiting for it", stacklevel=2)
    try:
        while not held.is_locked:
            progress(size(part))
            with contextlib.suppress(Timeout):
                held.acquire(timeout=0.5)
        yield
    finally:
        held.release()
