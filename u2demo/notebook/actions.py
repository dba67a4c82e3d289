"""(image, mask, settings) -> pictures: what the one-click app offers, as a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from u2demo.effects.background import blur_background, replace_background
from u2demo.effects.boxes import crop, draw_box
from u2demo.effects.cutout import remove_background
from u2demo.effects.effect import Color
from u2demo.effects.light import highlight
from u2demo.masks.mask import Mask
from u2demo.masks.objects import split_objects


@dataclass(frozen=True)
class Settings:
    """What a person can set; lengths are shares of the photo's longer side."""

    threshold: float = 0.5
    softness: float = 1.0
    color: Color = "#f4b942"
    scene: Image.Image | None = None
    blur: float = 0.02
    tint: Color = "#2f6bff"
    margin: float = 0.05
    per_object: bool = False


@dataclass(frozen=True)
class Action:
    """One entry of the app's toolbar.

    ``draw`` returns pictures by the ending of their file names; ``controls`` names the fields of
    ``Settings`` that matter to this action beside the threshold and, unless it is not ``soft``,
    the softness. ``close`` pictures are parts of the photo, which a screen shows enlarged.
    """

    label: str
    title: str
    draw: Callable[[Image.Image, Mask, Settings], Mapping[str, Image.Image]]
    controls: tuple[str, ...] = ()
    soft: bool = True
    close: bool = False


def _cut_objects(image: Image.Image, mask: Mask, settings: Settings) -> dict[str, Image.Image]:
    return {
        f"object{number}": crop(remove_background(image, part), part, margin=settings.margin)
        for number, part in enumerate(split_objects(mask), start=1)
    }


ACTIONS: Mapping[str, Action] = {
    "cutout": Action(
        "Cut out",
        "Remove the background",
        lambda image, mask, settings: {"cutout": remove_background(image, mask)},
    ),
    "color": Action(
        "Color",
        "Put a plain color behind",
        lambda image, mask, settings: {"color": replace_background(image, mask, settings.color)},
        ("color",),
    ),
    "scene": Action(
        "Scene",
        "Put another photo behind",
        lambda image, mask, settings: {
            "scene": replace_background(image, mask, settings.scene or settings.color)
        },
        ("scene",),
    ),
    "blur": Action(
        "Blur",
        "Blur the background",
        lambda image, mask, settings: {
            "blur": blur_background(image, mask, radius=settings.blur * max(image.size))
        },
        ("blur",),
    ),
    "highlight": Action(
        "Highlight",
        "Tint the subject",
        lambda image, mask, settings: {"highlight": highlight(image, mask, color=settings.tint)},
        ("tint",),
    ),
    "box": Action(
        "Box",
        "Draw a box around it",
        lambda image, mask, settings: {
            "box": draw_box(image, mask, per_object=settings.per_object)
        },
        ("per_object",),
        soft=False,
    ),
    "crop": Action(
        "Crop",
        "Crop the photo to it",
        lambda image, mask, settings: {"crop": crop(image, mask, margin=settings.margin)},
        ("margin",),
        soft=False,
        close=True,
    ),
    "objects": Action(
        "Objects",
        "Cut out each object alone",
        _cut_objects,
        ("margin",),
        close=True,
    ),
}
