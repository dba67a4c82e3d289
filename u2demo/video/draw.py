"""findings -> pictures: an effect on each frame of a clip, several at a time, in order."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from PIL import Image

from u2demo.effects.effect import Effect
from u2demo.images.rgb import check_image
from u2demo.machine.cores import in_parallel
from u2demo.masks.box import Box, box_around
from u2demo.masks.mask import Mask, confidence_in, has_clear_subject
from u2demo.video.clip import Clip, Frame
from u2demo.video.find import Findings, Piece, workers
from u2demo.video.moving import choosing, for_clips

_MODES = {"L", "RGB", "RGBA"}  # that a clip may have
_EACH = 4  # pixels; area and clearness are measured on every fourth of every fourth row


class Drawn(NamedTuple):
    """What is made of a frame: a picture for each effect, and where the subject is.

    ``area`` is its share of the frame, and ``clear`` whether it stands out, see ``Result``.
    """

    time: Fraction
    pictures: Mapping[str, Image.Image]
    box: Box | None
    area: float
    clear: bool


def draw(findings: Findings, effect: Effect) -> Iterator[Frame]:
    """Yield each frame of a clip with ``effect`` applied, as often as you like.

    ``effect`` is any function of image and mask that returns an image. ``crop`` has one box for
    each shot and one size for the clip. The background of ``replace_background`` may be a clip,
    which is repeated: ``partial(replace_background, background=open_video("waves.mp4"))``.

    Raises:
        ValueError: the net has not looked at all frames, the file has changed since, or ``effect``
            failed; the text says when.
        TypeError: ``effect`` does not return an image.
    """
    name = _name_of(effect)
    with closing(draw_all(findings, {name: effect})) as drawn:
        for one in drawn:
            yield Frame(one.time, one.pictures[name])


def draw_all(findings: Findings, effects: Mapping[str, Effect]) -> Iterator[Drawn]:
    """Yield what all of ``effects`` make of each frame, which is decoded just once."""
    first = first_of(findings.clip)
    modes = {name: trial(effect, first, name=name).mode for name, effect in effects.items()}

    def work(task: tuple[Piece, Mapping[str, Effect]]) -> Drawn:
        piece, chosen = task
        frame, mask = findings.finished(piece)
        pictures = {
            name: _in_mode(_apply(name, effect, frame, mask), modes[name])
            for name, effect in chosen.items()
        }
        some = np.ascontiguousarray(mask[::_EACH, ::_EACH])
        return Drawn(
            frame.time,
            pictures,
            box_around(mask > 0.5),
            area=float((some > 0.5).mean()),
            clear=has_clear_subject(some, confidence=confidence_in(piece.found)),
        )

    with ExitStack() as stack:
        choices = {
            name: stack.enter_context(choosing(effect, findings))
            for name, effect in effects.items()
        }
        pieces = stack.enter_context(closing(findings.pieces()))
        tasks = (
            (piece, {name: choose(piece) for name, choose in choices.items()}) for piece in pieces
        )
        yield from stack.enter_context(closing(in_parallel(work, tasks, workers())))


def first_of(clip: Clip) -> Image.Image:
    """Return the first frame of a clip, with a see-through pixel if any frame may have one.

    Raises:
        ValueError: not one frame can be decoded.
    """
    image = clip.at(Fraction(0)).image
    if clip.alpha:
        image.putpixel((0, 0), (0, 0, 0, 0))
    return image


def trial(effect: Effect, image: Image.Image, *, name: str = "") -> Image.Image:
    """Try ``effect`` on a frame, with a soft mask; return the picture as a frame: L, RGB or RGBA.

    ``name`` is what an error calls the effect.

    Raises:
        ValueError: ``effect`` failed.
        TypeError: ``effect`` does not return an image.
    """
    mask = np.full((image.height, image.width), 0.5, np.float32)
    first = Frame(Fraction(0), image)
    picture = _apply(name or _name_of(effect), for_clips(effect), first, mask)
    return _in_mode(picture, _frame_mode(picture))


def _apply(name: str, effect: Effect, frame: Frame, mask: Mask) -> Image.Image:
    """Return what ``effect`` makes of a frame; an error of it is named, with the frame's time."""
    try:
        picture = effect(frame.image, mask)
    except (MemoryError, OSError):  # the machine's, not the effect's
        raise
    except Exception as error:
        text = str(error) or type(error).__name__
        time = f"{float(frame.time):.2f} s"
        raise ValueError(f"the effect {name!r} failed at {time}: {text}") from error
    return _checked(name, picture)


def _name_of(effect: Effect) -> str:
    return getattr(effect, "__name__", type(effect).__name__)


def _checked(name: str, picture: object) -> Image.Image:
    try:
        check_image(picture)
    except TypeError:
        kind = type(picture).__name__
        raise TypeError(f"the effect {name!r} returned {kind}, expected an image") from None
    return picture


def _frame_mode(picture: Image.Image) -> str:
    if picture.mode in _MODES:
        return picture.mode
    return "RGBA" if picture.has_transparency_data else "RGB"


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """Return a picture in the mode that all frames of its clip have."""
    if _frame_mode(picture) == "RGBA" and mode != "RGBA":
        return picture  # alpha is not dropped in silence: the writer refuses the picture
    return picture if picture.mode == mode else picture.convert(mode)
