"""pair -> sample: a small copy of a photo and of its mask, checked, in little memory."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.images.read import open_image
from u2demo.images.rgb import as_rgb
from u2demo.masks.corrections import Corrections
from u2demo.masks.mask import Mask, to_8_bits
from u2demo.runs.corrected import read_corrections
from u2demo.training.alike import thumbnail
from u2demo.training.pairs import Pair

_ROOM = 1.5  # longer side of a copy, as a share of the side that the net sees: crops stay sharp
_GRAY = 24  # levels by which the bands of a gray picture may differ, as in a JPEG
_BLACK, _WHITE = 32, 223  # what is between them is undecided
_UNDECIDED = 0.5  # share of a mask; soft mattes of hair and smoke have less
_LABELS = 32  # classes of a picture are fewer, and their numbers are below that, or 255 for none

# What a net finds in a photo as corrected: needed where there is no mask yet.
Look = Callable[[Image.Image, Corrections], Mask]


class Sample(NamedTuple):
    """A photo and its mask of one size, encoded. Ten thousand of them take about a gigabyte.

    Of a cut-out whose background is gone, ``is_cutout``, only the subject can be shown. ``key``
    tells by its pixels whether two samples are the same photo, ``thumbnail`` whether they look
    alike. ``is_soft`` says that the mask is a net's own answer: a share of confidence at each
    pixel, not a border.
    """

    name: str
    photo: bytes
    mask: bytes
    key: str
    thumbnail: bytes
    is_cutout: bool = False
    is_soft: bool = False

    def open(self) -> tuple[Image.Image, Image.Image]:
        """Return the photo, RGB, and its mask, L."""
        return Image.open(io.BytesIO(self.photo)).convert("RGB"), Image.open(io.BytesIO(self.mask))

    def truth(self) -> Mask:
        """Return the mask as (H, W) float32, 0 to 1."""
        return np.asarray(self.open()[1], np.float32) / np.float32(255)


def open_pair(pair: Pair, side: int, look: Look) -> Sample:
    """Return the sample of a pair on disk, for a net that sees ``side`` pixels.

    Raises:
        ValueError, OSError: a file cannot be read, or the mask is not one of this photo; the text
            says what is wrong, as a phrase that follows the photo's name.
    """
    photo = open_image(pair.photo)
    if pair.mask is None or (pair.mask == pair.photo and photo.mode != "RGBA"):
        if pair.corrections is None:
            raise ValueError("has neither a mask, nor corrections, nor a transparent background")
        mask = to_8_bits(look(photo, read_corrections(pair.corrections, photo.size)))
        return make_sample(pair.name, photo, Image.fromarray(mask), side)
    given = photo if pair.mask == pair.photo else _open_mask(pair.mask)
    return make_sample(pair.name, photo, mask_in(given), side)


def make_sample(
    name: str, photo: Image.Image, mask: Image.Image, side: int, *, is_soft: bool = False
) -> Sample:
    """Return the sample of a photo as from ``open_image`` and its mask, L, 0 to 255.

    Many data sets have masks of smaller copies: of another size, but the photo's proportions.

    Raises:
        ValueError: the mask has other proportions, or says nothing.
    """
    _check_size(photo, mask)
    if np.asarray(mask).min() > _WHITE and not is_soft:
        raise ValueError("its mask is white all over, expected a subject before a background")
    scale = min(1.0, _ROOM * side / max(photo.size))
    size = max(1, round(scale * photo.width)), max(1, round(scale * photo.height))
    is_cutout = photo.mode == "RGBA" and _has_lost_background(photo)
    colors = photo.convert("RGB") if is_cutout else as_rgb(photo)
    small = colors.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    encoded = _encode(small, "JPEG", quality=95, subsampling=0)
    alpha = _encode(mask.resize(size, Image.Resampling.BOX), "PNG")
    key = hashlib.sha256(np.asarray(small).tobytes()).hexdigest()
    return Sample(name, encoded, alpha, key, thumbnail(small), is_cutout, is_soft)


def mask_in(picture: Image.Image) -> Image.Image:
    """Return the mask that a picture as from ``open_image`` is, or has as its alpha: L, 0 to 255.

    Raises:
        ValueError: it is no mask: a photo, or numbers of classes.
    """
    if picture.mode == "RGBA":
        return picture.getchannel("A")
    bands = np.asarray(picture).astype(np.int16)
    if (bands.max(2) - bands.min(2) > _GRAY).mean() > 0.01:
        raise ValueError("its mask is in color, expected black (background) to white (subject)")
    levels = bands.max(2).astype(np.uint8)  # a class may be in red alone
    numbers = np.flatnonzero(Image.fromarray(levels).histogram()).tolist()
    if numbers[-1] == 1:  # the subject is class 1: no mask means a brightness of 1/255 by it
        levels = levels * np.uint8(255)
    elif numbers != [0] and _are_classes(numbers):
        shown = numbers if len(numbers) < 6 else [*numbers[:4], "…", numbers[-1]]
        raise ValueError(
            f"its mask holds the numbers {', '.join(map(str, shown))}, as of classes, expected 0"
            " (background) to 255 (subject)"
        )
    undecided = ((levels > _BLACK) & (levels < _WHITE)).mean()
    if undecided > _UNDECIDED:
        raise ValueError(
            f"its mask is a gray picture, {undecided:.0%} neither black nor white; expected black"
            " (background) to white (subject)"
        )
    return Image.fromarray(levels)


def _are_classes(numbers: list[int]) -> bool:
    """Return whether the levels of a mask are numbers of classes; 255 may be what none of them is.

    A subject is white somewhere, or soft; what is soft or was compressed has levels in between. One
    level alone in between, as in a trimap, is what nobody has decided.
    """
    if numbers[-1] <= _WHITE:
        return len(numbers) < _LABELS
    if len(numbers) == 3 and _BLACK < numbers[1] < _WHITE:
        return True
    return 0 < max((number for number in numbers if number < 255), default=0) < _LABELS


def _open_mask(file: Path) -> Image.Image:
    """Return a mask; numbers of classes that a file has in 16 bits stay the same in 8.

    ``open_image`` would make them 0 and 1, as the brightness of 65,535 levels.
    """
    picture = open_image(file)
    if picture.mode == "RGB" and max(high for _, high in picture.getextrema()) <= 1:
        with Image.open(file) as raw:
            if raw.mode.startswith("I"):
                numbers = np.asarray(raw)
                small = np.where(numbers > 255, _WHITE, numbers).astype(np.uint8)  # still a class
                return Image.fromarray(small).convert("RGB")
    return picture


def is_mask(picture: Image.Image) -> bool:
    """Return whether a picture as from ``open_image`` could be a mask."""
    if picture.mode != "RGB":
        return False
    try:
        mask_in(picture)
    except ValueError:
        return False
    return True


def _check_size(photo: Image.Image, mask: Image.Image) -> None:
    """Raise ``ValueError`` unless a mask has its photo's proportions, give or take a pixel."""
    if _has_proportions(mask.size, photo.size):
        return
    why = "expected the photo's own proportions"
    if _has_proportions(mask.size[::-1], photo.size):
        why += "; one of the two lies on its side"
    raise ValueError(
        f"is {photo.width}x{photo.height} and its mask {mask.width}x{mask.height}; {why}"
    )


def _has_proportions(size: tuple[int, int], like: tuple[int, int]) -> bool:
    (small, large) = sorted((size, like))
    scale = large[0] / small[0]
    return abs(small[1] * scale - large[1]) <= 1.5 * scale


def _has_lost_background(photo: Image.Image) -> bool:
    """Return whether what is transparent has one color: the photo behind it is gone."""
    pixels = np.asarray(photo)
    behind: NDArray[np.uint8] = pixels[pixels[..., 3] == 0][:, :3]
    return len(behind) > 0 and bool((behind == behind[0]).all())


def _encode(picture: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()
