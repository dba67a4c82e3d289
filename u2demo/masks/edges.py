"""(image, mask) -> finer mask: what a photo's own pixels say about a soft edge.

What varies slowly is worked out on a small copy of the photo; then the photo is visited tile by
tile, and only pixels on the edge change. Beside its result a call needs 25 MB for any photo.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.images.rgb import as_rgb
from u2demo.machine.cores import on_all_cores
from u2demo.masks.box import Box, tiles
from u2demo.masks.mask import Mask, check_fit

SURE_BACKGROUND, SURE_SUBJECT = 0.02, 0.98  # below and above, the net is sure
_SMALL = 640  # a shorter side that shows no more than the net saw: two pixels for each of its 320
_TRUST = 0.8  # how far colors may overrule the mask: the net's errors come in patches, not pixels
_ALIKE = 20  # squared distance, in standard deviations, of colors that are told apart badly
_SURE = 12  # power: what is half subject, as a flat unsure area, tells nothing of either's color
_SAMPLES = 640  # pixels along the longer side of the small copy that the color lines are made from
_WINDOWS = (32, 16, 8)  # pixels of it along a side of a window, coarse to fine
_TILE = 256  # pixels
_NOISE = 1e-4  # least variance of a color channel in [0, 1]: a flat area with 1 % noise

_Planes = NDArray[np.float32]  # (channels, height, width)


def refine_mask(image: Image.Image, mask: Mask) -> Mask:
    """Return the mask with its blurred edge drawn along the photo's own edges.

    Where the mask is at most ``SURE_BACKGROUND`` or at least ``SURE_SUBJECT`` nothing changes, and
    nothing at all in a photo of which the net has seen enough, its shorter side 640 pixels or less.

    Raises:
        ValueError: ``mask`` is none, or that of another image.
    """
    image = as_rgb(image)
    check_fit(image, mask)
    refined = mask.copy()
    refine_in_place(image, refined)
    return refined


def refine_in_place(image: Image.Image, mask: Mask, black: float = 0.0, white: float = 1.0) -> None:
    """Do what ``refine_mask`` does to ``mask`` itself: large ones are not there twice.

    ``black`` and ``white`` are what becomes 0 and 1 where colors say nothing. Given here instead
    of set before, they leave colors a say on all that the net is not sure of.
    """
    trust = _TRUST * (1 - _SMALL / min(image.size))
    if trust <= 0:
        _set_levels(mask, black, white)
        return
    lines = _color_lines(image, mask, trust, (black, white))
    work = partial(_refine_tile, image, lines, mask, (black, white))
    on_all_cores(work, tiles(Box(0, 0, *image.size), side=_TILE))


def _refine_tile(
    image: Image.Image, lines: _Planes, mask: Mask, levels: tuple[float, float], box: Box
) -> None:
    part = mask[box.top : box.bottom, box.left : box.right]
    unsure = (part > SURE_BACKGROUND) & (part < SURE_SUBJECT)
    openness = _openness(part[unsure], levels[0])
    _set_levels(part, *levels)
    if openness.any():
        photo = _planes(image.crop(box))[:, unsure]
        near = _enlarge(lines, image.size, box)[:, unsure]
        part[unsure] = _combine(photo, part[unsure], openness, near)


def _set_levels(mask: Mask, black: float, white: float) -> None:
    if (black, white) == (0, 1):
        return
    mask -= np.float32(black)
    mask /= np.float32(white - black)
    mask.clip(0, 1, out=mask)
    mask *= mask > SURE_BACKGROUND  # no veil


def _openness(mask: Mask, black: float) -> Mask:
    """Return how much colors may say: it fades out towards what is sure, so that no step shows.

    Far below black they say nothing: a background has its specks of any color.
    """
    background = max(SURE_BACKGROUND, black / 2)
    return (np.minimum(mask - background, SURE_SUBJECT - mask) / 0.06).clip(0, 1)


def _color_lines(
    image: Image.Image, mask: Mask, trust: float, levels: tuple[float, float]
) -> _Planes:
    """Return (5, h, w) for ``_combine``: how colors differ from subject to background around.

    Coarse windows reach across a wide blur; the edge they find tells the finer ones what is what.
    """
    # Whole windows of the coarsest kind, and so of every kind, fill the small copy.
    windows = [-(-_SAMPLES * side // (_WINDOWS[0] * max(image.size))) for side in image.size]
    size = (_WINDOWS[0] * windows[0], _WINDOWS[0] * windows[1])
    photo = _planes(image.resize(size, Image.Resampling.NEAREST))
    prior = _sample(mask, size)
    openness = _openness(prior, levels[0])
    _set_levels(prior, *levels)
    alpha = prior
    for window in _WINDOWS:
        lines = _discriminant(photo, alpha, window)
        around = _average([prior], window)[0]
        # Colors that overlap count less than their distance says: real ones are no two Gaussians.
        lines[4] *= lines[4] / (lines[4] + _ALIKE)
        lines[4] *= trust * around * (1 - around)  # a coin's variance
        lines[4] /= 1 + lines[4]  # enlarged as odds, a window's would drop where it ends
        alpha = _combine(photo, prior, openness, _enlarge(lines, size, Box(0, 0, *size)))
    return lines


def _combine(photo: NDArray, prior: NDArray, openness: NDArray, lines: NDArray) -> NDArray:
    """Return the mean of two estimates of alpha, each weighted by how sure it is.

    The mask says ``prior``, the photo a.I + b: the place of its color I on the line from the
    background's (0) to the subject's (1). ``lines`` hold a (three rows), b, and the photo's share
    of the mean where ``openness`` is 1.
    """
    seen = (lines[0] * photo[0] + lines[1] * photo[1] + lines[2] * photo[2] + lines[3]).clip(0, 1)
    share = lines[4] * openness / (1 - lines[4] * (1 - openness))
    return prior + share * (seen - prior)


def _discriminant(photo: _Planes, alpha: Mask, window: int) -> _Planes:
    """Return a, b and d2 of Fisher's linear discriminant between subject and background.

    d2: squared distance of mean colors in standard deviations, 0 if a window holds only one.
    """
    moments = _average(_moments(photo, alpha**_SURE, (1 - alpha) ** _SURE), window)
    n, m = moments[:2]
    mean, behind = moments[2:5] / (n + 1e-6), moments[5:8] / (m + 1e-6)
    i, j = np.triu_indices(3)
    within = (moments[8:] - n * mean[i] * mean[j] - m * behind[i] * behind[j]) / (n + m)
    scatter = within[[[0, 1, 2], [1, 3, 4], [2, 4, 5]]] + _NOISE * np.eye(3)[..., None, None]
    a = np.linalg.solve(scatter.T, (mean - behind).T[..., None])[..., 0].T
    d2 = (a * (mean - behind)).sum(0) + 1e-6
    b = 0.5 - (a * (mean + behind)).sum(0) / (2 * d2)
    both = (n / (n + 1e-3) * m / (m + 1e-3)) ** 2
    return np.concatenate([a / d2, [b, d2 * both]]).astype(np.float32)


def _moments(photo: _Planes, subject: Mask, behind: Mask) -> Iterator[Mask]:
    """Yield both weights, the weighted colors, and the weighted products of two colors."""
    yield from (subject, behind, *(subject * photo), *(behind * photo))
    for i, j in zip(*np.triu_indices(3), strict=True):
        yield (subject + behind) * photo[i] * photo[j]


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
    """Return the pixels that ``Image.resize`` takes with ``NEAREST``, without copying them all."""
    x = ((np.arange(size[0]) + 0.5) * mask.shape[1] / size[0]).astype(int)
    y = ((np.arange(size[1]) + 0.5) * mask.shape[0] / size[1]).astype(int)
    return mask[y[:, None], x]


def _enlarge(planes: _Planes, size: tuple[int, int], box: Box) -> _Planes:
    """Return the part ``box`` of planes that cover a photo of ``size``."""
    return np.stack([_enlarge_image(Image.fromarray(plane), size, box) for plane in planes])


def _enlarge_image(image: Image.Image, size: tuple[int, int], box: Box) -> NDArray:
    scale = np.divide(image.size, size)
    place = (*(box[:2] * scale), *np.minimum(box[2:] * scale, image.size))
    size = (box.right - box.left, box.bottom - box.top)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, place))
