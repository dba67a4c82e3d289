"""photos -> records to begin with: which photos a run takes, and what its pictures will be called.

Names are settled before work begins: two photos never share one, files that were there before are
never overwritten, and a photo keeps its name from run to run.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from u2demo.images import find_images
from u2demo.manifest import Manifest, Record
from u2demo.pipeline import SUFFIXES, safe_name


def list_photos(sources: Sequence[str | Path]) -> dict[Path, Path]:
    """Return every photo named by ``sources``, files and folders, with its place in the results.

    A photo of a folder keeps its subfolders; several folders keep their own names as well.
    """
    folders = sum(Path(source).is_dir() for source in sources)
    places: dict[Path, Path] = {}
    for source in map(Path, sources):
        if not source.is_dir():
            places.setdefault(source.absolute(), Path(source.name))
            continue
        top = source.parent if folders > 1 else source
        for photo in find_images(source):
            places.setdefault(photo.absolute(), photo.relative_to(top))
    return places


def plan_records(
    photos: Mapping[Path, Path], manifest: Manifest, effects: Iterable[str], settings: str
) -> list[Record]:
    """Return a record to begin with for each photo, no two of them with the same file names."""
    pictures = {
        manifest.folder / file for record in manifest.records.values() for file in record.files
    }
    taken = {record.stem.casefold() for record in manifest.records.values()}
    jobs = []
    for photo, place in photos.items():
        if photo in pictures:  # results lie among the photos, and this is one of an earlier run
            continue
        known = manifest.records.get(str(photo))
        stem = known.stem if known else _free_stem(place, taken, manifest.folder, effects)
        taken.add(stem.casefold())
        files = tuple(_candidates(stem, effects))
        jobs.append(Record(str(photo), stem, _version(photo, settings), files=files))
    return jobs


def _free_stem(place: Path, taken: set[str], results: Path, effects: Iterable[str]) -> str:
    """Return a stem for the pictures of a photo whose files nobody else has or will get."""
    folders = [safe_name(part) for part in place.parent.parts]
    name = safe_name(place.stem)
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    for choice in itertools.chain([name, f"{name}_{place.suffix[1:].lower()}"], numbered):
        stem = "/".join([*folders, choice])
        files = (results / file for file in _candidates(stem, effects))
        if stem.casefold() not in taken and not any(file.exists() for file in files):
            return stem
    raise AssertionError("count() does not end")


def _candidates(stem: str, effects: Iterable[str]) -> list[str]:
    return [f"{stem}_{effect}{suffix}" for effect in effects for suffix in SUFFIXES]


def _version(photo: Path, settings: str) -> str:
    try:
        state = photo.stat()
    except OSError:
        return f"missing-{settings}"
    return f"{state.st_size}-{state.st_mtime_ns}-{settings}"
