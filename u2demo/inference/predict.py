"""(net, image) -> mask: the views of a photo, averaged and turned into a mask."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from u2demo.images.rgb import as_photo, limit_to_alpha, part_of
from u2demo.inference.guided import follow_edges
from u2demo.inference.preprocess import input_of, pixels, to_tensor
from u2demo.inference.recipes import QUALITIES, Recipe, check_quality
from u2demo.inference.settle import settle
from u2demo.inference.views import MeanMap, add_up, placement, run
from u2demo.machine.cores import in_batches, on_all_cores
from u2demo.masks.box import Box, check_box, widen
from u2demo.masks.edges import refine_in_place
from u2demo.masks.levels import Levels
from u2demo.masks.mask import Mask, confidence_in, has_clear_subject
from u2demo.nets.checkpoints import Input
from u2demo.nets.threads import use_threads

_AT_ONCE = {"cuda": 8}  # photos of 320x320 pixels; a CPU gains nothing from more than one
_SALIENT = 0.3  # share of the map's maximum above which pixels count as the subject, for levels
_TYPICAL = 0.7  # quantile of these pixels that is the subject's level; above half: edges are low
_AROUND = 0.2  # of a box's longer side: what the net sees around it; with 0 it finds less
_U2NET = Input()


class Prediction(NamedTuple):
    """A mask, and how decided the net was about its subject, 0 to 1: see ``confidence_in``.

    Where a person has shown the subject, ``confidence`` is 1.
    """

    mask: Mask
    confidence: float


def predict_mask(
    model: nn.Module, image: Image.Image, *, quality: str = "fast", within: Box | None = None
) -> Mask:
    """Return how much each pixel of ``image`` belongs to the subject: (H, W) float32 in [0, 1].

    ``quality``: "best" looks at the photo up to eight times (see ``recipes``); "fast" once, and
    like "best" only if that shows no clear subject. A photo without a subject, such as a black or a
    gray one, gives a mask near 0, never NaN. Where the photo is transparent, the mask is at most
    its alpha.

    ``within`` says where the subject is: the net looks at that part and a little around it, and the
    mask is 0 outside the box.

    ``model`` is a net from ``load_model`` or one of your own. It takes a float32 tensor
    (B, 3, H, W) and returns a tuple that begins with the map: (B, 1, H, W) from 0 to 1. Its
    attribute ``input``, an ``Input``, says how it wants photos; without one it gets U²-Net's.

    Raises:
        ValueError: ``quality`` is unknown, the image has no pixels, ``within`` is empty or not
            within the photo, ``input`` says no size or color, or the net returned anything but such
            a map.
        TypeError: ``image`` is not an image, ``model`` is not a net, its ``input`` is not an
            ``Input``, or ``within`` is not a ``Box``.
    """
    return next(predict(model, [image], quality=quality, within=[within])).mask


def predict_masks(
    model: nn.Module, images: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Mask]:
    """Return an iterator over the mask of each image, computed on demand; see ``predict_mask``.

    The net takes ``at_once(model)`` images at a time.
    """
    return (prediction.mask for prediction in predict(model, images, quality=quality))


def predict(
    model: nn.Module,
    images: Iterable[Image.Image],
    *,
    quality: str = "fast",
    within: Iterable[Box | None] = (),
) -> Iterator[Prediction]:
    """Return an iterator over the ``Prediction`` for each image; see ``predict_mask``.

    ``within`` has the box in each image. None stands for the whole image, and so does a box that is
    missing at the end.
    """
    check_quality(quality)
    if isinstance(images, Image.Image) or not isinstance(images, Iterable):
        raise TypeError(f"images is {images!r:.80}, expected a list of images or another iterable")
    parts = map(_part, images, chain(within, repeat(None)))
    return _predict_in_batches(model, parts, QUALITIES[quality])


def predict_raw(model: nn.Module, image: Image.Image, *, side: int | None = None) -> Mask:
    """Return the net's own map of the photo squeezed to a square: (side, side) float32, [0, 1].

    ``side`` is by default the side of the net's input.
    """
    wanted = input_of(model)
    side = side or wanted.side
    return run(model, to_tensor(image, wanted, size=(side, side)))[0, 0].numpy()


def network_input(image: Image.Image, wanted: Input = _U2NET) -> NDArray[np.float32]:
    """Return ``image`` as the net sees it, squeezed and normalized: (1, 3, side, side) float32.

    ``wanted`` is the net's ``input``; the default is U²-Net's.
    """
    return to_tensor(image, wanted).numpy()


@torch.inference_mode()
def predict_maps(model: nn.Module, image: Image.Image) -> NDArray[np.float32]:
    """Return all of the net's maps, shape (maps, side, side): U²-Net's fused one, then its six.

    The six go from fine to coarse.
    """
    maps = model(to_tensor(image, input_of(model)).to(*placement(model)))
    return torch.cat(maps)[:, 0].float().cpu().numpy()


def at_once(model: nn.Module) -> int:
    """Return how many photos the net takes at a time: 8 on a GPU, fewer if its input is large."""
    share = min(1, (_U2NET.side / input_of(model).side) ** 2)
    return max(1, int(_AT_ONCE.get(placement(model)[0].type, 1) * share))


def share_cores(workers: int) -> AbstractContextManager[None]:
    """Give each of ``workers`` threads that run a net its share of the processor's cores."""
    return use_threads(max(1, torch.get_num_threads() // workers))


class _Part(NamedTuple):
    """What the net looks at: the photo itself, or ``box`` in it and a little ``around`` that."""

    image: Image.Image
    photo: Image.Image
    box: Box | None
    around: Box | None


def _predict_in_batches(
    model: nn.Module, parts: Iterator[_Part], recipe: Recipe
) -> Iterator[Prediction]:
    for batch in in_batches(parts, at_once(model)):
        found = _look(model, batch, recipe)
        if recipe.if_unclear:
            unclear = [number for number, one in enumerate(found) if not _is_clear(one)]
            again = _look(model, [batch[number] for number in unclear], recipe.if_unclear)
            for number, one in zip(unclear, again, strict=True):
                found[number] = one
        yield from found


def _look(model: nn.Module, parts: Sequence[_Part], recipe: Recipe) -> list[Prediction]:
    sums = add_up(model, [part.image for part in parts], recipe.views)
    finish = partial(_finish_part, recipe=recipe, side=input_of(model).side)
    return on_all_cores(finish, zip(parts, sums, strict=True))


def _is_clear(found: Prediction) -> bool:
    return has_clear_subject(found.mask, confidence=found.confidence)


def _part(photo: Image.Image, box: Box | None) -> _Part:
    if box is None:
        return _Part(photo, photo, None, None)
    photo = as_photo(photo)
    check_box("within", box, photo.size)
    box = Box(*map(int, box))  # NumPy's unsigned numbers have no negatives
    around = widen(box, _AROUND, photo.size)
    return _Part(part_of(photo, around), photo, box, around)


def _finish_part(looked_at: tuple[_Part, MeanMap], recipe: Recipe, side: int) -> Prediction:
    part, total = looked_at
    mask, confidence = _finish(total, recipe, side)
    mask = limit_to_alpha(mask, part.image)
    if part.box:
        mask = _put_back(mask, part.box, part.around, part.photo.size)
    return Prediction(mask, confidence)


def _put_back(mask: Mask, box: Box, around: Box, size: tuple[int, int]) -> Mask:
    """Return a mask of the whole photo, made of that of ``around``, with all outside ``box`` 0."""
    rows = slice(box.top - around.top, box.bottom - around.top)
    columns = slice(box.left - around.left, box.right - around.left)
    whole = np.zeros(size[::-1], np.float32)
    whole[box.top : box.bottom, box.left : box.right] = mask[rows, columns]
    return whole


@torch.inference_mode()
def _finish(photo: MeanMap, recipe: Recipe, side: int) -> Prediction:
    saliency = photo.mean()
    confidence = confidence_in(saliency[0, 0].numpy(), doubt=recipe.doubt)
    along = along_edges(saliency, photo.canvas, side)
    mask = solid(along, recipe.levels, photo.image.size)
    if recipe.refined:
        refine_in_place(photo.image, mask, levels=recipe.refined, side=side)
    return Prediction(mask, confidence)


def certainty_of_subject(saliency: Tensor) -> float:
    """Return how certain the net is of its subject, 0 to 1: nearly the highest of its values."""
    some = saliency[..., ::4, ::4].clamp(min=0)  # enough for a statistic
    return float(some[some >= _SALIENT * some.max()].quantile(_TYPICAL))


def _white_for(certainty: float) -> float:
    """Return the value that becomes 1, for a subject of this ``certainty``.

    The net may give one subject 0.95 and another 0.6 all over; neither is half transparent. A
    subject below one half has hardly been found: it is not lifted and stays faint.
    """
    return max(certainty, 1 - 2 * certainty**2)


def along_edges(saliency: Tensor, canvas: Image.Image, side: int) -> Tensor:
    """Return a photo's map drawn half along its edges, half as the net of that side draws it.

    Photos whose edges are plain gain by the first, people before a busy background by the second.
    """
    followed = follow_edges(saliency, pixels(canvas.convert("L")) / 255, side=side)
    return (saliency + followed) / 2


def solid(saliency: Tensor, levels: Levels, size: tuple[int, int]) -> Mask:
    """Return the mask of a photo's map: with these levels, without ghosts, (width, height)."""
    certainty = certainty_of_subject(saliency)
    return enlarged(settle(leveled(saliency, levels, certainty), certainty), size)


def leveled(saliency: Tensor, levels: Levels, certainty: float) -> Tensor:
    """Return a map with these levels, from 0 to 1; ``certainty`` is the net's of its subject."""
    return levels.apply(saliency / _white_for(certainty), certainty=certainty).clamp(0, 1)


def enlarged(mask: Tensor, size: tuple[int, int]) -> Mask:
    """Return a map, (1, 1, h, w), bilinearly enlarged to ``size``, (width, height)."""
    return F.interpolate(mask, size[::-1], mode="bilinear")[0, 0].numpy()
