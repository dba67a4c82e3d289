"""paths that a person types, and their Google Drive in Colab -> files, and back."""

import contextlib
import errno
import io
import os
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import ipywidgets

from u2demo.machine.disk import at_free_name
from u2demo.machine.names import expand_home
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.colab import one_line
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.notes import Notes

MOUNT_POINT = "/content/drive"  # where Colab mounts a person's Drive; U2DEMO_DRIVE overrides it
_FULL = {errno.ENOSPC, errno.EDQUOT}


def typed_path(text: str) -> Path | None:
    """Return the path that a person typed or pasted, None for no text; in Colab, mount its Drive.

    Raises:
        PageError: the Drive cannot be mounted.
    """
    typed = text.strip().strip("\"'")
    if not typed:
        return None
    path = expand_home(typed)
    if environment() == "colab":
        mount_for(path)
    return path


def path_field(hint: str, take: Callable[[Path], None], notes: Notes) -> list[ipywidgets.Widget]:
    """Return a field to type a path, which ``take`` gets; ``notes`` shows problems.

    There is none where the kernel's disk is not the person's own: outside JupyterLab and Colab.
    """
    if environment() not in ("jupyter", "colab"):
        return []
    field = ipywidgets.Text(
        description="or a path", placeholder=f"{hint}, then Enter", continuous_update=False
    )

    def read(_: dict) -> None:
        text = field.value
        field.value = ""  # so that the same path again counts as a choice
        path = typed_path(text)
        if path is not None:
            take(path)

    field.observe(guarded(read, notes), names="value")
    return [field]


def mount_for(path: Path) -> None:
    """Mount the Drive if ``path`` lies on it.

    Raises:
        PageError: the Drive cannot be mounted.
    """
    if not path.is_relative_to(_mount_point()):
        return
    try:
        _mount()
    except Exception as error:
        raise PageError(f"Google Drive failed: {one_line(error)}.") from error


def save_to_drive(files: Sequence[Path]) -> Path:
    """Copy ``files`` to ``MyDrive/u2demo/<time>/`` and return that folder.

    The Drive is mounted if necessary; each call creates a new folder.

    Raises:
        PageError: the Drive cannot be mounted, or the files cannot be copied.
    """
    try:
        _mount()
        try:
            return _copy(files)
        except OSError as error:
            if error.errno in _FULL:
                raise
            # e.g. 107, "Transport endpoint is not connected": mounting again helps
            _mount(force_remount=True)
            return _copy(files)
    except Exception as error:
        raise PageError(f"Google Drive failed: {one_line(error)}.") from error


def note_saved(saved: Path) -> str:
    """Return the sentence that says where on the Drive a file or folder was ``saved``."""
    return f"Saved to your Google Drive: {saved.relative_to(_mount_point())}."


def _mount_point() -> Path:
    return Path(os.environ.get("U2DEMO_DRIVE", MOUNT_POINT))


def _mount(*, force_remount: bool = False) -> None:
    from google.colab import drive

    with contextlib.redirect_stdout(io.StringIO()):  # it prints how a programmer mounts it again
        drive.mount(str(_mount_point()), force_remount=force_remount)


def _copy(files: Sequence[Path]) -> Path:
    """Copy ``files`` into a new folder on the Drive, which goes away again if that fails."""
    drive = _mount_point() / "MyDrive"
    if not drive.is_dir():
        raise OSError("it was not mounted")
    folder = _new_folder(drive / "u2demo")
    try:
        for file in files:
            partial = folder / f".{file.name}.part"
            shutil.copyfile(file, partial)  # contents only: Drive keeps no permissions
            partial.replace(folder / file.name)
            if (folder / file.name).stat().st_size != file.stat().st_size:
                raise OSError(f"{file.name} was not copied completely")
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _new_folder(parent: Path) -> Path:
    """Create and return a folder named after the time; several in one second are numbered."""
    folder = parent / time.strftime("%Y-%m-%d %H-%M-%S")
    return at_free_name(folder, partial(Path.mkdir, parents=True))
