"""mask -> masks | mask | boxes: the separate objects of a mask."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from u2demo.masks.box import Box, box_around
from u2demo.masks.levels import SURE_BACKGROUND
from u2demo.masks.mask import Mask, check_mask, check_threshold

_SMALLEST_OBJECT = 0.001  # share of the picture's area; anything smaller is a speck
_GRID = 256  # cells along the longer side of the grid on which soft edges are shared out
_NOBODY = -1  # in place of a group's number, which is 0 or more


def split_objects(mask: Mask, *, threshold: float = 0.5) -> list[Mask]:
    """Return one mask for each separate object, largest first.

    An object is a group of touching pixels above ``threshold``, corners included. Groups below a
    thousandth of the picture are specks: left out with their soft edge, unless that joins them to
    an object, as in hair. A soft edge belongs to the nearest object.

    Raises:
        ValueError: ``mask`` is not a valid mask, or ``threshold`` is not between 0 and 1.
    """
    check_mask(mask)
    check_threshold(threshold)
    subject = mask > threshold
    runs = find_runs(subject)
    objects = runs.large_groups(_SMALLEST_OBJECT * mask.size)
    if not objects:
        return []
    clean = _without_specks(mask, threshold, runs, objects)
    if len(objects) == 1:
        return [clean]
    area, owners = _owners(mask, subject, runs, objects)
    return [_only(clean, area, owners == group) for group in objects]


def keep_objects(mask: Mask, points: Iterable[tuple[float, float]]) -> Mask:
    """Return ``mask`` with only those objects that lie under one of ``points``.

    The objects are those of ``split_objects``, each with its soft edge. Points are (x, y) in
    pixels. One that lies on no object keeps nothing; if none lies on an object, the mask comes back
    equal.

    Raises:
        ValueError: ``mask`` is not a valid mask.
    """
    check_mask(mask)
    height, width = mask.shape
    inside = [(int(x), int(y)) for x, y in points if 0 <= x < width and 0 <= y < height]
    subject = mask > 0.5
    runs = find_runs(subject)
    objects = runs.large_groups(_SMALLEST_OBJECT * mask.size)
    meant = {runs.at(x, y) for x, y in inside} & set(objects)
    if not meant:
        return mask.copy()
    clean = _without_specks(mask, 0.5, runs, objects)
    area, owners = _owners(mask, subject, runs, objects)
    return _only(clean, area, np.isin(owners, list(meant)))


def object_boxes(mask: Mask) -> list[Box]:
    """Return the box of each object that ``split_objects`` tells apart, in the same order.

    Raises:
        ValueError: ``mask`` is not a valid mask.
    """
    check_mask(mask)
    return boxes_around(mask > 0.5)


def object_shapes(mask: Mask) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
    """Yield the box of each object that ``split_objects`` tells apart, and its pixels in that box.

    The pixels are (height, width) of the box, True where the object is.

    Raises:
        ValueError: ``mask`` is not a valid mask.
    """
    check_mask(mask)
    runs = find_runs(mask > 0.5)
    for group in runs.large_groups(_SMALLEST_OBJECT * mask.size):
        rows, starts, ends = runs.of(group)
        box = _box_around(rows, starts, ends)
        changes = np.zeros((box.height, box.width + 1), np.int8)
        changes[rows - box.top, starts - box.left] = 1
        changes[rows - box.top, ends - box.left] = -1
        yield box, changes.cumsum(1, np.int8)[:, :-1].astype(bool)


def boxes_around(subject: NDArray[np.bool_]) -> list[Box]:
    """Return the box of each object among the true pixels of an (H, W) array, largest first."""
    runs = find_runs(subject)
    groups = runs.large_groups(_SMALLEST_OBJECT * subject.size)
    return [_box_around(*runs.of(group)) for group in groups]


def _box_around(rows: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Box:
    return Box(int(starts.min()), int(rows[0]), int(ends.max()), int(rows[-1]) + 1)


class Runs(NamedTuple):
    """Runs of true pixels along rows, in reading order, and the number of each run's group.

    Groups do not touch. All arrays have the same length.
    """

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    groups: NDArray[np.intp]

    def of(self, group: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Return rows, starts and ends of a group's runs."""
        own = self.groups == group
        return self.rows[own], self.starts[own], self.ends[own]

    def at(self, x: int, y: int) -> int:
        """Return the group that the pixel in column ``x`` of row ``y`` belongs to, or nobody."""
        found = self.groups[(self.rows == y) & (self.starts <= x) & (x < self.ends)]
        return int(found[0]) if found.size else _NOBODY

    def areas(self) -> NDArray[np.float64]:
        """Return the number of pixels of each group."""
        return np.bincount(self.groups, self.ends - self.starts)

    def pixels(self, chosen: NDArray[np.bool_], width: int) -> NDArray[np.intp]:
        """Return the places of all pixels of the ``chosen`` runs in a flat array, rows joined.

        ``chosen`` has a value for each run; a row has ``width`` pixels.
        """
        starts = self.rows[chosen] * width + self.starts[chosen]
        return _ranges(starts, (self.ends - self.starts)[chosen])

    def large_groups(self, smallest: float) -> list[int]:
        """Return the groups of at least ``smallest`` pixels, largest first."""
        areas = self.areas()
        large = np.flatnonzero(areas >= smallest)
        return large[np.argsort(-areas[large], kind="stable")].tolist()


def find_runs(subject: NDArray[np.bool_], *, corners: bool = True) -> Runs:
    """Return the runs of true pixels of an (H, W) array, in groups that touch.

    Without ``corners``, pixels that meet only at a corner do not touch.
    """
    padded = np.pad(subject, ((0, 0), (1, 1)))
    changes = padded[:, 1:] != padded[:, :-1]
    rows, columns = np.divmod(np.flatnonzero(changes), changes.shape[1])  # faster than nonzero
    rows, starts, ends = rows[::2], columns[::2], columns[1::2]  # starts and ends alternate
    # Laid end to end, two apart, the rows make one long line on which each run is an interval.
    # Moved back by one row, a run lies below the runs that it may touch:
    #
    #   two rows, ##..#. and ..##..       0       8
    #   the long line                     ##..#.  ..##..
    #   the second row moved back         ..##..
    #
    # Here 2-4 meets 0-2 at one corner and 4-5 at another. The gap of two keeps the end of a row
    # from meeting the beginning of the next.
    line = subject.shape[1] + 2
    first = rows * line + starts
    last = rows * line + ends
    low = np.searchsorted(last, first - line, "left" if corners else "right")
    high = np.searchsorted(first, last - line, "right" if corners else "left")
    touching = np.maximum(high - low, 0)
    lower = np.repeat(np.arange(rows.size), touching)
    upper = _ranges(low, touching)
    groups = _connect(rows.size, lower, upper)
    return Runs(rows, starts, ends, groups)


def _ranges(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return in one array the numbers start, start + 1, … of each range of the given length."""
    skipped = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(starts - skipped, lengths)


def _connect(count: int, a: NDArray, b: NDArray) -> NDArray[np.intp]:
    """Return the component, numbered from 0, of each of ``count`` nodes joined by edges a-b."""
    root = np.arange(count)
    while not np.array_equal(root[a], root[b]):
        smaller = np.minimum(root[a], root[b])
        np.minimum.at(root, root[a], smaller)
        np.minimum.at(root, root[b], smaller)
        while not np.array_equal(root, root[root]):
            root = root[root]
    return np.unique(root, return_inverse=True)[1]


def _without_specks(mask: Mask, threshold: float, runs: Runs, objects: list[int]) -> Mask:
    """Return a copy of the mask without the specks that not even a soft edge joins to an object."""
    clean = mask.copy()
    if len(objects) <= runs.groups.max():
        soft = find_runs(mask > min(threshold, SURE_BACKGROUND))
        width = mask.shape[1]
        around = np.searchsorted(
            soft.rows * width + soft.starts, runs.rows * width + runs.starts, "right"
        )
        groups = soft.groups[around - 1]  # of each run, in its soft edge
        joined = groups[np.isin(runs.groups, objects)]
        specks = np.isin(soft.groups, np.setdiff1d(groups, joined))
        np.put(clean, soft.pixels(specks, width), 0)
    return clean


def _only(mask: Mask, area: tuple[slice, slice], chosen: NDArray[np.bool_]) -> Mask:
    """Return the mask with 0 everywhere but in the ``chosen`` pixels of its part ``area``."""
    alone = np.zeros(mask.shape, np.float32)
    np.copyto(alone[area], mask[area], where=chosen)
    return alone


def _owners(
    mask: Mask, subject: NDArray[np.bool_], runs: Runs, objects: list[int]
) -> tuple[tuple[slice, slice], NDArray[np.int32]]:
    """Return the part of the mask that is not 0, and the object that owns each pixel there."""
    step = math.ceil(max(mask.shape) / _GRID)
    shown = box_around(mask != 0)
    top, left = shown.top // step * step, shown.left // step * step  # whole cells of the grid
    area = np.s_[top : shown.bottom, left : shown.right]
    owners = np.full(mask[area].shape, _NOBODY, np.int32)
    of_runs = np.where(np.isin(runs.groups, objects), runs.groups, _NOBODY)
    owners[subject[area]] = np.repeat(of_runs, runs.ends - runs.starts)
    for row, cells in enumerate(_nearest_object(owners, step)):
        band = owners[row * step : (row + 1) * step]
        np.copyto(band, np.repeat(cells, step)[: band.shape[1]], where=band == _NOBODY)
    return area, owners


def _nearest_object(owners: NDArray[np.int32], step: int) -> NDArray[np.int32]:
    """Return the object that each cell of a grid, ``step`` pixels a side, holds or is nearest to.

    A grid is exact enough, because only soft edges depend on it.
    """
    rows = np.arange(0, owners.shape[0], step)
    columns = np.arange(0, owners.shape[1], step)
    grid = np.maximum.reduceat(np.maximum.reduceat(owners, rows, 0), columns, 1)
    while (grid < 0).any():
        around = np.pad(grid, 1, constant_values=_NOBODY)
        neighbors = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
        grid = np.where(grid < 0, np.maximum.reduce(neighbors), grid)
    return grid
