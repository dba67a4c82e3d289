"""(image, mask, settings) -> pictures: what the app's toolbar offers.

Every entry of ``EFFECTS`` is an action. The tables here add what else a toolbar needs: words for
people, and controls for the effects that have settings.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from PIL import Image

from u2demo.effects import EFFECTS
from u2demo.effects.background import BLUR, replace_background
from u2demo.effects.boxes import LINE, MARGIN, crop
from u2demo.effects.canvas import SHADOW, SIZE, SPACE
from u2demo.effects.cutout import remove_background
from u2demo.effects.effect import Color
from u2demo.effects.light import TINT
from u2demo.effects.moved import move_subject
from u2demo.effects.scenes import Background, Gradient, Scene
from u2demo.masks.adjust import Edge
from u2demo.masks.box import bounding_box
from u2demo.masks.mask import Mask
from u2demo.masks.objects import split_objects
from u2demo.notebook.choices import TRANSPARENT, NamedPhoto, as_hex


def _default(function: Callable, option: str) -> object:
    return inspect.signature(function).parameters[option].default


@dataclass(frozen=True)
class Settings:
    """What a person can set, in shares of the photo's longer side where a length is meant.

    Defaults are the library's, so that the app and the command line make the same picture.
    """

    threshold: float = Edge.threshold
    softness: float = Edge.softness
    grow: float = 0.0
    feather: float = 0.0
    fill_holes: float = Edge.fill_holes
    drop_specks: float = Edge.drop_specks
    color: str = as_hex(_default(replace_background, "background"))
    fade: str | None = None  # the color that it becomes, if it does not stay
    angle: float = Gradient.angle
    scene: NamedPhoto | None = None  # until one is chosen, ``color`` takes its place
    zoom: float = Scene.zoom
    across: float = Scene.across
    down: float = Scene.down
    haze: float = Scene.blur
    subject_zoom: float = 1.0  # of the subject in front of another background
    subject_across: float = 0.0
    subject_down: float = 0.0
    blur: float = BLUR
    canvas: tuple[int, int] | None = SIZE
    space: float = SPACE
    shadow: float = SHADOW
    tint: Color = TINT
    line: Color = LINE
    margin: float = MARGIN

    def edge(self, size: tuple[int, int]) -> Edge:
        """Return what is done to the mask of a photo of ``size``, (width, height)."""
        longer = max(size)
        return Edge(
            self.threshold,
            self.softness,
            self.fill_holes,
            self.drop_specks,
            self.grow * longer,
            self.feather * longer,
        )

    def moved(self, image: Image.Image, mask: Mask) -> tuple[Image.Image, Mask]:
        """Return a photo and its mask with the subject as large, and where, as it is wanted."""
        return move_subject(
            image,
            mask,
            zoom=self.subject_zoom,
            across=self.subject_across,
            down=self.subject_down,
        )

    @property
    def plain(self) -> Background:
        """The background without a photo: a color, or a gradient."""
        if self.fade is None or self.color == TRANSPARENT:
            return self.color
        return Gradient(self.color, self.fade, self.angle)

    @property
    def behind(self) -> Background:
        """The background with the photo that is chosen."""
        if self.scene is None:
            return self.plain
        return Scene(self.scene.photo, self.zoom, self.across, self.down, self.haze)

    def is_like(self, other: "Settings") -> bool:
        """Whether these are the settings of ``other``, but for what a page rounds."""
        # Tuples take a photo for the same if it is, before they compare its pixels.
        one, two = (tuple(map(_rounded, vars(each).values())) for each in (self, other))
        return one == two

    def for_screen(self, size: tuple[int, int]) -> "Settings":
        """Return these settings with a canvas no larger than ``size``, that of a small photo."""
        if self.canvas is None:
            return self
        scale = min(1, max(size) / max(self.canvas))
        return replace(self, canvas=tuple(max(1, round(side * scale)) for side in self.canvas))


def _rounded(value: object) -> object:
    # A page that has drawn a slider at 0.5 sends back 0.49999999999999994.
    return round(value, 6) if isinstance(value, float) else value


PLACE = ("subject_zoom", "subject_across", "subject_down")  # fields: where the subject is put
Pictures = Mapping[str, Image.Image]  # by the ending of the file name
Draw = Callable[[Image.Image, Mask, Settings], Pictures]


@dataclass(frozen=True)
class Action:
    """One entry of the toolbar.

    ``controls`` names the fields of ``Settings`` that it uses, besides those of the edge, of which
    one that is not ``soft`` takes no softness. With ``close``, its pictures are parts of the photo,
    shown enlarged.
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


def _moved(draw: Draw) -> Draw:
    """Return a function that draws the subject where the settings put it."""

    def draw_moved(image: Image.Image, mask: Mask, settings: Settings) -> Pictures:
        return draw(*settings.moved(image, mask), settings)

    return draw_moved


def _canvas_options(image: Image.Image, settings: Settings) -> dict:
    return {
        "size": settings.canvas,
        "margin": settings.space,
        "background": settings.plain,
        "shadow": settings.shadow,
    }


def _cut_objects(image: Image.Image, mask: Mask, settings: Settings) -> Pictures:
    """Return a picture for each object, numbered from left to right, as one reads them."""
    parts = sorted(split_objects(mask), key=bounding_box)
    return {
        f"object{number}": crop(remove_background(image, part), part, margin=settings.margin)
        for number, part in enumerate(parts, start=1)
    }


_APP_ONLY = {"scene", "objects"}  # actions that are not effects of these names
_ACTIONS: Mapping[str, Action] = {
    "cutout": Action("Cut out", "Remove the background", _effect("cutout")),
    "background": Action(
        "Color",
        "Put a color behind the subject",
        _moved(_effect("background", lambda image, settings: {"background": settings.plain})),
        controls=("color", "fade", "angle", *PLACE),
    ),
    "scene": Action(
        "Photo behind",
        "Put another photo behind the subject",
        _moved(_effect("background", lambda image, settings: {"background": settings.behind})),
        controls=("scene", "zoom", "across", "down", "haze", *PLACE),
    ),
    "blur": Action(
        "Blur",
        "Blur the background",
        _effect("blur", lambda image, settings: {"radius": settings.blur * max(image.size)}),
        controls=("blur",),
    ),
    "canvas": Action(
        "Shop canvas",
        "Center the subject on a canvas, as shops want it",
        _effect("canvas", _canvas_options),
        controls=("canvas", "space", "shadow", "color", "fade", "angle"),
        close=True,
    ),
    "highlight": Action(
        "Highlight",
        "Tint the subject",
        _effect("highlight", lambda image, settings: {"color": settings.tint}),
        controls=("tint",),
    ),
    "outline": Action(
        "Outline",
        "Draw a line around the subject",
        _effect("outline", lambda image, settings: {"color": settings.line}),
        controls=("line",),
        soft=False,
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
        "Separate items",
        "Cut out each object alone",
        _cut_objects,
        controls=("margin",),
        close=True,
    ),
    "mask": Action("Mask", "Show the mask", _effect("mask")),
}
