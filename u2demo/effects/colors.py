"""(image, mask) -> clean colors: a soft edge without the old background's color.

A small copy of the photo gives the colors of subject and background near each point. Then the photo
is visited tile by tile, and only pixels on the edge change.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.images.rgb import alpha_channel, as_rgb, colors_of
from u2demo.machine.cores import on_all_cores
from u2demo.masks.box import Box, box_around, tiles, widen
from u2demo.masks.mask import Mask, check_fit, to_8_bits

_AVERAGED = 256  # pixels; longer side of the copy on which colors are averaged
_SMOOTH = 512  # pixels; longer side of the copy on which they are smoothed
_MARGIN = 0.05  # of the subject's longer side: around a rectangle, all of the background
_TILE = 512  # pixels
_UNSEEN = 0.4 / 255  # becomes 0 in 8 bits
_FILL = 0.1  # weight, in pixels, of the mean color around, beside the colors found in place

Use = Callable[[Box, Image.Image, Image.Image], object]
_Planes = NDArray[np.float32]  # (channels, height, width)


def clean_colors(image: Image.Image, mask: Mask) -> Image.Image:
    """Return the image, RGB, with the background's color taken out of the subject's soft edge.

    Only pixels whose alpha is, in 8 bits, neither 0 nor 255 change.
    """
    image = as_rgb(image)
    check_fit(image, mask)
    clean = image.copy()

    def paste(box: Box, colors: Image.Image, alpha: Image.Image) -> None:
        clean.paste(colors, box)

    use_clean_tiles(image, mask, paste)
    return clean


def use_clean_tiles(image: Image.Image, mask: Mask, use: Use) -> None:
    """Call ``use`` with each part of the image that shows some of the subject, on all cores.

    ``use`` gets the part's box, its clean colors (RGB, as from ``clean_colors``) and its alpha
    (mode L: the mask in 8 bits, which is 0 outside these boxes). ``image`` must be RGB or RGBA, and
    ``mask`` must fit it. Pixels that are half transparent themselves keep their color.
    """
    area = box_around(mask > _UNSEEN)
    if area is None:
        return
    wider = widen(area, _MARGIN, image.size)
    around = _colors_around(image, mask, wider)

    def clean(box: Box) -> None:
        part = mask[box.top : box.bottom, box.left : box.right]
        alpha = to_8_bits(part)
        if not alpha.any():
            return
        colors = image.crop(box)
        mixed = (alpha > 0) & (alpha < 255)
        if colors.mode == "RGBA":  # half transparent already, and so of one color
            mixed &= np.asarray(colors.getchannel("A")) == 255
        colors = colors_of(colors)
        soft = np.flatnonzero(mixed)
        if soft.size:
            near = _places(around.shape[2:], wider, box).take(soft)
            subject, behind = around.reshape(2, 3, -1).take(near, 2)
            colors = _solve(colors, part.take(soft), soft, subject, behind)
        use(box, colors, Image.fromarray(alpha))

    on_all_cores(clean, tiles(area, side=_TILE))


def _solve(
    photo: Image.Image, alpha: NDArray, soft: NDArray, subject: _Planes, behind: _Planes
) -> Image.Image:
    """Return the photo with its pixels ``soft`` solved for F in I = aF + (1 - a)B.

    F and B stay as close to the colors around as they can. This is the last step of Germer et al.,
    "Fast Multi-Level Foreground Estimation" (2020).
    """
    pixels = np.array(photo)
    rest = pixels.reshape(-1, 3).take(soft, 0).T - behind
    rest -= alpha * (subject - behind)
    rest *= alpha / (alpha**2 + (1 - alpha) ** 2)
    rest += subject
    rest.clip(0, 255, out=rest)
    np.rint(rest, out=rest)
    pixels.reshape(-1, 3)[soft] = rest.T
    return Image.fromarray(pixels)


def _colors_around(image: Image.Image, mask: Mask, area: Box) -> _Planes:
    """Return the color of the subject and that of the background near each point of ``area``.

    Both are small copies: (2, 3, height, width), 0 to 255.
    """
    whole = np.subtract(area[2:], area[:2])
    size = _shrunk(whole, _AVERAGED)
    small = image.resize(size, Image.Resampling.NEAREST, area)
    photo = np.moveaxis(np.asarray(colors_of(small)), 2, 0)
    columns = area.left + ((np.arange(size[0]) + 0.5) * whole[0] / size[0]).astype(int)
    rows = area.top + ((np.arange(size[1]) + 0.5) * whole[1] / size[1]).astype(int)
    alpha = mask[rows[:, None], columns]

    def color_of(share: Mask) -> _Planes:
        weight = np.square(np.square(np.square(share)))  # leaves out mixed colors
        mean = np.rint(_fill(np.stack([*(photo * weight), weight])))
        small = Image.fromarray(np.moveaxis(mean, 0, 2).astype(np.uint8))
        smooth = small.resize(_shrunk(whole, _SMOOTH), Image.Resampling.BILINEAR)
        return np.moveaxis(np.asarray(smooth, np.float32), 2, 0)

    behind = 1 - alpha if image.mode == "RGB" else (1 - alpha) * alpha_channel(small)
    return np.stack([color_of(alpha), color_of(behind)])


def _shrunk(size: NDArray, longest: int) -> tuple[int, int]:
    scale = min(1, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _fill(sums: _Planes) -> _Planes:
    """Return weighted mean colors, each at the finest scale that has any weight (sums[3])."""
    height, width = sums.shape[1:]
    if height == width == 1:
        return sums[:3] / (sums[3] + 1e-30)
    coarse = _fill(_halved(_halved(sums, 1), 2))
    around = _doubled(_doubled(coarse, 1), 2)[:, :height, :width]
    return (sums[:3] + _FILL * around) / (sums[3] + _FILL)


def _halved(planes: _Planes, axis: int) -> _Planes:
    """Return the means of two neighbors each; an odd last row or column stays as it is."""
    values = np.moveaxis(planes, axis, 0)
    last = values[len(values) // 2 * 2 :]
    return np.moveaxis(np.concatenate([(values[:-1:2] + values[1::2]) / 2, last]), 0, axis)


def _doubled(planes: _Planes, axis: int) -> _Planes:
    """Return twice as many rows or columns, interpolated between those that are there."""
    values = np.moveaxis(planes, axis, 0)
    before = np.concatenate([values[:1], values[:-1]])
    after = np.concatenate([values[1:], values[-1:]])
    twice = np.stack([values * 0.75 + before * 0.25, values * 0.75 + after * 0.25], 1)
    return np.moveaxis(twice.reshape(-1, *values.shape[1:]), 0, axis)


def _places(size: tuple[int, int], area: Box, box: Box) -> NDArray[np.intp]:
    """Return where each pixel of ``box`` is in a copy of ``area``, (height, width), flattened."""
    height, width = size
    columns = _nearest(np.arange(box.left, box.right) - area.left, width / area.width)
    rows = _nearest(np.arange(box.top, box.bottom) - area.top, height / area.height)
    return rows[:, None] * width + columns


def _nearest(pixels: NDArray[np.intp], scale: float) -> NDArray[np.intp]:
    return ((pixels + 0.5) * scale).astype(np.intp)
