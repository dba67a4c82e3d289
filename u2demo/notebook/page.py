"""browser <-> bytes: photos come in from a person's page, pictures go back to it.

The same calls serve Google Colab, JupyterLab, Voila and a run that nobody watches. Uploads are
bytes in memory; nothing is written but to a person's own Drive.
"""

import contextlib
import functools
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

DRIVE = "/content/drive"  # where Colab mounts a person's Drive; U2DEMO_DRIVE overrides it
ENVIRONMENTS = ("colab", "jupyter", "voila", "headless")
_CLOSERS: dict[str | None, Callable[[], None]] = {}  # by cell: ends what it shows


class PageError(Exception):
    """What a person asked their page for did not happen; the text says why and what to do."""


def environment() -> str:
    """Return where this runs, one of ``ENVIRONMENTS``; "headless" means that nobody can answer.

    The environment variable ``U2DEMO_ENV`` overrides what is found.
    """
    from IPython import get_ipython

    forced = os.environ.get("U2DEMO_ENV")
    if forced and forced not in ENVIRONMENTS:
        raise ValueError(f"U2DEMO_ENV is {forced!r}; choose from {', '.join(ENVIRONMENTS)}")
    if forced:
        return forced
    shell = get_ipython()
    if type(shell).__module__.startswith("google.colab"):
        return "colab"
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return "voila"
    # JupyterLab lets a cell ask for input; nbval, nbclient and nbconvert do not.
    kernel = getattr(shell, "kernel", None)
    return "jupyter" if getattr(kernel, "_allow_stdin", False) else "headless"


def once_a_cell(close: Callable[[], None]) -> None:
    """Call ``close`` when the cell that runs now runs again: what it showed is gone by then.

    Where cells have no identity, the next cell that asks for the same counts as that.
    """
    from IPython import get_ipython

    shell = get_ipython()
    message = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = (message.get("metadata") or {}).get("cellId")
    _CLOSERS.pop(cell, lambda: None)()
    _CLOSERS[cell] = close


def choose_files() -> dict[str, bytes]:
    """Open Colab's file dialog, wait, and return the chosen files by name; {} after a cancel.

    Colab's dialog can only write files: they go to a private folder that is gone on return, and
    that starts empty, so that names stay the person's own (no "cat (1).jpg" on a second upload).
    """
    from google.colab import files

    _ask_page()
    with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
        try:
            chosen = files.upload(target_dir=folder)
        except Exception as error:
            raise PageError(f"The upload did not work: {_reason(error)}. Try again.") from error
    return {Path(path).name: bytes(data) for path, data in chosen.items()}


def take_photo() -> bytes | None:
    """Open the camera in Colab's page, wait, and return a JPEG; None after a cancel."""
    from base64 import b64decode

    from google.colab import output

    _ask_page()
    try:
        url = output.eval_js(camera_script())
    except Exception as error:
        raise PageError(f"{_reason(error)}.") from error
    return b64decode(url.partition(",")[2]) if url else None


def camera_script() -> str:
    """Return JavaScript, one expression, that shows the camera and becomes a data URL or null."""
    assets = resources.files("u2demo.notebook") / "assets"
    parts = [(assets / name).read_text("utf-8") for name in ("camera.js", "camera_colab.js")]
    return "(async () => {\n" + "\n".join(parts) + "})()"


def download(name: str, data: bytes) -> None:
    """Send ``data`` to the person's browser as a file called ``name`` (Colab only)."""
    from google.colab import files

    path = Path(_outbox().name) / Path(name).name
    path.write_bytes(data)
    try:
        files.download(str(path))
    except Exception as error:
        raise PageError(f"The download did not start: {_reason(error)}.") from error


def save_to_drive(files: Sequence[Path]) -> Path:
    """Copy ``files`` to ``MyDrive/u2demo/<time stamp>/`` and return that folder (Colab only).

    The Drive is mounted when it is not yet. Whatever goes wrong is a ``PageError``.
    """
    mountpoint = os.environ.get("U2DEMO_DRIVE", DRIVE)
    try:
        _mount(mountpoint)
        try:
            return _copy_to_drive(files, mountpoint)
        except OSError:  # e.g. 107, "Transport endpoint is not connected": mounting again helps
            _mount(mountpoint, force_remount=True)
            return _copy_to_drive(files, mountpoint)
    except Exception as error:
        raise PageError(f"Google Drive did not work: {_reason(error)}.") from error


def _mount(mountpoint: str, *, force_remount: bool = False) -> None:
    from google.colab import drive

    drive.mount(mountpoint, force_remount=force_remount)


def _copy_to_drive(files: Sequence[Path], mountpoint: str) -> Path:
    drive = Path(mountpoint) / "MyDrive"
    if not drive.is_dir():
        raise OSError("it was not mounted")
    folder = _new_folder(drive / "u2demo" / time.strftime("%Y-%m-%d %H.%M.%S"))
    for file in files:
        partial = folder / f".{file.name}.part"
        shutil.copyfile(file, partial)  # contents only: Drive keeps no permissions
        partial.replace(folder / file.name)
        if (folder / file.name).stat().st_size != file.stat().st_size:
            raise OSError(f"{file.name} was not copied completely")
    return folder


def _new_folder(path: Path) -> Path:
    for count in itertools.count(1):
        folder = path.with_name(f"{path.name} ({count})") if count > 1 else path
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("unreachable")


def _ask_page() -> None:
    from google.colab import output

    # Colab's dialogs wait for ever where no page answers: in VS Code and in unattended runs.
    if output.eval_js("1", timeout_sec=3) is None:
        raise PageError(
            "This page does not answer Colab's dialogs (VS Code's Colab extension does not). Open "
            "the notebook in the browser at colab.research.google.com, or open photos by path: "
            'photos = {"cat.jpg": u2.open_image("cat.jpg")}, for the one-click app with '
            "u2.notebook.OneClick().show(photos) after it."
        )


def _reason(error: Exception) -> str:
    """Return what the error says in one line, without JavaScript's "Error: "."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return text.splitlines()[0].removeprefix("Error: ").rstrip(".")


@functools.cache
def _outbox() -> tempfile.TemporaryDirectory:
    # files.download returns before the browser has read the file, so the folder lives on.
    return tempfile.TemporaryDirectory(prefix="u2demo-")
