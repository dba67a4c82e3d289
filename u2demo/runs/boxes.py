"""records -> annotation files: the boxes of a folder's subjects, for training a detector."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from u2demo.machine.places import is_url
from u2demo.runs.coco import check_coco_is_free, write_coco
from u2demo.runs.record import Record
from u2demo.runs.relative import folder_given
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


class Present(Iterable[Record]):
    """The ``records`` whose photos are still there, to be gone through any number of times.

    The others keep their pictures and their records, but nothing can be learned from them. Those of
    a store, or of a folder that is not there, as on a drive that is not connected, count as there.
    """

    def __init__(self, records: Iterable[Record]):
        self._records = records
        self._gone = {record.photo for record in records if _is_gone(record)}

    def __iter__(self) -> Iterator[Record]:
        return (record for record in self._records if record.photo not in self._gone)


def _is_gone(record: Record) -> bool:
    photo = record.photo
    if is_url(photo) or os.path.lexists(photo):
        return False
    if os.path.isdir(os.path.dirname(photo)):  # noqa: PTH112, PTH120 - of millions of photos
        return True
    with contextlib.suppress(OSError), os.scandir(folder_given(record)) as entries:
        return any(entries)  # the place of a drive that is not connected is empty
    return False
