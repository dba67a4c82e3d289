"""mask -> polygons: the outline of each object, as training data for segmentation has it."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from u2demo.masks.box import Box
from u2demo.masks.mask import Mask
from u2demo.masks.objects import object_shapes

_FINEST = 1024  # cells along the longer side of the grid on which an outline is drawn
_ACROSS = 8  # cells at least across an object's mean width
_MOST = 2**17  # edges of cells around a ragged object; more take minutes
_TOLERANCE = 0.75  # cells by which a straight line may miss the outline; a staircase needs 0.71
_SMALLEST = 0.01  # share of the object's area; smaller holes are filled, smaller parts left out
_RIGHT, _DOWN, _LEFT, _UP = range(4)


def outlines(mask: Mask) -> list[str]:
    """Return the outline of each object that ``split_objects`` tells apart, in the same order.

    An outline is one polygon, "x y x y ..." in pixels of the mask, where whole numbers are the
    corners of pixels. A hole is joined to the outside by a cut that is walked both ways, so that
    it stays a hole when the polygon is filled; so are parts that hang together by a hair. The
    polygon misses the object's edge by a pixel or, where a wide object is in a large photo, by up
    to a thousandth of the longer side.

    Raises:
        ValueError: ``mask`` is not a valid mask.
    """
    drawn = []
    for box, shape in object_shapes(mask):
        step = _step(shape, math.ceil(max(mask.shape) / _FINEST))
        polygon = _polygon(_coarse(shape, step)) * step + (box.left, box.top)
        corners = polygon.clip((box.left, box.top), (box.right, box.bottom))
        if len(corners) < 3:
            corners = _corners(box)
        drawn.append(" ".join(map(str, corners.ravel().tolist())))
    return drawn


def _corners(box: Box) -> NDArray[np.intp]:
    left, top, right, bottom = box
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _step(shape: NDArray[np.bool_], largest: int) -> int:
    """Return how many pixels wide the cells are to be in which ``shape`` is drawn."""
    around = np.pad(shape, 1)
    edges = np.count_nonzero(around[1:] != around[:-1])
    edges += np.count_nonzero(around[:, 1:] != around[:, :-1])
    width = 2 * np.count_nonzero(shape) / edges
    fine = max(1, min(largest, int(width / _ACROSS)))
    return max(fine, math.ceil(math.sqrt(edges / _MOST)))  # there are as many fewer as cells


def _coarse(shape: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    """Return ``shape`` in cells of ``step`` pixels a side: those that it fills by half."""
    if step == 1:
        return shape
    height, width = shape.shape
    padded = np.pad(shape, ((0, -height % step), (0, -width % step)))
    cells = padded.reshape(padded.shape[0] // step, step, -1, step).mean((1, 3))
    return cells >= 0.5


def _polygon(shape: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return corners (N, 2), x and y, of one polygon around the true cells.

    Holes, which run the other way round, are cut out by it, and separate parts joined on.
    """
    loops = list(_loops(shape))
    if not loops:
        return np.zeros((0, 2), np.intp)
    largest, *others = sorted(loops, key=_area, reverse=True)
    polygon = _simplify(largest)
    for loop in others:
        if abs(_area(loop)) >= _SMALLEST * _area(largest):
            polygon = _joined(polygon, _simplify(loop))
    return polygon


def _loops(shape: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Yield the corners of each boundary, walked with the true cells on the right-hand side.

    Where cells meet at a corner only, the walk turns left, from one to the other, because
    ``split_objects`` counts them as touching.
    """
    around = np.pad(shape, 1)
    height, width = shape.shape
    edges = np.zeros((4, height + 1, width + 1), bool)  # by direction and the corner it begins at
    edges[_RIGHT, :-1, :-1] = shape & ~around[:-2, 1:-1]
    edges[_DOWN, :-1, 1:] = shape & ~around[1:-1, 2:]
    edges[_LEFT, 1:, 1:] = shape & ~around[2:, 1:-1]
    edges[_UP, 1:, :-1] = shape & ~around[1:-1, :-2]
    there = [edge.tobytes() for edge in edges]
    walked = [bytearray(len(edge)) for edge in there]
    steps = (1, width + 1, -1, -width - 1)
    for first in np.flatnonzero(edges[_RIGHT]).tolist():
        at, direction = first, _RIGHT
        corners = []
        while not walked[direction][at]:
            walked[direction][at] = True
            at += steps[direction]
            turns = (direction - 1) % 4, direction, (direction + 1) % 4  # left, straight, right
            following = next(turn for turn in turns if there[turn][at])
            if following != direction:
                corners.append(at)
            direction = following
        if corners:
            y, x = np.divmod(corners, width + 1)
            yield np.stack((x, y), 1)


def _area(loop: NDArray[np.intp]) -> float:
    """Return the area that a loop surrounds, negative if it runs counterclockwise on a screen."""
    x, y = loop.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def _simplify(loop: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the corners that are needed to stay within the tolerance (Douglas and Peucker, 1973).

    A loop has no ends to begin with: its first corner and the one farthest away take their place.
    """
    middle = int(np.argmax(np.hypot(*(loop - loop[0]).T)))
    closed = np.concatenate((loop, loop[:1]))
    kept = {0, middle}
    open_ends = [(0, middle), (middle, len(loop))]
    while open_ends:
        start, end = open_ends.pop()
        between = closed[start + 1 : end]
        if not len(between):
            continue
        misses = _distances(between, closed[start], closed[end])
        worst = int(np.argmax(misses))
        if misses[worst] > _TOLERANCE:
            kept.add(start + 1 + worst)
            open_ends += [(start, start + 1 + worst), (start + 1 + worst, end)]
    return loop[sorted(kept)]


def _distances(points: NDArray, start: NDArray, end: NDArray) -> NDArray[np.float64]:
    """Return the distance of each point from the segment between ``start`` and ``end``."""
    along = (end - start).astype(float)
    length = float(along @ along)
    share = ((points - start) @ along / length).clip(0, 1) if length else np.zeros(len(points))
    return np.hypot(*(points - start - share[:, None] * along).T)


def _joined(polygon: NDArray[np.intp], loop: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return ``polygon`` with a cut to ``loop``, around it, and back."""
    apart = np.abs(polygon[:, None] - loop).sum(2)
    near, far = np.unravel_index(int(np.argmin(apart)), apart.shape)
    there_and_back = np.concatenate((loop[far:], loop[: far + 1]))
    return np.concatenate((polygon[: near + 1], there_and_back, polygon[near:]))
