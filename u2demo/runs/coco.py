"""records -> boxes.coco.json: boxes and outlines in COCO's format."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from u2demo import __version__
from u2demo.machine.disk import advise, not_ours, write_file
from u2demo.machine.names import safe_name
from u2demo.masks.box import Box
from u2demo.runs.checksums import content_checksum
from u2demo.runs.records import Record

_FILE = "boxes.coco.json"
_BY = "boxes found by u2demo"
_BEGIN = '{"info": '
_NAMES = "file_name is relative to the folder of photos or, of several, to what holds them all"
_LICENSE = {"id": 1, "name": "that of the photo, unknown", "url": ""}


def write_coco(records: Iterable[Record], results: Path) -> Path:
    """Write ``results/boxes.coco.json`` and return it.

    COCO's object detection format (https://cocodataset.org/#format-data): ``bbox`` is left, top,
    width, height in pixels; ``segmentation`` is one polygon, see ``outlines``, or nothing for a
    photo of a run that found none; ``iscrowd`` is 0, which says that an annotation is one object.
    Each object has one, see ``split_objects``. Photos without a clear subject are listed without.
    ``file_name`` is the photo's path relative to the folder of photos that was given or, if there
    were several, to the innermost one that holds them all, with ``/`` between folders: it is right
    on any machine.

    Clips are ``videos``, and each of their frames is an image, as in CocoVID: with ``video_id``,
    ``frame_id`` from 0, and ``time`` in seconds, and with one annotation, the box around all of the
    subject, if there is one. The ``file_name`` of a frame is the clip's, ``/`` and a number from 1,
    which is how a folder of frames numbers them.

    Raises:
        ValueError: a file of that name exists that no run wrote, or that was changed since.
    """
    check_coco_is_free(results)
    done = [record for record in records if record.size]
    names = _photo_names(done)
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    videos: list[dict[str, object]] = []
    for record in done:
        name = names[record.photo]
        if record.frames:
            videos.append({"id": len(videos) + 1, "name": name, **_size(record)})
            _add_frames(record, videos[-1], images, annotations)
            continue
        images.append(_image(len(images) + 1, name, record))
        for box, outline in record.subjects:
            annotations.append(_annotation(len(annotations) + 1, len(images), box, outline))
    coco = {
        "licenses": [_LICENSE],
        **({"videos": videos} if videos else {}),
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "subject", "supercategory": ""}],
    }
    path = results / _FILE
    with advise(results):
        write_file(path, _signed(coco))
    return path


def check_coco_is_free(results: Path) -> None:
    """Raise ``ValueError`` if ``write_coco`` would replace a file that u2demo did not write."""
    path = results / _FILE
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_file():
        raise not_ours(path)
    info, rest = _read(path)
    if info.get("description") != _BY:
        raise not_ours(path)
    if "checksum" in info and info["checksum"] != content_checksum(rest):  # earlier: no checksum
        raise not_ours(path, "was changed since u2demo wrote it")


def _signed(coco: Mapping[str, object]) -> bytes:
    """Return the file's content; its info has the checksum of what follows."""
    rest = ", " + json.dumps(coco)[1:]
    info = {
        "description": _BY,
        "version": __version__,
        "contributor": "u2demo",
        "url": "",
        "note": _NAMES,
        "checksum": content_checksum(rest.encode()),
    }
    return (_BEGIN + json.dumps(info) + rest).encode()


def _read(path: Path) -> tuple[dict, bytes]:
    """Return the info of a COCO file, empty if it does not begin with one, and what follows."""
    content = path.read_bytes()
    text = content.decode(errors="replace")
    try:
        if not text.startswith(_BEGIN):
            return {}, content
        info, end = json.JSONDecoder().raw_decode(text, len(_BEGIN))
    except (ValueError, RecursionError):
        return {}, content
    return (info if isinstance(info, dict) else {}), text[end:].encode()


def _size(record: Record) -> dict[str, object]:
    width, height = record.size
    return {"width": width, "height": height}


def _image(number: int, name: str, record: Record) -> dict[str, object]:
    return {"id": number, "file_name": name, **_size(record), "license": _LICENSE["id"]}


def _add_frames(
    record: Record,
    video: Mapping[str, object],
    images: list[dict[str, object]],
    annotations: list[dict[str, object]],
) -> None:
    """Add the frames of a clip to ``images``, and their boxes to ``annotations``."""
    for number, frame in enumerate(record.track or ()):
        time, *sides = frame.split()
        image = _image(len(images) + 1, f"{video['name']}/{number + 1:06}.png", record)
        place = {"video_id": video["id"], "frame_id": number, "time": float(time)}
        images.append(image | place)
        if sides and record.clear:
            box = Box(*map(int, sides))
            annotation = _annotation(len(annotations) + 1, image["id"], box, outline="")
            annotations.append(annotation | {"video_id": video["id"], "instance_id": 1})


def _annotation(number: int, image: int, box: Box, outline: str) -> dict[str, object]:
    width, height = box.right - box.left, box.bottom - box.top
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


def _photo_names(records: Iterable[Record]) -> dict[str, str]:
    """Return each photo's path relative to the innermost folder that holds all folders given.

    Photos on several drives of Windows share no folder: they keep everything but the drive.
    """
    parts = {}
    tops = []
    for record in records:
        photo = PurePath(record.photo)
        names = photo.relative_to(photo.anchor).parts
        parts[record.photo] = names
        tops.append(names[: len(names) - _depth(record.stem, names)])
    shared = len(os.path.commonprefix(tops))
    return {photo: "/".join(names[shared:]) for photo, names in parts.items()}


def _depth(stem: str, names: tuple[str, ...]) -> int:
    """Return how many names of a photo's path are its place in the folder that was given.

    A run mirrors that folder, so the stem of the pictures has the same folders in front.
    """
    folders = stem.split("/")[:-1]
    mirrored = [safe_name(name) for name in names[-1 - len(folders) : -1]]
    return 1 + len(folders) if mirrored == folders else 1
