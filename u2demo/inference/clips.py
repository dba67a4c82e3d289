"""(net, frames of a clip) -> masks: the net's map of each frame, and the mask that it becomes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from u2demo.images.rgb import as_rgb, limit_to_alpha
from u2demo.inference.guided import follow_edges
from u2demo.inference.predict import at_once, leveled, salience_of_subject
from u2demo.inference.preprocess import input_of, pixels, to_tensor
from u2demo.inference.recipes import QUALITIES, check_quality
from u2demo.inference.views import canvas_step, run_all
from u2demo.masks.edges import refine_in_place
from u2demo.masks.mask import Mask, check_mask


class Look(NamedTuple):
    """A frame, and the net's map of it, squeezed to a square: (side, side) float32, 0 to 1."""

    image: Image.Image
    found: Mask


def look(
    model: nn.Module, frames: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Look]:
    """Return an iterator over the net's map of each frame, in order, computed on demand.

    The net takes ``at_once(model)`` frames at a time, and no others are kept: one on a CPU, so that
    a map comes before the next frame is asked for.

    Raises:
        ValueError: ``quality`` is unknown, or the net returned anything but a map; see
            ``predict_mask``.
        TypeError: ``frames`` is one image, one of them is not an image, or ``model`` is not a net.
    """
    check_quality(quality)
    if isinstance(frames, Image.Image) or not isinstance(frames, Iterable):
        raise TypeError(f"frames is {frames!r:.80}, expected several, such as a clip's")
    return _looks(model, iter(frames))


def salience(found: Mask) -> float:
    """Return how salient the subject of a map is, from 0 to 1: nearly the highest value in it."""
    check_mask(found)
    return salience_of_subject(torch.from_numpy(found)[None, None])


@torch.inference_mode()
def finish(image: Image.Image, found: Mask, *, salience: float, quality: str = "fast") -> Mask:
    """Return the mask of a frame, (H, W) float32 in [0, 1], made of a map of any size.

    ``salience`` is that of the clip's subject. One for all frames of a shot keeps their masks from
    flickering. Where the frame is transparent, the mask is at most its alpha.

    Raises:
        ValueError: ``found`` is not a map, or ``quality`` is unknown.
        TypeError: ``image`` is not an image.
    """
    check_quality(quality)
    check_mask(found)
    recipe = QUALITIES[quality]
    side = round(found.size**0.5)
    canvas = as_rgb(image).reduce(canvas_step(image.size, side))
    saliency = follow_edges(_enlarged(found, canvas), _gray(canvas), side=side)
    mask = leveled(saliency, recipe.levels, salience, image.size)
    if recipe.refined:
        refine_in_place(as_rgb(image), mask, levels=recipe.refined, side=side)
    return limit_to_alpha(mask, image)


def _looks(model: nn.Module, frames: Iterator[Image.Image]) -> Iterator[Look]:
    wanted = input_of(model)
    count = at_once(model)
    batch = list(islice(frames, count))
    while batch:
        maps = run_all(model, [to_tensor(image, wanted) for image in batch])
        for image, found in zip(batch, maps, strict=True):
            yield Look(image, found[0, 0].numpy())
        batch = list(islice(frames, count))


def _enlarged(found: Mask, canvas: Image.Image) -> Tensor:
    saliency = torch.from_numpy(found)[None, None]
    return F.interpolate(saliency, canvas.size[::-1], mode="bilinear", antialias=True)


def _gray(canvas: Image.Image) -> Tensor:
    return pixels(canvas.convert("L")) / 255
