"""Samples of a TIFF -> picture of 8 bits, for every kind of samples that Pillow misreads."""

from collections.abc import Callable
from typing import BinaryIO

import numpy as np
from PIL import Image

from u2demo.formats.samples import COLORS, FLOAT, SIGNED, Kind, Layout, blocks

_PREMULTIPLIED = 1


def read_picture(file: BinaryIO, layout: Layout) -> Image.Image:
    """Return the picture: L, RGB, CMYK or LAB, or LA or RGBA if it has alpha."""
    needed = layout.pieces_of_a_plane * (len(layout.bits) if layout.is_planar else 1)
    if len(layout.offsets) != needed:
        raise ValueError(f"{len(layout.offsets)} strips or tiles, expected {needed}")
    colors = COLORS[layout.photometric]
    used = [*range(colors), *([layout.alpha] if layout.alpha is not None else [])]
    count = len(used) + (2 if layout.photometric == Kind.PALETTE else 0)
    pixels = np.empty((layout.height, layout.width, count), np.uint8)
    convert = _converter(file, layout, used)
    for top, samples in blocks(file, layout, used):
        pixels[top : top + len(samples)] = convert(samples)
    size = layout.width, layout.height
    if layout.photometric in (Kind.LAB, Kind.ICC_LAB):
        pixels[..., 1:3] ^= 128
        return Image.frombytes("LAB", size, pixels.tobytes(), "raw", "LAB")
    if layout.photometric == Kind.CMYK:
        return Image.frombuffer("CMYK", size, pixels, "raw", "CMYK", 0, 1)
    if layout.photometric == Kind.YCBCR:
        return Image.frombytes("YCbCr", size, pixels.tobytes()).convert("RGB")
    return Image.fromarray(pixels[..., 0] if count == 1 else pixels)


def _converter(
    file: BinaryIO, layout: Layout, used: list[int]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that makes samples, (H, W, S), 8-bit colors, (H, W, 1 to 4)."""
    bits = layout.bits[0]
    if layout.photometric == Kind.PALETTE:
        palette = np.array(layout.colors).reshape(3, -1).T
        wide = palette.max() > 255  # old programs wrote 8 bits, not 16
        table = np.rint(palette / 257 if wide else palette).astype(np.uint8)
        full = 2**bits - 1
        return lambda samples: np.dstack(
            [table[samples[..., 0]], np.rint(samples[..., 1:] / full * 255).astype(np.uint8)]
        )
    if layout.photometric in (Kind.LAB, Kind.ICC_LAB):
        return lambda samples: _lab(samples, bits, layout.photometric)
    whites = np.full(len(used), _white(file, layout, used[: COLORS[layout.photometric]]))
    if layout.alpha is not None:  # colors may be brighter than white, alpha may not
        whites[-1] = _white(file, layout, [layout.alpha])

    def convert(samples: np.ndarray) -> np.ndarray:
        share = _share(samples, whites)
        if layout.photometric == Kind.WHITE_IS_0:
            share[..., 0] = 1 - share[..., 0]
        if layout.alpha is not None and layout.extra[:1] == (_PREMULTIPLIED,):
            alpha = share[..., -1:]
            share[..., :-1] = np.minimum(share[..., :-1] / np.where(alpha > 0, alpha, 1), 1)
        return np.rint(share * 255).astype(np.uint8)

    return convert


def _share(samples: np.ndarray, whites: np.ndarray) -> np.ndarray:
    """Return samples, (H, W, S), as float32 from 0 to 1, the white of each; NaN is 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        share = (samples / whites).astype(np.float32)
    return np.nan_to_num(share, copy=False, nan=0).clip(0, 1)


def _white(file: BinaryIO, layout: Layout, used: list[int]) -> float:
    """Return the value that counts as white in these samples.

    It is the type's highest. Measurements in 32 bits and more, and in floats, seldom reach it:
    theirs is a usual white that they come near, or else the highest value that is there.
    """
    bits = layout.bits[0]
    full = 2.0 ** (bits - (layout.form == SIGNED)) - 1
    if layout.form != FLOAT and bits <= 24:
        return full
    peak = 0.0
    for _, samples in blocks(file, layout, used):
        peak = max(peak, float(samples.max(initial=0, where=np.isfinite(samples))))
    return white_of_floats(peak) if layout.form == FLOAT else _usual_white(peak, full) or 1.0


def white_of_floats(peak: float) -> float:
    """Return the value that counts as white among floats, of which ``peak`` is the highest."""
    return 1.0 if peak <= 2 else _usual_white(peak)  # up to twice as bright is clipped


def _usual_white(peak: float, *whites: float) -> float:
    """Return the white, of the usual ones and ``whites``, that ``peak`` comes near; else itself."""
    usual = (255.0, 65535.0, *whites)
    return next((white for white in usual if white / 16 < peak <= white), peak)


def _lab(samples: np.ndarray, bits: int, photometric: int) -> np.ndarray:
    """Return Lab in 8 bits: lightness from 0 to 255, a and b around 128."""
    if bits == 16:
        samples = samples.astype(np.uint16)  # "signed" is meant for a and b
        high = samples >> 8
        light = samples[..., :1] / (65280 if photometric == Kind.ICC_LAB else 65535) * 255
        samples = np.concatenate([np.rint(light).clip(0, 255).astype(high.dtype), high[..., 1:]], 2)
    lab = samples.astype(np.uint8)
    if photometric == Kind.LAB:
        lab[..., 1:3] ^= 128  # stored as signed numbers
    return lab
