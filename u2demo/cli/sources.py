"""what was typed -> the photos and clips that are meant, and what is said of the others."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from u2demo.cli.terminal import counted, first_of, printable
from u2demo.formats.animated import is_animated
from u2demo.images.find import is_listed, is_skipped
from u2demo.images.kinds import why_unread
from u2demo.machine.names import natural_order
from u2demo.machine.places import is_url
from u2demo.masks.corrections import SUFFIX
from u2demo.runs.corrected import corrections_file
from u2demo.runs.listing import Listing, spelled_out
from u2demo.runs.plan import belongs
from u2demo.runs.record import Record
from u2demo.runs.records import Shard
from u2demo.runs.stored import StoredListing, absolute

_SHOWN = 10  # names in a group
_ANIMATED = {".gif", ".png", ".apng", ".webp"}


class Chosen(NamedTuple):
    """The photos and clips of a command.

    ``photos`` and ``clips`` count those of the shard. Animations are clips, but are not looked for:
    until they are opened, they count as photos. What a store holds is not counted: ``photos`` is
    None. ``named`` are the paths that were typed themselves.
    ``left_out`` has a line for each folder that could not be read, once the listing came to it.
    """

    listing: Listing
    photos: int | None
    clips: int
    named: frozenset[str]
    left_out: list[str]


def expand(sources: Iterable[str | Path]) -> list[str | Path]:
    """Return ``sources`` with wildcards replaced by the files that they stand for, in order.

    Shells of Windows pass wildcards on as they were typed. A file that has the very name is meant
    itself. As in other shells, hidden files are not meant, nor is what a system keeps for itself.
    """
    found = []
    for source in sources:
        if is_url(source) or _is_there(source) or not glob.has_magic(str(source)):
            found.append(source)
        else:
            found += _matches(source) or [source]
    return found


def find(
    sources: list[str | Path],
    listed: Sequence[str] = (),
    *,
    first_frame: bool = False,
    shard: Shard | None = None,
) -> Chosen:
    """Return the photos and clips that ``sources`` stand for, and those ``listed``, one each.

    With ``first_frame``, animations are photos.

    Raises:
        ValueError: there is neither; the text says what was left out.
    """
    paths = [source for source in sources if not is_url(source)]
    urls = [source for source in sources if is_url(source)]
    if not (urls or listed or any(map(_is_there, paths))):
        raise ValueError(f"not found: {', '.join(map(str, sources))}")
    is_clip = animation_test(first_frame=first_frame)
    left_out: list[str] = []

    def leave_out(sentence: str) -> None:
        left_out.append(printable(f"  left out: {sentence}"))

    named = frozenset([*(str(spelled_out(path)) for path in paths), *urls, *map(absolute, listed)])
    if not (urls or listed):
        listing = Listing(_without_corrections(paths), is_clip=is_clip, on_left_out=leave_out)
    else:
        listing = StoredListing(
            [*_without_corrections(paths), *urls], listed, is_clip=is_clip, on_left_out=leave_out
        )
        if not listing.is_known:  # to count would be to list a whole store before the first photo
            return Chosen(listing, None, 0, named, left_out)
    counts = _counts(listing, named, shard)
    if not counts["any"]:
        raise ValueError("\n".join(_nothing_found(sources, listing, left_out)))
    return Chosen(listing, counts["photos"], counts["clips"], named, left_out)


def has_animations(listing: Listing) -> bool:
    """Return whether one of the photos is a clip; each on this computer that may be is opened."""
    return any(entry.kind == "images" and listing.is_clip(entry.photo)
               for entry in listing.entries_here())  # fmt: skip


def animation_test(*, first_frame: bool) -> Callable[[str], bool]:
    """Return what says whether a photo is a clip: an animation is, unless ``first_frame``."""
    return _is_never_one if first_frame else is_animation


def _is_never_one(photo: str) -> bool:  # no lambda: it goes to the machines of a cluster
    return False


def is_animation(file: str | Path) -> bool:
    """Return whether a file is a GIF, PNG or WebP of several frames, with the suffix of one."""
    path = Path(file)
    if path.suffix.lower() not in _ANIMATED:
        return False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as opened:
            return is_animated(opened)
    except (OSError, ValueError):  # opening it as a photo will say why
        return False


def unread_lines(records: Iterable[Record], more: int) -> list[str]:
    """Return a line for each kind of picture that is not read, with a few of its names.

    ``more`` is how many there are besides.
    """
    lines = _group_lines(
        (record.photo, record.error.removeprefix(f"{record.photo}: ")) for record in records
    )
    if more:
        lines.append(f"  left out: {counted(more, 'more file')}; see manifest.csv")
    return lines


def _counts(listing: Listing, named: Collection[str], shard: Shard | None) -> Counter[str]:
    """Return how many photos and clips there are in the shard, and how many ``any`` one."""
    counts: Counter[str] = Counter()
    for entry in listing.entries():
        if entry.kind == "made":
            continue
        kind = "clips" if entry.kind == "clips" else "photos"
        if entry.kind != "unread" or entry.photo in named:
            counts["any"] += 1
        if belongs(entry, shard):
            counts[kind] += 1
    return counts


def _nothing_found(sources: list[Path], listing: Listing, left_out: list[str]) -> list[str]:
    """Return what is said of sources without a photo or clip."""
    lines = [f"no photos or clips found in {', '.join(map(str, sources))}"]
    entries = list(listing.entries())
    unread = [(one.photo, why_unread(Path(one.photo))) for one in entries if one.kind == "unread"]
    made = [Path(one.photo) for one in entries if one.kind == "made"]
    return [*lines, *dict.fromkeys(left_out), *_group_lines(unread), *_made_lines(made)]


def _without_corrections(sources: list[Path]) -> list[Path]:
    """Return ``sources`` without files of corrections to others, as ``photos/*`` has them."""
    named = {source for source in sources if source.name.endswith(SUFFIX)}
    theirs = named & {corrections_file(source) for source in sources} if named else set()
    return [source for source in sources if source not in theirs]


def _made_lines(made: list[Path]) -> list[str]:
    if not made:
        return []
    return [
        f"  left out: {counted(len(made), 'picture')} that u2demo made, such as {made[0]};"
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
    shown = first_of([Path(path).name for path in paths], _SHOWN)
    return f"  left out: {len(paths):,} files, each {why}: {shown}"


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
    return is_listed(path)
