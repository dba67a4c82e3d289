"""folder -> the photos in it."""

import os
import re
import stat
import warnings
from pathlib import Path

from u2demo.machine.names import natural_order
from u2demo.machine.paths import as_path

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif"}
    | {".bmp", ".dib", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)
# The first bytes of those formats; "." stands for any byte.
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|RIFF....WEBP|GIF8|BM|II\*\0|MM\0\*|....ftyp(?:avi|hei|hev|mif|msf)",
    re.DOTALL,
)


def find_images(folder: str | Path) -> list[Path]:
    """Return the image files below ``folder`` in natural order (``photo2`` before ``photo10``).

    A file counts if its suffix or, failing that, its first bytes are those of an image. One without
    read permission counts too, so that ``open_image`` can report it. Hidden files and folders, such
    as ``.ipynb_checkpoints``, and linked folders are skipped; so is a folder that cannot be read,
    with a warning.

    Raises:
        ValueError: ``folder`` is not a folder.
    """
    folder = as_path("folder", folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; open_image reads a single file")
    found = []
    for parent, folders, files in os.walk(folder, onerror=_warn):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name) for name in files if not name.startswith(".")]
        found += [path for path in paths if _looks_like_image(path)]
    return sorted(found, key=natural_order)


def _warn(error: OSError) -> None:
    text = f"{error.filename}: {error.strerror}; photos in this folder are left out"
    warnings.warn(text, stacklevel=3)


def _looks_like_image(path: Path) -> bool:
    try:
        # Not path.is_file(), which from Python 3.14 on returns False where permission is missing.
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        if path.suffix.lower() in SUFFIXES:
            return True
        with path.open("rb") as file:
            return bool(_SIGNATURE.match(file.read(16)))
    except PermissionError:
        return True  # otherwise the photo would be missing without a word
    except OSError:
        return False
