"""(net, photos) -> mean maps: the net's maps of all views of a photo, averaged."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from u2demo.images.rgb import as_rgb
from u2demo.inference.preprocess import input_of, to_tensor
from u2demo.inference.recipes import View, suited, view_size
from u2demo.machine.cores import on_all_cores
from u2demo.masks.box import Box, box_around, widen
from u2demo.masks.mask import has_clear_subject
from u2demo.nets.checkpoints import Input
from u2demo.nets.device import fast_half, is_autocast_on
from u2demo.nets.threads import make_forks_safe

_CANVAS = 1024  # pixels; longest side of the canvas for adding views, unless the net would see less
_LONGEST = 16  # longest side of a panorama's canvas, as a multiple of the net's side
_CLOSE = 0.5  # of the photo's area; zooming in on more than that shows the net little new
_MARGIN = 0.2  # around the subject when zooming in, as a share of its longer side
_DOUBT = 0.05  # share on which two maps differ; below it, more views hardly change a mask
# Layers that, in training, change with each photo or answer at random.
_STATEFUL = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)
_HESITANT = 0.5  # certainty below which a view has found nothing to go by
_NOTHING = 0.15  # of a map's maximum: an even color gives up to 0.06, of 416 photos the least 0.38


class MeanMap:
    """The maps of a photo's views so far, added up on ``canvas``, a small copy of the photo."""

    def __init__(self, image: Image.Image, wanted: Input):
        self.image = as_rgb(image)
        self.canvas = self.image.reduce(canvas_step(self.image.size, wanted.side))
        self.shown: set[View] = set()
        self.doubt = 0.0  # the largest difference of a view from the mean before it
        self._wanted = wanted
        shape = (1, 1, self.canvas.height, self.canvas.width)
        # The device is named, and so is the type, because the host may have set others.
        self._total = torch.zeros(shape, dtype=torch.float32, device="cpu")
        self._weights = torch.zeros(shape, dtype=torch.float32, device="cpu")

    def mean(self) -> Tensor:  # (1, 1, H, W) of the canvas
        """Return the mean of the maps added so far, weighted by their certainty."""
        return self._total / self._weights

    def area(self, view: View) -> Box | None:
        """Return the part of the canvas that the view shows, None if it would show little new."""
        if view in self.shown:
            return None
        # On a blank page, no other view would find more.
        if (view.in_doubt or view.zoomed) and not self._shows_anything():
            return None
        if view.in_doubt and not self._is_in_doubt():
            return None
        if view.zoomed:
            return _surroundings(self.mean())
        return Box(0, 0, *self.canvas.size)

    def _shows_anything(self) -> bool:
        return float(self.mean().max()) > _NOTHING

    def _is_in_doubt(self) -> bool:
        if len(self.shown) == 1:  # there is no other to disagree with
            return not has_clear_subject(self.mean()[0, 0].numpy())
        return self.doubt >= _DOUBT

    def input_for(self, view: View, area: Box) -> Tensor:  # (1, 3, h, w)
        """Return the net's input for that area."""
        proportion = area.width / area.height
        size = view_size(view, self._wanted.side, proportion)
        if view.zoomed:
            x, y = self.image.width / self.canvas.width, self.image.height / self.canvas.height
            crop = (area.left * x, area.top * y, area.right * x, area.bottom * y)
            shown = to_tensor(self.image, self._wanted, size=size, crop=crop)
        else:
            shown = to_tensor(self.canvas, self._wanted, size=size)
        return shown.flip(_turned(view))

    def add(self, view: View, area: Box, saliency: Tensor) -> None:
        """Add ``saliency``, the net's map of ``input_for`` this view and area."""
        rows, columns = slice(area.top, area.bottom), slice(area.left, area.right)
        total, weights = self._total[..., rows, columns], self._weights[..., rows, columns]
        upright = saliency.flip(_turned(view))
        here = F.interpolate(upright, total.shape[2:], mode="bilinear", antialias=True)
        self.doubt = max(self.doubt, _difference(here * weights, total))
        weight = _weight(saliency)
        total += weight * here
        weights += weight
        self.shown.add(view)


@torch.inference_mode()
def add_up(
    model: nn.Module,
    images: Sequence[Image.Image],
    views: Sequence[View],
    *,
    most: Sequence[int] | None = None,
) -> list[MeanMap]:
    """Return, for each image, the sum of all views that have something to show, each once.

    ``most`` says how many views each image may have, by default all.
    """
    most = most or [len(views)] * len(images)
    wanted = input_of(model)
    views = suited(views, wanted)
    sums = on_all_cores(lambda image: MeanMap(image, wanted), images)
    for view in views:
        pending = []
        for photo, limit in zip(sums, most, strict=True):
            area = photo.area(view) if len(photo.shown) < limit else None
            if area:
                pending.append((photo, area))
        shown = on_all_cores(partial(_input_for, view), pending)
        maps = _run_all(model, shown)
        for (photo, area), saliency in zip(pending, maps, strict=True):
            photo.add(view, area, saliency)
    return sums


def _input_for(view: View, pending: tuple[MeanMap, Box]) -> Tensor:
    photo, area = pending
    return photo.input_for(view, area)


def canvas_step(size: tuple[int, int], side: int) -> int:
    """Return how many pixels of the photo, in each direction, become one pixel of the canvas.

    The canvas has at least ``side`` pixels along its shorter side, if the photo has them; only a
    panorama more than ``_LONGEST`` times as long as it is high has fewer.
    """
    small_enough = math.ceil(max(size) / _CANVAS)
    all_seen = max(1, min(size) // side)
    needed = math.ceil(max(size) / (_LONGEST * side))
    return max(min(small_enough, all_seen), needed)


def _run_all(model: nn.Module, shown: Sequence[Tensor]) -> list[Tensor]:
    """Return the net's map (1, 1, h, w) of each tensor; tensors of one size share a batch."""
    numbers: dict[torch.Size, list[int]] = {}
    for number, tensor in enumerate(shown):
        numbers.setdefault(tensor.shape, []).append(number)
    maps: dict[int, Tensor] = {}
    for alike in numbers.values():
        found = run(model, torch.cat([shown[number] for number in alike]))
        low, high = map(float, found.aminmax())
        if low < 0 or high > 1:
            raise ValueError(
                f"the net's map goes from {low:g} to {high:g}, expected 0 to 1; add a sigmoid"
            )
        maps.update(zip(alike, found.split(1), strict=True))
    return [maps[number] for number in range(len(shown))]


@torch.inference_mode()
def run(model: nn.Module, batch: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, 1, H, W)
    """Return the net's first map, float32 on the CPU, computed in the type best for its device."""
    make_forks_safe()
    device, own = placement(model)
    half = fast_half(device.type) if own == torch.float32 else None  # its owner chose other types
    if device.type == "cuda":
        batch = batch.pin_memory()  # so that it is copied while the GPU is at another batch
    types = [half, None] if half else [None]  # some GPUs, such as GTX 16xx, give NaN for any half
    for dtype in types:
        with _autocast(device.type, dtype):
            answer = model(batch.to(device, own, non_blocking=True))
        saliency = _first_map(answer, len(batch)).float().cpu()
        if not saliency.isnan().any():
            return saliency
    raise ValueError("the net returned NaN, expected 0 to 1: its weights are damaged")


def _autocast(device: str, dtype: torch.dtype | None) -> AbstractContextManager:
    """Return a context of 16-bit computation, or without one even if the host has one."""
    if dtype is None and not is_autocast_on(device):
        return nullcontext()
    return torch.autocast(device, dtype, enabled=dtype is not None)


def placement(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Return the device and type of the net's weights; CPU and float32 if it has none."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"expected a net, as from load_model, not {type(model).__name__}")
    if any(layer.training and isinstance(layer, _STATEFUL) for layer in model.modules()):
        raise ValueError("the net is in training mode, expected one after model.eval()")
    for weight in model.parameters():
        if weight.is_meta:
            raise ValueError("the net has shapes but no weights, expected one as from load_model")
        if weight.is_floating_point():
            return weight.device, weight.dtype
    return torch.device("cpu"), torch.float32


def _first_map(answer: object, count: int) -> Tensor:
    """Return the first map of the net's answer; nothing else is required of a net of your own."""
    first = answer[0] if isinstance(answer, tuple | list) and answer else None
    if isinstance(first, Tensor) and first.ndim == 4 and first.shape[:2] == (count, 1):
        return first
    what = type(answer).__name__
    if isinstance(first, Tensor):
        what = f"a {what} that begins with a tensor of shape {tuple(first.shape)}"
    raise ValueError(
        f"the net returned {what}; expected a tuple whose first element is the map, a tensor of"
        f" shape ({count}, 1, height, width) from 0 to 1"
    )


def _turned(view: View) -> list[int]:
    """Return the axes along which the view is flipped, and its map flipped back."""
    return [axis for axis, turn in ((2, view.upside_down), (3, view.mirrored)) if turn]


def _weight(saliency: Tensor) -> float:
    """Return what a view counts: the net's certainty of what it shows, to the fourth power.

    One view in which the net recognizes the subject outvotes several in which it hesitates. Where
    it hesitates in all of them, as with an empty wall, no view outvotes the others.
    """
    certainty = float((saliency**2).sum() / saliency.sum().clamp(min=1e-6))
    return max(certainty, _HESITANT) ** 4


def _difference(one: Tensor, other: Tensor) -> float:
    """Return the share on which two maps differ, of what they find together, from 0 to 1."""
    return float((one - other).abs().sum() / (one + other).sum().clamp(min=1e-6))


def _surroundings(saliency: Tensor) -> Box | None:
    """Return the box around the salient pixels, with a margin; None if zooming gains little."""
    height, width = saliency.shape[2:]
    salient = saliency[0, 0] > 0.5 * float(saliency.max())
    box = box_around(salient.numpy())
    if box is None:
        return None
    around = widen(box, _MARGIN, (width, height))
    area = around.width * around.height
    return around if area < _CLOSE * width * height else None
