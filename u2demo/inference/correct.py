"""(net, photo, what a person said) -> mask: corrections, and what follows from them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import nn

from u2demo.images.rgb import as_rgb, check_image, limit_to_alpha
from u2demo.inference.guided import follow_edges
from u2demo.inference.predict import Prediction, predict, predict_raw
from u2demo.inference.preprocess import pixels
from u2demo.machine.cores import on_all_cores
from u2demo.masks.box import Box, tiles
from u2demo.masks.corrections import Corrections, check_corrections
from u2demo.masks.mask import Mask, check_fit
from u2demo.masks.objects import keep_objects
from u2demo.masks.reach import Grid, make_grid, reach
from u2demo.masks.strokes import Stroke, check_strokes, draw_strokes

_GRID = 160  # pixels; longer side of the grid on which it is found how far a stroke reaches
_CANVAS = 640  # pixels; longer side of the copy of the photo along whose edges it then ends
_SHARPER = 3.0  # the slope of that end, around one half
_BLUR = 1.6  # pixels of the grid
_TILE = 512  # pixels


def correct_mask(
    model: nn.Module, image: Image.Image, mask: Mask, strokes: Iterable[Stroke]
) -> Mask:
    """Return ``mask`` as strokes over the photo correct it: (H, W) float32 in [0, 1].

    Pixels under a stroke become 1 or 0, as it says; a later stroke covers an earlier one. What
    belongs to it by the photo's colors and by the net's map becomes the same: the rest of an arm,
    or of a neighbor. A small brush reaches less far than a large one. All else stays exactly as it
    was; an empty list gives an equal mask. Where the photo is transparent, the mask is at most its
    alpha.

    Raises:
        ValueError: ``mask`` is not a valid mask, belongs to another image, or a stroke has no
            points or no radius.
        TypeError: ``strokes`` is not a list of ``Stroke``, or one holds something that is not a
            number.
    """
    return Corrector(model, image, mask).mask(strokes)


def predict_corrected(
    model: nn.Module,
    images: Sequence[Image.Image],
    corrections: Sequence[Corrections],
    *,
    quality: str = "fast",
) -> Iterator[Prediction]:
    """Return an iterator over the ``Prediction`` for each image as its ``corrections`` change it.

    The net looks within the box; of what it finds, the objects that are meant are kept; strokes
    come last. Where there is nothing to correct, it is that of ``predict``.

    Raises:
        ValueError, TypeError: see ``predict_mask`` and ``check_corrections``.
    """
    for image, said in zip(images, corrections, strict=True):
        check_image(image)
        check_corrections(said, image.size)
    boxes = [said.within for said in corrections]
    predictions = predict(model, images, quality=quality, within=boxes)
    for image, said, found in zip(images, corrections, predictions, strict=True):
        yield _apply(model, image, said, found)


def _apply(
    model: nn.Module, image: Image.Image, said: Corrections, found: Prediction
) -> Prediction:
    mask, confidence = found
    if said.objects:
        mask = keep_objects(mask, said.objects)
    if said.strokes:
        mask = correct_mask(model, image, mask, said.strokes)
    shown = bool(said.objects) or any(stroke.keep for stroke in said.strokes)
    return Prediction(mask, 1.0 if shown else confidence)


class Corrector:
    """A photo and its mask, prepared for strokes.

    The net looks at the photo once, when the first stroke comes. What a stroke changes is kept for
    the next call, so that one stroke more takes the time of one, and one less hardly any.
    """

    def __init__(self, model: nn.Module, image: Image.Image, mask: Mask):
        check_fit(image, mask)
        self._model, self._image, self._mask = model, image, mask
        self._steps: list[_Step] = []

    def mask(self, strokes: Iterable[Stroke]) -> Mask:
        """Return the corrected mask; see ``correct_mask``."""
        listed = check_strokes(strokes)
        if not listed:
            return self._mask.copy()
        share, added = self._blend(self._follow(listed))
        corrected = np.empty_like(self._mask)
        work = partial(_blend_tile, self._mask, share, added, corrected)
        on_all_cores(work, tiles(Box(0, 0, *self._image.size), side=_TILE))
        _set_under_strokes(corrected, draw_strokes(listed, self._image.size))
        return limit_to_alpha(corrected, self._image)

    def _follow(self, strokes: list[Stroke]) -> "list[_Step]":
        """Return what each stroke changes, computed only from the first new one on."""
        known = 0
        while known < min(len(strokes), len(self._steps)):
            if not _is_same(strokes[known], self._steps[known].stroke):
                break
            known += 1
        steps = self._steps[:known]
        for number in range(known, len(strokes)):
            steps.append(self._step(strokes[number], strokes[:number], steps))
        self._steps = steps
        return steps

    def _step(self, stroke: Stroke, earlier: list[Stroke], steps: "list[_Step]") -> "_Step":
        """Return how far a stroke reaches, after ``earlier`` ones and what they have changed."""
        so_far = Image.fromarray(self._corrected(earlier, steps))
        mask = np.asarray(so_far.resize(self._grid.odds.shape[::-1], Image.Resampling.BOX))
        ended = self._end_along_edges(reach(self._grid, mask, stroke, earlier))
        points = [tuple(point) for point in stroke.points]  # the caller's list may grow
        return _Step(stroke._replace(points=points), np.rint(ended * 255).astype(np.uint8))

    def _corrected(self, strokes: list[Stroke], steps: "list[_Step]") -> Mask:
        """Return the corrected mask on the canvas."""
        share, added = self._blend(steps)
        mask = share * self._small + added
        scale = max(self._canvas.size) / max(self._image.size)
        _set_under_strokes(mask, draw_strokes(strokes, self._canvas.size, scale=scale))
        return mask

    def _end_along_edges(self, reached: Mask) -> Mask:
        """Return what is reached on the grid, enlarged to the canvas and ended at its edges."""
        with torch.inference_mode():
            large = F.interpolate(
                torch.from_numpy(reached)[None, None], self._canvas.size[::-1], mode="bilinear"
            )
            followed = follow_edges(large, pixels(self._canvas.convert("L")) / 255, side=_GRID)
        return ((followed[0, 0].numpy() - 0.5) * _SHARPER + 0.5).clip(0, 1)

    def _blend(self, steps: "list[_Step]") -> tuple[Mask, Mask]:
        """Return, on the canvas, the share of the old mask that is left, and what is added."""
        share = np.ones(self._canvas.size[::-1], np.float32)
        added = np.zeros_like(share)
        for stroke, reached in steps:
            left = 1 - reached / np.float32(255)
            share *= left
            added *= left
            if stroke.keep:
                added += 1 - left
        return share, added

    @cached_property
    def _canvas(self) -> Image.Image:
        return _reduced(as_rgb(self._image), _CANVAS)

    @cached_property
    def _small(self) -> Mask:
        """The mask on the canvas."""
        whole = Image.fromarray(self._mask)
        return np.asarray(whole.resize(self._canvas.size, Image.Resampling.BOX))

    @cached_property
    def _grid(self) -> Grid:
        small = _reduced(self._canvas, _GRID)
        found = Image.fromarray(predict_raw(self._model, self._image))
        return make_grid(
            np.asarray(small, np.float32) / 255,
            np.asarray(small.filter(ImageFilter.GaussianBlur(_BLUR)), np.float32) / 255,
            np.asarray(found.resize(small.size, Image.Resampling.BILINEAR)).clip(0, 1),
            max(small.size) / max(self._image.size),
        )


class _Step(NamedTuple):
    """A stroke, and how much each pixel of the canvas belongs to it: 0 to 255."""

    stroke: Stroke
    reached: NDArray[np.uint8]


def _reduced(image: Image.Image, longest: int) -> Image.Image:
    """Return ``image`` with a longer side of at most ``longest``."""
    scale = min(1, longest / max(image.size))
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _is_same(one: Stroke, other: Stroke) -> bool:
    if (one.radius, bool(one.keep)) != (other.radius, bool(other.keep)):
        return False
    return np.array_equal(one.points, other.points)


def _set_under_strokes(mask: Mask, said: NDArray[np.int8]) -> None:
    """Set ``mask`` itself to what strokes say."""
    mask[said > 0] = 1
    mask[said < 0] = 0


def _blend_tile(mask: Mask, share: Mask, added: Mask, corrected: Mask, box: Box) -> None:
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    height, width = mask.shape
    x, y = share.shape[1] / width, share.shape[0] / height
    part = (box.left * x, box.top * y, box.right * x, box.bottom * y)
    left, more = (
        np.asarray(Image.fromarray(plane).resize(box.size, Image.Resampling.BILINEAR, part))
        for plane in (share, added)
    )
    corrected[rows, columns] = (left * mask[rows, columns] + more).clip(0, 1)
