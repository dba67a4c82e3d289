"""records -> labels in YOLO's formats, and what the programs that train with them ask for."""

import errno
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from u2demo.machine.disk import advise, discard_partial_files, not_ours
from u2demo.machine.names import fold_name, numbered
from u2demo.masks.box import Box
from u2demo.runs.names import MADE_SUFFIXES, split
from u2demo.runs.records import Record
from u2demo.runs.registry import Registry
from u2demo.runs.relative import name_below, shared_folder

_LABELS = "labels"
_MARK = "labels/.u2demo"
_BY = "boxes found by u2demo"
_DATA = """\
# To train with Ultralytics YOLO: copy or link the folder of photos to "images", beside "labels".
# Some versions want the whole path of this file. The photos for training and for validation are
# the same here; split images.txt for real use.
train: images.txt
val: images.txt
nc: 1
names:
  0: subject
"""
_BAD_NAME = {errno.ENAMETOOLONG, errno.EINVAL}
_LONGEST_NAME = 255  # bytes, on nearly all disks

Line = Callable[[tuple[int, int], Box, str], str]  # size, box, outline -> line of a label file


def write_yolo(records: Iterable[Record], results: Path) -> Path:
    """Write a label file for each photo into ``results/labels``, and return that folder.

    YOLO's format (https://docs.ultralytics.com/datasets/detect): a line is class, then the box's
    center x, center y, width and height as shares of the upright photo. Each object has one, see
    ``split_objects``; a photo without a clear subject has an empty file. Folders of photos are
    mirrored. A file is named after its photo, as detectors expect. If several photos differ only in
    their suffix or in case, the first gets that name, and the others are named after their
    pictures, with a number if that name is taken. Clips have no labels, for their frames are no
    files.

    ``results`` also gets ``data.yaml`` and ``images.txt`` for training, and ``labels`` gets
    ``classes.txt`` for programs that show labels. ``images.txt`` names photos as ``write_coco``
    does; a warning tells of those that it lacks. A file of that name that u2demo did not write, or
    that you have changed since, stays; a warning says so.

    Raises:
        ValueError: a folder of that name exists that no run created.
    """
    return _write(records, results, _box_line)


def write_yolo_segments(records: Iterable[Record], results: Path) -> Path:
    """Do what ``write_yolo`` does, with outlines instead of boxes.

    The format is https://docs.ultralytics.com/datasets/segment: class, then x and y of each corner
    as shares of the photo. A photo of a run that found no outlines has its boxes' corners.

    Raises:
        ValueError: as ``write_yolo``.
    """
    return _write(records, results, _outline_line)


def check_labels_are_free(results: Path) -> None:
    """Raise ``ValueError`` if ``results/labels`` belongs to somebody else."""
    labels = results / _LABELS
    if not os.path.lexists(labels):
        return
    if labels.is_symlink() or not labels.is_dir():
        raise not_ours(labels)
    if not os.path.lexists(results / _MARK) and any(map(_is_no_picture, labels.rglob("[!.]*"))):
        raise not_ours(labels)
    Registry(results, _MARK, _BY)  # raises if the mark is somebody else's


def _is_no_picture(path: Path) -> bool:
    """Return whether a run cannot have put this into a folder that mirrors one of photos."""
    return path.suffix not in MADE_SUFFIXES and not path.is_dir()


def _write(records: Iterable[Record], results: Path, line: Line) -> Path:
    check_labels_are_free(results)
    with advise(results):
        (results / _LABELS).mkdir(parents=True, exist_ok=True)
        for folder, _, _ in os.walk(results / _LABELS):
            discard_partial_files(Path(folder))
        labels = _Labels(records)
        registry = Registry(results, _MARK, _BY)
        for name, data in _files(labels, line):
            registry.announce(name, data)
        registry.store()
        too_long = []
        for name, data in _files(labels, line):
            try:
                registry.write(name, data)
            except OSError as error:
                if error.errno not in _BAD_NAME:
                    raise
                too_long.append(name)
        registry.store()
    _warn(registry.kept, "stays as it is: u2demo did not write it, or it was changed since")
    _warn(too_long, "is not a name that this disk accepts; the file is left out")
    why = "its name is too long for a label, or the label of another photo has it"
    _warn(list(labels.misnamed), f"is not in images.txt: {why}; rename it to train with it")
    return results / _LABELS


def _warn(files: Sequence[object], what: str) -> None:
    if files:
        more = f" (and {len(files) - 1} more like it)" if files[1:] else ""
        warnings.warn(f"{files[0]} {what}{more}", stacklevel=4)


class _Label(NamedTuple):
    """A label file and its photo."""

    name: str  # without suffix
    record: Record
    is_found: bool  # whether detectors find it, because it is named after its photo


class _Labels(Iterable[_Label]):
    """The label files of all photos that could be read; none of the records stays in memory.

    ``names`` are those of the files, folded, and ``misnamed`` has, by photo, those that are not
    named after it.
    """

    def __init__(self, records: Iterable[Record]):
        self._records = records
        self._shared = shared_folder(self._photos())
        self.names: set[str] = set()
        self.misnamed: dict[str, str] = {}
        for record in self._photos():
            name = self._own_name(record)
            if fold_name(name) in self.names or not _can_be_found(name):
                self.misnamed[record.photo] = record.stem
            else:
                self.names.add(fold_name(name))
        for photo, stem in self.misnamed.items():
            free = (name for name in numbered(stem, suffix="") if fold_name(name) not in self.names)
            name = next(free)
            self.names.add(fold_name(name))
            self.misnamed[photo] = name

    def __iter__(self) -> Iterator[_Label]:
        for record in self._photos():
            name = self.misnamed.get(record.photo)
            if name is None:
                yield _Label(self._own_name(record), record, is_found=True)
            else:
                yield _Label(name, record, is_found=False)

    def _photos(self) -> Iterator[Record]:
        return (record for record in self._records if record.size and not record.frames)

    def _own_name(self, record: Record) -> str:
        folder, slash, photo = name_below(self._shared, record).rpartition("/")
        return f"{folder}{slash}{split(photo)[0]}"


def _can_be_found(name: str) -> bool:
    """Return whether a label of this name fits on a disk, and its photo into images.txt."""
    file = f"{name.rpartition('/')[2]}.txt"
    return len(os.fsencode(file)) <= _LONGEST_NAME and "\n" not in name


def _files(labels: _Labels, line: Line) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every file, in an order that is always the same."""
    photos = []
    for name, record, is_found in labels:
        lines = [line(record.size, box, outline) for box, outline in record.subjects]
        yield f"{_LABELS}/{name}.txt", "".join(lines).encode()
        if is_found:
            photos.append(f"./images/{name}{PurePath(record.photo).suffix}\n")
    if "classes" not in labels.names:  # a photo may have that name
        yield f"{_LABELS}/classes.txt", b"subject\n"
    yield "images.txt", "".join(photos).encode(errors="surrogateescape")
    yield "data.yaml", _DATA.encode()


def _box_line(size: tuple[int, int], box: Box, outline: str) -> str:
    (width, height), (left, top, right, bottom) = size, box
    x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
    return f"0 {x:.6f} {y:.6f} {(right - left) / width:.6f} {(bottom - top) / height:.6f}\n"


def _outline_line(size: tuple[int, int], box: Box, outline: str) -> str:
    left, top, right, bottom = box
    rectangle = (left, top, right, top, right, bottom, left, bottom)
    values = list(map(int, outline.split())) or rectangle
    shares = [f"{value / size[place % 2]:.6f}" for place, value in enumerate(values)]
    return " ".join(["0", *shares]) + "\n"
