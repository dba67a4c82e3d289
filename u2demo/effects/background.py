"""(image, mask) -> the subject in front of a color, another photo, or its own scene blurred."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from u2demo.effects.colors import use_clean_tiles
from u2demo.effects.cutout import remove_background
from u2demo.effects.effect import alpha_of, blur_step, on_photo, share_of, with_alpha_of
from u2demo.effects.scenes import Background, draw_scene, is_transparent
from u2demo.images.rgb import colors_of
from u2demo.machine.numbers import check_number
from u2demo.masks.box import Box
from u2demo.masks.mask import Mask

BLUR = 0.02  # the default radius: a share of the photo's longer side


@on_photo
def replace_background(
    image: Image.Image, mask: Mask, background: Background = "white"
) -> Image.Image:
    """Return the subject, RGB, in front of a color, a ``Gradient``, another photo or a ``Scene``.

    The photo covers the frame, scaled and center-cropped; a ``Scene`` says which part of it, and
    how much blurred. The subject stays where it is and is never stretched. Color and photo look as
    they are, whatever the color profile of ``image``. Both classes are in
    ``u2demo.effects.scenes``. Before "transparent" it is RGBA, as from ``remove_background``.

    Raises:
        ValueError: unknown color name (for a photo, pass an image, not a file name).
        TypeError: ``background`` is neither an image nor a color, nor one of those two.
    """
    if is_transparent(background):
        return remove_background(image, mask)
    scene = draw_scene(background, image.size, image.info.get("icc_profile"))
    return _paste_subject(scene, image, mask)


@on_photo
def blur_background(image: Image.Image, mask: Mask, *, radius: float | None = None) -> Image.Image:
    """Return the photo with everything but the subject out of focus: RGB, or RGBA as the photo is.

    ``radius`` is the blur's standard deviation in pixels: by default 2 % of the longer side, and
    never more than that side. The subject's colors do not bleed into the background, because the
    average leaves them out.

    Raises:
        ValueError: ``radius`` is negative or not finite.
    """
    if radius is None:
        radius = BLUR * max(image.size)
    check_number("radius", radius, expected="0 or more pixels, and finite")
    colors, share = colors_of(image), share_of(mask, image)
    unseen = alpha_of(share)
    if image.mode == "RGBA":  # a transparent pixel's color is nobody's
        unseen = ImageChops.lighter(unseen, ImageOps.invert(image.getchannel("A")))
    scene = _blur_around(colors, unseen, min(radius, max(image.size)))
    return with_alpha_of(image, _paste_subject(scene, image, share))


def _paste_subject(scene: Image.Image, image: Image.Image, mask: Mask) -> Image.Image:
    """Paste the subject into ``scene``, which is changed, and return it."""

    def paste(box: Box, colors: Image.Image, alpha: Image.Image) -> None:
        scene.paste(colors, box, alpha)

    use_clean_tiles(image, mask, paste)
    return scene


def _blur_around(image: Image.Image, unseen: Image.Image, radius: float) -> Image.Image:
    """Return the image blurred, with each average leaving out what is ``unseen``, mode L.

    The copy that is blurred is so small that the radius is a few pixels: same look, less work.
    """
    step = blur_step(radius)
    blur = ImageFilter.GaussianBlur(radius / step)
    behind = Image.composite(Image.new("RGB", image.size), image, unseen)
    color = np.asarray(behind.reduce(step).filter(blur), np.float32)
    share = np.asarray(ImageOps.invert(unseen).reduce(step).filter(blur), np.float32) / 255
    mean = (color / share.clip(1 / 255)[..., None]).clip(0, 255)
    return Image.fromarray(mean.astype(np.uint8)).resize(image.size, Image.Resampling.BICUBIC)
