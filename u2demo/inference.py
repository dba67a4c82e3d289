"""(net, image) -> mask: the only place where images and masks are tensors."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from u2demo.edges import SURE_BACKGROUND, refine_in_place
from u2demo.guided import follow_edges
from u2demo.masks import Box, Mask, bounding_box
from u2demo.preprocess import Crop, pixels, to_tensor
from u2demo.recipes import QUALITIES, Recipe, View, view_size

_CANVAS = 1024  # pixels; the longer side of what views are added up on is at most as long
_CLOSE = 0.5  # of the photo's area; zooming in on more than that shows the net little new
_MARGIN = 0.2  # around the subject, of its longer side, when zoomed on
_SALIENT = 0.3  # of the map's maximum; pixels above are the subject, as far as levels go
_HESITANT = 0.5  # salience of what a view shows; views below it have found nothing to go by
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
    """
    return next(predict_masks(model, [image], quality=quality))


def predict_masks(
    model: nn.Module, images: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Mask]:
    """Return the mask of each image in turn, made when it is asked for; see ``predict_mask``."""
    return (prediction.mask for prediction in predict(model, images, quality=quality))


def predict(
    model: nn.Module, images: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Prediction]:
    """Return what the net says of each image in turn; see ``predict_mask``."""
    if quality not in QUALITIES:
        raise ValueError(f"no quality {quality!r}; choose {' or '.join(QUALITIES)}")
    return (_predict(model, image, QUALITIES[quality]) for image in images)


def predict_raw(model: nn.Module, image: Image.Image, *, side: int) -> Mask:
    """Return the net's own map of the photo squeezed to a square: (side, side) float32, [0, 1]."""
    return _run(model, to_tensor(image, (side, side)))[0, 0].numpy()


def network_input(image: Image.Image) -> NDArray[np.float32]:
    """Return ``image`` as the net sees it, shape (1, 3, SIZE, SIZE): squeezed and normalized."""
    return to_tensor(image).numpy()


@torch.inference_mode()
def predict_maps(model: nn.Module, image: Image.Image) -> NDArray[np.float32]:
    """Return the net's seven maps, shape (7, SIZE, SIZE): the fused one, then fine to coarse."""
    maps = model(to_tensor(image).to(next(model.parameters()).device))
    return torch.cat(maps)[:, 0].float().cpu().numpy()


@contextmanager
def share_cores(workers: int) -> Iterator[None]:
    """Give each of ``workers`` threads that run a net its share of the processor's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def _predict(model: nn.Module, image: Image.Image, recipe: Recipe) -> Prediction:
    image = image if image.mode == "RGB" else image.convert("RGB")
    canvas = image.reduce(-(-max(image.size) // _CANVAS))
    saliency = _mean_saliency(model, image, canvas, recipe.views)
    peak = min(1.0, float(saliency.max()))  # interpolation may round up
    saliency = follow_edges(saliency, pixels(canvas.convert("L")) / 255)
    if not recipe.refined:
        return Prediction(_to_mask(_set_levels(saliency, recipe), image.size), peak)
    mask = _to_mask(_set_levels(saliency, recipe._replace(black=0, white=_SOLID)), image.size)
    refine_in_place(image, mask, recipe.black / _SOLID, recipe.white / _SOLID)
    return Prediction(mask, peak)


def _set_levels(saliency: Tensor, recipe: Recipe) -> Tensor:
    """Return the map with the recipe's levels, in parts of the subject's own, made 0 and 1.

    The net gives one subject 0.95 all over and another 0.6, and neither is half transparent. What
    it does not give one half, it has hardly found: that is not lifted, so that it stays faint.
    """
    some = saliency[..., ::4, ::4]  # enough for a statistic
    level = float(some[some >= _SALIENT * some.max()].quantile(_TYPICAL))
    level = max(level, 1 - 2 * level**2)
    part = (saliency / level - recipe.black) / (recipe.white - recipe.black)
    return part.clamp(0, 1) * (part > SURE_BACKGROUND)  # no veil


def _mean_saliency(
    model: nn.Module, image: Image.Image, canvas: Image.Image, views: tuple[View, ...]
) -> Tensor:  # (1, 1, H, W) of the canvas, which is the whole image made small
    total, weights = torch.zeros(2, 1, 1, canvas.height, canvas.width)
    x, y = image.width / canvas.width, image.height / canvas.height
    for view in views:
        box = _surroundings(total / weights) if view.zoomed else Box(0, 0, *canvas.size)
        if box is None:
            continue
        area = (..., slice(box.top, box.bottom), slice(box.left, box.right))
        crop = (box.left * x, box.top * y, box.right * x, box.bottom * y)
        shown = _look(model, image, crop, view) if view.zoomed else _look(model, canvas, box, view)
        weight = _certainty(shown)
        total[area] += weight * _fit(shown, total[area].shape[2:])
        weights[area] += weight
    return total / weights


def _certainty(saliency: Tensor) -> float:
    """Return how much a view counts: how salient it shows what it shows, to the fourth power.

    A view in which the net recognizes the subject outvotes several in which it hesitates; where it
    hesitates in all of them, as before an empty wall, none outvotes the others.
    """
    found = float((saliency**2).sum() / saliency.sum().clamp(min=1e-6))
    return max(found, _HESITANT) ** 4


def _look(model: nn.Module, image: Image.Image, crop: Crop, view: View) -> Tensor:
    """Return the net's map (1, 1, h, w) of a part of the image, the right way round again."""
    left, top, right, bottom = crop
    size = view_size(view, (right - left) / (bottom - top))
    turned = [axis for axis, turn in ((2, view.upside_down), (3, view.mirrored)) if turn]
    return _run(model, to_tensor(image, size, crop).flip(turned)).flip(turned)


def _surroundings(saliency: Tensor) -> Box | None:
    """Return the box around what is salient, with a margin; None where zooming brings little."""
    height, width = saliency.shape[2:]
    box = bounding_box(saliency[0, 0].numpy(), threshold=0.5 * float(saliency.max()))
    if box is None:
        return None
    margin = round(_MARGIN * max(box.right - box.left, box.bottom - box.top))
    left, top = max(0, box.left - margin), max(0, box.top - margin)
    right, bottom = min(width, box.right + margin), min(height, box.bottom + margin)
    small = (right - left) * (bottom - top) < _CLOSE * width * height
    return Box(left, top, right, bottom) if small else None


@torch.inference_mode()
def _run(model: nn.Module, batch: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, 1, H, W)
    device = next(model.parameters()).device
    half = _fast_half(device.type)
    with torch.autocast(device.type, half) if half else nullcontext():
        saliency = model(batch.to(device))[0].float().cpu()
    if saliency.isnan().any():
        raise ValueError("the net's answer is not a number: its weights are damaged")
    return saliency


@cache
def _fast_half(device: str) -> torch.dtype | None:
    """Return the 16-bit type that ``device`` is much faster with than with float32, if any."""
    if device == "cuda":
        return torch.float16
    processor = getattr(torch.cpu, "get_capabilities", dict)()  # PyTorch 2.11 and later know
    native = processor.get("avx512_bf16") or processor.get("amx_bf16")
    return torch.bfloat16 if device == "cpu" and native else None


def _to_mask(saliency: Tensor, size: tuple[int, int]) -> Mask:
    return F.interpolate(saliency.clamp(0, 1), size[::-1], mode="bilinear")[0, 0].numpy()


def _fit(maps: Tensor, size: tuple[int, int]) -> Tensor:  # (1, 1, h, w) -> (1, 1, *size)
    return F.interpolate(maps, size, mode="bilinear", antialias=True)
