"""checkpoint -> verified file: found on this machine, or fetched once for everybody on it.

A file is compared with its published size and hash every time, and gets its final name only after
that: a file that exists is not yet a good file.
"""

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from u2demo.checkpoints import Check, Checkpoint, WeightsError, expected_sha256, fault, trust
from u2demo.download import Part, RefusedError, download

_PACKAGED = Path(__file__).parent / "data"


def fetch(checkpoint: Checkpoint, *, check: Check, offline: bool | None = None) -> Path:
    """Return a file that is known to be good, downloading it if this machine has none.

    ``check`` judges a file whose hash nobody has published. ``offline`` is by default what
    ``U2DEMO_OFFLINE`` says. Raises ``WeightsError`` with everything a person can do about it.
    """
    path, faults = find(checkpoint, check=check)
    if path:
        return path
    if not checkpoint.sources:
        missing = faults or [f"{_PACKAGED / checkpoint.file} is missing."]
        raise WeightsError("\n".join([*missing, "Install u2demo again to repair the package."]))
    if offline or (offline is None and _is_offline()):
        off = f"{checkpoint.name} is not on this machine and downloads are switched off."
        links = [f"- {url}" for url in checkpoint.sources]
        raise WeightsError("\n".join([off, *faults, *links, _advice(checkpoint, folders()[0])]))
    folder = _writable_folder()
    try:
        with _lock(folder / f"{checkpoint.file}.lock"):
            path, faults = find(checkpoint, check=check)  # somebody else may have fetched it
            return path or _download(checkpoint, folder, faults, check)
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(_no_room(checkpoint, folder, str(error))) from error


def find(checkpoint: Checkpoint, *, check: Check) -> tuple[Path | None, list[str]]:
    """Return the first good file, None if there is none, and what is wrong with the others."""
    faults = []
    for path in present(checkpoint):
        expected = expected_sha256(checkpoint, path)
        if wrong := fault(checkpoint, path, expected=expected, check=check):
            faults.append(f"{path} is there but {wrong}.")
        else:
            trust(checkpoint, path)
            return path, faults
    return None, faults


def present(checkpoint: Checkpoint) -> list[Path]:
    """Return the files, good or bad, that lie where this one is looked for."""
    paths = [
        folder / checkpoint.file for folder in (folders() if checkpoint.sources else [_PACKAGED])
    ]
    return [path for path in paths if path.is_file()]


def folders() -> list[Path]:
    """Return where weights are looked for: ``U2DEMO_HOME`` or the cache, then a temporary place."""
    home = os.environ.get("U2DEMO_HOME")
    user = getattr(os, "getuid", int)()  # a temporary folder may belong to many people
    return [
        Path(home).expanduser() if home else platformdirs.user_cache_path("u2demo"),
        Path(tempfile.gettempdir(), f"u2demo-{user}"),
    ]


def _download(checkpoint: Checkpoint, folder: Path, faults: list[str], check: Check) -> Path:
    """Try each source in turn until the file is there."""
    from tqdm.auto import tqdm

    path = folder / checkpoint.file
    part = folder / f"{checkpoint.file}.part"
    _demand_space(checkpoint, part)
    reasons = []
    bar = tqdm(total=checkpoint.bytes, desc=path.name, unit="B", unit_scale=True, leave=False)
    with bar:
        for url in checkpoint.sources:
            try:
                _bring(url, part, checkpoint, check, lambda part: bar.update(part.size - bar.n))
                part.replace(path)
            except RefusedError as error:
                reasons.append(f"- {url}\n  {error}")
            except OSError as error:  # of this machine, which no other source can mend
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
                raise WeightsError(_no_room(checkpoint, folder, str(error))) from None
            else:
                trust(checkpoint, path)
                return path
    failed = f"{checkpoint.name} could not be downloaded. What each source answered:"
    raise WeightsError("\n".join([failed, *reasons, *faults, _advice(checkpoint, folder)]))


def _bring(
    url: str, part: Path, checkpoint: Checkpoint, check: Check, progress: Callable[[Part], None]
) -> None:
    """Fill ``part`` with the good file from one source, or raise ``RefusedError``."""
    expected = expected_sha256(checkpoint, part.with_suffix(""))
    if not expected:  # bytes of two sources could be joined, and nothing would show it
        part.unlink(missing_ok=True)
    inherited = part.exists()
    limit = checkpoint.bytes if checkpoint.sha256 else None
    download(url, part, limit=limit, progress=progress)
    wrong = fault(checkpoint, part, expected=expected, check=check)
    if not wrong:
        return
    part.unlink()
    if not inherited:
        raise RefusedError(f"sent a file that {wrong}")
    _bring(url, part, checkpoint, check, progress)  # the fault may be an earlier source's


def _demand_space(checkpoint: Checkpoint, part: Path) -> None:
    missing = checkpoint.bytes - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(part.parent).free
    if free < missing:
        raise WeightsError(_no_room(checkpoint, part.parent, f"{free / 1e6:.1f} MB are free"))


def _no_room(checkpoint: Checkpoint, folder: Path, reason: str) -> str:
    return (
        f"{folder} does not take {checkpoint.file} ({checkpoint.size}): {reason}.\n"
        "Make room there, or set U2DEMO_HOME to a folder on another disk."
    )


def _advice(checkpoint: Checkpoint, folder: Path) -> str:
    """Tell a person how to put the file in place by hand."""
    path = folder / checkpoint.file
    known = f"{checkpoint.bytes:,} bytes, sha256 {checkpoint.sha256}"
    if not checkpoint.sha256:
        known = f"about {checkpoint.size}; nobody has published its hash, so the first file that\n"
        known += f"   fits is trusted and recorded in {path}.sha256"
    return f"""
To put it in place by hand:
1. Open one of the links above in a browser. Google Drive often serves a browser when it refuses
   programs, or else a day later. The authors' page: {checkpoint.origin}
2. Put the file on this machine as {path}
   ({known})
3. Run the same again. The file is found and checked.

A file elsewhere loads with load_model(weights="PATH").
load_model("u2netp") finds the subject of a photo without any download."""


def _is_offline() -> bool:
    return os.environ.get("U2DEMO_OFFLINE", "").lower() not in ("", "0", "false", "no")


def _writable_folder() -> Path:
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


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock that the system releases should its process die."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        warnings.warn(f"another process is fetching {path.stem}; waiting for it", stacklevel=2)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
