"""photos -> records to begin with: which photos a run takes, and what its pictures will be called.

Names are settled before work begins: two photos never share one, files that were there before are
never overwritten, and a photo keeps its name from run to run.
"""

import itertools
import os
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
        own = known.files if known else ()  # also of effects that are not asked for this time
        if known and _are_free(known.stem, own, manifest.folder, effects):
            stem = known.stem
        else:
            stem = _free_stem(place, taken, manifest.folder, effects)
        taken.add(stem.casefold())
        files = tuple(dict.fromkeys([*own, *_candidates(stem, effects)]))
        jobs.append(Record(str(photo), stem, _version(photo, settings), files=files))
    return jobs


def _free_stem(place: Path, taken: set[str], results: Path, effects: Iterable[str]) -> str:
    """Return a stem for the pictures of a photo whose files nobody else has or will get."""
    folders = [safe_name(part) for part in place.parent.parts]
    name = safe_name(place.stem)
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    for choice in itertools.chain([name, f"{name}_{place.suffix[1:].lower()}"], numbered):
        stem = "/".join([*folders, choice])
        if stem.casefold() not in taken and _are_free(stem, (), results, effects):
            return stem
    raise AssertionError("count() does not end")


def _are_free(stem: str, own: tuple[str, ...], results: Path, effects: Iterable[str]) -> bool:
    """Tell whether the pictures of a photo with these ``own`` files would replace no others."""
    others = set(_candidates(stem, effects)) - set(own)
    return not any(os.path.lexists(results / file) for file in others)


def _candidates(stem: str, effects: Iterable[str]) -> list[str]:
    return [f"{stem}_{effect}{suffix}" for effect in effects for suffix in SUFFIXES]


def _version(photo: Path, settings: str) -> str:
    try:
        state = photo.stat()
    except OSError:
        return f"missing-{settings}"
    return f"{state.st_size}-{state.st_mtime_ns}-{settings}"
