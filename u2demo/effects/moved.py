"""(image, mask, how) -> image and mask whose subject is larger, smaller, or somewhere else."""

import math

import numpy as np
from PIL import Image

from u2demo.images.rgb import as_photo
from u2demo.machine.numbers import check_number
from u2demo.masks.mask import Mask, check_fit

LARGEST = 10.0  # times


def move_subject(
    image: Image.Image,
    mask: Mask,
    *,
    zoom: float = 1.0,
    across: float = 0.0,
    down: float = 0.0,
) -> tuple[Image.Image, Mask]:
    """Return ``image`` and ``mask`` enlarged around their middle and moved, in the size they have.

    ``zoom`` is how many times larger; ``across`` and ``down`` are shares of the width and height.
    Put another background behind them: beyond the photo the mask is 0, and the image black or, with
    alpha, transparent. Without a change both are returned as they are.

    Raises:
        ValueError: ``zoom`` is not from 0.1 to 10, ``across`` or ``down`` not from -1 to 1, or the
            mask does not fit.
        TypeError: one of them is not a number, or the first two are not an image and its mask.
    """
    photo = as_photo(image)
    check_fit(photo, mask)
    zoom = check_number("zoom", zoom, expected="0.1 to 10 times", least=1 / LARGEST, most=LARGEST)
    expected = "-1 to 1, a share of the picture"
    across = check_number("across", across, expected=expected, least=-1.0, most=1.0)
    down = check_number("down", down, expected=expected, least=-1.0, most=1.0)
    if (zoom, across, down) == (1.0, 0.0, 0.0):
        return image, mask
    columns, left, right = _span(photo.width, zoom, across)
    rows, top, bottom = _span(photo.height, zoom, down)
    moved = Image.new(photo.mode, photo.size)
    moved.info = dict(photo.info)
    share = np.zeros_like(mask)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    if min(size) > 0:
        part = (left, top, right, bottom)
        seen = photo.resize(size, Image.Resampling.BICUBIC, part, reducing_gap=3.0)
        moved.paste(seen, (columns.start, rows.start))
        values = Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR, part)
        share[rows, columns] = np.asarray(values)
    return moved, share


def _span(length: int, zoom: float, share: float) -> tuple[slice, float, float]:
    """Return the pixels of a side that the moved photo covers, and where that is in the photo."""
    begin = (length - length * zoom) / 2 + share * length
    first = max(0, math.ceil(begin))
    last = min(length, math.floor(begin + length * zoom))
    ends = ((place - begin) / zoom for place in (first, last))
    low, high = (min(max(0.0, end), float(length)) for end in ends)
    return slice(first, max(first, last)), low, high
