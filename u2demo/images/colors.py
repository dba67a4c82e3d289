"""Pictures from one color space to another, by ICC profiles; None stands for sRGB."""

import io
from collections.abc import Iterator
from functools import lru_cache

from PIL import Image, ImageCms

from u2demo.images.profiles import is_for
from u2demo.machine.cores import on_all_cores

_Color = str | tuple[int, ...]  # as Pillow takes it

_ROUNDING = 2  # of 255
_LAB = b"Lab"  # in place of a profile: the space needs none
_BLACK_POINT_COMPENSATION = 0x2000  # a flag of little CMS, which older Pillow does not name
_STRIP = 2**18  # pixels converted at a time
_GRAY_RAMP = bytes(range(256))


def convert(picture: Image.Image, source: bytes | None, target: bytes | None) -> Image.Image:
    """Return ``picture``, RGB or RGBA, with the same look in another space.

    It is ``picture`` itself if there is nothing to do, or if a profile is damaged.
    """
    same = source == target
    transform = None if same else _transform(source, target, picture.mode, picture.mode)
    return picture if transform is None else _apply(transform, picture, picture.mode)


def from_inks(picture: Image.Image, profile: bytes | None) -> Image.Image | None:
    """Return ``picture``, CMYK with its profile or LAB, in sRGB; None if that is impossible."""
    is_lab = picture.mode == "LAB"
    if not is_lab and not is_for(profile, b"CMYK"):
        return None
    transform = _transform(_LAB if is_lab else profile, None, picture.mode, "RGB")
    return None if transform is None else _apply(transform, picture, "RGB")


def from_gray(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return ``picture``, gray in mode RGB or RGBA, in sRGB; itself if the profile is damaged."""
    mode = "L" if is_for(profile, b"GRAY") else "RGB"
    known = mode == "L" or is_for(profile, b"RGB ")
    transform = _transform(profile, None, mode, "RGB") if known else None
    if transform is None:
        return picture
    ramp = transform.apply(Image.frombytes("L", (256, 1), _GRAY_RAMP).convert(mode))
    alpha = _GRAY_RAMP if picture.mode == "RGBA" else b""
    return picture.point([*(level for band in ramp.split() for level in band.tobytes()), *alpha])


def is_sound(profile: bytes) -> bool:
    """Return whether an RGB profile can be used, which its header does not tell."""
    return _transform(profile, None, "RGB", "RGB") is not None


def color_in(profile: bytes | None, color: _Color) -> _Color:
    """Return how ``color``, meant in sRGB, is written in a picture with ``profile``."""
    if profile is None:
        return color
    swatch = Image.new("RGB", (1, 1), color)
    asked, seen = (part.getpixel((0, 0)) for part in (swatch, convert(swatch, None, profile)))
    # The profile may be of sRGB itself; then rounding must not change what was asked for.
    is_rounding = max(abs(a - b) for a, b in zip(asked, seen, strict=True)) <= _ROUNDING
    return color if is_rounding else seen


@lru_cache(maxsize=8)
def _transform(
    source: bytes | None, target: bytes | None, mode: str, mode_after: str
) -> ImageCms.ImageCmsTransform | None:
    """Return the conversion between two profiles, None if one is damaged.

    It is perceptual with black point compensation, as in viewers: paper becomes white, and the
    darkest ink black.
    """
    try:
        return ImageCms.buildTransform(
            _opened(source),
            _opened(target),
            mode,
            mode_after,
            ImageCms.Intent.PERCEPTUAL,
            _BLACK_POINT_COMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError):
        return None


def _opened(profile: bytes | None) -> ImageCms.ImageCmsProfile:
    if profile is None or profile == _LAB:
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB" if profile else "sRGB"))
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def _apply(transform: ImageCms.ImageCmsTransform, picture: Image.Image, mode: str) -> Image.Image:
    result = Image.new(mode, picture.size)

    def convert_strip(box: tuple[int, int, int, int]) -> None:
        result.paste(transform.apply(picture.crop(box)), box)

    on_all_cores(convert_strip, _strips(picture.size))
    return result


def _strips(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    width, height = size
    step = max(1, _STRIP // width)
    for top in range(0, height, step):
        yield 0, top, width, min(top + step, height)
