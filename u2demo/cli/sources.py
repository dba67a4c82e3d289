"""what was typed -> the photos and clips that are meant, and what is said of the others."""

import glob
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from u2demo.cli.terminal import printable
from u2demo.formats.animated import is_animated
from u2demo.images.find import is_picture, is_skipped, is_unread
from u2demo.images.kinds import why_unread
from u2demo.machine.names import natural_order
from u2demo.masks.corrections import SUFFIX
from u2demo.runs.corrected import corrections_file
from u2demo.runs.plan import list_files, pictures_of_runs, spelled_out
from u2demo.runs.records import Record

_SHOWN = 10  # names in a group
_ANIMATED = {".gif", ".png", ".apng", ".webp"}


class Chosen(NamedTuple):
    """The photos and clips of a command, with their places in the results.

    Clips are also animations. ``named`` are the paths that were typed themselves. ``left_out`` has
    a line for each folder that could not be read.
    """

    photos: dict[Path, Path]
    clips: dict[Path, Path]
    named: frozenset[str]
    left_out: list[str]


def expand(sources: Iterable[Path]) -> list[Path]:
    """Return ``sources`` with wildcards replaced by the files that they stand for, in order.

    Shells of Windows pass wildcards on as they were typed. A file that has the very name is meant
    itself. As in other shells, hidden files are not meant, nor is what a system keeps for itself.
    """
    found = []
    for source in sources:
        if _is_there(source) or not glob.has_magic(str(source)):
            found.append(source)
        else:
            found += _matches(source) or [source]
    return found


def find(sources: list[Path], *, first_frame: bool = False) -> Chosen:
    """Return the photos and clips that ``sources`` stand for.

    With ``first_frame``, animations are photos.

    Raises:
        ValueError: there is neither; the text says what was left out.
    """
    if not any(map(_is_there, sources)):
        raise ValueError(f"not found: {', '.join(map(str, sources))}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        photos, clips = list_files(sources)
        photos = _without_corrections(photos)
        made = [] if photos or clips else pictures_of_runs(sources)
    left_out = [f"  left out: {warning.message}" for warning in caught]
    named = {spelled_out(source) for source in sources}
    if not clips and not any(photo in named or not is_unread(photo) for photo in photos):
        lines = [
            f"no photos or clips found in {', '.join(map(str, sources))}",
            *dict.fromkeys(left_out),
        ]
        unread = [(str(picture), why_unread(picture)) for picture in photos]
        raise ValueError("\n".join([*lines, *_group_lines(unread), *_made_lines(made)]))
    if not first_frame:
        clips |= {photo: place for photo, place in photos.items() if is_animation(photo)}
        photos = {photo: place for photo, place in photos.items() if photo not in clips}
    return Chosen(photos, clips, frozenset(map(str, named)), list(map(printable, left_out)))


def is_animation(path: Path) -> bool:
    """Return whether a file is a GIF, PNG or WebP of several frames, with the suffix of one."""
    if path.suffix.lower() not in _ANIMATED:
        return False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return is_animated(file)
    except (OSError, ValueError):  # opening it as a photo will say why
        return False


def unread_lines(records: Iterable[Record]) -> list[str]:
    """Return a line for each kind of picture that is not read, with a few of its names."""
    left_out = [record for record in records if record.status == "left out"]
    return _group_lines(
        (record.photo, record.error.removeprefix(f"{record.photo}: ")) for record in left_out
    )


def _without_corrections(photos: dict[Path, Path]) -> dict[Path, Path]:
    """Return ``photos`` without the files that hold their corrections, as ``photos/*`` has them."""
    named = {file for file in photos if file.name.endswith(SUFFIX)}
    theirs = named & {corrections_file(photo) for photo in photos} if named else set()
    return {photo: place for photo, place in photos.items() if photo not in theirs}


def _made_lines(made: list[Path]) -> list[str]:
    if not made:
        return []
    count = "1 picture" if len(made) == 1 else f"{len(made)} pictures"
    return [
        f"  left out: {count} that u2demo made, such as {made[0]};"
        " to process them, name the files instead of the folder"
    ]


def _group_lines(pictures: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each reason of the pairs (path, reason)."""
    groups: dict[str, list[str]] = {}
    for path, why in pictures:
        groups.setdefault(why, []).append(path)
    return [_group_line(why, paths) for why, paths in groups.items()]


def _group_line(why: str, paths: list[str]) -> str:
    if len(paths) == 1:
        return f"  left out: {printable(paths[0])}: {why}"
    shown = ", ".join(printable(Path(path).name) for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN:,} more" if paths[_SHOWN:] else ""
    return f"  left out: {len(paths):,} files, each {why}: {shown}{more}"


def _is_there(source: Path) -> bool:
    try:
        return os.path.lexists(source)
    except ValueError:  # a zero byte
        return False


def _matches(source: Path) -> list[Path]:
    """Return what a pattern stands for; folders that exist are taken literally."""
    root = source.parent
    while not _is_there(root) and root != root.parent:  # a drive may be missing
        root = root.parent
    pattern = os.path.join(glob.escape(str(root)), source.relative_to(root))  # noqa: PTH118
    found = [Path(path) for path in glob.iglob(pattern, recursive=True)]  # noqa: PTH207
    meant = [path for path in found if _is_meant(path, root, files_only="**" in source.parts)]
    return sorted(meant, key=natural_order)


def _is_meant(path: Path, root: Path, *, files_only: bool) -> bool:
    """Return whether a person who typed a pattern below ``root`` means ``path``, which fits it."""
    *folders, name = path.relative_to(root).parts or ("",)
    if any(map(is_skipped, folders)):
        return False
    if path.is_dir():
        return not files_only and not is_skipped(name)
    return is_picture(path)
