"""(image, mask) -> the photo with boxes drawn, or cut along one."""

from PIL import Image, ImageDraw

from u2demo.effects.effect import Color, on_photo
from u2demo.masks.box import bounding_box, widen
from u2demo.masks.mask import Mask, check_fit
from u2demo.masks.objects import object_boxes


@on_photo
def draw_box(
    image: Image.Image,
    mask: Mask,
    *,
    per_object: bool = False,
    threshold: float = 0.5,
    color: Color = "#ff3b30",
    width: int | None = None,
) -> Image.Image:
    """Return the photo, RGB, with the subject's bounding box drawn.

    With ``per_object`` each separate object gets a box of its own. The line, ``width`` pixels
    wide (0.5 % of the longer side by default), lies just inside the box.
    """
    whole = bounding_box(mask, threshold=threshold)
    boxes = object_boxes(mask, threshold=threshold) if per_object else [whole] if whole else []
    picture = image.copy()
    draw = ImageDraw.Draw(picture)
    width = width or max(2, round(0.005 * max(image.size)))
    for box in boxes:
        draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), None, color, width)
    return picture


def crop(
    image: Image.Image, mask: Mask, *, margin: float = 0.0, threshold: float = 0.5
) -> Image.Image:
    """Return the part of the image inside the subject's bounding box, the whole image if none.

    ``margin`` widens the box on every side by that share of its longer side, as far as the image
    reaches. Cutting a cut-out works too: ``crop(remove_background(image, mask), mask)``.

    Raises:
        ValueError: ``margin`` is negative, or ``mask`` does not fit ``image``.
    """
    check_fit(image, mask)
    if not margin >= 0:
        raise ValueError(f"margin is {margin}, expected 0 or more; a box is never made smaller")
    box = bounding_box(mask, threshold=threshold)
    return image.crop(widen(box, margin, image.size)) if box else image.copy()
