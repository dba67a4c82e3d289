"""(net, uploaded file) -> a photo with its mask, small enough to keep hundreds in memory."""

import io
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from u2demo.images.read import open_image
from u2demo.masks.mask import Mask
from u2demo.notebook.preview import STAGE, fit, fit_mask
from u2demo.pipeline import process

if TYPE_CHECKING:
    from torch import nn

_FRAMES = re.compile(r"(\d+) more frames?")  # of an animation
_CLOSE_UP = (3 * STAGE[0], 3 * STAGE[1])  # pixels, (width, height)


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in the app, with its mask; at full size both are unpacked only when needed.

    ``source`` is the image or its uploaded file; ``network`` and ``quality`` say how the mask was
    found. ``peak`` is the highest probability that the network gave a pixel, 0 to 1.
    """

    name: str
    source: Image.Image | bytes
    size: tuple[int, int]  # pixels, (width, height)
    packed_mask: bytes
    small: Image.Image  # what a screen shows
    small_mask: Mask
    has_clear_subject: bool
    peak: float | None
    network: str
    quality: str

    @property
    def left_out(self) -> str:
        """A sentence on what else the photo's file holds, "" if that is nothing."""
        return left_out(self.small)

    def open_image(self) -> Image.Image:
        """Return the photo at full size, RGB or RGBA; an uploaded file is decoded each time."""
        pixels = self.size[0] * self.size[1]  # it has been opened before, whatever the limit is now
        return open_upload(self.name, self.source, max_pixels=pixels)

    def unpack_mask(self) -> Mask:
        """Return the mask at full size, float32 (height, width), 0 to 1, unpacked each time."""
        values = np.frombuffer(zlib.decompress(self.packed_mask), np.float32)
        return values.reshape(self.size[::-1])

    def close_up(self) -> tuple[Image.Image, Mask]:
        """Return photo and mask with enough detail for a part of them to fill the stage."""
        image = self.open_image()
        if image.width > _CLOSE_UP[0] or image.height > _CLOSE_UP[1]:
            image = fit(image, _CLOSE_UP)
        return image, fit_mask(self.unpack_mask(), image.size)


def find_subject(
    model: "nn.Module",
    name: str,
    source: Image.Image | bytes,
    image: Image.Image,
    *,
    network: str,
    quality: str,
) -> Photo:
    """Return the photo with the mask that ``model`` finds; ``image`` is the opened ``source``.

    ``network`` is the app's name for ``model``.
    """
    (result,) = process(model, [(name, image)], effects={}, quality=quality)
    mask = np.ascontiguousarray(result.mask, np.float32)
    small = fit(image, STAGE)
    return Photo(
        name=name,
        source=source,
        size=image.size,
        packed_mask=zlib.compress(mask, level=1),  # a tenth of the size, lossless
        small=small,
        small_mask=fit_mask(mask, small.size),
        has_clear_subject=result.has_clear_subject,
        peak=result.peak,
        network=network,
        quality=quality,
    )


def left_out(image: Image.Image) -> str:
    """Return sentences on what a photo's file holds besides ``image``, "" if that is nothing."""
    sentences, others = [], []
    for phrase in image.info.get("left_out", ()):
        frames = _FRAMES.fullmatch(phrase)
        if frames:
            count = int(frames[1]) + 1
            sentences.append(
                f"The first of {count} frames; the notebook video.ipynb does them all."
            )
        else:
            others.append(phrase)
    if others:
        sentences.append(f"Not shown, and not saved: {', '.join(others)}.")
    return " ".join(sentences)


def open_upload(
    name: str, source: Image.Image | bytes, *, max_pixels: int | None = None
) -> Image.Image:
    """Return the image in an uploaded file; an image is returned as it is.

    ``max_pixels`` is as for ``open_image``.

    Raises:
        ValueError: the file is not an image, or cannot be read; the text begins with ``name``.
    """
    if isinstance(source, Image.Image):
        return source
    file = io.BytesIO(source)
    file.name = name
    return open_image(file, max_pixels=max_pixels)
