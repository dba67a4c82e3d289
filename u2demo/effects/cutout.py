"""(image, mask) -> image: what to do with a photo once its subject is known.

An effect returns a new image and leaves its arguments alone; all but ``crop`` keep the size.
``mask`` must be one and fit ``image``, else ``ValueError``; what is no image raises ``TypeError``.
With an empty mask nothing stands out, which is a result, not an error. Images of any mode are taken
as ``open_image`` would read them.

The photo's color profile goes along in ``info["icc_profile"]``. Pillow writes it into PNG and WebP
unasked, into JPEG with ``picture.save(file, icc_profile=picture.info.get("icc_profile"))``.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from u2demo.effects.colors import use_clean_tiles
from u2demo.images.rgb import as_rgb, only_profile
from u2demo.masks.checks import check_fit
from u2demo.masks.mask import Box, Mask, bounding_box, object_boxes, to_8_bits

Color = str | tuple[int, int, int]  # whatever Pillow takes: "teal", "#3c78ff", (60, 120, 255)

_VISIBLE = [bool(alpha) for alpha in range(256)]
_Effect = TypeVar("_Effect", bound=Callable[..., Image.Image])


def _on_photo(effect: _Effect) -> _Effect:
    """Let ``effect`` have the photo in RGB and a mask that fits; its picture gets the profile."""

    @wraps(effect)
    def careful(image: Image.Image, mask: Mask, *args: object, **options: object) -> Image.Image:
        photo = as_rgb(image)
        check_fit(photo, mask)
        picture = effect(photo, mask, *args, **options)
        # A picture has one profile. In front of another photo it is the subject's, whose colors
        # people look at, not the background's.
        picture.info = only_profile(photo)
        return picture

    return careful


@_on_photo
def remove_background(image: Image.Image, mask: Mask) -> Image.Image:
    """Return the subject as RGBA with soft, straight (not premultiplied) alpha.

    Where alpha is 255 the photo's pixels are unchanged; on soft edges the old background's color
    is taken out, so that no fringe shows on a new one; where alpha is 0 the color is 0, which
    keeps the file small.
    """
    cutout = Image.new("RGBA", image.size)

    def paste(box: Box, colors: Image.Image, alpha: Image.Image) -> None:
        colors.putalpha(alpha)
        cutout.paste(colors, box, alpha.point(_VISIBLE, "1"))

    use_clean_tiles(image, mask, paste)
    return cutout


@_on_photo
def replace_background(
    image: Image.Image, mask: Mask, background: Image.Image | Color = "white"
) -> Image.Image:
    """Return the subject, RGB, in front of a color or another photo.

    The photo covers the frame, scaled and center-cropped; the subject stays where it is and is
    never stretched.

    Raises:
        ValueError: there is no color of that name; the name of a photo's file is none.
    """
    if isinstance(background, Image.Image):
        scene = ImageOps.fit(as_rgb(background), image.size, Image.Resampling.LANCZOS)
    else:
        try:
            scene = Image.new("RGB", image.size, background)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{error}; for a photo, pass open_image of its file") from error
    return _paste_subject(scene, image, mask)


@_on_photo
def blur_background(image: Image.Image, mask: Mask, *, radius: float | None = None) -> Image.Image:
    """Return the photo, RGB, with all but the subject out of focus.

    ``radius`` is the blur's standard deviation in pixels, 2 % of the longer side by default. The
    subject's colors do not bleed into the background: they are left out of the average.

    Raises:
        ValueError: ``radius`` is negative.
    """
    alpha = _alpha(mask)
    radius = 0.02 * max(image.size) if radius is None else radius
    if not radius >= 0:
        raise ValueError(f"radius is {radius}, expected 0 or more pixels")
    scene = _blur_around(image, alpha, radius)
    return _paste_subject(scene, image, mask)


@_on_photo
def highlight(
    image: Image.Image, mask: Mask, *, color: Color = "#2f6bff", strength: float = 0.45
) -> Image.Image:
    """Return the photo, RGB, with the subject tinted.

    ``strength`` 0 leaves the photo as it is, 1 paints the subject in pure ``color``.

    Raises:
        ValueError: ``strength`` is not between 0 and 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}, expected 0, no color, to 1, nothing else")
    tint = Image.new("RGB", image.size, color)
    return Image.composite(tint, image, _alpha(mask * np.float32(strength)))


@_on_photo
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
    return image.crop(_widen(box, margin, image.size)) if box else image.copy()


def show_mask(image: Image.Image, mask: Mask) -> Image.Image:
    """Return the mask as a gray picture (mode L): black background, white subject."""
    check_fit(image, mask)
    return _alpha(mask)


def _paste_subject(scene: Image.Image, image: Image.Image, mask: Mask) -> Image.Image:
    use_clean_tiles(image, mask, lambda box, colors, alpha: scene.paste(colors, box, alpha))
    return scene


def _blur_around(image: Image.Image, alpha: Image.Image, radius: float) -> Image.Image:
    """Return the image blurred, each average taken over the background's pixels alone.

    The blur runs on a copy small enough for its radius to be a few pixels: same look, less work.
    """
    step = max(1, int(radius / 4))
    blur = ImageFilter.GaussianBlur(radius / step)
    behind = Image.composite(Image.new("RGB", image.size), image, alpha)
    color = np.asarray(behind.reduce(step).filter(blur), np.float32)
    share = np.asarray(ImageOps.invert(alpha).reduce(step).filter(blur), np.float32) / 255
    mean = (color / share.clip(1 / 255)[..., None]).clip(0, 255)
    return Image.fromarray(mean.astype(np.uint8)).resize(image.size, Image.Resampling.BICUBIC)


def _alpha(mask: Mask) -> Image.Image:
    return Image.fromarray(to_8_bits(mask))


def _widen(box: Box, margin: float, size: tuple[int, int]) -> Box:
    more = round(margin * max(box.right - box.left, box.bottom - box.top))
    return Box(
        max(box.left - more, 0),
        max(box.top - more, 0),
        min(box.right + more, size[0]),
        min(box.bottom + more, size[1]),
    )
