"""(image, mask, settings) -> pictures: what the app's toolbar offers.

Every entry of ``EFFECTS`` is an action. The tables here add what else a toolbar needs: words for
people, and controls for the effects that have settings.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from u2demo.effects import EFFECTS
from u2demo.effects.background import BLUR, replace_background
from u2demo.effects.boxes import crop
from u2demo.effects.cutout import remove_background
from u2demo.effects.effect import Color
from u2demo.effects.light import TINT
from u2demo.masks.adjust import adjust_mask
from u2demo.masks.mask import Mask
from u2demo.masks.objects import split_objects


def _default(function: Callable, option: str) -> object:
    return inspect.signature(function).parameters[option].default


# Defaults are the library's, so that the app and the command line make the same picture.
_THRESHOLD = _default(adjust_mask, "threshold")
_SOFTNESS = _default(adjust_mask, "softness")
_COLOR = _default(replace_background, "background")
_MARGIN = _default(crop, "margin")


@dataclass(frozen=True)
class Settings:
    """What a person can set; lengths are shares of the longer side."""

    threshold: float = _THRESHOLD
    softness: float = _SOFTNESS
    color: Color = _COLOR
    scene: Image.Image | None = None  # until one is chosen, ``color`` takes its place
    blur: float = BLUR
    tint: Color = TINT
    margin: float = _MARGIN


Pictures = Mapping[str, Image.Image]  # by the ending of the file name
Draw = Callable[[Image.Image, Mask, Settings], Pictures]


@dataclass(frozen=True)
class Action:
    """One entry of the toolbar.

    ``controls`` names the fields of ``Settings`` that it uses, besides the threshold and, if it is
    ``soft``, the softness. With ``close``, its pictures are parts of the photo, shown enlarged.
    """

    label: str
    title: str
    draw: Draw
    controls: tuple[str, ...] = ()
    soft: bool = True
    close: bool = False


def all_actions() -> dict[str, Action]:
    """Return the actions by name, in the toolbar's order.

    Effects that are not in the table here follow last, under their own names.
    """
    known = {
        name: action for name, action in _ACTIONS.items() if name in EFFECTS or name in _APP_ONLY
    }
    others = {name: _plain_action(name) for name in EFFECTS if name not in known}
    return known | others


def _plain_action(name: str) -> Action:
    label = name.replace("_", " ").capitalize()
    return Action(label, f"Apply the effect {name}", _effect(name))


def _effect(
    name: str, options: Callable[[Image.Image, Settings], dict] = lambda image, settings: {}
) -> Draw:
    """Return a function that draws an entry of ``EFFECTS`` with options from the settings."""

    def draw(image: Image.Image, mask: Mask, settings: Settings) -> Pictures:
        return {name: EFFECTS[name](image, mask, **options(image, settings))}

    return draw


def _cut_objects(image: Image.Image, mask: Mask, settings: Settings) -> Pictures:
    return {
        f"object{number}": crop(remove_background(image, part), part, margin=settings.margin)
        for number, part in enumerate(split_objects(mask), start=1)
    }


_APP_ONLY = {"scene", "objects"}  # actions that are not effects of these names
_ACTIONS: Mapping[str, Action] = {
    "cutout": Action("Cut out", "Remove the background", _effect("cutout")),
    "background": Action(
        "Color",
        "Put a plain color behind the subject",
        _effect("background", lambda image, settings: {"background": settings.color}),
        controls=("color",),
    ),
    "scene": Action(
        "Scene",
        "Put another photo behind the subject",
        _effect(
            "background",
            lambda image, settings: {"background": settings.scene or settings.color},
        ),
        controls=("scene",),
    ),
    "blur": Action(
        "Blur",
        "Blur the background",
        _effect("blur", lambda image, settings: {"radius": settings.blur * max(image.size)}),
        controls=("blur",),
    ),
    "highlight": Action(
        "Highlight",
        "Tint the subject",
        _effect("highlight", lambda image, settings: {"color": settings.tint}),
        controls=("tint",),
    ),
    "box": Action("Box", "Draw a box around the subject", _effect("box"), soft=False),
    "boxes": Action("Boxes", "Draw a box around each object", _effect("boxes"), soft=False),
    "crop": Action(
        "Crop",
        "Crop the photo to the subject",
        _effect("crop", lambda image, settings: {"margin": settings.margin}),
        controls=("margin",),
        soft=False,
        close=True,
    ),
    "objects": Action(
        "Objects",
        "Cut out each object alone",
        _cut_objects,
        controls=("margin",),
        close=True,
    ),
    "mask": Action("Mask", "Show the mask", _effect("mask")),
}
