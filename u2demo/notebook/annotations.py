"""results -> boxes as numbers: a table, COCO, YOLO."""

from collections.abc import Iterable
from pathlib import Path

from u2demo.machine.names import safe_name
from u2demo.masks.box import bounding_box
from u2demo.masks.objects import object_boxes
from u2demo.masks.outlines import outlines
from u2demo.notebook.saving_form import Work
from u2demo.runs.boxes import WRITERS
from u2demo.runs.records import Record

FORMATS = {"Table (CSV)": "csv", "COCO": "coco", "YOLO": "yolo", "YOLO, outlines": "yolo-seg"}
_PHOTOS = Path("photos").resolve()  # no file is read; labels are named after their photos
_COLUMNS = "photo,object,left,top,right,bottom,width,height"


def as_table(records: Iterable[Record]) -> str:
    """Return a line for each object: its photo, its number, and its box in pixels of the photo."""
    lines = [_COLUMNS]
    for record in records:
        name = Path(record.photo).name.replace('"', '""')
        for number, (left, top, right, bottom) in enumerate(record.objects, start=1):
            sides = (left, top, right, bottom, right - left, bottom - top)
            lines.append(f'"{name}",{number},' + ",".join(map(str, sides)))
    return "\n".join(lines) + "\n"


def as_record(work: Work, *, per_object: bool) -> Record:
    """Return where the subject of a photo is, or each of its objects, from left to right."""
    mask = work.adjusted
    whole = bounding_box(mask)
    boxes = object_boxes(mask) if per_object else [whole] if whole else []
    order = sorted(range(len(boxes)), key=boxes.__getitem__)
    shapes = outlines(mask) if per_object else None
    name = safe_name(work.name)
    return Record(
        str(_PHOTOS / name),
        Path(name).stem,
        version="",
        status="done",
        size=work.image.size,
        objects=tuple(boxes[number] for number in order),
        outlines=tuple(shapes[number] for number in order) if per_object else None,
    )


def write_boxes(records: Iterable[Record], format: str, folder: Path) -> list[Path]:
    """Write boxes in one of ``FORMATS`` into an empty folder; return the files."""
    records = list(records)
    if format == "csv":
        table = folder / "boxes.csv"
        table.write_text(as_table(records), encoding="utf-8")
    else:
        WRITERS[format](records, folder)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if not path.name.startswith(".")]
