"""What effects share: a photo and a mask that fit each other, and how transparency goes along."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import numpy as np
from PIL import Image

from u2demo.images.rgb import alpha_channel, as_photo, limit_to_alpha, shared_info
from u2demo.masks.mask import Mask, check_fit, to_8_bits

Effect = Callable[[Image.Image, Mask], Image.Image]
Color = str | tuple[int, int, int]  # anything Pillow takes: "teal", "#3c78ff", (60, 120, 255)

_RADIUS = 4  # pixels; a blur of a small copy looks like one of the large picture

_Effect = TypeVar("_Effect", bound=Callable[..., Image.Image])


def on_photo(effect: _Effect) -> _Effect:
    """Give ``effect`` a photo as from ``open_image`` and a mask that fits.

    The mask is at most the photo's alpha. The picture gets what it shares with the photo, such as
    the color profile. All is checked here, so an effect need not check it again.
    """

    @wraps(effect)
    def careful(image: Image.Image, mask: Mask, *args: object, **options: object) -> Image.Image:
        photo = as_photo(image)
        check_fit(photo, mask)
        picture = effect(photo, limit_to_alpha(mask, photo), *args, **options)
        # A picture has one profile: the subject's, whose colors people look at, even in front of
        # another photo.
        picture.info = shared_info(photo)
        return picture

    return careful


def blur_step(radius: float) -> int:
    """Return how many times smaller a picture may be that is to be blurred by ``radius`` pixels."""
    return max(1, int(radius / _RADIUS))


def alpha_of(mask: Mask) -> Image.Image:
    """Return the mask as an alpha channel, mode L."""
    return Image.fromarray(to_8_bits(mask))


def share_of(mask: Mask, photo: Image.Image) -> Mask:
    """Return how much of what shows in each pixel is the subject.

    That is the mask itself; but where the photo is half transparent, half a subject is all of it.
    """
    if photo.mode == "RGB":
        return mask
    alpha = alpha_channel(photo)
    return np.divide(mask, alpha, out=np.zeros_like(mask), where=alpha > 0).clip(0, 1)


def with_alpha_of(photo: Image.Image, picture: Image.Image) -> Image.Image:
    """Return ``picture``, RGB, as transparent as the photo is: RGBA if that has alpha."""
    if photo.mode == "RGB":
        return picture
    return Image.merge("RGBA", (*picture.split(), photo.getchannel("A")))
