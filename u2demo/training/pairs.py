"""folders -> pairs: which mask belongs to which photo, by name; and which photos have none."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from u2demo.images.find import find_images, find_pictures
from u2demo.images.kinds import why_unread
from u2demo.images.read import open_image
from u2demo.machine.names import fold_name
from u2demo.runs.corrected import corrections_file

# What a mask of cat.jpg may be called, the best first: as a run of u2demo saves it, or plainly.
_ENDINGS = ("_mask", "", "_cutout")
_SHOWN = 3  # names in a sentence


class Pair(NamedTuple):
    """A photo and what says where its subject is: a mask, or corrections, or its own alpha.

    ``mask`` is a mask or a cut-out, and may be the photo itself. It is None if there is only what a
    person has corrected in the app, ``corrections``.
    """

    photo: Path
    mask: Path | None
    corrections: Path | None
    name: str  # of the photo, with the subfolder that it is in


class Found(NamedTuple):
    """The pairs of two folders in natural order, and why photos have none, by ``Pair.name``."""

    pairs: list[Pair]
    left_out: dict[str, str]


def find_pairs(photo_folder: Path, mask_folder: Path) -> Found:
    """Return the pairs of two folders, which may be the same one, and what is below them.

    The mask of ``cat.jpg`` is ``cat_mask.png``, ``cat.png`` or ``cat_cutout.png``, in this order
    and of any format, in the same subfolder or, if no other photo and no other mask has this name,
    anywhere. A photo without one counts if it has corrections beside it, ``cat.strokes.json``; in a
    folder that is both, it counts as its own mask: a cut-out is known by its alpha.

    Raises:
        ValueError: one of the two is not a folder, or there are no pairs.
    """
    photos, unread = _photos_in(photo_folder, mask_folder)
    sure, unsure = _masks_of(photos, photo_folder, find_images(mask_folder), mask_folder)
    found = Found([], {})
    taken: dict[str, Path] = {}
    used: set[Path | None] = set()
    for photo in photos:
        if photo in used:  # a mask of the same name in the same folder
            continue
        mask, said = sure.get(photo), corrections_file(photo)
        name = photo.relative_to(photo_folder).as_posix()
        twin = taken.setdefault(_key(photo, photo_folder), photo)
        if twin is not photo:
            found.left_out[name] = f"{twin.name} has the same name; which one is the mask's?"
        elif mask is None and said is None:
            plain = f"no mask called {photo.stem}.png or {photo.stem}_mask.png"
            found.left_out[name] = unsure.get(photo, plain)
        else:
            found.pairs.append(Pair(photo, mask, said, name))
            used.add(mask)
    for photo in unread:
        if _key(photo, photo_folder) not in taken:  # or it has been read in another format
            found.left_out[photo.relative_to(photo_folder).as_posix()] = f"is {why_unread(photo)}"
    if not found.pairs:
        raise ValueError(_why_none(photo_folder, mask_folder, found, unsure))
    return found


def _photos_in(photo_folder: Path, mask_folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the photos in a folder, without what is a mask by its name, and those not read.

    Raises:
        ValueError: one of the two is not a folder, or there are no photos.
    """
    for name, folder in (("photos", photo_folder), ("masks", mask_folder)):
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder, expected a folder of {name}")
    photos, unread, _ = find_pictures(photo_folder)
    if not photos:
        why = "holds no photos, expected some; is it the right folder?"
        if unread:
            why = f"holds no photos that can be read; {unread[0].name} is {why_unread(unread[0])}"
        raise ValueError(f"{photo_folder} {why}")
    if photo_folder.resolve() == mask_folder.resolve():
        return _without_masks(photos), unread
    return (
        _not_below(photos, mask_folder, photo_folder),
        _not_below(unread, mask_folder, photo_folder),
    )


def _why_none(photo_folder: Path, mask_folder: Path, found: Found, unsure: dict[Path, str]) -> str:
    """Return why two folders have no pairs, with names of both."""
    if unsure:
        photo, why = next(iter(unsure.items()))
        return f"no photo has a mask that is surely its own; {photo}: {why}"
    left = ", ".join(list(found.left_out)[:_SHOWN])
    right = ", ".join(path.name for path in find_images(mask_folder)[:_SHOWN]) or "no pictures"
    return (
        f"no mask has the name of a photo: {photo_folder} has {left}, {mask_folder} has {right};"
        " expected for each photo, such as cat.jpg, a mask called cat.png or cat_mask.png"
    )


def _key(path: Path, folder: Path | None = None) -> str:
    """Return a file's name without suffix, below ``folder``, as any disk compares names."""
    plain = path.with_suffix("")
    return fold_name(plain.name if folder is None else plain.relative_to(folder).as_posix())


def _by_name(files: Iterable[Path], folder: Path | None = None) -> dict[str, list[Path]]:
    named = defaultdict(list)
    for file in files:
        named[_key(file, folder)].append(file)
    return named


def _masks_of(
    photos: list[Path], photo_folder: Path, masks: list[Path], mask_folder: Path
) -> tuple[dict[Path, Path], dict[Path, str]]:
    """Return the masks of photos: those that are sure, and why others are not."""
    sure: dict[Path, Path] = {}
    unsure: dict[Path, str] = {}
    elsewhere: dict[Path, list[Path]] = {}  # for photos with no mask in the same subfolder
    in_place, anywhere = _by_name(masks, mask_folder), _by_name(masks)
    for photo in photos:
        found = _best(in_place, _key(photo, photo_folder), photo)
        if len(found) == 1:
            sure[photo] = found[0]
        elif found:
            unsure[photo] = f"which is its mask, {' or '.join(file.name for file in found)}?"
        else:
            elsewhere[photo] = _best(anywhere, _key(photo), photo)
    taken = set(sure.values())
    wanted = Counter(mask for found in elsewhere.values() for mask in found)
    own = set(photos).intersection(masks)  # in a folder that is both
    for photo, found in elsewhere.items():
        is_clear = len(found) == 1 and found[0] not in taken and wanted[found[0]] == 1
        if is_clear and not (photo in own and _stand_alone(photo, found[0])):
            sure[photo] = found[0]
        elif found and photo not in own:
            unsure[photo] = "its mask may be another photo's; expected one in the same subfolder"
    for photo in own - set(unsure):
        sure.setdefault(photo, photo)
    return sure, unsure


def _best(names: dict[str, list[Path]], key: str, photo: Path) -> list[Path]:
    """Return the files with the best name for a mask of ``photo``, those after ``key``."""
    for ending in _ENDINGS:
        others = [file for file in names.get(key + ending, []) if file != photo]
        if others:
            return others
    return []


def _stand_alone(photo: Path, other: Path) -> bool:
    """Return whether two files of one name, in subfolders of one folder, are two photos.

    So they are if the first one is a cut-out, or one of them was corrected in the app.
    """
    return bool(corrections_file(photo) or corrections_file(other)) or _is_cutout(photo)


def _is_cutout(photo: Path) -> bool:
    try:
        return open_image(photo).mode == "RGBA"
    except (OSError, ValueError):  # to be said when it is read
        return False


def _without_masks(files: list[Path]) -> list[Path]:
    """Return ``files`` without masks of others: cat_mask.png, and cat.png beside cat.webp."""
    names = {_key(file) for file in files}
    photos = {file.with_suffix("") for file in files if file.suffix.lower() != ".png"}
    return [
        file
        for file in files
        if not _is_called_after_another(file, names)
        and not (file.suffix.lower() == ".png" and file.with_suffix("") in photos)
    ]


def _not_below(files: list[Path], mask_folder: Path, photo_folder: Path) -> list[Path]:
    """Return ``files`` without those in a folder of masks that lies in that of the photos."""
    there = mask_folder.resolve()
    if not there.is_relative_to(photo_folder.resolve()):
        return files
    return [file for file in files if not file.parent.resolve().is_relative_to(there)]


def _is_called_after_another(file: Path, there: set[str]) -> bool:
    plain = _key(file)
    return any(
        plain.endswith(ending) and plain.removesuffix(ending) in there
        for ending in _ENDINGS
        if ending
    )
