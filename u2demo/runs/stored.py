"""URLs, and lists of paths and URLs -> the photos they stand for, folder by folder."""

import codecs
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, takewhile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from u2demo.images.find import SUFFIXES, is_skipped
from u2demo.images.kinds import is_clip, why_unread
from u2demo.machine.attempts import StoreError
from u2demo.machine.cores import in_parallel
from u2demo.machine.names import natural_order
from u2demo.machine.places import (
    Stored,
    check_url,
    folders_below,
    is_url,
    join,
    name_of,
    stored,
)
from u2demo.masks.corrections import file_names
from u2demo.runs.checksums import checksum
from u2demo.runs.listing import Entry, Group, Listing, Look, shortest_ends
from u2demo.runs.records import Shard

_ASKED_AT_ONCE = 16  # photos of which a store is asked at the same time
_FIRST = b""  # of a file's bytes: what it is, its name alone tells


class StoredListing(Listing):
    """The photos in ``sources``, URLs and paths, and in ``listed``, single files, one each.

    Below a URL everything counts whose suffix is that of a photo. What is listed keeps its folders,
    but for those that all of the list have in common. No URL is listed twice. URLs whose photos are
    asked for one by one are those of files, and of web servers, which cannot be listed. ``how`` is
    that of ``Listing``.
    """

    def __init__(
        self,
        sources: Sequence[str | Path],
        listed: Sequence[str] = (),
        **how: Callable,
    ):
        urls = [source for source in sources if is_url(source)]
        super().__init__([source for source in sources if not is_url(source)], **how)
        for url in chain(urls, filter(is_url, listed)):
            check_url(url)
        named = {url: stored(url) for url in urls}
        below = [url for url, found in named.items() if found is None and not _is_web(url)]
        places = _places([*(url for url in urls if url not in below), *listed])
        for file, place in places.items():
            if not is_url(file):
                self._add_file(Path(file), Path(place))
        self._urls = {url: _named(url, place) for url, place in places.items() if is_url(url)}
        prefixes = list({_parts(url): url for url in below}.values())
        tops = shortest_ends(Path(*_parts(url)) for url in prefixes)
        several = len(prefixes) + len(self._folders) > 1
        self.is_known = not prefixes  # whether counting the photos costs nothing
        self._prefixes = {
            url: tops[Path(*_parts(url))].as_posix() if several else "" for url in prefixes
        }
        self._goes_on = len(prefixes) + len(self._order) + bool(self._urls) > 1
        self._now: Mapping[str, Stored] = {}  # what is stored beside the photos that come now
        self._answers: Iterator[tuple[Entry, Mapping[str, Stored]]] = iter(())

    def walk(self) -> Iterator[Group | Entry]:
        """Yield all files: each group before its entries."""
        for item in super().walk():
            if isinstance(item, Group) and self._goes_on:
                item = item._replace(goes_on=True)
            yield item
        for url in self._prefixes:
            for folder in folders_below(url):
                yield from self._stored_group(url, folder)
        if self._urls:
            yield Group(list(self._urls.values()), self._goes_on, corrected=True)
            yield from self._urls.values()

    def expect(self, photos: Sequence[str]) -> None:
        """Begin to ask what is stored of single photos: several at a time, ahead of ``look``."""
        single = [self._urls[photo] for photo in photos if photo in self._urls]
        self._answers = in_parallel(_ask, single, _ASKED_AT_ONCE)

    def look(self, photo: str, settings: str, *, corrected: bool) -> Look:
        """Return the state of a photo, and what lies beside it."""
        if not is_url(photo):
            return super().look(photo, settings, corrected=corrected)
        if photo in self._urls:
            self._now = next(found for entry, found in self._answers if entry.photo == photo)
        folder = photo.rpartition("/")[0]
        beside = (join(folder, name) for name in file_names(name_of(photo)))
        said = next((self._now[url] for url in beside if corrected and url in self._now), None)
        if said is not None:
            settings = checksum([settings, said.size, said.tag])
        found = self._now.get(photo)
        if found is None or (found.size is None and not found.tag):
            # Nobody says whether it has changed: it counts as new, and reading it says why.
            return Look(f"unknown-{os.urandom(8).hex()}-{settings}", "", _name(said), None)
        return Look(f"{found.size}-{found.tag}-{settings}", found.tag, _name(said), found.size)

    def holds(self, url: str) -> bool:
        """Return whether a photo that were stored below ``url`` would be listed."""
        return any(_entry(join(url, "a.jpg"), root, "") for root in self._prefixes)

    def _stored_group(self, url: str, folder: Sequence[Stored]) -> Iterator[Group | Entry]:
        self._now = {found.url: found for found in folder}
        earlier = list(takewhile(lambda other: other != url, self._prefixes))
        entries = [
            _entry(found.url, url, self._prefixes[url])
            for found in folder
            if found.url not in self._urls
            and not any(_entry(found.url, other, "") for other in earlier)
        ]
        ordered = sorted(
            filter(None, entries),
            key=lambda one: (one.kind != "images", natural_order(one.name), one.name),
        )
        if ordered:
            yield Group(ordered, self._goes_on, corrected=True)
            yield from ordered


def check_apart(listing: Listing, results: str | Path, shard: Shard | None) -> None:
    """Raise ``ValueError`` if a shard would find pictures of others among the photos of a store.

    Below a folder they are told from photos by the journals of all shards, which are read there.
    """
    is_stored = shard is not None and is_url(results) and isinstance(listing, StoredListing)
    if is_stored and listing.holds(str(results)):
        raise ValueError(
            f"{results} lies among the photos, where one shard would take the pictures of another"
            " for photos; choose a place beside them"
        )


def read_list(file: str) -> list[str]:
    """Return the lines of a file, "-" for standard input: a path or URL each, without empty ones.

    It is UTF-8, or UTF-16 as PowerShell writes it. Paths are those seen from the current folder.
    Spaces around them are dropped, but not those of a file that has that very name.

    Raises:
        ValueError: there is none, or the file is not a text.
        OSError: the file cannot be read.
    """
    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "surrogatepass")
    else:
        text = data.decode("utf-8-sig", "surrogateescape")  # names on disks may be any bytes
    if "\0" in text:
        raise ValueError(f"{file} is not a text file, expected a path or URL in each of its lines")
    found = [_trimmed(line) for line in text.split("\n") if line.strip()]
    if not found:
        raise ValueError(f"{file}: no line in it, expected a path or URL in each")
    return found


def _trimmed(line: str) -> str:
    trimmed = line.strip()
    return line if line != trimmed and os.path.lexists(line) else trimmed


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _name(said: Stored | None) -> str:
    return "" if said is None else name_of(said.url)


def _ask(entry: Entry) -> tuple[Entry, Mapping[str, Stored]]:
    """Return what is stored of a photo and beside it.

    A web server is not asked for corrections: it would be hundreds of misses for as many photos.
    """
    folder = entry.photo.rpartition("/")[0]
    beside = [] if _is_web(entry.photo) else file_names(entry.name)
    found = {}
    for url in (entry.photo, *(join(folder, name) for name in beside)):
        try:
            state = stored(url)
        except StoreError:  # reading the photo will say why
            state = None
        if state is not None:
            found[url] = state
    return entry, found


def _kind(name: str) -> str:
    path = Path(name)
    if path.suffix.lower() in SUFFIXES:
        return "images"
    if why_unread(path, _FIRST):
        return "unread"
    return "unread" if is_clip(path, _FIRST) else ""  # and open_photo says why


def _entry(url: str, root: str, top: str) -> Entry | None:
    """Return the entry of a photo that is stored below ``root``, None if it is none, or is not."""
    if not url.startswith(join(root, "")):
        return None
    *folders, name = url.removeprefix(join(root, "")).split("/")
    kind = _kind(name)
    if not kind or name.startswith(".") or any(map(is_skipped, folders)):
        return None
    return Entry(url, "/".join(filter(None, [top, *folders])), name, kind)


def _parts(file: str) -> tuple[str, ...]:
    """Return the folders and the name of a path or URL; the first says which disk or server."""
    if not is_url(file):
        return Path(file).absolute().parts
    protocol, _, path = file.partition("://")
    if _is_web(file):
        split = urlsplit(file)
        path = split.netloc + unquote(split.path)
        if split.query and PurePosixPath(path).suffix.lower() not in SUFFIXES:
            path += f"?{unquote(split.query).replace('/', '_')}"  # it alone says which photo
    return protocol.lower(), *filter(None, path.split("/"))


def _places(files: Iterable[str]) -> dict[str, PurePosixPath]:
    """Return the place of each file: its folders, but for those that all have in common."""
    parts = {absolute(file): _parts(file) for file in files}
    shared = len(os.path.commonprefix([part[:-1] for part in parts.values()]))
    return {file: PurePosixPath(*part[shared:]) for file, part in parts.items()}


def _named(url: str, place: PurePosixPath) -> Entry:
    """Return the entry of a file that was named itself, whatever its suffix."""
    folder = "/".join(name for name in place.parent.parts if name not in {"/", "."})
    return Entry(url, folder, place.name or "photo", _kind(place.name) or "images")


def absolute(file: str) -> str:
    """Return a line of a list as the photo's entry has it: an absolute path, or a URL as it is."""
    return file if is_url(file) else os.path.abspath(file)  # noqa: PTH100 - links stay
