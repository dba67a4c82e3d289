"""(image, mask, settings) -> pictures: what the one-click app offers, as a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from u2demo.effects import (
    Color,
    blur_background,
    crop,
    draw_box,
    highlight,
    remove_background,
    replace_background,
)
from u2demo.masks import Mask, split_objects


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


def adjust_mask(mask: Mask, *, threshold: float = 0.5, softness: float = 1.0) -> Mask:
    """Return ``mask`` with its middle moved to ``threshold`` and its edge ``softness`` as soft.

    A power curve takes the threshold to 0.5 and leaves 0 and 1 where they are, so that the subject
    never turns transparent; then the slope grows around 0.5. The defaults return the mask as it
    is; softness 0 makes it hard.
    """
    if softness <= 0:
        return (mask > threshold).astype(np.float32)
    curved = mask if threshold == 0.5 else mask ** np.float32(np.log(0.5) / np.log(threshold))
    return ((curved - np.float32(0.5)) / np.float32(softness) + np.float32(0.5)).clip(0, 1)


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
