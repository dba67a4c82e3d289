"""mask -> mask | box: what can be said about a mask without looking at its photo.

A mask says how much each pixel belongs to the subject: float32, shape (H, W), 0 background to
1 subject, as high and as wide as its photo. What is none raises ``ValueError``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from u2demo.masks.checks import check_mask

Mask = NDArray[np.float32]

_RECOGNIZED = 0.9  # what the net gives some pixel of nearly every subject that it knows
_UNCLEAR = 0.6  # of the subject: more that is neither in nor out, and there is hardly one
_FULL = 0.9  # of the picture: a subject that takes more stands out from nothing
_SMALLEST_OBJECT = 0.001  # of the picture's area; below it, it is a speck


class Box(NamedTuple):
    """A rectangle in pixels, half open: ``right`` and ``bottom`` are just outside of it.

    It is what ``Image.crop`` takes, and ``right - left`` is its width.
    """

    left: int
    top: int
    right: int
    bottom: int


def bounding_box(mask: Mask, *, threshold: float = 0.5) -> Box | None:
    """Return the smallest box around all pixels above ``threshold``, None if there are none."""
    check_mask(mask)
    subject = mask > threshold
    rows, columns = np.flatnonzero(subject.any(1)), np.flatnonzero(subject.any(0))
    if not rows.size:
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def unsure_share(mask: Mask) -> float:
    """Return the share of the subject that is neither clearly in nor clearly out, 0 to 1.

    That is, of the pixels above 0.05, those below 0.9; 1 where there are none.
    """
    check_mask(mask)
    subject = np.count_nonzero(mask > 0.05)
    sure = np.count_nonzero(mask >= 0.9)
    return float((subject - sure) / subject) if subject else 1.0


def has_clear_subject(mask: Mask, *, peak: float = 1.0) -> bool:
    """Return whether a predicted mask shows a subject: recognized, most of it sure, and not all.

    ``peak`` is the highest probability that the net gave a pixel. On 260 photos of the development
    set this is False for 1 % of the good results (IoU 0.7 or more) and for 18 of 44 bad ones (below
    0.5), most of which surely show something else; and for all of 19 pictures without a subject:
    even, noise, gradients, stripes, checks, bricks, clouds, text.
    """
    sure = peak >= _RECOGNIZED and unsure_share(mask) <= _UNCLEAR
    return sure and bool((mask > 0.5).mean() <= _FULL)


def threshold_mask(mask: Mask, *, threshold: float = 0.5, feather: float = 0.0) -> Mask:
    """Return a hard mask: 1 above ``threshold``, 0 elsewhere.

    ``feather`` softens its edge: the standard deviation, in pixels, of a Gaussian blur.
    """
    check_mask(mask)
    hard = mask > threshold
    if not feather:
        return hard.astype(np.float32)
    blurred = Image.fromarray(hard.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(feather))
    return np.asarray(blurred, np.float32) / 255


def adjust_mask(mask: Mask, *, threshold: float = 0.5, softness: float = 1.0) -> Mask:
    """Return ``mask`` with its middle moved to ``threshold`` and its edge ``softness`` as soft.

    A power curve takes the threshold to 0.5 and leaves 0 and 1 where they are, so that the subject
    never turns transparent; then the slope grows around 0.5. The defaults return the mask as it
    is; softness 0 makes it hard. ``threshold`` lies between 0 and 1, and is neither.
    """
    check_mask(mask)
    if softness <= 0:
        return (mask > threshold).astype(np.float32)
    power = np.float32(np.log(0.5) / np.log(threshold))
    curved = mask if threshold == 0.5 else mask.clip(0) ** power
    return ((curved - np.float32(0.5)) / np.float32(softness) + np.float32(0.5)).clip(0, 1)


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


def to_8_bits(mask: Mask) -> NDArray[np.uint8]:
    """Return the mask as an alpha channel: (H, W), 0 to 255, rounded."""
    levels = mask * np.float32(255)
    levels += np.float32(0.5)
    return levels.clip(0, 255, out=levels).astype(np.uint8)


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
