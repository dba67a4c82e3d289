"""picture as stored -> upright RGB or RGBA: orientation, mode and depth, in little memory."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.formats.tones import white_of_floats
from u2demo.images.colors import convert, from_gray, from_inks, is_sound
from u2demo.images.described import describe, look_before_loading, valid_dpi
from u2demo.images.profiles import is_for

_STRIP = 2**20  # pixels converted at a time
_GRAY = {"1", "L", "LA", "La"}  # modes, besides deep ones
_FIRST = {"1": "L", "La": "LA"}  # what Pillow must make of some modes before it makes RGBA of them
_BRIGHTNESS = "the brightness above white"  # of HDR
_TURN = Image.Transpose
_TURNS = {  # by the tag's value
    2: _TURN.FLIP_LEFT_RIGHT, 3: _TURN.ROTATE_180, 4: _TURN.FLIP_TOP_BOTTOM, 5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_270, 7: _TURN.TRANSVERSE, 8: _TURN.ROTATE_90,
}  # fmt: skip
# A PNG's transparent color has the file's own depth, which Pillow leaves as it is.
_KEYS: Mapping[str, Callable] = {  # by Pillow's name for samples of which it makes 8 bits
    "1": lambda gray: 255 * bool(gray),
    "L;2": lambda gray: gray * 85,
    "L;4": lambda gray: gray * 17,
    "RGB;16B": lambda color: tuple(sample >> 8 for sample in color),
}


def check_image(image: Image.Image) -> None:
    """Raise ``TypeError`` unless ``image`` is an image, ``ValueError`` if it has no pixels."""
    if not isinstance(image, Image.Image):
        kind = type(image).__name__
        raise TypeError(f"expected an image, as from open_image or Image.fromarray, not {kind}")
    if not all(image.size):
        raise ValueError(f"the image is {image.width}x{image.height}, expected one with pixels")


def upright(picture: Image.Image) -> Image.Image:
    """Return ``picture``, fully loaded, turned as its EXIF orientation says.

    ``info`` holds what ``open_image`` keeps of it, and the transparent color, if there is one.
    """
    depth, seen = _depth_of_png(picture), look_before_loading(picture)
    picture.load()
    orientation, info = describe(picture, seen)
    turn = _TURNS.get(orientation)
    turned = picture._new(picture.im) if turn is None else picture.transpose(turn)
    turned.info = info
    if "transparency" in picture.info:
        key = picture.info["transparency"]
        info["transparency"] = _KEYS[depth](key) if depth in _KEYS else key
    return _toned_down(turned) if seen.points and seen.points.is_hdr else turned


def _toned_down(picture: Image.Image) -> Image.Image:
    """Return an HDR picture as ordinary screens show it, in sRGB."""
    photo = to_rgb(picture)
    toned_down = convert(photo, photo.info.pop("icc_profile", None), None)
    toned_down.info = photo.info | {"left_out": (_BRIGHTNESS,)}
    return toned_down


def as_photo(image: Image.Image) -> Image.Image:
    """Return ``image`` itself if it is as from ``open_image``, else a copy converted by ``to_rgb``.

    Raises:
        TypeError: ``image`` is not a Pillow image.
        ValueError: ``image`` has no pixels.
    """
    check_image(image)
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode == "RGBA" and _shows_through(image):
        return image
    return to_rgb(image)


def as_rgb(image: Image.Image) -> Image.Image:
    """Return ``image`` in RGB, on white where it is transparent; itself if it is plain RGB.

    Raises:
        TypeError: ``image`` is not a Pillow image.
        ValueError: ``image`` has no pixels.
    """
    photo = as_photo(image)
    if photo.mode == "RGB":
        return photo
    rgb = Image.new("RGB", photo.size, "white")
    for top, strip in _strips(photo):
        rgb.paste(strip, (0, top), strip)
    rgb.info = shared_info(photo)
    return rgb


def part_of(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """Return what is in ``box``: left, top, right, bottom, within the image.

    ``Image.crop`` fails if that has more pixels than Pillow opens by itself.
    """
    left, top, right, bottom = box
    part = Image.new(image.mode, (right - left, bottom - top))
    part.paste(image, (-left, -top))
    return part


def to_rgb(picture: Image.Image) -> Image.Image:
    """Return ``picture``, of any mode, as RGB, or RGBA if some of its pixels are transparent.

    Alpha is straight. 16-bit and float samples are scaled to 8 bits. Inks, Lab and gray with a
    profile become the sRGB that they look like; a profile for RGB stays in ``info``, as do ``dpi``,
    ``exif`` and ``left_out``. The result may share its pixels with ``picture``.
    """
    rgb = _in_rgb(picture)
    if rgb.mode == "RGBA" and not _shows_through(rgb):
        rgb = rgb.convert("RGB")
    more = {name: picture.info[name] for name in ("exif", "left_out") if name in picture.info}
    rgb.info = shared_info(picture) | more
    return rgb


def _in_rgb(picture: Image.Image) -> Image.Image:
    """Return ``picture`` in RGB, or RGBA if it has any alpha."""
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    profile = picture.info.get("icc_profile")
    if picture.mode == mode:
        return picture._new(picture.im)  # not a copy, which takes 700 MB for the largest photos
    if picture.mode[0] in "IF":
        return from_gray(_from_deep(picture), profile)
    if picture.mode in _GRAY:
        gray = picture
        if picture.mode in _FIRST:
            gray = picture.convert(_FIRST[picture.mode])
            gray.info = dict(picture.info)  # with the transparent color
        return from_gray(gray.convert(mode), profile)
    if picture.mode in ("CMYK", "LAB"):
        return from_inks(picture, profile) or picture.convert(mode)
    return picture.convert(mode)


def limit_to_alpha(mask: NDArray[np.float32], image: Image.Image) -> NDArray[np.float32]:
    """Return ``mask``, (H, W) from 0 to 1, but nowhere more than the alpha of ``image``."""
    if not image.has_transparency_data:
        return mask
    photo = as_photo(image)
    return mask if photo.mode == "RGB" else np.minimum(mask, alpha_channel(photo))


def colors_of(photo: Image.Image) -> Image.Image:
    """Return the photo, RGB or RGBA, without its alpha; itself if it has none."""
    return photo if photo.mode == "RGB" else photo.convert("RGB")


def alpha_channel(photo: Image.Image) -> NDArray[np.float32]:
    """Return the alpha of an RGBA picture: (H, W) float32 from 0, transparent, to 1."""
    return np.asarray(photo.getchannel("A"), np.float32) / np.float32(255)


def shared_info(picture: Image.Image) -> dict[str, object]:
    """Return the ``info`` that a picture has in common with those made from it."""
    profile = picture.info.get("icc_profile")
    if not has_rgb(picture) or not is_for(profile, b"RGB ") or not is_sound(profile):
        profile = None
    info = {"icc_profile": profile, "dpi": valid_dpi(picture.info.get("dpi"))}
    return {name: value for name, value in info.items() if value}


def has_rgb(picture: Image.Image) -> bool:
    """Return whether a picture has colors for which an RGB profile is meant."""
    return picture.mode[0] not in "IF" and picture.mode not in (*_GRAY, "CMYK", "LAB")


def _depth_of_png(picture: Image.Image) -> object:
    """Return Pillow's name for the samples of a PNG that is not yet loaded."""
    is_png = getattr(picture, "format", None) == "PNG" and getattr(picture, "tile", None)
    return picture.tile[0][3] if is_png else None  # a plain tuple in older Pillow


def _shows_through(picture: Image.Image) -> bool:
    """Return whether some pixel of an RGBA picture is transparent, if only a little."""
    return any(strip.getchannel("A").getextrema()[0] < 255 for _, strip in _strips(picture))


def _from_deep(picture: Image.Image) -> Image.Image:
    """Return a picture of deep gray samples scaled to 8 bits, RGBA if one gray is transparent."""
    key = picture.info.get("transparency")
    mode = "RGBA" if isinstance(key, int) else "RGB"
    result = Image.new(mode, picture.size)
    white = _white(picture)
    for top, strip in _strips(picture):
        samples = np.asarray(strip)
        part = Image.fromarray(_scale_to_8_bits(samples, white)).convert(mode)
        if mode == "RGBA":
            part.putalpha(Image.fromarray(np.where(samples == key, 0, 255).astype(np.uint8)))
        result.paste(part, (0, top))
    return result


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    step = max(1, _STRIP // picture.width)
    for top in range(0, picture.height, step):
        bottom = min(top + step, picture.height)
        yield top, picture.crop((0, top, picture.width, bottom))


def _white(picture: Image.Image) -> float:
    """Return the gray value that counts as white: the highest of 16 bits, or the data's if higher.

    Floats have no highest; theirs is found as in a TIFF.
    """
    if picture.mode.startswith("I;16"):
        return 65535
    peak = 0.0
    for _, strip in _strips(picture):
        samples = np.asarray(strip)
        peak = max(peak, float(samples.max(initial=0, where=np.isfinite(samples))))
    return white_of_floats(peak) if picture.mode == "F" else max(peak, 65535)


def _scale_to_8_bits(samples: np.ndarray, white: float) -> np.ndarray:
    """Return gray samples of any depth, shape (H, W), as uint8; NaN is black."""
    with np.errstate(invalid="ignore"):  # a signaling NaN becomes a quiet one
        share = samples.astype(np.float32) / np.float32(white)
    return np.rint(np.nan_to_num(share, nan=0).clip(0, 1) * 255).astype(np.uint8)
