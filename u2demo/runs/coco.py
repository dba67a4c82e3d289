"""records -> boxes.coco.json: boxes and outlines in COCO's format."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from u2demo import __version__
from u2demo.machine.disk import advise, not_ours, write_pieces
from u2demo.masks.box import Box
from u2demo.runs.checksums import checksum_of_pieces, pieces_of
from u2demo.runs.records import Record
from u2demo.runs.relative import name_below, shared_folder

_FILE = "boxes.coco.json"
_BY = "boxes found by u2demo"
_BEGIN = '{"info": '
_NOTE = (
    "file_name is relative to the folder of photos or, of several, to what holds them all; sizes,"
    " boxes and outlines are those of the photo turned upright, as its EXIF says"
)
_LONGEST_INFO = 2**16  # bytes
_LICENSE = {"id": 1, "name": "that of the photo, unknown", "url": ""}


def write_coco(records: Iterable[Record], results: Path) -> Path:
    """Write ``results/boxes.coco.json`` and return it; ``records`` are gone through several times.

    COCO's object detection format (https://cocodataset.org/#format-data): ``bbox`` is left, top,
    width, height in pixels of the upright photo, which not every program turns as its EXIF says;
    ``segmentation`` is one polygon, see ``outlines``, or nothing for a photo of a run that found
    none; ``iscrowd`` is 0, which says that an annotation is one object. Each object has one, see
    ``split_objects``. Photos without a clear subject are listed without. ``file_name`` is the
    photo's path relative to the folder of photos that was given or, if there were several, to the
    innermost one that holds them all, with ``/`` between folders: it is right on any machine.

    Clips are ``videos``, and each of their frames is an image, as in CocoVID: with ``video_id``,
    ``frame_id`` from 0, and ``time`` in seconds, and with one annotation, the box around all of the
    subject, if there is one. The ``file_name`` of a frame is the clip's, ``/`` and a number from 1,
    which is how a folder of frames numbers them.

    Raises:
        ValueError: a file of that name exists that no run wrote, or that was changed since.
    """
    check_coco_is_free(results)
    path = results / _FILE
    with advise(results), tempfile.TemporaryFile(dir=results) as rest:  # its checksum comes first
        rest.writelines(_pieces(records))
        head = _head(checksum_of_pieces(_from_the_start(rest)))
        write_pieces(path, chain([head], _from_the_start(rest)), durable=True)
    return path


def check_coco_is_free(results: Path) -> None:
    """Raise ``ValueError`` if ``write_coco`` would replace a file that u2demo did not write."""
    path = results / _FILE
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_file():
        raise not_ours(path)
    with path.open("rb") as file:
        info, end = _read_info(file.read(_LONGEST_INFO))
        if info.get("description") != _BY:
            raise not_ours(path)
        file.seek(end)
        # Earlier versions wrote no checksum.
        if "checksum" in info and info["checksum"] != checksum_of_pieces(pieces_of(file)):
            raise not_ours(path, "was changed since u2demo wrote it")


def _head(checksum: str) -> bytes:
    """Return what the file begins with: its info, with the checksum of what follows."""
    info = {
        "description": _BY,
        "version": __version__,
        "contributor": "u2demo",
        "url": "",
        "note": _NOTE,
        "checksum": checksum,
    }
    return (_BEGIN + json.dumps(info)).encode()


def _read_info(begin: bytes) -> tuple[dict, int]:
    """Return the info that a COCO file begins with, empty if it has none, and where that ends."""
    text = begin.decode(errors="replace")
    try:
        if not text.startswith(_BEGIN):
            return {}, 0
        info, end = json.JSONDecoder().raw_decode(text, len(_BEGIN))
    except (ValueError, RecursionError):
        return {}, 0
    return (info if isinstance(info, dict) else {}), len(text[:end].encode())


def _from_the_start(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    return pieces_of(file)


def _pieces(records: Iterable[Record]) -> Iterator[bytes]:
    """Yield what follows the info, piece by piece."""
    done = _Done(records)
    lists: dict[str, Iterable[Mapping[str, object]]] = {
        "licenses": [_LICENSE],
        "images": _images(done),
        "annotations": _annotations(done),
        "categories": [{"id": 1, "name": "subject", "supercategory": ""}],
    }
    if any(record.frames for record in done):
        lists["videos"] = _videos(done)
    for name, items in lists.items():
        yield f', "{name}": ['.encode()
        separator = ""
        for item in items:
            yield (separator + json.dumps(item)).encode()
            separator = ", "
        yield b"]"
    yield b"}"


def _size(record: Record) -> dict[str, object]:
    width, height = record.size
    return {"width": width, "height": height}


def _image(number: int, name: str, record: Record) -> dict[str, object]:
    return {"id": number, "file_name": name, **_size(record), "license": _LICENSE["id"]}


def _videos(done: "_Done") -> Iterator[dict[str, object]]:
    for place in done.places():
        if place.record.frames:
            yield {"id": place.video, "name": place.name, **_size(place.record)}


def _images(done: "_Done") -> Iterator[dict[str, object]]:
    for place in done.places():
        if not place.record.frames:
            yield _image(place.image, place.name, place.record)
            continue
        for number, frame in enumerate(place.record.track or ()):
            time = float(frame.split()[0])
            image = _image(place.image + number, f"{place.name}/{number + 1:06}.png", place.record)
            yield image | {"video_id": place.video, "frame_id": number, "time": time}


def _annotations(done: "_Done") -> Iterator[dict[str, object]]:
    numbers = count(1)
    for place in done.places():
        if not place.record.frames:
            for box, outline in place.record.subjects:
                yield _annotation(next(numbers), place.image, box, outline)
            continue
        for number, frame in enumerate(place.record.track or ()):
            sides = frame.split()[1:]
            if sides and place.record.clear:
                box = Box(*map(int, sides))
                annotation = _annotation(next(numbers), place.image + number, box, outline="")
                yield annotation | {"video_id": place.video, "instance_id": 1}


def _annotation(number: int, image: int, box: Box, outline: str) -> dict[str, object]:
    width, height = box.size
    polygon = [int(value) for value in outline.split()]
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [box.left, box.top, width, height],
        "area": _area(polygon) if polygon else width * height,
        "segmentation": [polygon] if polygon else [],
        "iscrowd": 0,
    }


def _area(polygon: list[int]) -> float:
    """Return the area of a polygon x, y, x, y, ... (the shoelace formula)."""
    xs, ys = polygon[::2], polygon[1::2]
    following = zip(xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
    crossed = (x * b - y * a for x, y, (a, b) in zip(xs, ys, following, strict=True))
    return abs(sum(crossed)) / 2


class _Place(NamedTuple):
    """A photo or a clip in the file."""

    record: Record
    name: str  # of its file
    image: int  # the number of its image, or of its first frame's
    video: int  # the number of a clip


class _Done:
    """The records that go into the file, and how they are named and numbered there."""

    def __init__(self, records: Iterable[Record]):
        self._records = records
        self._shared = shared_folder(self)

    def __iter__(self) -> Iterator[Record]:
        return (record for record in self._records if record.size)

    def places(self) -> Iterator[_Place]:
        """Yield the place of each record."""
        image = video = 1
        for record in self:
            yield _Place(record, name_below(self._shared, record), image, video)
            if record.frames:
                image += len(record.track or ())
                video += 1
            else:
                image += 1
