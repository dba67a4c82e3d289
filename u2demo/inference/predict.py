"""(net, image) -> mask: what the views of a photo say, made a mask."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from u2demo.inference.guided import follow_edges
from u2demo.inference.preprocess import pixels, to_tensor
from u2demo.inference.recipes import QUALITIES, Recipe, check_quality
from u2demo.inference.views import Sum, add_up, placement, run
from u2demo.masks.edges import SURE_BACKGROUND, refine_in_place
from u2demo.masks.mask import Mask
from u2demo.nets.threads import use_threads

_AT_ONCE = {"cuda": 8}  # photos; a CPU gains nothing from more than one
_SALIENT = 0.3  # of the map's maximum; pixels above are the subject, as far as levels go
_SOLID = 0.9  # of the subject's level; above it, not even its colors make a pixel background
_TYPICAL = 0.7  # the quantile of theirs that is its level; more than half, for its edge is low


class Prediction(NamedTuple):
    """A mask, and the highest probability, 0 to 1, that the net gave a pixel of the photo."""

    mask: Mask
    peak: float


def predict_mask(model: nn.Module, image: Image.Image, *, quality: str = "fast") -> Mask:
    """Return how much each pixel of ``image`` belongs to the subject: (H, W) float32 in [0, 1].

    ``quality``: "fast" looks at the photo once, "best" up to eight times (see ``recipes``). A photo
    without a subject, such as a black or an even one, gives a mask near 0, never NaN.

    Raises:
        ValueError: there is no such ``quality``, the image has no pixels, or the net's first map
            is none, from 0 to 1.
        TypeError: ``image`` is no image, or ``model`` no net.
    """
    return next(predict_masks(model, [image], quality=quality))


def predict_masks(
    model: nn.Module, images: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Mask]:
    """Return the mask of each image in turn, made when it is asked for; see ``predict_mask``.

    A GPU takes eight images at a time, a CPU one.
    """
    return (prediction.mask for prediction in predict(model, images, quality=quality))


def predict(
    model: nn.Module, images: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Prediction]:
    """Return what the net says of each image in turn; see ``predict_mask``."""
    check_quality(quality)
    return _predict_in_batches(model, iter(images), QUALITIES[quality])


def predict_raw(model: nn.Module, image: Image.Image, *, side: int) -> Mask:
    """Return the net's own map of the photo squeezed to a square: (side, side) float32, [0, 1]."""
    return run(model, to_tensor(image, (side, side)))[0, 0].numpy()


def network_input(image: Image.Image) -> NDArray[np.float32]:
    """Return ``image`` as the net sees it, shape (1, 3, SIZE, SIZE): squeezed and normalized."""
    return to_tensor(image).numpy()


@torch.inference_mode()
def predict_maps(model: nn.Module, image: Image.Image) -> NDArray[np.float32]:
    """Return the net's seven maps, shape (7, SIZE, SIZE): the fused one, then fine to coarse."""
    maps = model(to_tensor(image).to(*placement(model)))
    return torch.cat(maps)[:, 0].float().cpu().numpy()


def at_once(model: nn.Module) -> int:
    """Return how many photos the net takes at a time on the device that it is on."""
    return _AT_ONCE.get(placement(model)[0].type, 1)


def share_cores(workers: int) -> AbstractContextManager[None]:
    """Give each of ``workers`` threads that run a net its share of the processor's cores."""
    return use_threads(max(1, torch.get_num_threads() // workers))


def _predict_in_batches(
    model: nn.Module, images: Iterator[Image.Image], recipe: Recipe
) -> Iterator[Prediction]:
    while batch := list(islice(images, at_once(model))):
        yield from [_finish(photo, recipe) for photo in add_up(model, batch, recipe.views)]


@torch.inference_mode()
def _finish(photo: Sum, recipe: Recipe) -> Prediction:
    saliency, size = photo.mean(), photo.image.size
    peak = min(1.0, float(saliency.max()))  # interpolation may round up
    saliency = follow_edges(saliency, pixels(photo.canvas.convert("L")) / 255)
    if not recipe.refined:
        return Prediction(_to_mask(_set_levels(saliency, recipe), size), peak)
    mask = _to_mask(_set_levels(saliency, recipe._replace(black=0, white=_SOLID)), size)
    refine_in_place(photo.image, mask, recipe.black / _SOLID, recipe.white / _SOLID)
    return Prediction(mask, peak)


def _set_levels(saliency: Tensor, recipe: Recipe) -> Tensor:
    """Return the map with the recipe's levels, in parts of the subject's own, made 0 and 1.

    The net gives one subject 0.95 all over and another 0.6, and neither is half transparent. What
    it does not give one half, it has hardly found: that is not lifted, so that it stays faint.
    The surer it is of a subject, the less is left of the haze around it.
    """
    some = saliency[..., ::4, ::4].clamp(min=0)  # enough for a statistic
    found = float(some[some >= _SALIENT * some.max()].quantile(_TYPICAL))
    level = max(found, 1 - 2 * found**2)
    part = ((saliency / level - recipe.black) / (recipe.white - recipe.black)).clamp(0, 1)
    if recipe.haze:
        part *= (part / recipe.haze).clamp(max=1) ** (found**4 / 2)
    return part * (part > SURE_BACKGROUND)  # no veil


def _to_mask(saliency: Tensor, size: tuple[int, int]) -> Mask:
    return F.interpolate(saliency.clamp(0, 1), size[::-1], mode="bilinear")[0, 0].numpy()
