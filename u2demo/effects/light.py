"""(image, mask) -> the photo with its subject lit, or a line around it."""

import numpy as np
from PIL import Image

from u2demo.effects.arguments import as_color
from u2demo.effects.boxes import LINE, LINE_WIDTH
from u2demo.effects.effect import Color, alpha_of, on_photo, share_of, with_alpha_of
from u2demo.images.colors import color_in
from u2demo.images.rgb import colors_of
from u2demo.machine.numbers import check_number
from u2demo.masks.adjust import Edge
from u2demo.masks.mask import Mask

TINT = "#2f6bff"


@on_photo
def highlight(
    image: Image.Image, mask: Mask, *, color: Color = TINT, strength: float = 0.45
) -> Image.Image:
    """Return the photo with the subject tinted: RGB, or RGBA if the photo has alpha.

    ``strength`` 0 leaves the photo as it is, 1 paints the subject in pure ``color``.

    Raises:
        ValueError: ``strength`` is not between 0 and 1, or ``color`` is unknown.
    """
    expected = "0 (no tint) to 1 (pure color)"
    check_number("strength", strength, expected=expected, most=1.0)
    paint = color_in(image.info.get("icc_profile"), as_color("color", color))
    tint = Image.new("RGB", image.size, paint)
    share = alpha_of(share_of(mask, image) * np.float32(strength))
    return with_alpha_of(image, Image.composite(tint, colors_of(image), share))


@on_photo
def draw_outline(
    image: Image.Image, mask: Mask, *, color: Color = LINE, width: float | None = None
) -> Image.Image:
    """Return the photo with a line around the subject: RGB, or RGBA if the photo has alpha.

    The line lies just outside the subject, which is what the mask says is more than 0.5. It is
    ``width`` pixels wide, 0.5 % of the longer side by default, and never wider than that side.

    Raises:
        ValueError: ``width`` is not 1 or more, or ``color`` is unknown.
    """
    if width is None:
        width = max(2, LINE_WIDTH * max(image.size))
    width = check_number("width", width, expected="1 or more pixels, and finite", least=1)
    paint = color_in(image.info.get("icc_profile"), as_color("color", color))
    line = alpha_of(_outside(mask, width))
    colored = Image.new("RGB", image.size, paint)
    return with_alpha_of(image, Image.composite(colored, colors_of(image), line))


def _outside(mask: Mask, width: float) -> Mask:
    """Return what is at most ``width`` pixels from the subject, but not part of it."""
    around = Edge(softness=0, grow=width).apply(mask)
    around[mask > 0.5] = 0
    return around
