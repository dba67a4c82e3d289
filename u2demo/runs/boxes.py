"""records -> annotation files: the boxes of a folder's subjects, for training a detector."""

from collections.abc import Iterable
from pathlib import Path

from u2demo.runs.coco import check_coco_is_free, write_coco
from u2demo.runs.yolo import check_labels_are_free, write_yolo, write_yolo_segments

WRITERS = {"coco": write_coco, "yolo": write_yolo, "yolo-seg": write_yolo_segments}
OUTLINED = {"coco", "yolo-seg"}  # those that want outlines
_CHECKS = {
    "coco": check_coco_is_free,
    "yolo": check_labels_are_free,
    "yolo-seg": check_labels_are_free,
}


def check_free(formats: Iterable[str], results: Path) -> None:
    """Raise ``ValueError`` if ``formats`` would replace files that u2demo did not write."""
    formats = list(formats)
    if {"yolo", "yolo-seg"} <= set(formats):
        raise ValueError(
            "yolo and yolo-seg write the same files; choose one of them (yolo-seg trains"
            " detectors too)"
        )
    for format in formats:
        _CHECKS[format](results)
