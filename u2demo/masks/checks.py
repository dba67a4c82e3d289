"""argument -> nothing, or an error that says what came: what passes for an image and for a mask."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_HAIR = 0.001  # what rounding may add to 1 or take from 0, as resizing a mask does


def check_image(image: Image.Image) -> None:
    """Raise ``TypeError`` unless ``image`` is one, and ``ValueError`` unless it has pixels."""
    if not isinstance(image, Image.Image):
        raise TypeError(f"expected an image, as from open_image, not {type(image).__name__}")
    if not all(image.size):
        raise ValueError(f"the image is {image.width}x{image.height}, expected one with pixels")


def check_mask(mask: NDArray[np.float32]) -> None:
    """Raise ``ValueError`` unless ``mask`` is one: float32, (H, W), 0 to 1 but for rounding."""
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype != np.float32:
        array = isinstance(mask, np.ndarray)
        what = f"{mask.dtype} {mask.shape}" if array else type(mask).__name__
        raise ValueError(
            f"a mask is a float32 array of shape (height, width), not {what};"
            " predict_mask makes one"
        )
    low, high = mask.min(initial=0), mask.max(initial=0)  # NaN, if there is any
    if not -_HAIR <= low <= high <= 1 + _HAIR:
        raise ValueError(
            f"a mask goes from 0, background, to 1, subject; this one from {low:g} to {high:g}:"
            " scale or clip it"
        )


def check_fit(image: Image.Image, mask: NDArray[np.float32]) -> None:
    """Raise ``ValueError`` unless ``mask`` is a mask of ``image``."""
    check_image(image)
    check_mask(mask)
    height, width = mask.shape
    if (width, height) != image.size:
        raise ValueError(
            f"the mask is {width}x{height} but the image is {image.width}x{image.height};"
            " pass the mask predicted from this very image"
        )
