"""checkpoint -> verified file: found on this machine, or fetched once for everybody on it.

A file is compared with its published size and hash every time, and gets its final name only after
that: a file that exists is not yet a good file.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from u2demo.nets import storage
from u2demo.nets.checkpoints import Check, Checkpoint, WeightsError, expected_sha256, fault, trust
from u2demo.nets.download import RefusedError, download

_PACKAGED = Path(__file__).parents[1] / "data"
# Gets the number of bytes that are here, again and again while a file is fetched. What it raises,
# no ``Exception``, ends the download; the next one goes on from there.
Progress = Callable[[int], None]


def fetch(
    checkpoint: Checkpoint,
    *,
    check: Check,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return a file that is known to be good, downloading it if this machine has none.

    ``check`` judges a file whose hash nobody has published. ``offline`` is by default what
    ``U2DEMO_OFFLINE`` says; without ``progress`` a bar is drawn. Raises ``WeightsError`` with
    everything a person can do about it.
    """
    path, faults = find(checkpoint, check=check)
    if path:
        return path
    if not checkpoint.sources:
        missing = faults or [f"{_PACKAGED / checkpoint.file} is missing."]
        raise WeightsError("\n".join([*missing, "Install u2demo again to repair the package."]))
    if offline or (offline is None and _is_offline()):
        off = f"{checkpoint.name} is not on this machine and downloads are switched off"
        off += "." if offline else "; unset U2DEMO_OFFLINE to allow them."
        links = [f"- {url}" for url in checkpoint.sources]
        advice = _advice(checkpoint, storage.folders()[0])
        raise WeightsError("\n".join([off, *faults, *links, advice]))
    folder = storage.writable_folder()
    part = folder / f"{checkpoint.file}.part"
    try:
        with _told(progress, checkpoint) as told, storage.lock(part, told):
            path, faults = find(checkpoint, check=check)  # somebody else may have fetched it
            return path or _download(checkpoint, part, faults, check, told)
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
    folders = storage.folders() if checkpoint.sources else [_PACKAGED]
    paths = [folder / checkpoint.file for folder in folders]
    return [path for path in paths if path.is_file()]


def _download(
    checkpoint: Checkpoint, part: Path, faults: list[str], check: Check, progress: Progress
) -> Path:
    """Try each source in turn until the file is there."""
    path = part.with_suffix("")
    _demand_space(checkpoint, part)
    reasons = []
    for url in checkpoint.sources:
        try:
            _bring(url, part, checkpoint, check, progress)
            part.replace(path)
        except RefusedError as error:
            reasons.append(f"- {url}\n  {error}")
        except OSError as error:  # of this machine, which no other source can mend
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise WeightsError(_no_room(checkpoint, path.parent, str(error))) from None
        else:
            trust(checkpoint, path)
            return path
    failed = f"{checkpoint.name} could not be downloaded. What each source answered:"
    raise WeightsError("\n".join([failed, *reasons, *faults, _advice(checkpoint, path.parent)]))


@contextlib.contextmanager
def _told(progress: Progress | None, checkpoint: Checkpoint) -> Iterator[Progress]:
    if progress:
        yield progress
        return
    from tqdm.auto import tqdm

    with tqdm(
        total=checkpoint.bytes, desc=checkpoint.file, unit="B", unit_scale=True, leave=False
    ) as bar:
        yield lambda size: bar.update(size - bar.n)


def _bring(url: str, part: Path, checkpoint: Checkpoint, check: Check, progress: Progress) -> None:
    """Fill ``part`` with the good file from one source, or raise ``RefusedError``."""
    expected = expected_sha256(checkpoint, part.with_suffix(""))
    if not expected:  # bytes of two sources could be joined, and nothing would show it
        part.unlink(missing_ok=True)
    inherited = part.exists()
    limit = checkpoint.bytes if checkpoint.sha256 else None
    download(url, part, limit=limit, progress=lambda attempt: progress(attempt.size))
    wrong = fault(checkpoint, part, expected=expected, check=check)
    if not wrong:
        return
    part.unlink()
    if not inherited:
        raise RefusedError(f"sent a file that {wrong}")
    _bring(url, part, checkpoint, check, progress)  # the fault may be an earlier source's


def _demand_space(checkpoint: Checkpoint, part: Path) -> None:
    missing = checkpoint.bytes - storage.size(part)
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

A file elsewhere loads with load_model(weights="PATH"), or u2demo --weights PATH.
load_model("u2netp") finds the subject of a photo without any download."""


def _is_offline() -> bool:
    return os.environ.get("U2DEMO_OFFLINE", "").lower() not in ("", "0", "false", "no")
