"""photos -> records to begin with: which photos a run takes, and what its pictures will be called.

Names are settled before work begins: two photos never share one, files that were there before are
never overwritten, and a photo keeps its name from run to run.
"""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from u2demo.images.read import find_images
from u2demo.images.write import KINDS
from u2demo.machine.names import fold_name, safe_name
from u2demo.runs.manifest import Manifest, Record, read_records


def list_photos(sources: Sequence[str | Path]) -> dict[Path, Path]:
    """Return every photo named by ``sources``, files and folders, with its place in the results.

    A photo of a folder keeps its subfolders; several folders keep their own names as well. However
    its path is spelled, a photo is listed once. Pictures that a run has left in a folder are none.
    """
    several = sum(_is_folder(Path(source)) for source in sources) > 1
    places: dict[Path, Path] = {}
    for source in map(Path, sources):
        if not _is_folder(source):
            places.setdefault(_real(source), Path(source.name))
            continue
        inside = [photo.relative_to(source) for photo in find_images(source)]
        folder = Path(os.path.realpath(source))
        name = source.name if source.name.strip(".") else folder.name
        made = _made_by_runs({(folder / photo).parent for photo in inside})
        places |= {
            folder / photo: places.get(folder / photo, Path(name if several else "", photo))
            for photo in inside
            if folder / photo not in made
        }
    return places


def plan_records(
    photos: Mapping[Path, Path], manifest: Manifest, effects: Iterable[str], settings: str
) -> list[Record]:
    """Return a record to begin with for each photo, no two of them with the same file names.

    Its effects are those that an earlier run has made and that will not be made now.
    """
    records = manifest.records.values()
    pictures = {manifest.folder / file for record in records for file in record.files}
    owners = _owners(records, effects)
    jobs = []
    for photo, place in photos.items():
        if photo in pictures:  # results lie among the photos, and this is one of an earlier run
            continue
        known = manifest.records.get(str(photo))
        own = known.files if known else ()  # also of effects that are not asked for this time
        is_free = partial(
            _is_free, photo=str(photo), own=own, owners=owners, folder=manifest.folder
        )
        stems = itertools.chain([known.stem] if known else [], _stems(place))
        stem = next(stem for stem in stems if all(map(is_free, _candidates(stem, effects))))
        owners.update({fold_name(file): str(photo) for file in _candidates(stem, effects)})
        files = tuple(dict.fromkeys([*own, *_candidates(stem, effects)]))
        version = _version(photo, settings)
        made = known.effects if known and known.version == version else {}
        kept = {name: checksum for name, checksum in made.items() if name not in effects}
        jobs.append(Record(str(photo), stem, version, files=files, effects=kept))
    return jobs


def _real(path: Path) -> Path:
    """Return where ``path`` lies, over any links but a last one, which has a name of its own."""
    return Path(os.path.realpath(path.parent), path.name)


def _made_by_runs(folders: Iterable[Path]) -> set[Path]:
    """Return the pictures that manifests in ``folders``, or above them, speak of."""
    made: set[Path] = set()
    for folder in {above for inner in folders for above in (inner, *inner.parents)}:
        with contextlib.suppress(OSError):  # somebody else's, and not for us to read
            made.update(folder / file for record in read_records(folder) for file in record.files)
    return made


def _owners(records: Iterable[Record], effects: Iterable[str]) -> dict[str, str]:
    """Return the photo that each file belongs to, or will if it is made."""
    owners = {fold_name(file): record.photo for record in records for file in record.files}
    for record in records:
        for file in _candidates(record.stem, effects):
            owners.setdefault(fold_name(file), record.photo)
    return owners


def _is_free(
    file: str, *, photo: str, own: Iterable[str], owners: Mapping[str, str], folder: Path
) -> bool:
    """Tell whether ``file`` is the photo's own, or nobody's and not there."""
    unclaimed = owners.get(fold_name(file), photo) == photo
    return unclaimed and (file in own or not os.path.lexists(folder / file))


def _stems(place: Path) -> Iterator[str]:
    """Yield what the pictures of a photo could be called, the best first, without end."""
    folders = [safe_name(part) for part in place.parent.parts]
    name = safe_name(place.stem)
    with_suffix = safe_name(f"{place.stem}_{place.suffix[1:].lower()}")
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    for choice in itertools.chain([name, with_suffix], numbered):
        yield "/".join([*folders, choice])


def _candidates(stem: str, effects: Iterable[str]) -> list[str]:
    return [f"{stem}_{effect}{suffix}" for effect in effects for suffix in KINDS]


def _is_folder(path: Path) -> bool:
    with contextlib.suppress(OSError):  # a name too long to ask for
        return path.is_dir()
    return False


def _version(photo: Path, settings: str) -> str:
    try:
        state = photo.stat()
    except OSError:
        return f"missing-{settings}"
    return f"{state.st_size}-{state.st_mtime_ns}-{settings}"
