"""folder -> the photos in it, and the clips."""

import os
import re
import stat
import warnings
from pathlib import Path
from typing import NamedTuple

from u2demo.images.kinds import in_icloud, is_clip, why_unread
from u2demo.machine.names import natural_order
from u2demo.machine.paths import as_path

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif"}
    | {".bmp", ".dib", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)
# The first bytes of those formats; "." stands for any byte.
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|RIFF....WEBP|GIF8|II[*+]\0|MM\0[*+]"
    rb"|BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"  # text may begin with BM
    rb"|....ftyp(?:avi|hei|hev|mif|msf)",
    re.DOTALL,
)

# Folders that computers and drives keep for themselves, and whose they are. Nobody's photos are
# missed: they hold thumbnails, deleted files and earlier versions.
SYSTEM_FOLDERS = {
    "@eadir": "Synology: thumbnails",
    "@tmp": "Synology",
    "@sharesnap": "Synology: snapshots",
    "#recycle": "Synology: deleted files",
    "#snapshot": "Synology: snapshots",
    "@recycle": "QNAP: deleted files",
    "@recently-snapshot": "QNAP: snapshots",
    "@transcode": "QNAP: copies of videos",
    "network trash folder": "netatalk, of many drives: deleted files",
    "temporary items": "netatalk and macOS",
    "~snapshot": "NetApp: snapshots",
    "$recycle.bin": "Windows: deleted files",
    "recycler": "Windows XP: deleted files",
    "recycled": "Windows 98: deleted files",
    "system volume information": "Windows",
    "$winreagent": "Windows",
    "found.000": "Windows: pieces found by chkdsk",
    "__macosx": "macOS: what it adds to zip files",
    "lost+found": "Linux: pieces found by fsck",
    "lost.dir": "Android: pieces found on a card",
    "thumbnails.lrdata": "Lightroom",
}


class Found(NamedTuple):
    """The pictures and clips below a folder, each list in natural order."""

    images: list[Path]
    unread: list[Path]  # of kinds that are not read, see kinds.why_unread
    clips: list[Path]


def find_images(folder: str | Path) -> list[Path]:
    """Return the image files below ``folder`` in natural order (``photo2`` before ``photo10``).

    A file counts if its suffix or, failing that, its first bytes are those of an image. One that
    cannot be asked, such as a link to nothing, counts by its suffix, so that ``open_image`` can say
    what is wrong. Hidden files and folders, such as ``.ipynb_checkpoints``, linked folders and
    those of ``SYSTEM_FOLDERS`` are skipped; so is a folder that cannot be read, with a warning.

    Raises:
        ValueError: ``folder`` is not a folder.
    """
    return find_pictures(folder).images


def find_pictures(folder: str | Path) -> Found:
    """Return what ``find_images`` does and, apart, clips and pictures of kinds that are not read.

    Raises:
        ValueError: ``folder`` is not a folder.
    """
    folder = as_path("folder", folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; open_image reads a single file")
    found = Found([], [], [])
    for parent, folders, files in os.walk(folder, onerror=_warn):
        folders[:] = [name for name in folders if not is_skipped(name)]
        for name in files:
            if in_icloud(name):
                found.unread.append(Path(parent, name))
            elif not name.startswith("."):
                _sort_in(Path(parent, name), found)
    return Found(*(sorted(paths, key=natural_order) for paths in found))


def is_picture(path: Path) -> bool:
    """Return whether ``find_pictures`` lists this file, in any list."""
    found = Found([], [], [])
    _sort_in(path, found)
    return any(found)


def is_unread(path: Path) -> bool:
    """Return whether ``find_pictures`` lists this file among those of kinds that are not read."""
    found = Found([], [], [])
    _sort_in(path, found)
    return bool(found.unread) or bool(in_icloud(path.name))


def is_skipped(folder: str) -> bool:
    """Return whether a folder of this name is hidden, or a system's own."""
    return folder.startswith(".") or folder.casefold() in SYSTEM_FOLDERS


def _warn(error: OSError) -> None:
    text = f"{error.filename}: {error.strerror}; photos in this folder are left out"
    warnings.warn(text, stacklevel=3)


def _sort_in(path: Path, found: Found) -> None:
    """Add ``path`` to the list that it belongs to, if to any."""
    by_suffix = path.suffix.lower() in SUFFIXES
    first = b""
    try:
        # Not path.is_file(), which from Python 3.14 on returns False where permission is missing.
        if not stat.S_ISREG(path.stat().st_mode):
            return
        if not (by_suffix or why_unread(path, first) or is_clip(path, first)):
            with path.open("rb") as file:
                first = file.read(32)
    except PermissionError:
        by_suffix = True  # otherwise the photo would be missing without a word
    except OSError:  # a link to nothing, a share that is gone: what it is can be told by its name
        pass
    if by_suffix or (_SIGNATURE.match(first) and not why_unread(path, first)):
        found.images.append(path)
    elif why_unread(path, first):
        found.unread.append(path)
    elif is_clip(path, first):
        found.clips.append(path)
