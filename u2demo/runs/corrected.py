"""photo -> what a person has said about it, in the file beside it.

``cat.jpg`` has its corrections in ``cat.strokes.json``. Where ``cat.png`` lies beside it and is
another photo, ``cat.jpg.strokes.json`` goes first.
"""

from pathlib import Path

from u2demo.masks.corrections import Corrections, file_names, from_json

_LARGEST = 2**24  # bytes: half a million points


def corrections_file(photo: Path) -> Path | None:
    """Return the file that holds the corrections of ``photo``, None if there is none."""
    if not photo.name.strip("."):  # a folder's other name, not a photo
        return None
    for name in file_names(photo.name):
        file = photo.with_name(name)
        if _is_there(file):
            return file
    return None


def read_corrections(file: Path, size: tuple[int, int]) -> Corrections:
    """Return the corrections in ``file``, for a photo of ``size``, (width, height).

    Raises:
        ValueError: they cannot be read, or are those of another photo.
    """
    try:
        return from_json(_text(file), size)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(
            f"its corrections, {file.name}, cannot be used: {why}; move that file away to do the"
            " photo without it"
        ) from error


def _text(file: Path) -> str:
    if not file.is_file():  # a pipe would never end
        raise ValueError("not a file, expected corrections saved by u2demo")
    size = file.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"has {size:,} bytes, expected corrections saved by u2demo")
    return file.read_text(encoding="utf-8-sig", errors="replace")


def _is_there(file: Path) -> bool:
    try:
        file.lstat()
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return False
    return True
