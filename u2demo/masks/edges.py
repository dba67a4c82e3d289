"""(image, mask) -> finer mask: what a photo's own pixels say about a soft edge.

How colors differ around each point is computed on a small copy of the photo. Then the photo is
visited tile by tile, and only pixels on the edge change. A call needs 25 MB besides its result, for
a photo of any size.
"""

import math
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.images.rgb import as_rgb
from u2demo.machine.cores import on_all_cores
from u2demo.masks.box import Box, tiles
from u2demo.masks.levels import SURE_BACKGROUND, SURE_SUBJECT, Levels
from u2demo.masks.mask import Mask, check_fit

_SEEN = 2  # pixels of a photo for each of the net's: with fewer, it shows no more than the net saw
_TRUST = 0.8  # how far colors may overrule the mask: the net's errors come in patches, not pixels
_FADE = 0.06  # range of mask values over which the weight of colors fades out
_ALIKE = 20  # separation of colors, in squared standard deviations, at which they count half
_SURE = 12  # power that keeps half-decided pixels, as in a flat unsure area, out of both statistics
_SAMPLES = 640  # pixels; longer side of the small copy from which the color lines are made
_WINDOWS = (32, 16, 8)  # sides of square windows in pixels of the small copy, coarse to fine
_TILE = 256  # pixels
_NOISE = 1e-4  # least variance of a color channel in [0, 1]: a flat area with 1 % noise
_LITTLE = 1e-3  # weight in a window at which a subject or background counts half
_TINY = 1e-6  # keeps divisors above 0

# A symmetric 3x3 matrix is stored as six planes: the entries (row, column) of its upper triangle.
_ROWS, _COLUMNS = [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]
_PLACES = [[0, 1, 2], [1, 3, 4], [2, 4, 5]]  # the plane of each entry of the whole matrix

_UNCHANGED = Levels()
_Planes = NDArray[np.float32]  # (channels, height, width)


def refine_mask(image: Image.Image, mask: Mask) -> Mask:
    """Return the mask with its blurred edge drawn along the photo's own edges.

    Pixels at or below ``SURE_BACKGROUND``, or at or above ``SURE_SUBJECT``, do not change. Nothing
    changes in a photo whose shorter side is 640 pixels or less: the net has seen enough of it.

    Raises:
        ValueError: ``mask`` is not a valid mask, or belongs to another image.
    """
    image = as_rgb(image)
    check_fit(image, mask)
    refined = mask.copy()
    refine_in_place(image, refined)
    return refined


def refine_in_place(
    image: Image.Image, mask: Mask, *, levels: Levels = _UNCHANGED, side: int = 320
) -> None:
    """Refine ``mask`` itself as ``refine_mask`` would, so that a large mask is not held twice.

    ``levels`` are applied where colors say nothing. Applied before, they would leave colors no say
    about the pixels that they turn into 0 or 1. ``side`` is the side of the net's input.
    """
    trust = _TRUST * (1 - _SEEN * side / min(image.size))
    if trust > 0:
        lines = _color_lines(image, mask, trust, levels)
        work = partial(_refine_tile, image, lines, mask, levels)
    else:
        work = partial(_set_levels, mask, levels)
    on_all_cores(work, tiles(Box(0, 0, *image.size), side=_TILE))


def _set_levels(mask: Mask, levels: Levels, box: Box) -> None:
    part = mask[box.top : box.bottom, box.left : box.right]
    part[:] = levels.apply(part)


def _refine_tile(image: Image.Image, lines: _Planes, mask: Mask, levels: Levels, box: Box) -> None:
    part = mask[box.top : box.bottom, box.left : box.right]
    unsure = (part > SURE_BACKGROUND) & (part < SURE_SUBJECT)
    openness = _openness(part[unsure], levels)
    part[:] = levels.apply(part)
    if openness.any():
        photo = _planes(image.crop(box))[:, unsure]
        near = _enlarge(lines, image.size, box)[:, unsure]
        part[unsure] = _combine(photo, part[unsure], openness, near)


def _openness(mask: Mask, levels: Levels) -> Mask:
    """Return the weight of colors, which fades out toward sure pixels, so that no step shows.

    Far below black it is 0, because a background has specks of any color.
    """
    background = max(SURE_BACKGROUND, levels.black / 2)
    return (np.minimum(mask - background, SURE_SUBJECT - mask) / _FADE).clip(0, 1)


def _color_lines(image: Image.Image, mask: Mask, trust: float, levels: Levels) -> _Planes:
    """Return (5, h, w) for ``_combine``: how subject and background differ in color nearby.

    Coarse windows reach across a wide blur; the edge that they find guides the finer ones.
    """
    # Whole windows of the coarsest kind, and so of every kind, fill the small copy.
    coarsest = _WINDOWS[0]
    spread = coarsest * max(image.size)
    size = (
        coarsest * math.ceil(_SAMPLES * image.width / spread),
        coarsest * math.ceil(_SAMPLES * image.height / spread),
    )
    photo = _planes(image.resize(size, Image.Resampling.NEAREST))
    given = _sample(mask, size)
    openness = _openness(given, levels)
    prior = levels.apply(given)
    alpha = prior
    for window in _WINDOWS:
        lines = _discriminant(photo, alpha, window)
        around = _average([prior], window)[0]
        # Overlapping colors count less than their distance says: real ones are not two Gaussians.
        lines[4] *= lines[4] / (lines[4] + _ALIKE)
        lines[4] *= trust * around * (1 - around)  # the variance of a coin toss
        lines[4] /= 1 + lines[4]  # shares, because enlarged odds would drop at a window's end
        alpha = _combine(photo, prior, openness, _enlarge(lines, size, Box(0, 0, *size)))
    return lines


def _combine(photo: NDArray, prior: NDArray, openness: NDArray, lines: NDArray) -> NDArray:
    """Return the mean of two estimates of alpha, each weighted by how sure it is.

    The mask's estimate is ``prior``. The photo's is a.I + b: the place of its color I on the line
    from the background's color (0) to the subject's (1). ``lines`` holds a (three rows), b, and the
    photo's share of the mean where ``openness`` is 1.
    """
    seen = (lines[0] * photo[0] + lines[1] * photo[1] + lines[2] * photo[2] + lines[3]).clip(0, 1)
    share = lines[4] * openness / (1 - lines[4] * (1 - openness))
    return prior + share * (seen - prior)


def _discriminant(photo: _Planes, alpha: Mask, window: int) -> _Planes:
    """Return Fisher's linear discriminant between subject and background in each window.

    The first three rows are the line's direction a, the fourth is its offset b: a.I + b is 0 at the
    background's mean color and 1 at the subject's. The fifth is the squared distance of the two
    means in standard deviations, 0 where a window holds only subject or only background.
    """
    moments = _average(_moments(photo, alpha**_SURE, (1 - alpha) ** _SURE), window)
    subject_weight, behind_weight = moments[:2]
    subject = moments[2:5] / (subject_weight + _TINY)
    behind = moments[5:8] / (behind_weight + _TINY)
    # The covariance of colors around their own mean: the mean product less the product of means.
    products = moments[8:]
    products = products - subject_weight * subject[_ROWS] * subject[_COLUMNS]
    products = products - behind_weight * behind[_ROWS] * behind[_COLUMNS]
    covariance = _symmetric(products / (subject_weight + behind_weight))
    covariance = covariance + _NOISE * np.eye(3)[..., None, None]
    difference = subject - behind
    line = np.linalg.solve(covariance.T, difference.T[..., None])[..., 0].T
    separation = (line * difference).sum(0) + _TINY
    offset = 0.5 - (line * (subject + behind)).sum(0) / (2 * separation)
    both = subject_weight / (subject_weight + _LITTLE) * behind_weight / (behind_weight + _LITTLE)
    return np.concatenate([line / separation, [offset, separation * both**2]]).astype(np.float32)


def _symmetric(upper: NDArray) -> NDArray:
    """Return the matrices (3, 3, h, w) whose upper triangles (6, h, w) are given."""
    return upper[_PLACES]


def _moments(photo: _Planes, subject: Mask, behind: Mask) -> Iterator[Mask]:
    """Yield both weights, the weighted colors, and the weighted products of two colors."""
    yield subject
    yield behind
    yield from subject * photo
    yield from behind * photo
    for row, column in zip(_ROWS, _COLUMNS, strict=True):
        yield (subject + behind) * photo[row] * photo[column]


def _average(planes: Iterable[NDArray], window: int) -> _Planes:
    """Return means over windows of ``window`` pixels that reach half way into their neighbors."""
    means = np.stack([np.asarray(Image.fromarray(plane).reduce(window)) for plane in planes])
    height, width = means.shape[1:]
    around = np.pad(means, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = around[:, :height] + 2 * around[:, 1 : height + 1] + around[:, 2:]
    return (rows[..., :width] + 2 * rows[..., 1 : width + 1] + rows[..., 2:]) / 16


def _planes(image: Image.Image) -> _Planes:
    return np.moveaxis(np.asarray(image.convert("RGB")), 2, 0).astype(np.float32) / 255


def _sample(mask: Mask, size: tuple[int, int]) -> Mask:
    """Return the pixels that ``Image.resize`` picks with ``NEAREST``, without copying the mask."""
    x = ((np.arange(size[0]) + 0.5) * mask.shape[1] / size[0]).astype(int)
    y = ((np.arange(size[1]) + 0.5) * mask.shape[0] / size[1]).astype(int)
    return mask[y[:, None], x]


def _enlarge(planes: _Planes, size: tuple[int, int], box: Box) -> _Planes:
    """Return the part ``box`` of planes that cover a photo of ``size``."""
    return np.stack([_enlarge_image(Image.fromarray(plane), size, box) for plane in planes])


def _enlarge_image(image: Image.Image, size: tuple[int, int], box: Box) -> NDArray:
    scale = np.divide(image.size, size)
    start = np.multiply(box[:2], scale)
    end = np.minimum(np.multiply(box[2:], scale), image.size)
    return np.asarray(image.resize(box.size, Image.Resampling.BILINEAR, (*start, *end)))
