"""(image, mask) -> the photo with boxes drawn, or cut along one."""

from PIL import Image, ImageDraw

from u2demo.effects.arguments import as_color
from u2demo.effects.effect import Color, on_photo, with_alpha_of
from u2demo.images.colors import color_in
from u2demo.images.rgb import colors_of, part_of
from u2demo.machine.numbers import check_number
from u2demo.masks.box import Box, box_around, widen
from u2demo.masks.mask import Mask, check_threshold
from u2demo.masks.objects import boxes_around

MARGIN = 0.0  # of a crop: a share of the box's longer side
LINE = "#ff3b30"
LINE_WIDTH = 0.005  # of the photo's longer side


@on_photo
def draw_box(
    image: Image.Image,
    mask: Mask,
    *,
    per_object: bool = False,
    threshold: float = 0.5,
    color: Color = LINE,
    width: int | None = None,
) -> Image.Image:
    """Return the photo with the subject's bounding box drawn: RGB, or RGBA if the photo has alpha.

    With ``per_object`` each separate object gets its own box. The line, ``width`` pixels
    wide (0.5 % of the longer side by default), lies just inside the box; it fills a box that is
    too small for it.

    Raises:
        ValueError: ``width`` is not 1 or more, ``threshold`` is not between 0 and 1, or ``color``
            is unknown.
    """
    check_threshold(threshold)
    if width is None:
        width = max(2, round(LINE_WIDTH * max(image.size)))
    width = check_number("width", width, expected="1 or more pixels, and finite", least=1)
    width = round(min(width, max(image.size)))  # a wider line fills any box, too
    line = color_in(image.info.get("icc_profile"), as_color("color", color))
    picture = colors_of(image).copy()
    draw = ImageDraw.Draw(picture)
    for box in _boxes(mask, threshold, per_object):
        corners = (box.left, box.top, box.right - 1, box.bottom - 1)
        if 2 * width < min(box.size):
            draw.rectangle(corners, outline=line, width=width)
        else:  # Pillow would draw such a line beyond the box
            draw.rectangle(corners, fill=line)
    return with_alpha_of(image, picture)


@on_photo
def crop(
    image: Image.Image, mask: Mask, *, margin: float = MARGIN, threshold: float = 0.5
) -> Image.Image:
    """Return the part of the image inside the subject's bounding box, or all if nothing stands out.

    ``margin`` widens the box on every side by that share of its longer side, as far as the image
    reaches. Cropping a cut-out works too: ``crop(remove_background(image, mask), mask)``.

    Raises:
        ValueError: ``margin`` is negative or not finite, ``threshold`` is not between 0 and 1, or
            ``mask`` does not fit ``image``.
    """
    check_threshold(threshold)
    expected = "0 or more, and finite; it cannot make the box smaller"
    margin = check_number("margin", margin, expected=expected)
    box = box_around(mask > threshold)
    return part_of(image, widen(box, margin, image.size)) if box else image.copy()


def _boxes(mask: Mask, threshold: float, per_object: bool) -> list[Box]:
    subject = mask > threshold
    if per_object:
        return boxes_around(subject)
    whole = box_around(subject)
    return [whole] if whole else []
