"""color, gradient or photo -> the picture behind a subject."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from u2demo.effects.arguments import as_color
from u2demo.effects.effect import Color, blur_step
from u2demo.images.colors import color_in, convert
from u2demo.images.rgb import as_rgb, check_image
from u2demo.machine.numbers import check_number

_STRIP = 2**20  # pixels of a gradient that are worked out at a time


@dataclass(frozen=True)
class Gradient:
    """A background that goes evenly from one color to another.

    ``angle`` is where it goes, in degrees as in CSS: 0 up, 90 to the right, 180 down.

    Raises:
        ValueError: unknown color, or ``angle`` is not finite.
        TypeError: one of them is not a color, or ``angle`` not a number.
    """

    first: Color
    last: Color
    angle: float = 180.0

    def __post_init__(self):
        as_color("first", self.first)
        as_color("last", self.last)
        expected = "degrees: 0 up, 90 to the right, 180 down"
        check_number("angle", self.angle, expected=expected, least=-math.inf)


@dataclass(frozen=True)
class Scene:
    """A photo as the background, which it always covers, never stretched.

    ``zoom`` 1 shows as much of it as possible, 2 half of that. ``across`` says which part: -1 its
    left end, 0 its middle, 1 its right end; so does ``down``, from -1, its top, to 1. ``blur`` is
    the standard deviation of a Gaussian blur, a share of the picture's longer side.

    Raises:
        ValueError: ``zoom`` is not from 1 to 100, ``across`` or ``down`` not from -1 to 1, or
            ``blur`` not from 0 to 1.
        TypeError: ``photo`` is not an image, or one of the others not a number.
    """

    photo: Image.Image
    zoom: float = 1.0
    across: float = 0.0
    down: float = 0.0
    blur: float = 0.0

    def __post_init__(self):
        check_image(self.photo)
        check_number("zoom", self.zoom, expected="1 to 100", least=1.0, most=100.0)
        for name, value in (("across", self.across), ("down", self.down)):
            expected = "-1 (one end) to 1 (the other)"
            check_number(name, value, expected=expected, least=-1.0, most=1.0)
        check_number("blur", self.blur, expected="0 to 1, a share of the longer side", most=1.0)


Background = Color | Image.Image | Gradient | Scene


def is_transparent(background: Background) -> bool:
    """Return whether nothing is to be behind the subject."""
    return isinstance(background, str) and background == "transparent"


def draw_scene(background: Background, size: tuple[int, int], profile: bytes | None) -> Image.Image:
    """Return ``background`` as a picture, RGB, that looks as it should with the color ``profile``.

    An image is a ``Scene`` of it.

    Raises:
        ValueError: unknown color name (for a photo, pass an image, not a file name).
        TypeError: ``background`` is none of these.
    """
    if isinstance(background, Image.Image):
        background = Scene(background)
    if isinstance(background, Scene):
        return _draw_photo(background, size, profile)
    if isinstance(background, Gradient):
        return _draw_gradient(background, size, profile)
    return Image.new("RGB", size, color_in(profile, _color_of(background)))


def _color_of(background: Color) -> tuple[int, int, int]:
    try:
        return as_color("background", background)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error}; for a photo, pass open_image(FILE)") from None


def _draw_photo(scene: Scene, size: tuple[int, int], profile: bytes | None) -> Image.Image:
    photo = as_rgb(scene.photo)
    zoom, across, down = float(scene.zoom), float(scene.across), float(scene.down)
    scale = max(size[0] / photo.width, size[1] / photo.height) * zoom
    wide, high = min(photo.width, size[0] / scale), min(photo.height, size[1] / scale)
    left = (photo.width - wide) * (1 + across) / 2
    top = (photo.height - high) * (1 + down) / 2
    part = (left, top, min(left + wide, photo.width), min(top + high, photo.height))
    radius = float(scene.blur) * max(size)
    step = blur_step(radius)
    small = tuple(-(-side // step) for side in size)
    shown = photo.resize(small, Image.Resampling.LANCZOS, part, reducing_gap=3.0)
    if radius:
        shown = shown.filter(ImageFilter.GaussianBlur(radius / step))
    if step > 1:
        shown = shown.resize(size, Image.Resampling.BICUBIC)
    return convert(shown, photo.info.get("icc_profile"), profile)


def _draw_gradient(gradient: Gradient, size: tuple[int, int], profile: bytes | None) -> Image.Image:
    """Draw 256 steps; between two colors of 8 bits there are no more."""
    steps = _steps_along(gradient.angle, size)
    colors = (as_color("background", color) for color in (gradient.first, gradient.last))
    ends = [color_in(profile, color) for color in colors]
    bands = [
        steps.point(np.rint(np.linspace(first, last, 256)).astype(int).tolist())
        for first, last in zip(*ends, strict=True)
    ]
    return Image.merge("RGB", bands)


def _steps_along(angle: float, size: tuple[int, int]) -> Image.Image:
    """Return how far each pixel is along a gradient, mode L: 0 in one corner, 255 in another."""
    width, height = size
    right, up = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    length = abs(width * right) + abs(height * up)
    across = (np.arange(width) + 0.5 - width / 2) * right / length + 0.5
    along = (np.arange(height) + 0.5 - height / 2) * -up / length
    steps = Image.new("L", size)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        share = across[None] + along[top : top + rows, None]
        steps.paste(Image.fromarray(np.rint(share.clip(0, 1) * 255).astype(np.uint8)), (0, top))
    return steps
