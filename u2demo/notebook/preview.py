"""image -> what a screen shows of it: small, and quick to send."""

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from u2demo.images.read import open_image
from u2demo.masks.mask import Mask

if TYPE_CHECKING:
    from torch import nn

STAGE = (840, 520)  # pixels
DETAIL = (3 * STAGE[0], 3 * STAGE[1])
TILE = (264, 198)


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo with its mask; at full size they are packed, or 200 would not fit the memory.

    ``source`` is the picture, or its file as it was uploaded. ``looked`` says how the mask was
    found: by which network, at which quality.
    """

    name: str
    source: Image.Image | bytes
    packed_mask: bytes
    size: tuple[int, int]
    small: Image.Image
    small_mask: Mask
    clear: bool  # whether a subject stands out
    peak: float | None  # the highest probability in it
    looked: tuple[str, str]

    @property
    def image(self) -> Image.Image:
        """The photo at full size, opened anew if it was uploaded."""
        return open_source(self.name, self.source)

    @property
    def mask(self) -> Mask:
        """The mask at full size."""
        values = np.frombuffer(zlib.decompress(self.packed_mask), np.float32)
        return values.reshape(self.size[::-1])


def look(
    model: "nn.Module",
    name: str,
    source: Image.Image | bytes,
    image: Image.Image,
    looked: tuple[str, str],
) -> Photo:
    """Return the photo with what ``model`` finds in it; ``image`` is the opened ``source``."""
    # torch takes seconds to import: by now the page is there to look at.
    from u2demo.pipeline import process

    (result,) = process(model, [(name, image)], effects={}, quality=looked[1])
    mask = np.ascontiguousarray(result.mask, np.float32)
    packed = zlib.compress(mask, level=1)  # a tenth, lossless
    small = fit(image, STAGE)
    small_mask, clear = fit_mask(mask, small.size), result.has_clear_subject
    peak = result.peak
    return Photo(name, source, packed, image.size, small, small_mask, clear, peak, looked)


def open_source(name: str, source: Image.Image | bytes) -> Image.Image:
    """Return the photo in an upload; ``name`` is what a ``ValueError`` calls it."""
    if isinstance(source, Image.Image):
        return source
    file = io.BytesIO(source)
    file.name = name
    return open_image(file)


def fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return ``picture`` scaled, up or down, to touch ``size`` from inside."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    wide, high = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((wide, high), Image.Resampling.BILINEAR, reducing_gap=3.0)


def fit_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """Return ``mask`` in another size, (width, height)."""
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR))


def enlarge(photo: Photo) -> tuple[Image.Image, Mask]:
    """Return the photo, not larger than it is, so that also a part of it fills the stage."""
    scale = min(1, DETAIL[0] / photo.size[0], DETAIL[1] / photo.size[1])
    large = fit(photo.image, DETAIL) if scale < 1 else photo.image
    return large, fit_mask(photo.mask, large.size)


def encode(image: Image.Image) -> bytes:
    """Return ``image`` as a WebP for the screen: small, quick to make, transparency kept."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88, method=0)
    return buffer.getvalue()


def contact_sheet(pictures: Mapping[str, Image.Image], size: tuple[int, int]) -> Image.Image:
    """Return all pictures in rows on one transparent picture, ``size`` at most.

    Of a strip too narrow for its rows, each is a pixel.
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
