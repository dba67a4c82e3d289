"""mask -> number | sentence: checks and statistics that need only the mask, not its photo.

A mask says how much each pixel belongs to the subject: float32, shape (H, W), 0 background to
1 subject, of its photo's height and width. Anything else raises ``ValueError``.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.images.rgb import check_image
from u2demo.machine.numbers import check_number

Mask = NDArray[np.float32]

_ROUNDING = 0.001  # how far below 0 or above 1 rounding may take a value, as in a resized mask
_FOUND = 0.4  # a fainter pixel does not count as part of the subject
_EDGE = 0.6 / 320  # of a picture's side: by how much each pixel along an outline is undecided
_GRID = 320  # about how many pixels along the longer side are looked at
_CLEAR = 0.78  # least confidence in a clear subject
_FULL = 0.9  # a subject that takes this share of the picture stands out from nothing


def check_mask(mask: Mask) -> None:
    """Raise ``ValueError`` unless ``mask`` is float32, (H, W), 0 to 1 give or take rounding."""
    # The rows of a matrix are not arrays, and a masked array lacks some values.
    array = isinstance(mask, np.ndarray) and not isinstance(mask, np.matrix | np.ma.MaskedArray)
    if not array or mask.ndim != 2 or mask.dtype != np.float32:
        what = f"{mask.dtype} {mask.shape}" if array else type(mask).__name__
        raise ValueError(
            f"the mask is {what}, expected a float32 array of shape (height, width), as from"
            " predict_mask; np.float32(mask) converts True and False or other floats,"
            " np.float32(mask) / 255 whole numbers up to 255"
        )
    low, high = mask.min(initial=0), mask.max(initial=0)  # NaN, if there is any
    if not -_ROUNDING <= low <= high <= 1 + _ROUNDING:
        raise ValueError(
            f"the mask goes from {low:g} to {high:g}, expected 0 (background) to 1 (subject);"
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
            " expected the mask predicted from this very image"
        )


def check_threshold(threshold: float) -> None:
    """Raise ``ValueError`` unless ``threshold`` is from 0 to 1, ``TypeError`` if not a number."""
    expected = "0 to 1, like the mask's own values"
    check_number("threshold", threshold, expected=expected, most=1.0)


def confidence_in(saliency: Mask, *, doubt: float = 1.0) -> float:
    """Return how decided a map is about its subject, 0 to 1; 0 if it has found none.

    A pixel of 0.3 or 0.7 is undecided by 0.3. Confidence is 1 less all that is undecided, as a
    share of the pixels above 0.4. What edges of a usual softness need does not count, or thin
    subjects would be doubtful. ``doubt`` is how much of the rest counts, 0 to 1.
    """
    check_mask(saliency)
    step = max(1, max(saliency.shape) // _GRID)
    some = saliency[::step, ::step]
    inside = some > 0.5
    outline = np.count_nonzero(inside[1:] != inside[:-1])
    outline += np.count_nonzero(inside[:, 1:] != inside[:, :-1])
    found = np.count_nonzero(some > _FOUND)
    if found == 0:
        return 0.0
    undecided = np.minimum(some, 1 - some).sum()
    undecided -= _EDGE * some.size**0.5 * outline
    return float(min(max(1 - doubt * undecided / found, 0.0), 1.0))


def has_clear_subject(mask: Mask, *, confidence: float | None = None) -> bool:
    """Return whether a predicted mask shows a subject: found with confidence, and not all.

    ``confidence`` is that of ``predict``, by default ``confidence_in(mask)``. Of masks of quality
    "fast", this is False for 7 of 346 good ones (IoU 0.7 or more) and for 14 of 39 bad ones (below
    0.5), on 416 photos. Most of the other bad ones show something else with certainty.
    """
    check_mask(mask)
    if confidence is None:
        confidence = confidence_in(mask)
    check_number("confidence", confidence, expected="0 to 1, as from the net", most=1.0)
    return confidence >= _CLEAR and bool((mask > 0.5).mean() <= _FULL)


def to_8_bits(mask: Mask) -> NDArray[np.uint8]:
    """Return the mask as an alpha channel: (H, W), 0 to 255, rounded."""
    levels = mask * np.float32(255)
    levels += np.float32(0.5)
    return levels.clip(0, 255, out=levels).astype(np.uint8)
