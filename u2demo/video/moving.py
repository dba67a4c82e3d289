"""effect -> effect of a clip: one that asks which frame it is given, and of which shot.

Any effect, a function of image and mask, works on a clip as on a photo. Three must know more: a
crop, for all frames of a clip have one size, a canvas, on which the subject must not jump, and a
new background that moves itself.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from PIL import Image

from u2demo.effects.background import replace_background
from u2demo.effects.boxes import MARGIN, crop
from u2demo.effects.canvas import SHADOW, SIZE, SPACE, place_part, put_on_canvas
from u2demo.effects.cutout import remove_background
from u2demo.effects.effect import Effect
from u2demo.effects.scenes import Background
from u2demo.masks.adjust import Edge
from u2demo.masks.box import Box, widen
from u2demo.masks.mask import Mask
from u2demo.video.clip import Clip, Frame
from u2demo.video.find import Findings, Piece

Choose = Callable[[Piece], Effect]


class ClipEffect(ABC):
    """An effect that, on a clip, is another for each frame. On a photo it is like any other."""

    @abstractmethod
    def __call__(self, image: Image.Image, mask: Mask) -> Image.Image:
        """Return the picture of a photo."""

    @abstractmethod
    def on(self, findings: Findings) -> AbstractContextManager[Choose]:
        """Return a context of a function that is called for each frame in turn.

        It returns the effect for that frame.
        """


def for_clips(effect: Effect) -> Effect:
    """Return the ``ClipEffect`` that does on clips what ``effect`` does on photos, or itself.

    ``crop`` becomes ``CropOfShots``, ``put_on_canvas`` ``CanvasOfShots``, and
    ``replace_background`` with a clip for a background ``BeforeClip``; all may be given as
    ``partial``, with options.
    """
    plain = effect if isinstance(effect, partial) else partial(effect)
    if plain.func is crop and not plain.args:
        return CropOfShots(**plain.keywords)
    if plain.func is put_on_canvas and not plain.args:
        return CanvasOfShots(**plain.keywords)
    if plain.func is replace_background and isinstance(plain.keywords.get("background"), Clip):
        return BeforeClip(plain.keywords["background"])
    return effect


def choosing(effect: Effect, findings: Findings) -> AbstractContextManager[Choose]:
    """Return a context of a function that returns, for each frame in turn, the effect on it."""
    effect = for_clips(effect)
    if isinstance(effect, ClipEffect):
        return effect.on(findings)
    return nullcontext(lambda piece: effect)


@dataclass(frozen=True)
class Adjusted(ClipEffect):
    """Another effect, of any kind, on masks whose edge is adjusted first."""

    effect: Effect
    edge: Edge

    def __call__(self, image: Image.Image, mask: Mask) -> Image.Image:
        """Return the picture of a photo."""
        return self._draw(image, mask, effect=for_clips(self.effect))

    @contextmanager
    def on(self, findings: Findings) -> Iterator[Choose]:
        """Give each frame the other effect of that frame."""
        with choosing(self.effect, findings) as choose:
            yield lambda piece: partial(self._draw, effect=choose(piece))

    def _draw(self, image: Image.Image, mask: Mask, *, effect: Effect) -> Image.Image:
        return effect(image, self.edge.apply(mask))


@dataclass(frozen=True)
class CropOfShots(ClipEffect):
    """``crop`` with one box for each shot, around the subject in all of its frames.

    All are as large as the largest of them, as far as the frame reaches.
    """

    margin: float = MARGIN
    threshold: float = 0.5

    def __call__(self, image: Image.Image, mask: Mask) -> Image.Image:
        """Return the picture of a photo."""
        return crop(image, mask, margin=self.margin, threshold=self.threshold)

    @contextmanager
    def on(self, findings: Findings) -> Iterator[Choose]:
        """Give each frame the crop of its shot."""
        boxes = _boxes_of(findings, self.threshold, self.margin)
        yield lambda piece: partial(_cut, box=boxes[piece.shot])


@dataclass(frozen=True)
class CanvasOfShots(ClipEffect):
    """``put_on_canvas`` with one place and size for the subject in all frames of a shot."""

    size: tuple[int, int] | None = SIZE
    margin: float = SPACE
    background: Background = "white"
    shadow: float = SHADOW

    def __call__(self, image: Image.Image, mask: Mask) -> Image.Image:
        """Return the picture of a photo."""
        return put_on_canvas(image, mask, **vars(self))

    @contextmanager
    def on(self, findings: Findings) -> Iterator[Choose]:
        """Give each frame the canvas of its shot."""
        boxes = _boxes_of(findings, 0.5, 0.0)

        def place(image: Image.Image, mask: Mask, *, box: Box) -> Image.Image:
            return place_part(remove_background(image, mask), box, **vars(self))

        yield lambda piece: partial(place, box=boxes[piece.shot])


def _boxes_of(findings: Findings, threshold: float, margin: float) -> list[Box]:
    """Return a box for each shot, around its subject and ``margin``, all of one size."""
    size = findings.clip.size
    found = [shot.box_above(threshold) for shot in findings.shots]
    whole = Box(0, 0, *size)
    boxes = [widen(box, margin, size) if box else None for box in found]
    seen = [box for box in boxes if box] or [whole]
    width = max(box.width for box in seen)
    height = max(box.height for box in seen)
    return [_grown(box or whole, width, height, size) for box in boxes]


def _grown(box: Box, width: int, height: int, size: tuple[int, int]) -> Box:
    """Return a box of this width and height, as near to the middle of ``box`` as fits ``size``."""
    left = min(max(0, (box.left + box.right - width) // 2), size[0] - width)
    top = min(max(0, (box.top + box.bottom - height) // 2), size[1] - height)
    return Box(left, top, left + width, top + height)


def _cut(image: Image.Image, mask: Mask, *, box: Box) -> Image.Image:
    return image.crop(box)


@dataclass(frozen=True)
class BeforeClip(ClipEffect):
    """``replace_background`` with a clip that goes on behind the subject and begins again.

    Of a damaged one, what can be decoded is repeated, and ``report`` is called with a sentence that
    says so; by default it warns. A photo gets its first frame. ``content`` is a checksum of the
    clip's file, so that a changed file counts as another effect.
    """

    background: Clip
    content: str = ""
    report: Callable[[str], None] = warnings.warn

    def __call__(self, image: Image.Image, mask: Mask) -> Image.Image:
        """Return the picture of a photo."""
        return replace_background(image, mask, background=self.background.at(Fraction(0)).image)

    @contextmanager
    def on(self, findings: Findings) -> Iterator[Choose]:
        """Give each frame the background's frame of its time."""
        with closing(_Loop(self.background, self.report)) as loop:
            yield lambda piece: partial(replace_background, background=loop.at(piece.frame.time))


class _Loop:
    """A clip without end, from which pictures are taken at times that increase."""

    def __init__(self, clip: Clip, report: Callable[[str], None]):
        self._clip, self._report = clip, report
        self._frames = self._forever()
        self._shown = self._next = next(self._frames)

    def at(self, time: Fraction) -> Image.Image:
        """Return what is shown at ``time``."""
        while self._next.time <= time:
            self._shown, self._next = self._next, next(self._frames)
        return self._shown.image

    def close(self) -> None:
        """Stop decoding."""
        self._frames.close()

    def _forever(self) -> Iterator[Frame]:
        """Yield the clip's frames again and again, with times that go on."""
        begin = Fraction(0)
        damage: list[str] = []
        while True:
            last = None
            with closing(self._clip.read(report=damage.append)) as frames:
                for frame in frames:
                    last = frame.time
                    yield Frame(begin + last, frame.image)
            if last is None:  # the file has changed since it was opened
                raise ValueError(f"{self._clip.path}: damaged; not one frame of it can be decoded")
            if len(damage) == 1:
                self._report(f"{damage[0]}; the background repeats the rest")
            said = 0 if damage else self._clip.duration or 0
            begin += max(said, last + 1 / self._clip.rate)
