"""(net, frames of a camera) -> masks, one after another, as small pictures for a page."""

import io
from collections.abc import Iterable, Iterator
from itertools import groupby, tee
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from u2demo.effects.cutout import remove_background
from u2demo.images.read import open_image
from u2demo.masks.box import bounding_box
from u2demo.masks.mask import Mask
from u2demo.video.steady import steady

if TYPE_CHECKING:
    from torch import nn

_GAP = 1.0  # seconds; what is older says nothing about a frame
_FOLLOWS = 0.2  # share by which the level of a shot follows each frame's
# On a CPU the net gets a square of this share of its own side. That takes 0.6 of the time; on
# 155 photos of three data sets the masks are as good on average.
_SHARE_ON_CPU = 0.7


class LiveFrame(NamedTuple):
    """A frame as a page sends it; ``time`` is in seconds, on the page's clock."""

    number: int
    time: float
    jpeg: bytes


class LiveMask(NamedTuple):
    """The mask of a frame, float32 (H, W) of the frame as it was sent, 0 to 1."""

    number: int
    mask: Mask


class _Seen(NamedTuple):
    number: int
    image: Image.Image
    found: Mask


def live_masks(
    model: "nn.Module", frames: Iterable[LiveFrame], *, side: int | None = None
) -> Iterator[LiveMask]:
    """Yield the mask of each frame before the next one is asked for.

    Masks are steadied by the frames before. After a second without a frame that begins anew. The
    net gets squares of ``side`` pixels, by default its own side on a GPU and 0.7 of it on a CPU.

    Raises:
        ValueError: a frame is not an image, or the net returns anything but a map.
    """
    side = side or _side(model)
    for _, take in groupby(_takes(frames), key=itemgetter(0)):
        yield from _masks_of_take(model, (frame for _, frame in take), side)


def live_cutout(model: "nn.Module", jpeg: bytes) -> tuple[Image.Image, Mask]:
    """Return the cut-out of one full picture, RGBA, and its mask, with quality "best"."""
    from u2demo.inference.predict import predict_mask  # loads torch: the page comes first

    image = open_image(io.BytesIO(jpeg))
    mask = predict_mask(model, image, quality="best")
    return remove_background(image, mask), mask


def mask_as_png(mask: Mask) -> bytes:
    """Return the mask as the 8-bit alpha of a white picture: a page can draw with it as it is."""
    alpha = Image.fromarray(np.rint(mask * 255).astype(np.uint8))
    file = io.BytesIO()
    Image.merge("LA", (Image.new("L", alpha.size, 255), alpha)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def box_in_shares(mask: Mask) -> list[float] | None:
    """Return the subject's left, top, right and bottom in shares of the sides, None without one."""
    box = bounding_box(mask)
    height, width = mask.shape
    if box is None:
        return None
    return [box.left / width, box.top / height, box.right / width, box.bottom / height]


def _takes(frames: Iterable[LiveFrame]) -> Iterator[tuple[int, LiveFrame]]:
    """Yield each frame with the number of its take; a pause ends a take."""
    take, last = 0, None
    for frame in frames:
        if last is not None and not 0 <= frame.time - last <= _GAP:
            take += 1
        last = frame.time
        yield take, frame


def _masks_of_take(
    model: "nn.Module", frames: Iterable[LiveFrame], side: int
) -> Iterator[LiveMask]:
    from u2demo.inference.clips import finish, salience  # loads torch: the page comes first

    seen, ahead = tee(_look(model, frames, side))
    steadied = steady(((each.image, each.found) for each in ahead), ahead=0)
    shot, level = None, 0.0
    for each, (found, its_shot) in zip(seen, steadied, strict=True):
        own = salience(found)
        level = own if its_shot != shot else level + _FOLLOWS * (own - level)
        shot = its_shot
        yield LiveMask(each.number, finish(each.image, found, salience=level))


def _look(model: "nn.Module", frames: Iterable[LiveFrame], side: int) -> Iterator[_Seen]:
    from u2demo.inference.predict import predict_raw  # loads torch: the page comes first

    for frame in frames:
        image = open_image(io.BytesIO(frame.jpeg))
        yield _Seen(frame.number, image, predict_raw(model, image, side=side))


def _side(model: "nn.Module") -> int:
    from u2demo.inference.preprocess import input_of  # loads torch: the page comes first
    from u2demo.inference.views import placement  # loads torch: the page comes first

    share = _SHARE_ON_CPU if placement(model)[0].type == "cpu" else 1
    return round(input_of(model).side * share)
