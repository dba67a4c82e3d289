"""(net, image) -> mask: the only place where images and masks are tensors."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from u2demo.edges import refine_mask
from u2demo.guided import follow_edges
from u2demo.masks import Box, Mask, bounding_box
from u2demo.recipes import QUALITIES, SIZE, Recipe, View, view_size

_CANVAS = 1024  # pixels; the longer side of what views are added up on is at most as long
_CLOSE = 0.5  # of the photo's area; zooming in on more than that shows the net little new
_MARGIN = 0.2  # around the subject, of its longer side, when zoomed on
_SALIENT = 0.3  # of the map's maximum; pixels above are the subject, as far as levels go
_TYPICAL = 0.7  # the quantile of theirs that is its level; more than half, for its edge is low
_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]  # ImageNet's, as in data_loader.py
_STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]

_Crop = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def predict_mask(model: nn.Module, image: Image.Image, *, quality: str = "fast") -> Mask:
    """Return how much each pixel of ``image`` belongs to the subject: (H, W) float32 in [0, 1].

    ``quality``: "fast" looks at the photo once, "best" up to six times (see ``recipes``). A photo
    without a subject, such as a black or an even one, gives a mask near 0, never NaN.
    """
    return next(predict_masks(model, [image], quality=quality))


def predict_masks(
    model: nn.Module, images: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Mask]:
    """Return the mask of each image in turn, made when it is asked for; see ``predict_mask``."""
    if quality not in QUALITIES:
        raise ValueError(f"no quality {quality!r}; choose {' or '.join(QUALITIES)}")
    return (_predict(model, image, QUALITIES[quality]) for image in images)


def predict_raw(model: nn.Module, image: Image.Image, *, side: int) -> Mask:
    """Return the net's own map of the photo squeezed to a square: (side, side) float32, [0, 1]."""
    return _run(model, _to_tensor(image, (side, side)))[0, 0].numpy()


def network_input(image: Image.Image) -> NDArray[np.float32]:
    """Return ``image`` as the net sees it, shape (1, 3, SIZE, SIZE): squeezed and normalized."""
    return _to_tensor(image).numpy()


@torch.inference_mode()
def predict_maps(model: nn.Module, image: Image.Image) -> NDArray[np.float32]:
    """Return the net's seven maps, shape (7, SIZE, SIZE): the fused one, then fine to coarse."""
    maps = model(_to_tensor(image).to(next(model.parameters()).device))
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


def fingerprint(model: nn.Module) -> str:
    """Return eight characters that differ between nets with different weights."""
    checksum = 0
    for parameter in model.state_dict().values():
        checksum = zlib.crc32(parameter.float().cpu().numpy().tobytes(), checksum)
    return f"{checksum:08x}"


@torch.inference_mode()
def _predict(model: nn.Module, image: Image.Image, recipe: Recipe) -> Mask:
    image = image if image.mode == "RGB" else image.convert("RGB")
    canvas = image.reduce(-(-max(image.size) // _CANVAS))
    saliency = _mean_saliency(model, image, canvas, recipe.views)
    saliency = follow_edges(saliency, _pixels(canvas.convert("L")) / 255)
    mask = _to_mask(_set_levels(saliency, recipe), image.size)
    return refine_mask(image, mask) if recipe.refined else mask


def _set_levels(saliency: Tensor, recipe: Recipe) -> Tensor:
    """Return the map with the recipe's levels, in parts of the subject's own, made 0 and 1.

    The net gives one subject 0.95 all over and another 0.6, and neither is half transparent. What
    it does not give one half, it has hardly found: that is not lifted, so that it stays faint.
    """
    some = saliency[..., ::4, ::4]  # enough for a statistic
    level = float(some[some >= _SALIENT * some.max()].quantile(_TYPICAL))
    level = max(level, 1 - 2 * level**2)
    return ((saliency / level - recipe.black) / (recipe.white - recipe.black)).clamp(0, 1)


def _mean_saliency(
    model: nn.Module, image: Image.Image, canvas: Image.Image, views: tuple[View, ...]
) -> Tensor:  # (1, 1, H, W) of the canvas, which is the whole image made small
    total, count = torch.zeros(2, 1, 1, canvas.height, canvas.width)
    x, y = image.width / canvas.width, image.height / canvas.height
    for view in views:
        box = _surroundings(total / count) if view.zoomed else Box(0, 0, *canvas.size)
        if box is None:
            continue
        area = (..., slice(box.top, box.bottom), slice(box.left, box.right))
        crop = (box.left * x, box.top * y, box.right * x, box.bottom * y)
        shown = _look(model, image, crop, view) if view.zoomed else _look(model, canvas, box, view)
        total[area] += _fit(shown, total[area].shape[2:])
        count[area] += 1
    return total / count


def _look(model: nn.Module, image: Image.Image, crop: _Crop, view: View) -> Tensor:
    """Return the net's map (1, 1, h, w) of a part of the image, the right way round again."""
    left, top, right, bottom = crop
    size = view_size(view, (right - left) / (bottom - top))
    turned = [axis for axis, turn in ((2, view.upside_down), (3, view.mirrored)) if turn]
    return _run(model, _to_tensor(image, size, crop).flip(turned)).flip(turned)


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


def _to_tensor(
    image: Image.Image, size: tuple[int, int] = (SIZE, SIZE), crop: _Crop | None = None
) -> Tensor:  # (1, 3, height, width)
    """Return what the net expects: RGB over the photo's maximum, minus the mean, over the std.

    Sampled bilinearly as the authors do; what is more than halved is averaged over areas, which
    is the same at a half and keeps fine texture from turning into patterns.
    """
    image = image if image.mode == "RGB" else image.convert("RGB")
    crop = crop or (0, 0, *image.size)
    have = round(crop[2] - crop[0]), round(crop[3] - crop[1])
    near = [want if n > 2 * want else max(1, n) for n, want in zip(have, size, strict=True)]
    pixels = _pixels(_shrink(image, near, crop))
    pixels = F.interpolate(pixels, size[::-1], mode="bilinear", align_corners=False)
    pixels /= pixels.max().clamp(min=1)  # a black photo stays black
    return (pixels - _MEAN) / _STD


def _shrink(image: Image.Image, size: list[int], crop: _Crop | None = None) -> Image.Image:
    return image.resize(size, Image.Resampling.BOX, crop, reducing_gap=2.0)


def _pixels(image: Image.Image) -> Tensor:  # (1, bands, height, width), 0 to 255
    values = np.atleast_3d(np.asarray(image, np.float32))
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]


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
