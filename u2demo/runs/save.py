"""result -> files: its pictures in a folder, no file of anybody's replaced."""

import contextlib
import os
from pathlib import Path, PurePath

from PIL import Image

from u2demo.images.write import check_format, encode, suffix
from u2demo.machine.disk import advise, discard, partial_file, write_file
from u2demo.machine.names import numbered, safe_name
from u2demo.pipeline import Result, check_names


def save(result: Result, folder: str | Path, *, format: str = "auto") -> list[Path]:
    """Write every picture of ``result`` into ``folder``, made if need be, and return the files.

    ``cat.jpeg`` becomes ``cat_cutout.png``; only pictures without transparency are JPEG. With
    ``format`` "webp" both are WebP, lossy but for alpha, and a tenth as large; only masks, and
    pictures with a side above 16,383 pixels, are PNG. Nothing is ever overwritten: where that name
    is taken, ``cat_cutout (2).png`` is next.

    Raises:
        ValueError: ``format`` is neither "auto" nor "webp", or a picture's name holds a folder.
        OSError: ``folder`` takes no files, and what to do about it. No half of a file is left.
    """
    check_format(format)
    check_names(result.pictures)
    folder = Path(folder)
    stem = safe_name(PurePath(result.name).stem)
    files = []
    with advise(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for effect, picture in result.pictures.items():
            file = folder / f"{stem}_{effect}{suffix(picture, format)}"
            encoded = encode(picture, file.suffix, like=result.image)
            files.append(_reserve(file))
            write_file(files[-1], encoded)
    return files


def write_picture(picture: Image.Image, target: Path, *, like: Image.Image) -> None:
    """Write ``picture`` to ``target`` in the format of its suffix, completely or not at all.

    The color profile of ``like``, the photo it was made of, goes along.
    """
    write_file(target, encode(picture, target.suffix, like=like))


def _reserve(path: Path) -> Path:
    """Return ``path``, or the next free ``path (n)``; its partial file keeps others off it."""
    for free in map(path.with_name, numbered(path.name)):
        with contextlib.suppress(FileExistsError):
            partial_file(free).touch(exist_ok=False)
            if not os.path.lexists(free):  # looked up now: whoever had the partial file is done
                return free
            discard(partial_file(free))
    raise AssertionError("unreachable")
