"""image -> what a screen shows of it: small and quick to send."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from u2demo.masks.mask import Mask

STAGE = (840, 520)  # pixels, (width, height)
TILE = (264, 198)


def fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return ``picture`` scaled up or down to fit inside ``size``, (width, height)."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    wide, high = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((wide, high), Image.Resampling.BILINEAR, reducing_gap=3.0)


def fit_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """Return ``mask`` in another size, (width, height)."""
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR))


def encode(image: Image.Image) -> bytes:
    """Return ``image`` as a WebP for the screen: small, quick to make, transparency kept."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88, method=0)
    return buffer.getvalue()


def encode_exactly(image: Image.Image) -> bytes:
    """Return ``image`` as a PNG, whose every pixel counts."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def contact_sheet(pictures: Mapping[str, Image.Image], size: tuple[int, int]) -> Image.Image:
    """Return all pictures in rows on one transparent picture, RGBA, at most ``size``.

    In a strip too narrow for its rows, each row is one pixel.
    """
    columns = max(1, round(len(pictures) ** 0.5 + 0.2))
    rows = -(-len(pictures) // columns)
    cell = (max(1, size[0] // columns), max(1, size[1] // rows))
    sheet = Image.new("RGBA", (cell[0] * columns, cell[1] * rows))
    for place, picture in enumerate(pictures.values()):
        small = fit(picture.convert("RGBA"), (cell[0] - 16, cell[1] - 16))
        left = place % columns * cell[0] + (cell[0] - small.width) // 2
        top = place // columns * cell[1] + (cell[1] - small.height) // 2
        sheet.paste(small, (left, top))
    return sheet
