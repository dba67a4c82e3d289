"""photos -> jobs: which photos a run takes, and what their pictures will be called.

Names are settled folder by folder, before work in it begins: two photos never share one, existing
files are avoided, and a photo keeps its name from run to run. A shard settles the names of all
photos of a folder, too, and takes its own.
"""

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from u2demo.images.write import KINDS
from u2demo.machine.names import fold_name, safe_name
from u2demo.runs.checksums import file_checksum
from u2demo.runs.listing import Entry, Group, Listing
from u2demo.runs.manifest import Manifest
from u2demo.runs.names import Names, joined, safe_folder, split
from u2demo.runs.record import Record
from u2demo.runs.records import Shard, folder_key


@dataclass(frozen=True)
class Job:
    """A photo to process, and what earlier runs have made of it."""

    photo: str  # absolute path
    stem: str  # what the names of its pictures begin with, relative to the results folder
    version: str  # of the photo, its corrections, net and quality
    identity: str = ""  # of the photo's file, see Record
    files: tuple[str, ...] = ()  # its existing pictures
    effects: Mapping[str, str] = field(default_factory=dict)  # checksums of effects not made again
    written: Mapping[str, str] = field(default_factory=dict)  # see Record
    renamed: Mapping[str, str] = field(default_factory=dict)  # see Record
    corrections: str = ""  # see Record
    done: Record | None = None  # its record, if nothing is left to do
    length: int | None = None  # of the photo's file in bytes, where a store has said it

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


def shard_of(folder: str, name: str, count: int) -> int:
    """Return which of ``count`` shards, from 1, a file of this name and place belongs to.

    Files that want the same names, such as ``cat.jpg`` and ``CAT.png``, belong to the same.
    """
    plain, _ = split(name)
    key = fold_name(joined(safe_folder(folder), safe_name(plain)))
    return zlib.crc32(key.encode(errors="surrogateescape")) % count + 1


def clips_of(listing: Listing, shard: Shard | None) -> Iterator[Entry]:
    """Yield the clips of a listing, as far as they belong to a shard."""
    for entry in listing.entries_here():
        if belongs(entry, shard) and _is_clip(entry, listing):
            yield entry


def plan(
    listing: Listing,
    manifest: Manifest,
    effects: Iterable[str],
    settings: str,
    *,
    suffixes: Collection[str] = KINDS,
    corrections: bool = False,
    clips: bool = False,
    is_done: Callable[[Record], bool] = lambda record: False,
    leave: Callable[[Entry], object] = lambda other: None,
) -> Iterator[Job]:
    """Yield a job for each photo of the manifest's shard, or for each of its ``clips``.

    No two share a file name. ``settings`` stands for the net and the quality: when it changes,
    every photo is done again. ``suffixes`` are those that pictures may get. With ``corrections``, a
    photo is also done again when those in the file beside it change. A job whose photo is
    unchanged and whose record ``is_done`` is ``done``, too, and keeps its name. ``leave`` is called
    with each clip, or with each photo.
    """
    effects = list(effects)
    planner = _Planner(
        listing, manifest, effects, settings, suffixes=suffixes, corrections=corrections
    )
    for item in listing.walk():
        if isinstance(item, Group):
            planner.settle(item)
        elif planner.takes(item):
            if clips == _is_clip(item, listing):
                yield planner.job(item, is_done)
            else:
                planner.drop(item)
                leave(item)


class _Named(NamedTuple):
    """The name that a photo has been given, and those of the others in its folder."""

    stem: str
    folder: str
    names: Names
    corrected: bool  # whether there may be corrections beside it


class _Planner:
    """Settles the names of a group, then makes its jobs."""

    def __init__(
        self,
        listing: Listing,
        manifest: Manifest,
        effects: list[str],
        settings: str,
        *,
        suffixes: Collection[str],
        corrections: bool,
    ):
        self._listing, self._manifest = listing, manifest
        self._disk = manifest.results.stems(effects, suffixes)
        self._effects, self._settings, self._corrections = effects, settings, corrections
        self._kept: dict[str, Names] = {}  # of folders that later groups may want names in
        self._named: dict[str, _Named] = {}  # the photos to come, of the groups gone into

    def settle(self, group: Group) -> None:
        """Give every file of a group its name."""
        names: dict[str, Names] = {}
        made: dict[str, set[str]] = {}
        for entry in group.entries:
            if self._is_result(entry.photo, made):
                continue
            folder = safe_folder(entry.folder)
            stem, among = self._name(entry, folder, names, group)
            if belongs(entry, self._manifest.shard):
                corrected = self._corrections and group.corrected
                self._named[entry.photo] = _Named(stem, folder, among, corrected)
        to_come = [one.photo for one in group.entries if self.takes(one)]
        self._listing.expect(to_come)
        self._manifest.expect(to_come)

    def takes(self, entry: Entry) -> bool:
        """Return whether a file is this run's to do: of its shard, and none of its results."""
        return entry.photo in self._named

    def drop(self, entry: Entry) -> None:
        """Forget a file that no job is wanted for."""
        del self._named[entry.photo]

    def job(self, entry: Entry, is_done: Callable[[Record], bool]) -> Job:
        """Return the job for a file that has its name."""
        named = self._named.pop(entry.photo)
        known = self._manifest.known(entry.photo)
        now = self._listing.look(entry.photo, self._settings, corrected=named.corrected)
        if known is None:
            stem = self._on_disk(entry, named)
            return Job(entry.photo, stem, **now._asdict())
        unchanged = _is_unchanged(known, now.version, now.identity)
        done = unchanged and is_done(known)
        kept = known.effects if unchanged else {}
        return Job(
            entry.photo,
            named.stem if done else self._on_disk(entry, named, known),
            files=known.files,
            effects={name: kept[name] for name in kept if name not in self._effects},
            written=known.written,
            renamed=known.renamed,
            done=known if done else None,
            **now._asdict(),
        )

    def _name(
        self, entry: Entry, folder: str, names: dict[str, Names], group: Group
    ) -> tuple[str, Names]:
        """Return the name of a file, claimed, and all names where it is."""
        among = self._names(folder_key(joined(folder, "")), names, group)
        stem, there = among.known(entry.photo), among
        if stem is None:
            record = self._manifest.records.get(entry.photo)
            if record is not None and record.photo == entry.photo:  # it was named elsewhere
                stem, there = record.stem, self._names(folder_key(record.stem), names, group)
        if stem is not None and there.claim(entry.photo, stem):
            return stem, there
        return among.find(entry.photo, folder, entry.name), among

    def _names(self, key: str, names: dict[str, Names], group: Group) -> Names:
        """Return the names in a folder of the results, with the claims of earlier runs."""
        if key not in names:
            names[key] = self._kept.get(key) or Names(
                self._effects, self._manifest.records.in_folder(key)
            )
            if group.goes_on:
                self._kept[key] = names[key]
        return names[key]

    def _on_disk(self, entry: Entry, named: _Named, known: Record | None = None) -> str:
        """Return the name of a file or, if somebody's files have it, the next one."""
        if known is not None and known.status == "started" and known.stem == named.stem:
            return named.stem  # newer files are detected at writing
        own = () if known is None else (*known.files, *known.renamed)
        if self._disk.is_free(named.stem, own):
            return named.stem
        return named.names.find(
            entry.photo, named.folder, entry.name, lambda stem: self._disk.is_free(stem, own)
        )

    def _is_result(self, photo: str, made: dict[str, set[str]]) -> bool:
        """Return whether a file that was named is a picture that an earlier run left.

        ``made`` keeps the pictures in each folder of the results that was asked for.
        """
        file = self._manifest.results.name_in(photo)
        if file is None:
            return False
        key = folder_key(file)
        if key not in made:
            records = self._manifest.records.in_folder(key)
            made[key] = {picture for record in records for picture in record.pictures}
        return file in made[key]


def _is_clip(entry: Entry, listing: Listing) -> bool:
    return entry.kind == "clips" or (entry.kind == "images" and listing.is_clip(entry.photo))


def belongs(entry: Entry, shard: Shard | None) -> bool:
    """Return whether a file is one of a shard's."""
    return shard is None or shard_of(entry.folder, entry.name, shard[1]) == shard[0]


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
