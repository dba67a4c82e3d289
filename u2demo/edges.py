"""(image, mask) -> finer mask | clean colors: what a photo's own pixels say about a soft edge.

Work is done where the mask is neither 0 nor 1, tile by tile, so that a photo of 12 megapixels
needs little more memory than its result.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.masks import Box, Mask, check_fit

SURE_BACKGROUND, SURE_SUBJECT = 0.02, 0.98  # refine_mask leaves masks outside of these alone

_NET_SIDE = 320  # the net looks at 320x320 pixels: no photo of that size holds more than it saw
_CELLS = (20, 40, 80)  # windows of the color model along the longer side, coarse to fine
_CELL = 8  # sampled pixels along a side of the finest window
_NOISE = 3e-4  # variance of a flat area's color, of 1
_TILE = 256

_Planes = NDArray[np.float32]  # (channels, height, width)


def refine_mask(image: Image.Image, mask: Mask) -> Mask:
    """Return the mask with its blurred edge drawn along the photo's own edges.

    Pixels below ``SURE_BACKGROUND`` or above ``SURE_SUBJECT`` do not change, and neither does
    the mask of a photo too small to hold more than the net has seen.
    """
    check_fit(image, mask)
    refined = mask.copy()
    trust = max(0, 1 - _NET_SIDE / max(image.size)) ** 2
    unsure = (mask > SURE_BACKGROUND) & (mask < SURE_SUBJECT)
    if not trust or not unsure.any():
        return refined
    model = _color_model(image, mask, trust)

    def refine(box: Box) -> None:
        tile = _slices(box)
        finer = _combine(_planes(image.crop(box)), _enlarge(model, image.size, box), mask[tile])
        np.copyto(refined[tile], finer, where=unsure[tile])

    _on_tiles(refine, unsure)
    return refined


def clean_colors(image: Image.Image, mask: Mask) -> Image.Image:
    """Return the image, RGB, with the background's color taken out of the subject's soft edge.

    Pixels whose alpha, in 8 bits, is 0 or 255 are the photo's own. Solves I = aF + (1 - a)B near
    smooth F and B, the last step of Germer et al., "Fast Multi-Level Foreground Estimation" (2020).
    """
    check_fit(image, mask)
    clean = image.convert("RGB")
    clean = clean.copy() if clean is image else clean
    soft = (mask > 0.5 / 255) & (mask < 254.5 / 255)
    if not soft.any():
        return clean
    colors = _smooth_colors(clean, mask)

    def solve(box: Box) -> None:
        photo = _planes(image.crop(box))
        alpha = np.rint(mask[_slices(box)] * 255) / 255
        front, behind = np.split(_enlarge(colors, image.size, box), 2)
        rest = photo - alpha * front - (1 - alpha) * behind
        front += rest * (alpha / (alpha**2 + (1 - alpha) ** 2 + 0.1))
        front = np.where((alpha > 0) & (alpha < 1), front, photo)
        pixels = np.rint(front.clip(0, 1) * 255).astype(np.uint8)
        clean.paste(Image.fromarray(np.moveaxis(pixels, 0, 2).copy()), box)

    _on_tiles(solve, soft)
    return clean


def _color_model(image: Image.Image, mask: Mask, trust: float) -> _Planes:
    """Return how the subject's colors differ from the background's, window by window.

    (5, h, w): a, b and d2 of ``_combine``, from Fisher's linear discriminant of the pixels around,
    each counted as subject as far as the mask of the coarser windows says so.
    """
    side, coarsest = _CELLS[-1] * _CELL, _CELLS[-1] * _CELL // _CELLS[0]
    longest = max(image.size)  # whole windows only, so that they spread over the photo evenly
    width, height = (coarsest * -(-n * _CELLS[0] // longest) for n in image.size)
    photo = _planes(image.resize((width, height), Image.Resampling.NEAREST))
    prior = _sample(mask, (width, height))
    alpha = prior
    for cells in _CELLS:
        step = side // cells
        model = _discriminant(photo, alpha**4, (1 - alpha) ** 4, step)
        model[4] *= trust
        everywhere = Box(0, 0, width, height)
        alpha = _combine(photo, _enlarge(model, (width, height), everywhere), prior)
    return model


def _combine(photo: _Planes, model: _Planes, prior: Mask) -> Mask:
    """Return the mean of two estimates of alpha, each weighted by how sure it is.

    The mask says ``prior``, with a coin's variance p(1 - p). The color says a.I + b, its place
    on the line from the background's color to the subject's, with variance 1 / d2.
    """
    seen = (model[0] * photo[0] + model[1] * photo[1] + model[2] * photo[2] + model[3]).clip(0, 1)
    spread = prior * (1 - prior) - SURE_SUBJECT * SURE_BACKGROUND  # 0 where the mask is sure
    odds = model[4] * np.maximum(spread, 0)
    return prior + odds / (1 + odds) * (seen - prior)


def _discriminant(photo: _Planes, front: Mask, behind: Mask, step: int) -> _Planes:
    """Return a, b and d2 in windows of ``step`` pixels from two weights for each pixel."""
    both = front + behind
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    planes = [front, *(front * photo), behind, *(behind * photo)]
    planes += [both * photo[i] * photo[j] for i, j in pairs]
    sums = _soften(np.stack([np.asarray(Image.fromarray(p).reduce(step)) for p in planes]))
    n_front, n_behind = sums[0] + 1e-6, sums[4] + 1e-6
    mean_front, mean_behind = sums[1:4] / n_front, sums[5:8] / n_behind
    scatter = np.empty((*sums.shape[1:], 3, 3))
    for (i, j), total in zip(pairs, sums[8:], strict=True):
        within = total - sums[1 + i] * mean_front[j] - sums[5 + i] * mean_behind[j]
        scatter[..., i, j] = scatter[..., j, i] = within / (n_front + n_behind) + _NOISE * (i == j)
    apart = mean_front - mean_behind
    a = np.linalg.solve(scatter, np.moveaxis(apart, 0, 2)[..., None])[..., 0]
    a = np.moveaxis(a, 2, 0)
    d2 = (a * apart).sum(0) + 1e-6
    b = 0.5 - (a * (mean_front + mean_behind)).sum(0) / (2 * d2)
    enough = (sums[0] / (sums[0] + 1e-3) * sums[4] / (sums[4] + 1e-3)) ** 2
    return np.concatenate([a / d2, b[None], (d2 * enough)[None]]).astype(np.float32)


def _smooth_colors(image: Image.Image, mask: Mask) -> _Planes:
    """Return the subject's and the background's color around each point, (6, h, w)."""
    size = _scaled(image.size, 1024)
    photo = _planes(image.resize(size, Image.Resampling.NEAREST))
    alpha = _sample(mask, size)
    return np.concatenate([_spread(photo, alpha**3), _spread(photo, (1 - alpha) ** 3)])


def _spread(photo: _Planes, weight: Mask) -> _Planes:
    """Return the weighted mean color at the finest scale that holds some weight."""
    return _fill(np.concatenate([photo * weight, weight[None]]))


def _fill(sums: _Planes) -> _Planes:
    height, width = sums.shape[1:]
    if height == width == 1:
        return sums[:3] / (sums[3] + 1e-6)
    coarse = _fill(np.stack([np.asarray(Image.fromarray(p).reduce(2)) for p in sums]))
    around = _resize(coarse, (width, height), (0, 0, width / 2, height / 2))
    return (sums[:3] + 0.1 * around) / (sums[3] + 0.1)


def _soften(planes: _Planes) -> _Planes:
    """Return each plane averaged with its neighbours: 1 2 1 along both axes."""
    height, width = planes.shape[1:]
    around = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = around[:, :height] + 2 * around[:, 1 : height + 1] + around[:, 2:]
    return (rows[..., :width] + 2 * rows[..., 1 : width + 1] + rows[..., 2:]) / 16


def _planes(image: Image.Image) -> _Planes:
    pixels = np.asarray(image.convert("RGB"))
    return np.moveaxis(pixels, 2, 0).astype(np.float32) / 255


def _sample(mask: Mask, size: tuple[int, int]) -> Mask:
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)).clip(0, 1)


def _scaled(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _resize(planes: _Planes, size: tuple[int, int], box: tuple[float, ...]) -> _Planes:
    bilinear = Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(p).resize(size, bilinear, box)) for p in planes])


def _enlarge(planes: _Planes, size: tuple[int, int], box: Box) -> _Planes:
    """Return the part ``box`` of planes that cover a photo of ``size``."""
    x, y = planes.shape[2] / size[0], planes.shape[1] / size[1]
    place = (box.left * x, box.top * y, box.right * x, box.bottom * y)
    return _resize(planes, (box.right - box.left, box.bottom - box.top), place)


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box.top, box.bottom), slice(box.left, box.right)


def _tiles(where: NDArray[np.bool_]) -> Iterator[Box]:
    height, width = where.shape
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            box = Box(left, top, min(left + _TILE, width), min(top + _TILE, height))
            if where[_slices(box)].any():
                yield box


def _on_tiles(work: Callable[[Box], None], where: NDArray[np.bool_]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, _tiles(where)))
