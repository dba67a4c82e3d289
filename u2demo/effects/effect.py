"""effect -> effect that gets a photo in RGB and a mask that fits, and keeps the color profile."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from PIL import Image

from u2demo.images.rgb import as_rgb, only_profile
from u2demo.masks.mask import Mask, check_fit, to_8_bits

Effect = Callable[[Image.Image, Mask], Image.Image]
Color = str | tuple[int, int, int]  # anything Pillow takes: "teal", "#3c78ff", (60, 120, 255)

_Effect = TypeVar("_Effect", bound=Callable[..., Image.Image])


def on_photo(effect: _Effect) -> _Effect:
    """Give ``effect`` the photo in RGB and a mask that fits, and its picture the photo's profile.

    Both are checked here, so an effect need not check them again.
    """

    @wraps(effect)
    def careful(image: Image.Image, mask: Mask, *args: object, **options: object) -> Image.Image:
        photo = as_rgb(image)
        check_fit(photo, mask)
        picture = effect(photo, mask, *args, **options)
        # A picture has one profile: the subject's, whose colors people look at, even in front of
        # another photo.
        picture.info = only_profile(photo)
        return picture

    return careful


def alpha_of(mask: Mask) -> Image.Image:
    """Return the mask as an alpha channel, mode L."""
    return Image.fromarray(to_8_bits(mask))
