"""(image, mask) -> the subject in front of a color, another photo, or its own scene blurred."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps

from u2demo.effects.colors import use_clean_tiles
from u2demo.effects.cutout import remove_background
from u2demo.effects.effect import alpha_of, blur_step, on_photo, share_of, with_alpha_of
from u2demo.effects.scenes import Background, draw_scene, is_transparent
from u2demo.images.rgb import colors_of
from u2demo.machine.numbers import check_number
from u2demo.masks.box import Box
from u2demo.masks.mask import Mask

BLUR = 0.02  # the default radius: a share of the photo's longer side
_LEAST = 1e-6  # in place of 0, to divide by
# What a pixel counts for in the average behind a subject, by the subject's share of it.
_SEEN = [round(255 * (1 - level / 255) ** 3) for level in range(256)]


@on_photo
def replace_background(
    image: Image.Image, mask: Mask, background: Background = "white"
) -> Image.Image:
    """Return the subject, RGB, in front of a color, a ``Gradient``, another photo or a ``Scene``.

    The photo covers the frame, scaled and center-cropped; a ``Scene`` says which part of it, and
    how much blurred. The subject stays where it is and is never stretched. Color and photo look as
    they are, whatever the color profile of ``image``. Both classes are in
    ``u2demo.effects.scenes``. With "transparent" it is RGBA, as from ``remove_background``.

    Raises:
        ValueError: unknown color name (for a photo, pass an image, not a file name).
        TypeError: ``background`` is not a color, an image, a ``Gradient`` or a ``Scene``.
    """
    if is_transparent(background):
        return remove_background(image, mask)
    scene = draw_scene(background, image.size, image.info.get("icc_profile"))
    return _paste_subject(scene, image, mask)


@on_photo
def blur_background(image: Image.Image, mask: Mask, *, radius: float | None = None) -> Image.Image:
    """Return the photo with everything but the subject out of focus, RGB or RGBA like the photo.

    ``radius`` is the blur's standard deviation in pixels: by default 2 % of the longer side, and
    never more than that side. The subject's colors do not bleed into the background, because the
    average leaves them out.

    Raises:
        ValueError: ``radius`` is negative or not finite.
    """
    if radius is None:
        radius = BLUR * max(image.size)
    radius = check_number("radius", radius, expected="0 or more pixels, and finite")
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

    What is half seen has half the subject's color, so it counts for an eighth: a bright subject
    with soft edges would glow. The copy that is blurred is so small that the radius is a few
    pixels: same look, less work. It is not rounded before it is divided: in a narrow gap little is
    left of either.
    """
    step = blur_step(radius)
    seen = unseen.point(_SEEN)
    behind = Image.composite(image, Image.new("RGB", image.size), seen)
    weight = _blurred(seen, step, radius).clip(_LEAST)
    means = [255 * _blurred(color, step, radius) / weight for color in behind.split()]
    mean = np.rint(np.stack(means, 2)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(mean).resize(image.size, Image.Resampling.BICUBIC)


def _blurred(plane: Image.Image, step: int, radius: float) -> NDArray[np.float32]:
    """Return a plane, mode L, that is ``step`` times smaller and blurred: values from 0 to 255.

    Pillow's own Gaussian blur rounds to 8 bits.
    """
    values = np.asarray(plane.convert("F").reduce(step))
    reach = math.ceil(3 * radius / step)
    places = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (places * step / max(radius, _LEAST)) ** 2)
    for _ in range(2):  # down the columns, then along the rows
        wider = np.pad(values.T, ((reach, reach), (0, 0)), mode="edge")
        height = values.shape[1]
        values = np.zeros_like(values.T)
        for place, weight in enumerate((weights / weights.sum()).astype(np.float32)):
            values += weight * wider[place : place + height]
    return values
