"""frames -> groups: a frame for the net to look at, and those after it that hardly differ from it.

In most clips little happens between two frames: what is found in one, moved along with the picture,
fits the next. Settings were chosen on ten clips of DAVIS: a third of the looks is spared where all
is in motion, and four of five where little is.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SMALL = 64, 36  # pixels, (width, height), of the copies that are compared
# Gray levels of 255, on average, by which a group's second to fifth frame differ less from its
# first: the further away, the more alike it must be.
_DIFFER = 12, 12, 6, 6


def alike(images: Iterable[Image.Image]) -> Iterator[list[Image.Image]]:
    """Yield the frames in groups of up to five; each hardly differs from its group's first."""
    group: list[Image.Image] = []
    first = None
    for image in images:
        gray = _small_gray(image)
        if 0 < len(group) <= len(_DIFFER) and _difference(gray, first) < _DIFFER[len(group) - 1]:
            group.append(image)
            continue
        if group:
            yield group
        group, first = [image], gray
    if group:
        yield group


def _difference(gray: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(gray - other).mean())


def _small_gray(image: Image.Image) -> NDArray[np.float32]:
    return np.asarray(image.convert("L").resize(_SMALL, Image.Resampling.BOX), np.float32)
