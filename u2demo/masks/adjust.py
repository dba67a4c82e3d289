"""mask -> mask: its middle and softness moved, grown or shrunk, without holes and specks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from u2demo.machine.cores import on_all_cores
from u2demo.machine.numbers import check_number
from u2demo.masks.box import Box, tiles
from u2demo.masks.levels import SURE_BACKGROUND, SURE_SUBJECT
from u2demo.masks.mask import Mask, check_mask, to_8_bits
from u2demo.masks.objects import Runs, find_runs

_HARD = 1e-6  # softness at which no pixel is left between 0 and 1; float32 overflows far below it
_TILE = 512  # pixels
_STEP = 16  # pixels; a larger disc is several of them, added: up to 2.5 % short in some directions


@dataclass(frozen=True)
class Edge:
    """How ``adjust_mask`` changes an edge: its options, with its defaults, which change nothing."""

    threshold: float = 0.5
    softness: float = 1.0
    fill_holes: float = 0.0
    drop_specks: float = 0.0
    grow: float = 0.0
    feather: float = 0.0

    def __post_init__(self):
        check_number(
            "threshold",
            self.threshold,
            expected="more than 0 and less than 1",
            least=math.nextafter(0, 1),
            most=math.nextafter(1, 0),
        )
        expected = "0 (hard) to 1 (as it is); feather makes an edge softer"
        check_number("softness", self.softness, expected=expected, most=1.0)
        share = "0 (none) to 1, a share of the subject's area"
        check_number("fill_holes", self.fill_holes, expected=share, most=1.0)
        check_number("drop_specks", self.drop_specks, expected=share, most=1.0)
        pixels = "a finite number of pixels"
        expected = f"{pixels}, below 0 to shrink"
        check_number("grow", self.grow, expected=expected, least=-math.inf)
        check_number("feather", self.feather, expected=f"{pixels}, 0 or more")

    def apply(self, mask: Mask) -> Mask:
        """Apply the steps of ``adjust_mask`` without checking the mask."""
        threshold, softness = float(self.threshold), float(self.softness)
        adjusted = _remapped(mask, threshold, softness)  # new; the next two change it
        if self.fill_holes:
            _fill_holes(adjusted, float(self.fill_holes))
        if self.drop_specks:
            _drop_specks(adjusted, float(self.drop_specks))
        for pixels in _steps(float(self.grow), mask.shape):
            adjusted = _grown(adjusted, pixels)
        if self.feather:
            adjusted = _feathered(adjusted, float(self.feather))
        return adjusted


UNCHANGED = Edge()


def adjust_mask(
    mask: Mask,
    *,
    threshold: float = Edge.threshold,
    softness: float = Edge.softness,
    fill_holes: float = Edge.fill_holes,
    drop_specks: float = Edge.drop_specks,
    grow: float = Edge.grow,
    feather: float = Edge.feather,
) -> Mask:
    """Return ``mask`` with its edge changed, in these steps, one after the other.

    - ``threshold``, the value that comes to 0.5, moves on a power curve that leaves 0 and 1 where
      they are, so that the subject never turns transparent. Then ``softness``, 0 to 1, scales the
      width of the edge: 1 keeps it, 0 makes it hard. The defaults change nothing.
    - ``fill_holes``: holes, and half transparent places, become subject if they are surrounded by
      it, up to this share of the subject's area.
    - ``drop_specks``: what is not joined to the rest becomes background, up to this share of the
      subject's area. The largest part always stays.
    - ``grow`` moves the edge outward by that many pixels, or inward if negative. It stays as
      soft as it is, and a subject that the picture cuts off stays cut off.
    - ``feather`` softens the edge on both sides: the standard deviation, in pixels, of a Gaussian
      blur, never more than the mask's longer side.

    A hard mask, 1 above a threshold and 0 elsewhere, is ``adjust_mask(mask, threshold=0.4,
    softness=0)``.

    Raises:
        ValueError: ``mask`` is not a valid mask, ``threshold`` is not strictly between 0 and 1,
            ``softness``, ``fill_holes`` or ``drop_specks`` is not between 0 and 1, ``feather`` is
            negative or not finite, ``grow`` is not finite.
    """
    check_mask(mask)
    return Edge(threshold, softness, fill_holes, drop_specks, grow, feather).apply(mask)


def _remapped(mask: Mask, threshold: float, softness: float) -> Mask:
    """Return a new mask: ``threshold`` becomes 0.5, the edge is ``softness`` times as wide."""
    if softness < _HARD:
        return (mask > threshold).astype(np.float32)
    moved = mask.clip(0, 1)
    if threshold != 0.5:
        moved **= np.float32(np.log(0.5) / np.log(threshold))
    if softness != 1:
        slope = np.float32(1 / softness)
        moved = ((moved - np.float32(0.5)) * slope + np.float32(0.5)).clip(0, 1)
    return moved


def _fill_holes(mask: Mask, share: float) -> None:
    """Set to 1 what lies below 0.5 amid the subject, then what is half transparent there."""
    most = share * np.count_nonzero(mask > 0.5)
    for level in (0.5, SURE_SUBJECT):
        runs = find_runs(mask < level, corners=False)
        if runs.rows.size:
            small = runs.areas() <= most
            small[runs.groups[_at_border(runs, mask.shape)]] = False
            np.put(mask, runs.pixels(small[runs.groups], mask.shape[1]), 1)


def _at_border(runs: Runs, shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    in_first_or_last_row = (runs.rows == 0) | (runs.rows == height - 1)
    return in_first_or_last_row | (runs.starts == 0) | (runs.ends == width)


def _drop_specks(mask: Mask, share: float) -> None:
    """Set to 0 what is not joined to the largest part, not even by a soft edge, if it is small."""
    runs = find_runs(mask > SURE_BACKGROUND)
    if runs.rows.size:
        areas = runs.areas()
        small = areas <= share * np.count_nonzero(mask > 0.5)
        small[areas.argmax()] = False
        np.put(mask, runs.pixels(small[runs.groups], mask.shape[1]), 0)


def _grown(mask: Mask, pixels: float) -> Mask:
    """Return ``mask`` with its edge moved outward by ``pixels``, inward if that is below 0."""
    extreme = np.maximum if pixels > 0 else np.minimum
    further = _over_disc(mask, math.ceil(abs(pixels)), extreme)
    if abs(pixels) < 1:  # part of a pixel
        further = mask + np.float32(abs(pixels)) * (further - mask)
    return further


def _feathered(mask: Mask, pixels: float) -> Mask:
    blur = ImageFilter.GaussianBlur(min(pixels, max(mask.shape)))
    blurred = Image.fromarray(to_8_bits(mask)).filter(blur)
    return np.asarray(blurred, np.float32) / np.float32(255)


def _steps(pixels: float, shape: tuple[int, int]) -> Iterator[float]:
    """Yield whole numbers up to ``_STEP``, and last what is left below 1: in all, ``pixels``.

    All are below 0 if that is. More than the longer side of a mask is no more than that side. Discs
    added to each other are a disc again, and small ones take little from around a tile.
    """
    radius = min(abs(pixels), max(shape))
    whole = int(radius)
    while whole > 0:
        yield math.copysign(min(whole, _STEP), pixels)
        whole -= _STEP
    if radius > int(radius):
        yield math.copysign(radius - int(radius), pixels)


def _over_disc(mask: Mask, radius: int, extreme: np.ufunc) -> Mask:
    """Return, for each pixel, the ``extreme`` value in the disc around it, as far as there are any.

    ``extreme`` is ``np.maximum`` or ``np.minimum``.
    """
    height, width = mask.shape
    result = np.empty_like(mask)

    def spread(box: Box) -> None:
        left, top = max(0, box.left - radius), max(0, box.top - radius)
        around = mask[top : box.bottom + radius, left : box.right + radius]
        inner = np.s_[box.top - top : box.bottom - top, box.left - left : box.right - left]
        is_even = around.min() == around.max()
        spread_out = around if is_even else _spread(around, radius, extreme)
        result[box.top : box.bottom, box.left : box.right] = spread_out[inner]

    on_all_cores(spread, tiles(Box(0, 0, width, height), side=_TILE))
    return result


def _spread(values: Mask, radius: int, extreme: np.ufunc) -> Mask:
    """Return the ``extreme`` of the rows of a disc: from its ends, one pixel wide, to its middle.

    Each row is a line of pixels, shifted up and down; the line grows as the disc does.
    """
    result, line, half = values.copy(), values.copy(), 0
    for away in range(radius, -1, -1):
        while half < math.isqrt(radius**2 - away**2):
            wider = line.copy()
            extreme(wider[:, 1:], line[:, :-1], out=wider[:, 1:])
            extreme(wider[:, :-1], line[:, 1:], out=wider[:, :-1])
            line, half = wider, half + 1
        rows = values.shape[0] - away
        if rows > 0:
            extreme(result[away:], line[:rows], out=result[away:])
            extreme(result[:rows], line[away:], out=result[:rows])
    return result
