"""mask, text -> box: where in a photo the subject is."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from u2demo.machine.numbers import are_whole_numbers
from u2demo.masks.mask import Mask, check_mask, check_threshold


class Box(NamedTuple):
    """A rectangle in pixels, half open: ``right`` and ``bottom`` are just outside it.

    ``Image.crop`` takes it as it is.
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as of a Pillow image."""
        return self.width, self.height


def bounding_box(mask: Mask, *, threshold: float = 0.5) -> Box | None:
    """Return the smallest box around all pixels above ``threshold``, or None if there are none.

    Raises:
        ValueError: ``mask`` is not a valid mask, or ``threshold`` is not between 0 and 1.
    """
    check_mask(mask)
    check_threshold(threshold)
    return box_around(mask > threshold)


def box_around(shown: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around all true pixels of an (H, W) array, None if there are none."""
    rows = np.flatnonzero(shown.any(1))
    columns = np.flatnonzero(shown.any(0))
    if not rows.size:
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def widen(box: Box, margin: float, size: tuple[int, int]) -> Box:
    """Return ``box`` widened on each side by ``margin`` of its longer side, clipped to ``size``."""
    # No more than the picture: a margin may be any number.
    more = round(min(margin * max(box.size), max(size)))
    return Box(
        max(box.left - more, 0),
        max(box.top - more, 0),
        min(box.right + more, size[0]),
        min(box.bottom + more, size[1]),
    )


def check_box(name: str, box: Box, size: tuple[int, int]) -> None:
    """Raise an error unless ``box`` has pixels, and all of them in a photo of ``size``.

    ``name`` is the argument's.

    Raises:
        TypeError: it is not a ``Box``, a tuple of four whole numbers.
        ValueError: it is empty, or reaches out of the photo.
    """
    width, height = size
    expected = f"Box(left, top, right, bottom) within the photo's {width}x{height}"
    sentence = f"{name} is {box!r:.80}, expected {expected}"
    if not isinstance(box, tuple) or not are_whole_numbers(box, count=4):
        raise TypeError(sentence)
    left, top, right, bottom = box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ValueError(sentence)


def box_in(text: str, size: tuple[int, int]) -> Box:
    """Return the box that ``text`` names in a photo of ``size``, (width, height).

    ``text`` is LEFT,TOP,RIGHT,BOTTOM, each in pixels or, with a %, in percent of that side.

    Raises:
        ValueError: ``text`` is something else.
    """
    sides = text.split(",")
    try:
        left, top, right, bottom = (
            _pixels(side.strip(), size[place % 2]) for place, side in enumerate(sides)
        )
    except ValueError:
        raise ValueError(
            f"{text!r:.80} is not a part of a photo, expected LEFT,TOP,RIGHT,BOTTOM in pixels or"
            " percent, such as 120,40,600,480 or 10%,0%,60%,100%"
        ) from None
    return Box(left, top, right, bottom)


def _pixels(text: str, length: int) -> int:
    """Return what ``text`` says, whole pixels or a share of ``length``."""
    if not text.endswith("%"):
        return int(text)
    share = float(text.removesuffix("%"))
    if not 0 <= share <= 100:  # NaN, too
        raise ValueError(text)
    return round(share / 100 * length)


def tiles(area: Box, *, side: int) -> Iterator[Box]:
    """Yield the square tiles of ``area``, of at most ``side`` pixels, row by row."""
    left, top, right, bottom = area
    for y, x in product(range(top, bottom, side), range(left, right, side)):
        yield Box(x, y, min(x + side, right), min(y + side, bottom))
