"""mask -> masks: the separate objects of a mask."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from u2demo.masks.box import Box
from u2demo.masks.mask import Mask, check_mask

_SMALLEST_OBJECT = 0.001  # of the picture's area; below it, it is a speck


def split_objects(mask: Mask, *, threshold: float = 0.5) -> list[Mask]:
    """Return one mask for each separate object, largest first.

    Objects are the groups of pixels above ``threshold`` that touch, corners included; those below
    a thousandth of the picture are specks and left out. A soft edge goes to the nearest object.
    """
    check_mask(mask)
    subject = mask > threshold
    runs = _find_runs(subject)
    labels = np.full(mask.shape, -1, np.int32)
    labels[subject] = np.repeat(runs.groups, runs.ends - runs.starts)
    keep = runs.large_groups(_SMALLEST_OBJECT * mask.size)
    owners = _nearest_object(labels, keep)
    return [np.where(owners == label, mask, np.float32(0)) for label in keep]


def object_boxes(mask: Mask, *, threshold: float = 0.5) -> list[Box]:
    """Return the ``bounding_box`` of each object that ``split_objects`` tells apart."""
    check_mask(mask)
    runs = _find_runs(mask > threshold)
    boxes = []
    for group in runs.large_groups(_SMALLEST_OBJECT * mask.size):
        rows, starts, ends = (part[runs.groups == group] for part in runs[:3])
        boxes.append(Box(int(starts.min()), int(rows[0]), int(ends.max()), int(rows[-1]) + 1))
    return boxes


class _Runs(NamedTuple):
    """Runs of true pixels along rows, in reading order, and the number of each one's group.

    Groups touch nowhere, not even at corners. All are arrays of one length.
    """

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    groups: NDArray[np.intp]

    def large_groups(self, smallest: float) -> list[int]:
        """Return those of ``smallest`` pixels or more, largest first."""
        areas = np.bincount(self.groups, self.ends - self.starts)
        return [group for group in np.argsort(-areas, kind="stable") if areas[group] >= smallest]


def _find_runs(subject: NDArray[np.bool_]) -> _Runs:
    width = subject.shape[1]
    padded = np.pad(subject, ((0, 0), (1, 1)))
    rows, columns = np.nonzero(padded[:, 1:] != padded[:, :-1])
    rows, starts, ends = rows[::2], columns[::2], columns[1::2]  # in each row they take turns
    # A run's place on one long line of rows; the gap of two keeps diagonal neighbors apart.
    first = rows * (width + 2) + starts
    last = rows * (width + 2) + ends
    above = width + 2
    low = np.searchsorted(last, first - above, "left")
    high = np.searchsorted(first, last - above, "right")
    touching = np.maximum(high - low, 0)
    lower = np.repeat(np.arange(rows.size), touching)
    offsets = np.arange(lower.size) - np.repeat(np.cumsum(touching) - touching, touching)
    groups = _connect(rows.size, lower, np.repeat(low, touching) + offsets)
    return _Runs(rows, starts, ends, groups)


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


def _nearest_object(labels: NDArray[np.int32], objects: list[int]) -> NDArray[np.int32]:
    """Return for each pixel which of ``objects`` it is part of or lies nearest to, -1 for none.

    Nearness is judged on a grid of at most 256 points a side: only soft edges depend on it.
    """
    kept = np.where(np.isin(labels, objects), labels, -1)
    step = -(-max(labels.shape) // 256)
    rows, columns = (np.arange(0, side, step) for side in kept.shape)
    grid = np.maximum.reduceat(np.maximum.reduceat(kept, rows, 0), columns, 1)
    while (grid < 0).any() and (grid >= 0).any():
        around = np.pad(grid, 1, constant_values=-1)
        neighbors = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
        grid = np.where(grid < 0, np.maximum.reduce(neighbors), grid)
    nearest = grid.repeat(step, 0).repeat(step, 1)[: labels.shape[0], : labels.shape[1]]
    return np.where(labels < 0, nearest, kept)
