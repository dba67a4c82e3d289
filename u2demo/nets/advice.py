"""fault of a weights file -> what a person can do about it."""

import errno
from pathlib import Path

from u2demo.nets.checkpoints import Checkpoint, WeightsError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def not_written(checkpoint: Checkpoint, part: Path, error: OSError) -> WeightsError:
    """Return the error for a file that the disk does not take."""
    reason = error.strerror or str(error)
    failed = f"{part} cannot be written: {reason}"
    if error.errno in _FULL:
        what = f"{checkpoint.file} ({checkpoint.size})"
        failed = f"{what} cannot be stored in {part.parent}: {reason}"
    return WeightsError(f"{failed}.\n{way_out(error.errno)}")


def way_out(code: int | None) -> str:
    """Return what helps against an error of the disk; None stands for something in the way."""
    if code in _FULL:
        return "Make room there, or set U2DEMO_HOME to a folder on another disk."
    return "Move what is in the way, or set U2DEMO_HOME to another folder."


def by_hand(checkpoint: Checkpoint, folder: Path) -> str:
    """Return how to put the file in place by hand."""
    path = folder / checkpoint.file
    known = f"{checkpoint.bytes:,} bytes, sha256 {checkpoint.sha256}"
    if not checkpoint.sha256:
        known = f"about {checkpoint.size}; nobody has published its hash, so the first file that\n"
        known += f"   fits is trusted and recorded in {path}.sha256"
    return f"""
To put it in place by hand:
1. Open one of the links above in a browser. Google Drive often serves a browser when it refuses
   a program; otherwise try again a day later. The authors' page: {checkpoint.origin}
2. Put the file on this machine as {path}
   ({known})
3. Run the same command again: it finds the file and checks it.

A file elsewhere loads with load_model(weights="PATH"), or u2demo --weights PATH.
load_model("u2netp") finds the subject of a photo without any download."""
