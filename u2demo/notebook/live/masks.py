"""(net, frames of a camera) -> masks, one after another, as small pictures for a page."""

import io
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from u2demo.effects.cutout import remove_background
from u2demo.images.read import open_image
from u2demo.machine.cores import available_cores
from u2demo.masks.box import bounding_box
from u2demo.masks.mask import Mask
from u2demo.notebook.live.beside import PATIENCE, Beside
from u2demo.video.steady import steady

if TYPE_CHECKING:
    from torch import nn

_GAP = 1.0  # seconds; what is older says nothing about a frame
_NEAR = 0.4  # seconds that a camera pauses, above which motion is not followed
_NEWS = 2.0  # seconds, after which a net that is still at an earlier frame is waited for
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


def live_masks(
    model: "nn.Module",
    frames: Iterable[LiveFrame],
    *,
    side: int | None = None,
    cores: int | None = None,
    patience: float = PATIENCE,
) -> Iterator[LiveMask]:
    """Yield the mask of each frame before the next one is asked for.

    Masks are steadied by the frames before. After a second without a frame that begins anew. A net
    that takes more than ``patience`` seconds looks at some frames only; see ``Beside``.

    The net gets squares of ``side`` pixels, by default its own side on a GPU and 0.7 of it on a
    CPU, and computes on ``cores``, by default ``live_cores()``.

    Raises:
        ValueError: a frame is not an image, or the net returns anything but a map.
    """
    look = _look_of(model, side or _side(model), cores or live_cores())
    with Beside(look, patience=patience) as net:
        for _, take in groupby(_takes(frames), key=itemgetter(0)):
            net.forget()
            yield from _masks_of_take(net, (frame for _, frame in take))


def live_cores() -> int:
    """Return how many cores to look with: all but one, for the page draws on this computer, too.

    That is so where the computer is the person's own. On a busy one, a net on all cores waits for
    the slowest: on two cores of a busy machine it took five times as long as on one.
    """
    return max(1, available_cores() - 1)


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
    """Yield each frame with the number of its take; a pause ends one, long work on a frame not."""
    take, last, worked = 0, None, 0.0
    for frame in frames:
        if last is not None and not 0 <= frame.time - last <= _GAP + worked:
            take += 1
        last = frame.time
        begun = time.perf_counter()
        yield take, frame
        worked = time.perf_counter() - begun


def _masks_of_take(net: Beside, frames: Iterable[LiveFrame]) -> Iterator[LiveMask]:
    from u2demo.inference.clips import certainty, finish  # loads torch: the page comes first

    coming: deque[tuple[Image.Image, Mask | None]] = deque()
    steadied = steady(iter(coming.popleft, None), ahead=0)
    shot, level = None, 0.0
    due = known = -math.inf  # when the frame before was done, and when one with news was taken
    for frame in frames:
        begun = time.perf_counter()
        image = open_image(io.BytesIO(frame.jpeg))
        is_near = frame.time - due <= _NEAR and frame.time - known <= _NEWS
        found = net.find(image) if is_near else net.find_now(image)
        coming.append((image, found))
        steadily, its_shot = next(steadied)
        if found is None and its_shot != shot:  # after a cut there is nothing to move along
            found = net.find_now(image)
            coming.append((image, found))
            steadily, its_shot = next(steadied)
        known = known if found is None else frame.time
        own = certainty(steadily)
        level = own if its_shot != shot else level + _FOLLOWS * (own - level)
        shot = its_shot
        mask = finish(image, steadily, certainty=level)
        due = max(due, frame.time) + time.perf_counter() - begun
        yield LiveMask(frame.number, mask)


def _look_of(model: "nn.Module", side: int, cores: int) -> Callable[[Image.Image], Mask]:
    """Return the net as a function of a frame, which any thread may call."""
    from u2demo.inference.predict import predict_raw  # loads torch: the page comes first
    from u2demo.nets.threads import use_threads  # loads torch: the page comes first

    def look(image: Image.Image) -> Mask:
        with use_threads(cores):
            return predict_raw(model, image, side=side)

    return look


def _side(model: "nn.Module") -> int:
    from u2demo.inference.preprocess import input_of  # loads torch: the page comes first
    from u2demo.inference.views import placement  # loads torch: the page comes first

    share = _SHARE_ON_CPU if placement(model)[0].type == "cpu" else 1
    return round(input_of(model).side * share)
