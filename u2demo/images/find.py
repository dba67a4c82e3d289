"""folder -> the photos in it, and the clips."""

import os
import re
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from u2demo.images.kinds import in_icloud, is_clip, why_unread
from u2demo.machine.names import natural_order, natural_order_of
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


class Folder(NamedTuple):
    """What one folder holds, each list of names in natural order."""

    path: Path
    images: list[str]
    unread: list[str]  # of kinds that are not read, see kinds.why_unread
    clips: list[str]
    folders: list[str]  # those to go on with
    others: list[str]  # all other files that are not hidden


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
    waiting = [folder]
    while waiting:
        inside = scan(waiting.pop())
        waiting += [inside.path / name for name in inside.folders]
        found.images.extend(inside.path / name for name in inside.images)
        found.unread.extend(inside.path / name for name in inside.unread)
        found.clips.extend(inside.path / name for name in inside.clips)
    return Found(*(sorted(paths, key=natural_order) for paths in found))


def scan(folder: Path, *, on_error: Callable[[OSError], object] | None = None) -> Folder:
    """Return what ``folder`` itself holds, listed as by ``find_pictures``.

    If it cannot be read, ``on_error`` is called with the reason; by default, it is a warning.
    The same folder gives the same lists on any computer. Nothing is asked of a file whose name says
    what it is, so that a million of them take seconds.
    """
    inside = Folder(folder, [], [], [], [], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                _put_in(entry, inside)
    except OSError as error:
        (on_error or _warn)(error)
    for names in inside[1:]:
        names.sort(key=_in_order)
    return inside


def is_listed(path: Path) -> bool:
    """Return whether ``find_pictures`` lists this file, in any list."""
    return kind_of(path) is not None


def is_unread(path: Path) -> bool:
    """Return whether ``find_pictures`` lists this file among those of kinds that are not read."""
    return kind_of(path) == "unread" or bool(in_icloud(path.name))


def is_skipped(folder: str) -> bool:
    """Return whether a folder of this name is hidden, or a system's own."""
    return folder.startswith(".") or folder.casefold() in SYSTEM_FOLDERS


def kind_of(path: Path, *, is_file: bool | None = None) -> str | None:
    """Return which list of ``Found`` a file belongs to: its name there, None if to none.

    ``is_file`` says whether it is one, if that is known.
    """
    if is_file is False:
        return None
    by_suffix = path.suffix.lower() in SUFFIXES
    first = b""
    try:
        # Not path.is_file(), which from Python 3.14 on returns False where permission is missing.
        if not is_file and not stat.S_ISREG(path.stat().st_mode):
            return None
        if not (by_suffix or why_unread(path, first) or is_clip(path, first)):
            with path.open("rb") as file:
                first = file.read(32)
    except PermissionError:
        by_suffix = True  # otherwise the photo would be missing without a word
    except OSError:  # a link to nothing, a share that is gone: what it is can be told by its name
        pass
    if by_suffix or (_SIGNATURE.match(first) and not why_unread(path, first)):
        return "images"
    if why_unread(path, first):
        return "unread"
    return "clips" if is_clip(path, first) else None


def _put_in(entry: "os.DirEntry[str]", inside: Folder) -> None:
    """Add the name of a file or folder to the list that it belongs to, if to any."""
    name = entry.name
    is_link, is_folder = entry.is_symlink(), _is_folder(entry)
    if is_folder:
        if not is_link and not is_skipped(name):
            inside.folders.append(name)
    elif in_icloud(name):
        inside.unread.append(name)
    elif not name.startswith("."):
        if not is_link and os.path.splitext(name)[1].lower() in SUFFIXES:  # noqa: PTH122 - quick
            kind = "images" if _is_file(entry) else None
        else:
            kind = kind_of(inside.path / name, is_file=None if is_link else _is_file(entry))
        listed = inside.others if kind is None else getattr(inside, kind)
        listed.append(name)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_file(entry: "os.DirEntry[str]") -> bool | None:
    """Return whether an entry that is no link is a file, None if the disk does not say."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return None


def _in_order(name: str) -> tuple[list, str]:
    return natural_order_of(name), name  # the name tells "A" from "a", whatever the disk's order


def _warn(error: OSError) -> None:
    text = f"{error.filename}: {error.strerror}; photos in this folder are left out"
    warnings.warn(text, stacklevel=3)
