"""(net, photo, mask, strokes) -> mask: what a person said, and what follows from it."""

from collections.abc import Iterable

import numpy as np
from PIL import Image
from torch import nn

from u2demo.images.rgb import limit_to_alpha
from u2demo.masks.mask import Mask, check_fit
from u2demo.masks.strokes import Stroke, check_strokes, draw_strokes


def correct_mask(
    model: nn.Module, image: Image.Image, mask: Mask, strokes: Iterable[Stroke]
) -> Mask:
    """Return ``mask`` as strokes over the photo correct it: (H, W) float32 in [0, 1].

    Pixels under a stroke become 1 or 0, as it says; a later stroke covers an earlier one. Where the
    photo is transparent, the mask is at most its alpha. An empty list gives an equal mask.

    Raises:
        ValueError: ``mask`` is not a valid mask, belongs to another image, or a stroke has no
            points or no radius.
        TypeError: ``strokes`` are not several ``Stroke``, or hold something that is not a number.
    """
    check_fit(image, mask)
    listed = check_strokes(strokes)
    corrected = mask.copy()
    if not listed:
        return corrected
    said = draw_strokes(listed, image.size)
    corrected[said > 0] = 1
    corrected[said < 0] = 0
    return np.ascontiguousarray(limit_to_alpha(corrected, image))
