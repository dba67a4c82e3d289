"""frames -> groups: a frame for the net to look at, and those after it that hardly differ from it.

In most clips little happens between two frames: what is found in one, moved along with the picture,
fits the next. Settings were chosen on ten clips of DAVIS: with them a third of the looks was spared
where all is in motion, and two thirds where little is, at no loss.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_MOST = 3  # frames of a group
_SMALL = 64, 36  # pixels, (width, height), of the copies that are compared
_DIFFER = 12  # gray levels of 255, on average; frames that differ by more are not alike


def alike(images: Iterable[Image.Image]) -> Iterator[list[Image.Image]]:
    """Yield the frames in groups of up to three; each hardly differs from its group's first."""
    group: list[Image.Image] = []
    first = None
    for image in images:
        gray = _small_gray(image)
        if group and len(group) < _MOST and np.abs(gray - first).mean() < _DIFFER:
            group.append(image)
            continue
        if group:
            yield group
        group, first = [image], gray
    if group:
        yield group


def _small_gray(image: Image.Image) -> NDArray[np.float32]:
    return np.asarray(image.convert("L").resize(_SMALL, Image.Resampling.BOX), np.float32)
