"""photos -> jobs: which photos a run takes, and what their pictures will be called.

Names are settled before work begins: two photos never share one, existing files are avoided, and a
photo keeps its name from run to run.
"""

import contextlib
import itertools
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from u2demo.images.find import SUFFIXES, Found, find_pictures
from u2demo.images.kinds import is_clip
from u2demo.images.write import KINDS
from u2demo.machine.names import fold_name, numbered, safe_name
from u2demo.runs.checksums import checksum, content_of, file_checksum
from u2demo.runs.corrected import corrections_file
from u2demo.runs.manifest import Manifest
from u2demo.runs.records import Record, read_records


@dataclass(frozen=True)
class Job:
    """A photo to process, and what earlier runs have made of it."""

    photo: str  # absolute path
    stem: str  # what the names of its pictures begin with, relative to the results folder
    version: str  # of the photo, its corrections, net and quality
    identity: str = ""  # of the photo's file, see Record
    unchanged: bool = False  # whether photo, net and quality are those of its last record
    files: tuple[str, ...] = ()  # its existing pictures
    effects: Mapping[str, str] = field(default_factory=dict)  # checksums of effects not made again
    written: Mapping[str, str] = field(default_factory=dict)  # see Record
    renamed: Mapping[str, str] = field(default_factory=dict)  # see Record
    corrections: str = ""  # see Record

    def record(self, **became: object) -> Record:
        """Return a record of this photo with the fields ``became``; "started" if there are none."""
        earlier = {
            "files": self.files,
            "effects": self.effects,
            "written": self.written,
            "renamed": self.renamed,
            "identity": self.identity,
            "corrections": self.corrections,
        }
        return Record(self.photo, self.stem, self.version, **(earlier | became))


class Names:
    """The names in a results folder: the photo that claims each one, and which are free."""

    def __init__(
        self,
        folder: Path,
        effects: Iterable[str],
        records: Iterable[Record],
        suffixes: Collection[str] = KINDS,
    ):
        self._folder = os.path.join(folder, "")  # noqa: PTH118 - asked of millions of names
        self._endings = [f"_{effect}{suffix}" for effect in effects for suffix in suffixes]
        self._owners: dict[str, str] = {}  # photo, by folded file name
        self._counts: dict[str, int] = {}  # last number given, by folded name without number
        records = list(records)
        for record in records:
            self._owners.update((fold_name(file), record.photo) for file in record.pictures)
        for record in records:
            self.claim(record.photo, record.stem)

    def claim(self, photo: str, stem: str) -> None:
        """Keep other photos off the names that begin with ``stem``; earlier claims stay."""
        for file in self._files(stem):
            self._owners.setdefault(fold_name(file), photo)

    def is_unclaimed(self, photo: str, stem: str) -> bool:
        """Return whether no other photo claims a name that begins with ``stem``."""
        owners = (self._owners.get(fold_name(file), photo) for file in self._files(stem))
        return all(owner == photo for owner in owners)

    def is_free(self, photo: str, stem: str, own: Sequence[str] = ()) -> bool:
        """Return whether no other photo and no file, except its ``own``, has one of the names."""
        others = (file for file in self._files(stem) if file not in own)
        there = any(os.path.lexists(self._folder + file) for file in others)
        return not there and self.is_unclaimed(photo, stem)

    def find(self, photo: str, place: Path, own: Sequence[str] = ()) -> str:
        """Return the best free stem for a photo that belongs at ``place`` in the results."""
        folders = [safe_name(part) for part in place.parent.parts]
        plain = "/".join([*folders, safe_name(place.stem)])
        with_suffix = safe_name(f"{place.stem}_{place.suffix[1:].lower()}")
        for stem in (plain, "/".join([*folders, with_suffix])):
            if self.is_free(photo, stem, own):
                return stem
        first = self._counts.get(fold_name(plain), 1) + 1
        for number, stem in enumerate(numbered(plain, suffix="", first=first), first):
            if self.is_free(photo, stem, own):
                self._counts[fold_name(plain)] = number
                return stem
        raise AssertionError("unreachable")

    def _files(self, stem: str) -> Iterator[str]:
        return (stem + ending for ending in self._endings)


class Files(NamedTuple):
    """Photos and clips, each with its place in the results."""

    photos: dict[Path, Path]
    clips: dict[Path, Path]


def list_photos(sources: Sequence[str | Path]) -> dict[Path, Path]:
    """Return the photos of ``list_files``."""
    return list_files(sources).photos


def list_files(sources: Sequence[str | Path]) -> Files:
    """Return every photo and clip in ``sources``, files and folders, with its place in the results.

    Those from a folder keep their subfolders; with several folders, the folder's own name comes
    first. Files that share a name, and folders that do, keep as many parent folders as tell them
    apart. A file is listed once, however its path is spelled. Pictures of kinds that are not read
    come last among photos, see ``find_pictures``. Inside folders, pictures that a run has made are
    left out; see ``pictures_of_runs``.
    """
    paths = {source: spelled_out(source) for source in map(Path, sources)}
    folders = {source for source in paths if _is_folder(source)}
    files = _shortest_ends(path for source, path in paths.items() if source not in folders)
    tops = _shortest_ends(path for source, path in paths.items() if source in folders)
    listed = Files({}, {})
    unread: dict[Path, Path] = {}
    for source, path in paths.items():
        if source not in folders:
            is_photo = path.suffix.lower() in SUFFIXES or not is_clip(path)
            places = listed.photos if is_photo else listed.clips
            places.setdefault(path, files[path])
            continue
        folder = Path(os.path.realpath(source))
        top = tops[path] if len(tops) > 1 else Path()
        found, _ = _pictures_in(source)
        for photo in found.images:
            listed.photos.setdefault(folder / photo, top / photo)
        for clip in found.clips:
            listed.clips.setdefault(folder / clip, top / clip)
        unread.update((folder / picture, top / picture) for picture in found.unread)
    for picture, place in unread.items():  # last, so that a photo beside its raw file goes first
        listed.photos.setdefault(picture, place)
    return listed


def pictures_of_runs(sources: Sequence[str | Path]) -> list[Path]:
    """Return what a run has made in these folders, and ``list_files`` leaves out."""
    pictures = []
    for folder in filter(_is_folder, map(Path, sources)):
        _, made = _pictures_in(folder)
        pictures.extend(folder / picture for picture in made)
    return pictures


def plan(
    photos: Mapping[Path, Path],
    manifest: Manifest,
    effects: Iterable[str],
    settings: str,
    *,
    suffixes: Collection[str] = KINDS,
    corrections: bool = False,
) -> list[Job]:
    """Return a job for each photo; no two share a file name.

    ``settings`` stands for the net and the quality: when it changes, every photo is done again.
    ``suffixes`` are those that pictures may get. With ``corrections``, a photo is also done again
    when those in the file beside it change.
    """
    effects = list(effects)
    records = manifest.records.values()
    made = {manifest.folder / file for record in records for file in record.pictures}
    names = Names(manifest.folder, effects, records, suffixes)
    jobs = []
    for photo, place in photos.items():
        if photo in made:  # a picture that an earlier run left among the photos
            continue
        said = corrections_file(photo) if corrections else None
        wanted = settings if said is None else checksum([settings, content_of(said)])
        job = _job(photo, place, manifest.records.get(str(photo)), names, wanted)
        names.claim(job.photo, job.stem)
        kept = {name: job.effects[name] for name in job.effects if name not in effects}
        jobs.append(replace(job, effects=kept, corrections=said.name if said else ""))
    return jobs


def _job(photo: Path, place: Path, known: Record | None, names: Names, settings: str) -> Job:
    """Return the job for a photo; ``known`` is its record from an earlier run, if there is one."""
    name = str(photo)
    version, identity = _state(photo, settings)
    if known is None:
        return Job(name, names.find(name, place), version, identity)
    own = [*known.files, *known.renamed]
    keeps_stem = names.is_free(name, known.stem, own)
    if known.status == "started":  # newer files are detected at writing
        keeps_stem = names.is_unclaimed(name, known.stem)
    stem = known.stem if keeps_stem else names.find(name, place, own)
    unchanged = _is_unchanged(known, version, identity)
    return Job(
        photo=name,
        stem=stem,
        version=version,
        identity=identity,
        unchanged=unchanged,
        files=known.files,
        effects=known.effects if unchanged else {},
        written=known.written,
        renamed=known.renamed,
    )


def _is_unchanged(known: Record, version: str, identity: str) -> bool:
    """Return whether a photo's file has the content that its record tells of.

    Size and times tell at once. Where they differ, as after a copy, its content is read. Another
    file may keep both size and time (``cp -p``, a restored backup), but not the identity.
    """
    same_times = known.version == version
    if same_times and (known.identity == identity or not known.content):
        return True  # earlier versions noted neither identity nor content
    same_settings = known.version.rpartition("-")[2] == version.rpartition("-")[2]
    if not (same_settings and known.content and identity):
        return False
    try:
        return file_checksum(Path(known.photo)) == known.content
    except OSError:  # opening the photo will say why
        return False


def spelled_out(source: Path) -> Path:
    """Return ``source`` with links resolved, except a final link, whose own name counts."""
    if not source.name.strip("."):
        return Path(os.path.realpath(source))
    return Path(os.path.realpath(source.parent), source.name)


def _shortest_ends(paths: Iterable[Path]) -> dict[Path, Path]:
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


def _pictures_in(folder: Path) -> tuple[Found, list[Path]]:
    """Return what is found below ``folder``, relative to it, and apart what runs have made."""
    real = Path(os.path.realpath(folder))
    images, unread, clips = (
        [path.relative_to(folder) for path in paths] for paths in find_pictures(folder)
    )
    by_runs = _made_by_runs({(real / path).parent for path in [*images, *clips]})
    # A folder of frames is made as a whole.
    made = {
        path
        for path in [*images, *clips]
        if not by_runs.isdisjoint({real / path, (real / path).parent})
    }
    found = Found(
        [path for path in images if path not in made],
        unread,
        [path for path in clips if path not in made],
    )
    return found, [path for path in [*images, *clips] if path in made]


def _made_by_runs(folders: Iterable[Path]) -> set[Path]:
    """Return the pictures listed by manifests in ``folders`` or above them."""
    made: set[Path] = set()
    for folder in {above for inner in folders for above in (inner, *inner.parents)}:
        with contextlib.suppress(OSError):  # another user's manifest may be unreadable
            for record in read_records(folder):
                made.update(folder / file for file in record.pictures)
    return made


def _is_folder(path: Path) -> bool:
    with contextlib.suppress(OSError):  # a name too long for the system
        return path.is_dir()
    return False


def _state(photo: Path, settings: str) -> tuple[str, str]:
    """Return the version of a photo with these settings, and the identity of its file."""
    try:
        state = photo.stat()
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return f"missing-{settings}", ""
    version = f"{state.st_size}-{state.st_mtime_ns}-{settings}"
    return version, f"{state.st_ctime_ns}-{state.st_ino}"
