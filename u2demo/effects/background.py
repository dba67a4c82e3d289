"""(image, mask) -> the subject in front of a color, another photo, or its own scene blurred."""

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from u2demo.effects.colors import use_clean_tiles
from u2demo.effects.effect import Color, alpha_of, on_photo
from u2demo.images.rgb import as_rgb
from u2demo.masks.mask import Mask

BLUR = 0.02  # share of the longer side


@on_photo
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


@on_photo
def blur_background(image: Image.Image, mask: Mask, *, radius: float | None = None) -> Image.Image:
    """Return the photo, RGB, with all but the subject out of focus.

    ``radius`` is the blur's standard deviation in pixels, 2 % of the longer side by default. The
    subject's colors do not bleed into the background: they are left out of the average.

    Raises:
        ValueError: ``radius`` is negative.
    """
    alpha = alpha_of(mask)
    radius = BLUR * max(image.size) if radius is None else radius
    if not radius >= 0:
        raise ValueError(f"radius is {radius}, expected 0 or more pixels")
    scene = _blur_around(image, alpha, radius)
    return _paste_subject(scene, image, mask)


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
