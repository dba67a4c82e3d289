"""records -> annotation files: the boxes of a folder's subjects, for training a detector."""

import json
from collections.abc import Iterable
from pathlib import Path

from u2demo.files import advise, write_file
from u2demo.manifest import Record


def write_coco(records: Iterable[Record], results: Path) -> Path:
    """Write ``results/boxes.coco.json`` and return it.

    COCO's object detection format (https://cocodataset.org/#format-data): ``bbox`` is left, top,
    width, height in pixels. Photos without a subject are listed and have no annotation.
    """
    done = [record for record in records if record.size]
    coco = {
        "images": [
            {"id": number, "file_name": record.photo, "width": width, "height": height}
            for number, record in enumerate(done, 1)
            for width, height in [record.size]
        ],
        "annotations": [
            {
                "id": number,
                "image_id": number,
                "category_id": 1,
                "bbox": [box.left, box.top, box.right - box.left, box.bottom - box.top],
                "area": (box.right - box.left) * (box.bottom - box.top),
                "iscrowd": 0,
            }
            for number, record in enumerate(done, 1)
            if (box := record.box)
        ],
        "categories": [{"id": 1, "name": "subject"}],
    }
    path = results / "boxes.coco.json"
    with advise(results):
        write_file(path, json.dumps(coco).encode())
    return path


def write_yolo(records: Iterable[Record], results: Path) -> Path:
    """Write a label file for each photo into ``results/labels``, subfolders mirrored; return it.

    YOLO's format (https://docs.ultralytics.com/datasets/detect): a line is class, then the box's
    center x, center y, width and height as shares of the photo. No subject, an empty file.
    """
    folder = results / "labels"
    with advise(results):
        for record in records:
            if not record.size:
                continue
            path = folder / f"{record.stem}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, _yolo_line(record).encode())
    return folder


def _yolo_line(record: Record) -> str:
    if not record.box:
        return ""
    (width, height), (left, top, right, bottom) = record.size, record.box
    x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
    return f"0 {x:.6f} {y:.6f} {(right - left) / width:.6f} {(bottom - top) / height:.6f}\n"


WRITERS = {"coco": write_coco, "yolo": write_yolo}
