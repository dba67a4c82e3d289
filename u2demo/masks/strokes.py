"""strokes -> pixels: what a person has drawn over a photo, as data.

A stroke is undone by leaving it out of a list, and drawn at any size.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from u2demo.machine.numbers import check_number

Size = tuple[int, int]  # width, height
Point = tuple[float, float]  # x, y

_FAR = 1e9  # pixels; no photo is larger, and squares of such numbers are still exact enough
_TOGETHER = 64  # lines between two points that are worked out at a time


class Stroke(NamedTuple):
    """A line that a person has drawn over a photo, as with a round brush: subject, or not.

    ``points`` are (x, y) in pixels of the photo, from its top left corner: the middle of the first
    pixel is (0.5, 0.5). A click is a stroke of one point. ``radius`` is the brush's, in pixels,
    more than 0. What lies under it is subject if ``keep`` is true, else background.
    """

    points: Sequence[tuple[float, float]]
    radius: float
    keep: bool = True


def check_strokes(strokes: Iterable[Stroke]) -> list[Stroke]:
    """Return ``strokes`` as a list.

    Raises:
        TypeError: ``strokes`` is not a list or other iterable, or one of them is not a ``Stroke``
            or holds something that is not a number.
        ValueError: a stroke has no points, or a number that is not finite, or no radius.
    """
    if isinstance(strokes, Stroke | str | bytes) or not isinstance(strokes, Iterable):
        raise TypeError(f"strokes is {strokes!r:.80}, expected a list of strokes: [Stroke(...)]")
    listed = list(strokes)
    for stroke in listed:
        _check(stroke)
    return listed


def check_point(point: object) -> None:
    """Raise an error unless ``point`` is (x, y) in pixels of a photo.

    Raises:
        TypeError: it is not two numbers.
        ValueError: a number is not finite, or larger than any photo.
    """
    if not isinstance(point, Sequence | np.ndarray) or len(point) != 2:
        raise TypeError(f"a point is {point!r:.80}, expected (x, y) in pixels of the photo")
    for number in point:
        expected = f"pixels of the photo, at most {_FAR:g}"
        check_number("a point's x or y", number, expected=expected, least=-_FAR, most=_FAR)


def draw_strokes(strokes: Iterable[Stroke], size: Size, *, scale: float = 1.0) -> NDArray[np.int8]:
    """Return what strokes say about each pixel: (H, W), 1 subject, -1 background, 0 nothing.

    A later stroke covers an earlier one. A pixel is under a stroke if its middle is, or if a point
    of the stroke lies in it. ``size`` is (width, height) of the result, which shows the photo
    enlarged by ``scale``. What lies outside is left out.
    """
    drawn = np.zeros(size[::-1], np.int8)
    for stroke in strokes:
        said = 1 if stroke.keep else -1
        for row, start, end in _rows(stroke, size, scale):
            drawn[row, start:end] = said
    return drawn


def _check(stroke: Stroke) -> None:
    if not isinstance(stroke, Stroke):
        raise TypeError(f"a stroke is {stroke!r:.80}, expected Stroke(points, radius, keep)")
    expected = f"pixels of the photo, more than 0, at most {_FAR:g}"
    check_number("radius", stroke.radius, expected=expected, least=math.nextafter(0, 1), most=_FAR)
    if not isinstance(stroke.keep, bool | np.bool_):
        raise TypeError(f"keep is {stroke.keep!r:.80}, expected True (subject) or False")
    expected = "several (x, y), or one for a click: [(320, 200)]"
    if not isinstance(stroke.points, Sequence | np.ndarray) or isinstance(stroke.points, str):
        raise TypeError(f"points is {stroke.points!r:.80}, expected {expected}")
    if not len(stroke.points):
        raise ValueError(f"points is empty, expected {expected}")
    for point in stroke.points:
        check_point(point)


def _rows(stroke: Stroke, size: Size, scale: float) -> Iterator[tuple[int, int, int]]:
    """Yield the (row, start, end) of all pixels under the stroke, some more than once."""
    width, height = size
    radius = scale * float(stroke.radius)
    points = np.array([(scale * float(x), scale * float(y)) for x, y in stroke.points])
    for x, y in points.tolist():
        if 0 <= x < width and 0 <= y < height:
            yield int(y), int(x), int(x) + 1
    ones, others = (points[:-1], points[1:]) if len(points) > 1 else (points, points)
    for first in range(0, len(ones), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        yield from _rows_between(ones[part], others[part], radius, size)


def _rows_between(
    ones: NDArray, others: NDArray, radius: float, size: Size
) -> Iterator[tuple[int, int, int]]:
    """Return the same for the lines from ``ones`` to ``others``, both (N, 2)."""
    width, height = size
    upper, lower = np.minimum(ones, others)[:, 1], np.maximum(ones, others)[:, 1]
    tops = np.ceil(upper - radius - 0.5).clip(0, height).astype(int)
    bottoms = (np.floor(lower + radius - 0.5) + 1).clip(0, height).astype(int)
    counts = (bottoms - tops).clip(0)
    lines = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(len(lines)) + np.repeat(tops - (np.cumsum(counts) - counts), counts)
    left, right = _span(ones[lines].T, others[lines].T, radius, rows + 0.5)
    starts = np.ceil(left.clip(0, width) - 0.5).astype(int)
    ends = np.floor(right.clip(0, width) - 0.5).astype(int) + 1
    return zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True)


def _span(one: NDArray, other: NDArray, radius: float, rows: NDArray) -> tuple[NDArray, NDArray]:
    """Return where each row enters and leaves what a round brush covers between two points.

    That is two discs and the oblong between them. It is convex, so a row crosses it once. Each row
    has points of its own: ``one`` and ``other`` are (2, N), x and y.
    """
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for x, y in (one, other):
        half = np.sqrt(np.maximum(radius**2 - (rows - y) ** 2, 0))
        met = np.abs(rows - y) <= radius
        left[met] = np.minimum(left, x - half)[met]
        right[met] = np.maximum(right, x + half)[met]
    length = np.hypot(*(other - one))
    across, down = (other - one) / np.where(length > 0, length, 1)
    beyond = rows - one[1]
    # Along the line from 0 to its length, and across it from -radius to radius.
    enter, leave = _between(across, beyond * down, 0, length)
    enter_too, leave_too = _between(-down, beyond * across, -radius, radius)
    enter, leave = np.maximum(enter, enter_too), np.minimum(leave, leave_too)
    met = (enter <= leave) & (length > 0)
    left[met] = np.minimum(left, one[0] + enter)[met]
    right[met] = np.maximum(right, one[0] + leave)[met]
    return left, right


def _between(
    slope: NDArray, offset: NDArray, low: float | NDArray, high: float | NDArray
) -> tuple[NDArray, NDArray]:
    """Return the ends of all x for which ``slope * x + offset`` is from ``low`` to ``high``."""
    flat = np.abs(slope) < 1e-9
    inside = (offset >= low) & (offset <= high)
    divisor = np.where(flat, 1, slope)
    ends = np.stack([(low - offset) / divisor, (high - offset) / divisor])
    enter = np.where(flat, np.where(inside, -np.inf, np.inf), ends.min(0))
    leave = np.where(flat, np.where(inside, np.inf, -np.inf), ends.max(0))
    return enter, leave
