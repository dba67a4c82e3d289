"""(net, uploaded file) -> a photo with its mask, small enough to keep hundreds in memory."""

import io
import re
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from u2demo.images.kinds import why_unread
from u2demo.images.read import open_image
from u2demo.masks.box import Box
from u2demo.masks.mask import Mask, has_clear_subject
from u2demo.notebook.preview import STAGE, fit, fit_mask
from u2demo.notebook.stage.correcting import History, Retouch, count

if TYPE_CHECKING:
    from torch import nn

_A_PDF = "a PDF document, which u2demo cannot read; export its page as JPEG or PNG"
_FRAMES = re.compile(r"(\d+) more frames?")  # of an animation


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in the app, with its mask; at full size both are unpacked only when needed.

    ``source`` is the image or its uploaded file; ``model``, called ``network`` in the app,
    ``quality`` and the box ``within`` say how the mask was found. ``confidence`` says how decided
    the network was, 0 to 1. ``history`` is what a person has said about the mask since:
    ``small_mask`` and ``unpack_mask`` follow it.
    """

    name: str
    source: Image.Image | bytes
    size: tuple[int, int]  # pixels, (width, height)
    packed_mask: bytes
    small: Image.Image  # what a screen shows
    small_found: Mask  # as the net found it
    small_mask: Mask
    has_clear_subject: bool
    confidence: float | None
    model: "nn.Module"
    network: str
    quality: str
    within: Box | None = None
    history: History = field(default_factory=History)

    @property
    def scale(self) -> float:
        """Pixels of ``small`` for each of the photo: of the longer side, which is rounded least."""
        return max(self.small.size) / max(self.size)

    @property
    def wants_another_look(self) -> bool:
        """Whether a person has since drawn a box to look in, or taken one back."""
        return self.within != self.history.now.within

    @property
    def is_clear(self) -> bool:
        """Whether the mask needs no second look: the net was sure, or a person has corrected it."""
        return self.has_clear_subject or count(self.history.now) > 0

    @property
    def left_out(self) -> str:
        """A sentence on what else the photo's file holds, "" if that is nothing."""
        return left_out(self.small)

    def is_same(self, other: "Photo | None") -> bool:
        """Return whether ``other`` is this photo, perhaps found or corrected in another way."""
        return other is not None and other.source is self.source and other.name == self.name

    def open_image(self) -> Image.Image:
        """Return the photo at full size, RGB or RGBA; an uploaded file is decoded each time."""
        pixels = self.size[0] * self.size[1]  # it has been opened before, whatever the limit is now
        return open_upload(self.name, self.source, max_pixels=pixels)

    def unpack_mask(self) -> Mask:
        """Return the corrected mask at full size, float32 (height, width), made each time."""
        found, now = self.unpack_found(), self.history.now
        if not now.objects and not now.strokes:
            return found
        return Retouch(self.model, self.open_image(), found, self.size).mask(now)

    def unpack_found(self) -> Mask:
        """Return the mask as the net found it, at full size, unpacked each time."""
        values = np.frombuffer(zlib.decompress(self.packed_mask), np.float32)
        return values.reshape(self.size[::-1])

    def retouch(self) -> Retouch:
        """Return the small photo, prepared for corrections."""
        return Retouch(self.model, self.small, self.small_found, self.size)

    def corrected(self, history: History, retouch: Retouch | None = None) -> "Photo":
        """Return the photo as ``history`` corrects it; ``retouch`` is one of this photo's."""
        mask = (retouch or self.retouch()).mask(history.now)
        return replace(self, history=history, small_mask=mask)


def find_subject(
    model: "nn.Module",
    name: str,
    source: Image.Image | bytes,
    image: Image.Image,
    *,
    network: str,
    quality: str,
    history: History | None = None,
) -> Photo:
    """Return the photo with the mask that ``model`` finds; ``image`` is the opened ``source``.

    ``network`` is the app's name for ``model``. ``history`` is what a person has said about the
    photo already.
    """
    from u2demo.inference.predict import predict  # torch comes late

    history = history or History()
    box = history.now.within
    found = predict(model, [image], quality=quality, within=[box])
    mask, confidence = next(found)
    mask = np.ascontiguousarray(mask, np.float32)
    small = fit(image, STAGE)
    small_mask = fit_mask(mask, small.size)
    photo = Photo(
        name=name,
        source=source,
        size=image.size,
        packed_mask=zlib.compress(mask, level=1),  # a tenth of the size, lossless
        small=small,
        small_found=small_mask,
        small_mask=small_mask,
        has_clear_subject=has_clear_subject(mask, confidence=confidence),
        confidence=confidence,
        model=model,
        network=network,
        quality=quality,
        within=box,
    )
    return photo.corrected(history)


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
        ValueError: the file is not an image, or cannot be read; the text begins with ``name`` and
            says what the file is, if that is known.
    """
    if isinstance(source, Image.Image):
        return source
    file = io.BytesIO(source)
    file.name = name
    try:
        return open_image(file, max_pixels=max_pixels)
    except ValueError as error:
        reason = _A_PDF if source.startswith(b"%PDF-") else why_unread(Path(name), source[:16])
        if not reason:
            raise
        raise ValueError(f"{name}: {reason}") from error
