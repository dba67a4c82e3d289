"""what a person says about a photo -> its history with undo, and the mask that follows from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.machine.names import fold_name
from u2demo.masks.corrections import Corrections, file_names
from u2demo.masks.mask import Mask
from u2demo.masks.objects import keep_objects, object_shapes
from u2demo.masks.strokes import Point, Size, Stroke

if TYPE_CHECKING:
    from torch import nn

    from u2demo.inference.correct import Corrector

MOST_OBJECTS = 31  # that are told apart on the page, the largest


@dataclass(frozen=True)
class History:
    """What a person has said about one photo: ``now``, and what can be undone and done again."""

    now: Corrections = field(default_factory=Corrections)
    past: tuple[Corrections, ...] = ()
    future: tuple[Corrections, ...] = ()

    def say(self, corrections: Corrections) -> "History":
        """Return the history with ``corrections`` in place of those of now, which can be undone."""
        if corrections == self.now:
            return self
        return History(corrections, (*self.past, self.now))

    def undo(self) -> "History":
        """Return the history one step back; the same if there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.now, *self.future))

    def redo(self) -> "History":
        """Return the history with the last undone step done again; the same if there is none."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.now), self.future[1:])

    def reset(self) -> "History":
        """Return the history without corrections, which can be undone."""
        return self.say(Corrections())


def corrections_name(name: str, others: Iterable[str] = ()) -> str:
    """Return the file name for the corrections of the photo called ``name``.

    "cat.jpg" has "cat.strokes.json", or "cat.jpg.strokes.json" where one of ``others``, the names
    of photos, differs only in its suffix.
    """
    exact, usual = file_names(name)
    same = {other for other in others if fold_name(file_names(other)[1]) == fold_name(usual)}
    return exact if same - {name} else usual


def count(corrections: Corrections) -> int:
    """Return how many things a person has said: strokes, objects, and a box."""
    has_box = corrections.within is not None
    return len(corrections.strokes) + len(corrections.objects) + has_box


def draw_objects(mask: Mask) -> NDArray[np.uint8]:
    """Return which object of ``mask`` each pixel belongs to: (H, W), from 1, 0 for none."""
    numbers = np.zeros(mask.shape, np.uint8)
    shapes = list(object_shapes(mask))
    for number, (box, pixels) in enumerate(shapes[:MOST_OBJECTS], start=1):
        numbers[box.top : box.bottom, box.left : box.right][pixels] = number
    return numbers


def toggle_object(
    corrections: Corrections, point: Point, objects: NDArray[np.uint8], scale: float
) -> Corrections:
    """Return the corrections after a click at ``point``: keep this object too, or no longer.

    The first click keeps this object only. ``objects`` is as from ``draw_objects``, of the photo
    enlarged by ``scale``.
    """
    clicked = _number_at(objects, point, scale)
    if not clicked:
        return corrections
    others = tuple(
        each for each in corrections.objects if _number_at(objects, each, scale) != clicked
    )
    was_kept = len(others) < len(corrections.objects)
    return replace(corrections, objects=others if was_kept else (*others, point))


def _number_at(objects: NDArray[np.uint8], point: Point, scale: float) -> int:
    column, row = (int(side * scale) for side in point)
    height, width = objects.shape
    is_inside = 0 <= column < width and 0 <= row < height
    return int(objects[row, column]) if is_inside else 0


class Retouch:
    """A photo, at any size, and the mask that the net has found there, prepared for corrections.

    ``size`` is that of the photo in full, (width, height), whose pixels the corrections count.
    """

    def __init__(self, model: "nn.Module", image: Image.Image, found: Mask, size: Size):
        self.image = image
        self.found = found
        self._model = model
        self._scale = max(image.size) / max(size)  # a side of 30 pixels is rounded a lot
        self._objects: tuple[Point, ...] | None = None
        self._kept = found
        self._corrector: Corrector | None = None

    def mask(self, corrections: Corrections) -> Mask:
        """Return the corrected mask; ``found`` itself if there is nothing to correct.

        The box of the corrections is not looked at: the net has looked inside it already.
        """
        if corrections.objects != self._objects:
            self._keep(corrections.objects)
        if not corrections.strokes:
            return self._kept
        if self._corrector is None:
            from u2demo.inference.correct import Corrector  # torch comes late

            self._corrector = Corrector(self._model, self.image, self._kept)
        return self._corrector.mask([self._scaled(stroke) for stroke in corrections.strokes])

    def _keep(self, objects: tuple[Point, ...]) -> None:
        points = [(x * self._scale, y * self._scale) for x, y in objects]
        self._kept = keep_objects(self.found, points) if points else self.found
        self._objects = objects
        self._corrector = None

    def _scaled(self, stroke: Stroke) -> Stroke:
        points = [(x * self._scale, y * self._scale) for x, y in stroke.points]
        return Stroke(points, stroke.radius * self._scale, stroke.keep)


def stroke_of(points: Sequence[Sequence[float]], radius: float, keep: bool) -> Stroke:
    """Return a stroke whose numbers came as JSON."""
    return Stroke(tuple((float(x), float(y)) for x, y in points), float(radius), bool(keep))
