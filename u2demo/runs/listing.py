"""files and folders -> every photo and clip in them, folder by folder, with its place in results.

Nothing is kept of a folder once it has been gone through, so a million photos need no more memory
than the largest folder.
"""

import contextlib
import heapq
import itertools
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from u2demo.images.find import SUFFIXES, Folder, is_skipped, scan
from u2demo.images.kinds import is_clip
from u2demo.machine.names import fold_name, natural_order_of, safe_name
from u2demo.masks.corrections import SUFFIX
from u2demo.runs.checksums import checksum, readable_checksum
from u2demo.runs.corrected import corrections_file
from u2demo.runs.made import Made, made_in
from u2demo.runs.record import Record


class Entry(NamedTuple):
    """A photo or clip, and its place in the results."""

    photo: str  # absolute path
    folder: str  # its place: folders between slashes, "" for none
    name: str
    kind: str  # "images", "unread" or "clips", see images.find; "made" by an earlier run

    def left_out(self, why: str) -> Record:
        """Return the record of a clip that is left out; without a version, it is in no journal."""
        stem, error = Path(self.name).stem, f"{self.photo}: {why}"
        return Record(self.photo, stem, version="", status="left out", error=error)


class Group(NamedTuple):
    """All files whose results go into one folder, in the order in which they get their names."""

    entries: Sequence[Entry]
    goes_on: bool  # whether a later group may want names in the same folder of the results
    corrected: bool  # whether there may be corrections beside them


class Look(NamedTuple):
    """What a photo's file is like now, and what lies beside it."""

    version: str  # of the photo, its corrections, net and quality: see Record
    identity: str  # of the photo's file, see Record
    corrections: str  # name of the file beside it that has them, "" for none
    length: int | None = None  # of the photo's file in bytes, where a store has said it


class _Source(NamedTuple):
    """A folder to go through."""

    path: Path
    real: str  # its path with links resolved
    place: str
    goes_on: bool
    made: tuple[Made, ...]  # what runs have made there


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=2)


class Listing:
    """The photos and clips in ``sources``, files and folders.

    Those from a folder keep their subfolders; with several folders, the folder's own name comes
    first. Files that share a name, and folders that do, keep as many parent folders as tell them
    apart. A file is listed once, however its path is spelled. Inside folders, pictures that a run
    has made are marked so. ``is_clip`` says which files that look like photos are clips. A sentence
    on each folder that cannot be read goes to ``on_left_out``, by default as a warning.
    """

    def __init__(
        self,
        sources: Sequence[str | Path],
        *,
        is_clip: Callable[[str], bool] = lambda photo: False,
        on_left_out: Callable[[str], object] = _warn,
    ):
        paths = {source: spelled_out(source) for source in map(Path, sources)}
        folders = {source for source in paths if _is_folder(source)}
        files = shortest_ends(path for source, path in paths.items() if source not in folders)
        tops = shortest_ends(path for source, path in paths.items() if source in folders)
        self.is_clip = is_clip
        self._on_left_out = on_left_out
        self._said: set[str] = set()  # folders that cannot be read
        self._files: dict[str, Entry] = {}  # those that were given themselves
        self._folders: dict[Path, str] = {}  # with the place of each
        self._order: list[Path | list[Entry]] = []  # folders, and files between them
        for source, path in paths.items():
            if source in folders:
                top = tops[path].as_posix() if len(tops) > 1 else ""
                self._add_folder(Path(os.path.realpath(source)), top)
            else:
                self._add_file(path, files[path])

    @classmethod
    def of(
        cls, places: Mapping[Path, Path], *, is_clip: Callable[[str], bool] = lambda photo: False
    ) -> "Listing":
        """Return a listing of files that each have their place."""
        listing = cls([], is_clip=is_clip)
        for path, place in places.items():
            listing._add_file(path, place)
        return listing

    def walk(self) -> Iterator[Group | Entry]:
        """Yield all files: each group before its entries, those of subfolders between them."""
        goes_on = len(self._order) > 1
        for source in self._order:
            if isinstance(source, Path):
                yield from self._below(source, goes_on=goes_on)
            else:
                yield Group(source, goes_on, corrected=True)
                yield from source

    def entries(self) -> Iterator[Entry]:
        """Yield all files, without their groups."""
        return (item for item in self.walk() if isinstance(item, Entry))

    def entries_here(self) -> Iterator[Entry]:
        """Yield the files on this computer, which can be clips; no store is listed for them."""
        return (item for item in Listing.walk(self) if isinstance(item, Entry))

    def expect(self, photos: Sequence[str]) -> None:
        """Get ready to ``look`` at some of these photos, in this order; on a disk, do nothing."""

    def look(self, photo: str, settings: str, *, corrected: bool) -> Look:
        """Return the state of a photo that has just been listed.

        ``settings`` stands for the net and the quality and, if ``corrected``, gets to stand for
        what is in the corrections beside the photo, too.
        """
        said = corrections_file(Path(photo)) if corrected else None
        if said is not None:
            settings = checksum([settings, readable_checksum(said)])
        name = said.name if said else ""
        try:
            state = os.stat(photo)  # noqa: PTH116 - a million of them
        except (OSError, ValueError):  # ValueError: a zero byte in the name
            return Look(f"missing-{settings}", "", name)
        version = f"{state.st_size}-{state.st_mtime_ns}-{settings}"
        return Look(version, f"{state.st_ctime_ns}-{state.st_ino}", name)

    def _add_file(self, path: Path, place: Path) -> None:
        if str(path) in self._files:
            return
        entry = self._files[str(path)] = _named(path, place)
        if not self._order or isinstance(self._order[-1], Path):
            self._order.append([])
        self._order[-1].append(entry)

    def _add_folder(self, folder: Path, place: str) -> None:
        if folder not in self._folders:
            self._folders[folder] = place
            self._order.append(folder)

    def _below(self, folder: Path, *, goes_on: bool) -> Iterator[Group | Entry]:
        earlier = list(itertools.takewhile(lambda other: other != folder, self._folders))
        if any(_lists(other, folder) for other in earlier):
            return
        made = tuple(filter(None, map(made_in, folder.parents)))
        top = _Source(folder, str(folder), self._folders[folder], goes_on, made)
        going_through = [self._inside(top)]
        while going_through:
            item = next(going_through[-1], None)
            if item is None:
                going_through.pop()
            elif not isinstance(item, _Source):
                yield item
            elif item.path not in earlier:
                going_through.append(self._inside(item))

    def _inside(self, source: _Source) -> Iterator["Group | Entry | _Source"]:
        """Yield what one folder holds, and its subfolders, which are to be gone through there."""
        inside = scan(source.path, on_error=self._leave_out)
        for by_run in source.made:
            by_run.catch_up()  # after the scan: a picture is noted before it is there
        made = source.made
        if any(name.startswith("manifest") for name in inside.others):
            made = (*made, *filter(None, [made_in(source.path)]))
        images = self._listed(source, inside, "images", made)
        unread = self._listed(source, inside, "unread", made)
        clips = self._listed(source, inside, "clips", made)
        entries = [one for one in (*images, *unread, *clips) if one.kind != "made"]
        if entries:
            beside = (*inside.others, *inside.folders)  # a folder of that name is an error
            corrected = any(name.lower().endswith(SUFFIX) for name in beside)
            yield Group(entries, source.goes_on, corrected)
        if clips or inside.folders:
            subfolders = _subfolders(source, inside, made)
            yield from heapq.merge(images, clips, subfolders, key=_in_order)
        else:
            yield from images
        yield from unread

    def _listed(
        self, source: _Source, inside: Folder, kind: str, made: tuple[Made, ...]
    ) -> list[Entry]:
        """Return the files of a kind in one folder, but not those that were given themselves."""
        by_runs = made if kind != "unread" else ()
        is_made = any(source.real in by_run for by_run in by_runs)  # a folder of frames, as a whole
        entries = []
        for name in getattr(inside, kind):
            photo = os.path.join(source.real, name)  # noqa: PTH118 - a million of them
            if photo not in self._files:
                is_one = is_made or any(photo in by_run for by_run in by_runs)
                entries.append(Entry(photo, source.place, name, "made" if is_one else kind))
        return entries

    def _leave_out(self, error: OSError) -> None:
        if error.filename not in self._said:
            self._said.add(error.filename)
            self._on_left_out(
                f"{error.filename}: {error.strerror}; photos in this folder are left out"
            )


def spelled_out(source: Path) -> Path:
    """Return ``source`` with links resolved, except a final link, whose own name counts."""
    if not source.name.strip("."):
        return Path(os.path.realpath(source))
    return Path(os.path.realpath(source.parent), source.name)


def _named(path: Path, place: Path) -> Entry:
    is_photo = path.suffix.lower() in SUFFIXES or not is_clip(path)
    parts = place.parent.as_posix()
    kind = "images" if is_photo else "clips"
    return Entry(str(path), "" if parts == "." else parts, place.name, kind)


def _lists(earlier: Path, folder: Path) -> bool:
    """Return whether going through ``earlier`` comes to ``folder``."""
    if not folder.is_relative_to(earlier):
        return False
    return not any(map(is_skipped, folder.relative_to(earlier).parts))


def _subfolders(source: _Source, inside: Folder, made: tuple[Made, ...]) -> Iterator[_Source]:
    """Yield the subfolders. Those that some disks take for one may want the same names."""
    keys = [fold_name(safe_name(name)) for name in inside.folders]
    counts = Counter(keys)
    for name, key in zip(inside.folders, keys, strict=True):
        place = f"{source.place}/{name}" if source.place else name
        real = os.path.join(source.real, name)  # noqa: PTH118 - as above
        yield _Source(source.path / name, real, place, source.goes_on or counts[key] > 1, made)


def _in_order(item: Entry | _Source) -> tuple[list, str]:
    name = item.name if isinstance(item, Entry) else item.path.name
    return natural_order_of(name), name


def shortest_ends(paths: Iterable[Path]) -> dict[Path, Path]:
    """Return the shortest end of each path that no other path has: its name, or more folders.

    Paths that differ only in what some disks ignore, such as case, count as the same.
    """
    parts = {path: path.parts[1:] if path.anchor else path.parts for path in paths}
    ends: dict[Path, tuple[str, ...]] = {}
    unclear = list(parts)
    for depth in itertools.count(1):
        if not unclear:
            break
        alike = defaultdict(list)
        for path in unclear:
            ends[path] = parts[path][-depth:]
            alike[fold_name("/".join(ends[path]))].append(path)
        groups = [group for group in alike.values() if len(group) > 1]
        unclear = [path for group in groups for path in group if len(ends[path]) == depth]
    return {path: Path(*end) for path, end in ends.items()}


def _is_folder(path: Path) -> bool:
    with contextlib.suppress(OSError):  # a name too long for the system
        return path.is_dir()
    return False
