"""files <-> a person's Google Drive, from Colab."""

import os
import shutil
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import ipywidgets

from u2demo.machine.disk import at_free_name
from u2demo.machine.names import expand_home
from u2demo.notebook.colab import one_line
from u2demo.notebook.environment import PageError, environment

MOUNT_POINT = "/content/drive"  # where Colab mounts a person's Drive; U2DEMO_DRIVE overrides it


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


def taken_path(field: ipywidgets.Text) -> Path | None:
    """Return the path in a text field as ``typed_path`` does, and empty the field.

    So the same path again counts as a choice.

    Raises:
        PageError: the Drive cannot be mounted.
    """
    text = field.value
    field.value = ""
    return typed_path(text)


def mount_for(path: Path) -> None:
    """Mount the Drive if ``path`` lies on it.

    Raises:
        PageError: the Drive cannot be mounted.
    """
    mount_point = os.environ.get("U2DEMO_DRIVE", MOUNT_POINT)
    if not path.is_relative_to(mount_point):
        return
    try:
        _mount(mount_point)
    except Exception as error:
        raise PageError(f"Google Drive failed: {one_line(error)}.") from error


def save_to_drive(files: Sequence[Path]) -> Path:
    """Copy ``files`` to ``MyDrive/u2demo/<time>/`` and return that folder.

    The Drive is mounted if necessary; each call creates a new folder.

    Raises:
        PageError: the Drive cannot be mounted, or the files cannot be copied.
    """
    mount_point = os.environ.get("U2DEMO_DRIVE", MOUNT_POINT)
    try:
        _mount(mount_point)
        try:
            return _copy(files, mount_point)
        except OSError:  # e.g. 107, "Transport endpoint is not connected": mounting again helps
            _mount(mount_point, force_remount=True)
            return _copy(files, mount_point)
    except Exception as error:
        raise PageError(f"Google Drive failed: {one_line(error)}.") from error


def _mount(mount_point: str, *, force_remount: bool = False) -> None:
    from google.colab import drive

    drive.mount(mount_point, force_remount=force_remount)


def _copy(files: Sequence[Path], mount_point: str) -> Path:
    drive = Path(mount_point) / "MyDrive"
    if not drive.is_dir():
        raise OSError("it was not mounted")
    folder = _new_folder(drive / "u2demo")
    for file in files:
        partial = folder / f".{file.name}.part"
        shutil.copyfile(file, partial)  # contents only: Drive keeps no permissions
        partial.replace(folder / file.name)
        if (folder / file.name).stat().st_size != file.stat().st_size:
            raise OSError(f"{file.name} was not copied completely")
    return folder


def _new_folder(parent: Path) -> Path:
    """Create and return a folder named after the time; several in one second are numbered."""
    folder = parent / time.strftime("%Y-%m-%d %H-%M-%S")
    return at_free_name(folder, partial(Path.mkdir, parents=True))
