"""corrections <-> JSON: all that a person has said about the mask of one photo, as data."""

import json
from dataclasses import dataclass

from u2demo.masks.box import Box, check_box
from u2demo.masks.strokes import Point, Size, Stroke, check_point, check_strokes

SUFFIX = ".strokes.json"  # of cat.strokes.json, which belongs to cat.jpg
_FORMAT = "u2demo corrections 1"
_KEYS = {"format", "size", "within", "objects", "strokes"}
_PHOTO = "photo"  # its name, which older files do not say
_OF_A_STROKE = {"points", "radius", "keep"}


@dataclass(frozen=True)
class Corrections:
    """What a person has said about one photo, in the order in which it counts.

    ``within`` is the box to look in, None for the whole photo. Of the objects found there, those
    under one of the points ``objects`` are kept, or all if there are no points; see
    ``keep_objects``. ``strokes`` come last, see ``correct_mask``. All are in pixels of the photo.
    ``Corrections()`` says nothing.
    """

    within: Box | None = None
    objects: tuple[Point, ...] = ()
    strokes: tuple[Stroke, ...] = ()


def file_names(photo: str) -> tuple[str, str]:
    """Return the names that the corrections of the photo called ``photo`` may have.

    "cat.jpg.strokes.json" goes before "cat.strokes.json", which may be those of cat.png.
    """
    stem = photo.rpartition(".")[0] or photo
    return photo + SUFFIX, stem + SUFFIX


def check_corrections(corrections: Corrections, size: Size) -> None:
    """Raise an error unless ``corrections`` can be those of a photo of ``size``, (width, height).

    Points and strokes may lie outside it.

    Raises:
        TypeError: they are not ``Corrections``, or hold something of another type.
        ValueError: the box is empty or reaches out of the photo, a stroke has no points or no
            radius, or a number is not finite.
    """
    if not isinstance(corrections, Corrections):
        raise TypeError(f"corrections is {corrections!r:.80}, expected Corrections(...)")
    if corrections.within is not None:
        check_box("within", corrections.within, size)
    check_points(corrections.objects)
    check_strokes(corrections.strokes)


def check_points(points: tuple[Point, ...]) -> None:
    """Raise an error unless ``points`` are several (x, y) in pixels of a photo, or none.

    Raises:
        TypeError: they are something else.
        ValueError: a number is not finite, or larger than any photo.
    """
    if not isinstance(points, tuple | list):
        raise TypeError(f"points is {points!r:.80}, expected a list of points such as (320, 200)")
    for point in points:
        check_point(point)


def to_json(corrections: Corrections, size: Size, *, photo: str | None = None) -> str:
    """Return corrections of a photo of ``size``, (width, height), as the text of a JSON file.

    The file may say what the ``photo`` is called: cat.strokes.json is then that of cat.png, also
    where cat.jpg lies beside it.

    Raises:
        TypeError, ValueError: see ``check_corrections``.
    """
    check_corrections(corrections, size)
    box = corrections.within
    strokes = [
        {
            "points": _pairs(stroke.points),
            "radius": float(stroke.radius),
            "keep": bool(stroke.keep),
        }
        for stroke in corrections.strokes
    ]
    saved = {
        "format": _FORMAT,
        "size": [int(side) for side in size],
        "within": None if box is None else [int(edge) for edge in box],
        "objects": _pairs(corrections.objects),
        "strokes": strokes,
    }
    if photo is not None:
        saved[_PHOTO] = photo
    return json.dumps(saved)


def from_json(text: str, size: Size) -> Corrections:
    """Return the corrections in ``text``, as from ``to_json``, for a photo of ``size``.

    Raises:
        ValueError: ``text`` is not such a text, or was made for a photo of another size.
    """
    try:
        saved = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({error}), expected corrections saved by u2demo") from error
    if not isinstance(saved, dict) or saved.get("format") != _FORMAT:
        raise ValueError(f"not corrections saved by u2demo: expected the format {_FORMAT!r}")
    if saved.keys() - {_PHOTO} != _KEYS:
        raise ValueError(f"has {', '.join(map(repr, saved)):.80}, expected {sorted(_KEYS)}")
    if saved["size"] != list(size):
        raise ValueError(
            f"made for a photo of the size {saved['size']!r:.80}, but this one is {list(size)}"
        )
    try:
        corrections = Corrections(
            _box(saved["within"]),
            _points("objects", saved["objects"]),
            tuple(_stroke(fields) for fields in _listed("strokes", saved["strokes"])),
        )
        check_corrections(corrections, size)
    except TypeError as error:  # in a file, any fault is one of its values
        raise ValueError(str(error)) from error
    return corrections


def photo_named_in(text: str) -> str | None:
    """Return what the photo is called that a file of corrections is of; None if it does not say.

    ``text`` may be anything.
    """
    try:
        saved = json.loads(text)
    except (ValueError, RecursionError):
        return None
    name = saved.get(_PHOTO) if isinstance(saved, dict) else None
    return name if isinstance(name, str) else None


def _pairs(points: object) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in points]


def _box(edges: object) -> Box | None:
    if edges is None:
        return None
    listed = _listed("within", edges)
    if len(listed) != 4:
        raise ValueError(f"within is {edges!r:.80}, expected [left, top, right, bottom] or null")
    return Box(*listed)


def _points(name: str, points: object) -> tuple:
    """Return points of a file as tuples; whether they are points is checked later."""
    listed = _listed(name, points)
    return tuple(tuple(point) if isinstance(point, list) else point for point in listed)


def _stroke(fields: object) -> Stroke:
    if not isinstance(fields, dict) or fields.keys() != _OF_A_STROKE:
        raise ValueError(f"a stroke is {fields!r:.80}, expected points, radius and keep")
    return Stroke(_points("points", fields["points"]), fields["radius"], fields["keep"])


def _listed(name: str, value: object) -> list:
    if not isinstance(value, list):
        raise ValueError(f"{name} is {value!r:.80}, expected a list")
    return value
