"""mask -> mask | box: what can be said about a mask without looking at its photo.

A mask says how much each pixel belongs to the subject: float32, shape (H, W), 0 background to
1 subject, as high and as wide as its photo. What is none raises ``ValueError``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from u2demo.rgb import check_image

Mask = NDArray[np.float32]

_RECOGNIZED = 0.9  # what the net gives some pixel of nearly every subject that it knows
_UNCLEAR = 0.6  # of the subject: more that is neither in nor out, and there is hardly one
_FULL = 0.9  # of the picture: a subject that takes more stands out from nothing
_SMALLEST_OBJECT = 0.001  # of the picture's area; below it, it is a speck
_HAIR = 0.001  # what rounding may add to 1 or take from 0, as resizing a mask does


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

    That is, of the pixels above 0.1, those below 0.9; 1 where there are none.
    """
    check_mask(mask)
    subject = np.count_nonzero(mask > 0.1)
    sure = np.count_nonzero(mask >= 0.9)
    return float((subject - sure) / subject) if subject else 1.0


def has_clear_subject(mask: Mask, *, peak: float = 1.0) -> bool:
    """Return whether a predicted mask shows a subject: recognized, most of it sure, and not all.

    ``peak`` is the highest probability that the net gave a pixel. On 260 photos of the development
    set this is False for 1 % of the good results (IoU 0.7 or more) and for a third of the bad ones
    (below 0.5), most of which surely show something else; and for all of 19 pictures without a
    subject: even, noise, gradients, stripes, checks, bricks, clouds, text.
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


def split_objects(mask: Mask, *, threshold: float = 0.5) -> list[Mask]:
    """Return one mask for each separate object, largest first.

    Objects are the groups of pixels above ``threshold`` that touch, corners included; those below
    a thousandth of the picture are specks and left out. A soft edge goes to the nearest object.
    """
    check_mask(mask)
    labels, areas = _label(mask > threshold)
    largest_first = np.argsort(-areas, kind="stable")
    keep = [label for label in largest_first if areas[label] >= _SMALLEST_OBJECT * mask.size]
    owners = _nearest_object(labels, keep)
    return [np.where(owners == label, mask, np.float32(0)) for label in keep]


def to_8_bits(mask: Mask) -> NDArray[np.uint8]:
    """Return the mask as an alpha channel: (H, W), 0 to 255, rounded."""
    levels = mask * np.float32(255)
    levels += np.float32(0.5)
    return levels.clip(0, 255, out=levels).astype(np.uint8)


def check_mask(mask: Mask) -> None:
    """Raise ``ValueError`` unless ``mask`` is one: float32, (H, W), 0 to 1 but for rounding."""
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype != np.float32:
        array = isinstance(mask, np.ndarray)
        what = f"{mask.dtype} {mask.shape}" if array else type(mask).__name__
        raise ValueError(
            f"a mask is a float32 array of shape (height, width), not {what};"
            " predict_mask makes one"
        )
    low, high = mask.min(initial=0), mask.max(initial=0)  # NaN, if there is any
    if not -_HAIR <= low <= high <= 1 + _HAIR:
        raise ValueError(
            f"a mask goes from 0, background, to 1, subject; this one from {low:g} to {high:g}:"
            " scale or clip it"
        )


def check_fit(image: Image.Image, mask: Mask) -> None:
    """Raise ``ValueError`` unless ``mask`` is a mask of ``image``."""
    check_image(image)
    check_mask(mask)
    height, width = mask.shape
    if (width, height) != image.size:
        raise ValueError(
            f"the mask is {width}x{height} but the image is {image.width}x{image.height};"
            " pass the mask predicted from this very image"
        )


def _label(subject: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Number the 8-connected groups of true pixels.

    Returns labels (H, W), -1 where ``subject`` is false, and the area of each group in pixels.
    """
    width = subject.shape[1]
    edges = np.diff(np.pad(subject, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)  # runs of true pixels, in reading order
    lengths = np.nonzero(edges == -1)[1] - starts
    # A run's place on one long line of rows; the gap of two keeps diagonal neighbours apart.
    first = rows * (width + 2) + starts
    last = first + lengths
    above = width + 2
    low = np.searchsorted(last, first - above, "left")
    high = np.searchsorted(first, last - above, "right")
    touching = np.maximum(high - low, 0)
    lower = np.repeat(np.arange(rows.size), touching)
    offsets = np.arange(lower.size) - np.repeat(np.cumsum(touching) - touching, touching)
    group = _connect(rows.size, lower, np.repeat(low, touching) + offsets)

    labels = np.full(subject.shape, -1, np.int32)
    labels[subject] = np.repeat(group, lengths)
    return labels, np.bincount(group, lengths).astype(np.intp)


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
    grid = kept[::step, ::step].copy()
    while (grid < 0).any() and (grid >= 0).any():
        around = np.pad(grid, 1, constant_values=-1)
        neighbours = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
        grid = np.where(grid < 0, np.maximum.reduce(neighbours), grid)
    nearest = grid.repeat(step, 0).repeat(step, 1)[: labels.shape[0], : labels.shape[1]]
    return np.where(labels < 0, nearest, kept)
