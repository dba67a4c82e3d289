"""(net, frames of a clip) -> masks: the net's map of each frame, and the mask that it becomes."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from u2demo.images.rgb import as_rgb, limit_to_alpha
from u2demo.inference.guided import follow_edges
from u2demo.inference.predict import at_once, certainty_of_subject, enlarged, leveled
from u2demo.inference.preprocess import input_of, pixels
from u2demo.inference.recipes import CLIP_QUALITIES, ClipRecipe, check_quality
from u2demo.inference.views import add_up, canvas_step
from u2demo.machine.cores import in_batches
from u2demo.masks.mask import Mask, check_mask

_SIDE = 480  # edges are as fine as in a map of this side: a steady map is that of many frames


class Look(NamedTuple):
    """A frame, and what the net finds in it: (h, w) float32 from 0 to 1, of the frame's shape."""

    image: Image.Image
    found: Mask


def look(
    model: nn.Module, frames: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Look]:
    """Return an iterator over the net's map of each frame, in order, computed on demand.

    ``quality``: "fast" looks at a frame once, and up to four times if that shows no clear subject,
    at most twice on average over the clip. "best" takes up to four looks at a frame, 2.5 on
    average: the whole frame, the subject alone, upside down, and a fourth where these disagree.

    The net takes ``at_once(model)`` frames at a time, and no others are kept: one on a CPU, so that
    a map comes before the next frame is asked for.

    Raises:
        ValueError: ``quality`` is unknown, or the net returned anything but a map; see
            ``predict_mask``.
        TypeError: ``frames`` is one image, one of them is not an image, or ``model`` is not a net.
    """
    check_quality(quality)
    if isinstance(frames, Image.Image) or not isinstance(frames, Iterable):
        raise TypeError(f"frames is {frames!r:.80}, expected a list of images or another iterable")
    return _looks(model, iter(frames), CLIP_QUALITIES[quality])


def reduced(model: nn.Module, frame: Image.Image, *, quality: str = "fast") -> Image.Image:
    """Return as small a copy of a frame as ``look`` needs to find the same in it.

    Where "fast" looks closer because it is in doubt, it sees the copy's detail.

    Raises:
        ValueError: ``quality`` is unknown.
        TypeError: ``frame`` is not an image, or ``model`` is not a net.
    """
    check_quality(quality)
    if any(view.zoomed and not view.in_doubt for view in CLIP_QUALITIES[quality].views):
        return frame
    return as_rgb(frame).reduce(canvas_step(frame.size, input_of(model).side))


def certainty(found: Mask) -> float:
    """Return how certain the net is of a map's subject, from 0 to 1: nearly the highest value."""
    check_mask(found)
    if not found.size:
        raise ValueError(f"the map is {found.shape}, expected one with pixels")
    return certainty_of_subject(_tensor(found))


@torch.inference_mode()
def finish(image: Image.Image, found: Mask, *, certainty: float, quality: str = "fast") -> Mask:
    """Return the mask of a frame, (H, W) float32 in [0, 1], made of its steady map.

    ``certainty`` is the net's of its subject; one for all frames of a shot keeps their masks from
    flickering. ``quality`` is that of the look. Where the frame is transparent, the mask is at most
    its alpha.

    ``found`` may have any size; it is taken to be as fine as a map of 480 x 480 pixels, because a
    steady map comes from several frames.

    Raises:
        ValueError: ``found`` is not a map, or ``quality`` is unknown.
        TypeError: ``image`` is not an image.
    """
    check_quality(quality)
    check_mask(found)
    canvas = as_rgb(image).reduce(canvas_step(image.size, _SIDE))
    on_canvas = F.interpolate(_tensor(found), canvas.size[::-1], mode="bilinear", antialias=True)
    saliency = follow_edges(on_canvas, pixels(canvas.convert("L")) / 255, side=_SIDE)
    mask = leveled(saliency, CLIP_QUALITIES[quality].levels, certainty)
    return limit_to_alpha(enlarged(mask, image.size), image)


def _looks(model: nn.Module, frames: Iterator[Image.Image], recipe: ClipRecipe) -> Iterator[Look]:
    budget = 0.0  # looks that may be spent
    for batch in in_batches(frames, at_once(model)):
        most = []
        for _ in batch:
            budget += recipe.passes
            most.append(min(int(budget), len(recipe.views)))
            budget -= most[-1]
        photos = add_up(model, batch, recipe.views, most=most)
        budget += sum(most) - sum(len(photo.shown) for photo in photos)
        for image, photo in zip(batch, photos, strict=True):
            yield Look(image, photo.mean()[0, 0].clamp(0, 1).numpy())


def _tensor(found: Mask) -> Tensor:
    """Return a copy, because PyTorch takes no array that is mirrored or read-only."""
    return torch.from_numpy(np.array(found, order="C"))[None, None]
