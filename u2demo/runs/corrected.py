"""photo -> what a person has said about it, in the file beside it.

``cat.jpg`` has its corrections in ``cat.strokes.json``. Where ``cat.png`` lies beside it and is
another photo, ``cat.jpg.strokes.json`` goes first, and ``cat.strokes.json`` belongs to the one that
it names.
"""

import os
from collections.abc import Callable
from pathlib import Path

from u2demo.machine.names import fold_name
from u2demo.masks.corrections import Corrections, file_names, from_json, photo_named_in

LARGEST = 2**24  # bytes: half a million points


def corrections_file(photo: Path) -> Path | None:
    """Return the file that holds the corrections of ``photo``, None if there is none."""
    if not photo.name.strip("."):  # a folder's other name, not a photo
        return None
    exact, usual = (photo.with_name(name) for name in file_names(photo.name))
    if _is_there(exact):
        return exact
    return usual if _is_there(usual) and not _is_of_another(usual, photo) else None


def read_corrections(file: Path, size: tuple[int, int]) -> Corrections:
    """Return the corrections in ``file``, for a photo of ``size``, (width, height).

    Raises:
        ValueError: they cannot be read, or are those of another photo.
    """
    return corrections_in(lambda: _text(file), file.name, size)


def corrections_in(text: Callable[[], str], name: str, size: tuple[int, int]) -> Corrections:
    """Return the corrections in ``text()``, that of the file ``name``, for a photo of ``size``.

    Raises:
        ValueError: they cannot be read, or are those of another photo.
    """
    try:
        return from_json(text(), size)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(
            f"its corrections, {name}, cannot be used: {why}; move that file away to do the"
            " photo without it"
        ) from error


def _is_of_another(file: Path, photo: Path) -> bool:
    """Return whether ``file`` names another photo, and that one is there."""
    try:
        named = photo_named_in(_text(file))
    except (OSError, ValueError):  # to be said when they are used
        return False
    if named is None or fold_name(named) == fold_name(photo.name):
        return False
    is_name = Path(named).name == named
    return is_name and os.path.isfile(photo.parent / named)  # noqa: PTH113  # any text is a name


def _text(file: Path) -> str:
    if not file.is_file():  # a pipe would never end
        raise ValueError("not a file, expected corrections saved by u2demo")
    size = file.stat().st_size
    if size > LARGEST:
        raise ValueError(f"has {size:,} bytes, expected corrections saved by u2demo")
    return file.read_text(encoding="utf-8-sig", errors="replace")


def _is_there(file: Path) -> bool:
    try:
        file.lstat()
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return False
    return True
