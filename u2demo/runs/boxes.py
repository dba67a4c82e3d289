"""records -> annotation files: the boxes of a folder's subjects, for training a detector."""

import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePath

from u2demo.machine.disk import advise, not_ours, write_file
from u2demo.masks.box import Box
from u2demo.runs.records import Record

_COCO, _YOLO = "boxes.coco.json", "labels"
_BY = "boxes found by u2demo"
_MARK = ".u2demo"  # a file that marks the labels as u2demo's; labels have no room for a comment


def check_free(formats: Iterable[str], results: Path) -> None:
    """Raise ``ValueError`` if ``formats`` would replace files that u2demo did not write."""
    coco, labels = results / _COCO, results / _YOLO
    others = {
        "coco": coco.is_file() and not _begins_like_ours(coco),
        "yolo": labels.is_dir() and not (labels / _MARK).exists() and any(labels.glob("[!.]*")),
    }
    for format, path in (("coco", coco), ("yolo", labels)):
        if format in formats and others[format]:
            raise not_ours(path)


def write_coco(records: Iterable[Record], results: Path) -> Path:
    """Write ``results/boxes.coco.json`` and return it.

    COCO's object detection format (https://cocodataset.org/#format-data): ``bbox`` is left, top,
    width, height in pixels. Each object has one, see ``split_objects``. Photos without a clear
    subject are listed without boxes. ``file_name`` is the photo's path relative to the innermost
    folder that holds all photos, with ``/`` between folders: it is right on any machine.

    Raises:
        ValueError: a file of that name exists that no run wrote.
    """
    check_free(["coco"], results)
    done = [record for record in records if record.size]
    names = _photo_names(done)
    images = []
    annotations = []
    for number, record in enumerate(done, 1):
        width, height = record.size
        name = names[record.photo]
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for box in _boxes(record):
            annotations.append(_annotation(len(annotations) + 1, number, box))
    coco = {
        "info": {"description": _BY},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "subject"}],
    }
    path = results / _COCO
    with advise(results):
        write_file(path, json.dumps(coco).encode())
    return path


def write_yolo(records: Iterable[Record], results: Path) -> Path:
    """Write a label file for each photo into ``results/labels``, and return that folder.

    YOLO's format (https://docs.ultralytics.com/datasets/detect): a line is class, then the box's
    center x, center y, width and height as shares of the photo. Each object has one, see
    ``split_objects``; a photo without a clear subject has an empty file. Subfolders are mirrored. A
    file is named after its photo, as detectors expect. If several photos differ only in their
    suffix, the first gets that name, and the others are named after their pictures.

    Raises:
        ValueError: a folder of that name exists that no run created.
    """
    check_free(["yolo"], results)
    folder = results / _YOLO
    with advise(results):
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / _MARK, _BY.encode())
        for name, record in _label_names(records).items():
            path = folder / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [_yolo_line(record.size, box) for box in _boxes(record)]
            write_file(path, "".join(lines).encode())
    return folder


def _annotation(number: int, image: int, box: Box) -> dict[str, object]:
    width, height = box.right - box.left, box.bottom - box.top
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [box.left, box.top, width, height],
        "area": width * height,
        "iscrowd": 0,
    }


def _photo_names(records: Iterable[Record]) -> dict[str, str]:
    """Return the path of each photo, relative to the innermost folder that holds all of them.

    Photos on several drives of Windows share no folder: they keep everything but the drive.
    """
    photos = [PurePath(record.photo) for record in records]
    parts = [photo.relative_to(photo.anchor).parts for photo in photos]
    shared = len(os.path.commonprefix([names[:-1] for names in parts]))
    return {
        str(photo): "/".join(names[shared:]) for photo, names in zip(photos, parts, strict=True)
    }


def _begins_like_ours(coco: Path) -> bool:
    ours = json.dumps({"info": {"description": _BY}})[:-2].encode()
    with coco.open("rb") as file:
        return file.read(len(ours)) == ours


def _label_names(records: Iterable[Record]) -> dict[str, Record]:
    """Return the record for each label file, by the file's name without suffix."""
    names: dict[str, Record] = {}
    others: dict[str, Record] = {}
    for record in records:
        if record.size:
            folder, slash, _ = record.stem.rpartition("/")
            name = f"{folder}{slash}{PurePath(record.photo).stem}"
            if name in names:
                others[record.stem] = record
            else:
                names[name] = record
    return others | names


def _boxes(record: Record) -> tuple[Box, ...]:
    """Return the boxes that a detector should learn: none for subjects that hardly stand out."""
    return record.objects if record.clear else ()


def _yolo_line(size: tuple[int, int], box: Box) -> str:
    (width, height), (left, top, right, bottom) = size, box
    x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
    return f"0 {x:.6f} {y:.6f} {(right - left) / width:.6f} {(bottom - top) / height:.6f}\n"


WRITERS = {"coco": write_coco, "yolo": write_yolo}
