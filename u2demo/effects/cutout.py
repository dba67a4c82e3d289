"""(image, mask) -> the subject alone, and its mask as a picture."""

from PIL import Image

from u2demo.effects.colors import use_clean_tiles
from u2demo.effects.effect import alpha_of, on_photo
from u2demo.images.rgb import limit_to_alpha
from u2demo.masks.box import Box
from u2demo.masks.mask import Mask, check_fit

_VISIBLE = [bool(alpha) for alpha in range(256)]


@on_photo
def remove_background(image: Image.Image, mask: Mask) -> Image.Image:
    """Return the subject as RGBA with soft, straight (not premultiplied) alpha.

    Where alpha is 255 the photo's pixels are unchanged; on soft edges the old background's color
    is taken out, so that no fringe shows on a new one; where alpha is 0 the color is 0, which
    keeps the file small. What is transparent in the photo is at least as transparent here.
    """
    cutout = Image.new("RGBA", image.size)

    def paste(box: Box, colors: Image.Image, alpha: Image.Image) -> None:
        colors.putalpha(alpha)
        cutout.paste(colors, box, alpha.point(_VISIBLE, "1"))

    use_clean_tiles(image, mask, paste)
    return cutout


def show_mask(image: Image.Image, mask: Mask) -> Image.Image:
    """Return the mask as a gray picture (mode L): black background, white subject."""
    check_fit(image, mask)
    return alpha_of(limit_to_alpha(mask, image))
