"""picture as stored -> upright RGB: orientation, mode, depth and transparency, in little memory."""

import contextlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

_STRIP = 2**20  # pixels converted at a time
_ORIENTATION = 0x0112  # EXIF's tag
_TURN = Image.Transpose
_TURNS = {  # by the tag's value
    2: _TURN.FLIP_LEFT_RIGHT, 3: _TURN.ROTATE_180, 4: _TURN.FLIP_TOP_BOTTOM, 5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_270, 7: _TURN.TRANSVERSE, 8: _TURN.ROTATE_90,
}  # fmt: skip


def check_image(image: Image.Image) -> None:
    """Raise ``TypeError`` unless ``image`` is an image, ``ValueError`` if it has no pixels."""
    if not isinstance(image, Image.Image):
        raise TypeError(f"expected an image, as from open_image, not {type(image).__name__}")
    if not all(image.size):
        raise ValueError(f"the image is {image.width}x{image.height}, expected one with pixels")


def upright(picture: Image.Image) -> Image.Image:
    """Return ``picture``, fully loaded, turned as its EXIF orientation says.

    ``ImageOps.exif_transpose`` loses the turn where another EXIF tag is damaged.
    """
    picture.load()  # first, because getexif() would hide damaged pixels
    orientation = 1
    with contextlib.suppress(Exception):  # damaged metadata is no reason to refuse good pixels
        orientation = picture.getexif().get(_ORIENTATION)
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def as_rgb(image: Image.Image) -> Image.Image:
    """Return ``image`` itself if it is plain RGB, else a copy converted by ``to_rgb``.

    Raises:
        TypeError: ``image`` is not a Pillow image.
        ValueError: ``image`` has no pixels.
    """
    check_image(image)
    is_plain = image.mode == "RGB" and not image.has_transparency_data
    return image if is_plain else to_rgb(image)


def to_rgb(picture: Image.Image) -> Image.Image:
    """Return ``picture``, of any mode, as RGB; the result may share its pixels.

    Transparent parts become white; 16-bit and float samples are scaled to 8 bits. ``info`` keeps
    only a color profile that fits RGB.
    """
    if picture.mode[0] in "IF" or picture.has_transparency_data:
        rgb = _to_rgb_in_strips(picture)
    elif picture.mode == "RGB":
        rgb = picture._new(picture.im)  # not a copy, which takes 700 MB for the largest photos
    else:
        rgb = picture.convert("RGB")
    rgb.info = only_profile(picture)
    return rgb


def only_profile(picture: Image.Image) -> dict[str, bytes]:
    """Return the ``info`` to keep: the color profile if it fits RGB, and nothing else."""
    profile = picture.info.get("icc_profile") if picture.mode.startswith("RGB") else None
    return {"icc_profile": profile} if profile else {}


def _to_rgb_in_strips(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB: deep samples scaled to 8 bits, transparent ones on white."""
    rgb = Image.new("RGB", picture.size, "white")
    deep = picture.mode[0] in "IF"
    white = _white(picture) if deep else None
    for top, strip in _strips(picture):
        if deep:
            rgb.paste(Image.fromarray(_scale_to_8_bits(np.asarray(strip), white)), (0, top))
        else:
            rgba = strip.convert("RGBA")
            rgb.paste(rgba, (0, top), rgba)
    return rgb


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    step = max(1, _STRIP // picture.width)
    for top in range(0, picture.height, step):
        bottom = min(top + step, picture.height)
        yield top, picture.crop((0, top, picture.width, bottom))


def _white(picture: Image.Image) -> float:
    """Return the gray value that counts as white: the type's highest, or the data's if higher."""
    if picture.mode.startswith("I;16"):
        return 65535
    peak = 0.0
    for _, strip in _strips(picture):
        samples = np.asarray(strip)
        peak = max(peak, float(samples.max(initial=0, where=np.isfinite(samples))))
    whites = (1, 255, 65535) if picture.mode == "F" else (65535,)
    return next((white for white in whites if peak <= white), peak)


def _scale_to_8_bits(samples: np.ndarray, white: float) -> np.ndarray:
    """Return gray samples of any depth, shape (H, W), as uint8; NaN is black."""
    with np.errstate(invalid="ignore"):  # a signaling NaN becomes a quiet one
        share = samples.astype(np.float32) / np.float32(white)
    return np.rint(np.nan_to_num(share, nan=0).clip(0, 1) * 255).astype(np.uint8)
