"""BMP -> picture: every header, depth and bit mask that Windows and OS/2 have written.

Pillow knows few of the masks, does not read 2 bits per pixel, and decodes run lengths in Python,
pixel by pixel. The layouts are those of Microsoft's BITMAPINFOHEADER to BITMAPV5HEADER.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from u2demo.formats.content import LIGHT, PLAIN, Content, RefusedError
from u2demo.formats.rle import decode_runs

_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # how many bytes a header has, which names its kind
SIGNATURES = b"BM", *(struct.pack("<I", size) for size in _HEADERS)  # the others are a DIB's
_RGB, _RLE8, _RLE4, _MASKS, _JPEG, _PNG, _MASKS_WITH_ALPHA = range(7)
_FILE_HEADER = 14
_OS2 = (12, 16, 64)
_VERSION_5 = 124
_EMBEDDED = b"DEBM"  # of its color spaces, the one of a profile in the file: "MBED", turned
_USUAL_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_STRIP = 2**20  # pixels unpacked at a time
_METERS = 0.0254  # in an inch


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, int, int, int]  # of red, green, blue and alpha; all 0 without masks
    palette: bytes  # RGB, at most 256 colors
    start: int  # of the pixels
    dots: tuple[int, int]  # a meter

    @property
    def stride(self) -> int:
        return (self.width * self.bits + 31) // 32 * 4


def examine(file: BinaryIO) -> Content:
    """Return what a BMP, or a DIB, which is a BMP without its first header, holds."""
    file.seek(0)
    data = file.read()
    header = _read_header(data)
    coded = len(data) - header.start
    if header.compression in (_RLE8, _RLE4):
        needed = 2
    else:
        needed = header.stride * (header.height - 1) + (header.width * header.bits + 7) // 8
    if coded < needed:
        raise EOFError(f"{max(coded, 0)} bytes of pixels, expected {needed}")
    size = header.width, header.height
    budget = LIGHT if header.bits <= 8 else PLAIN
    return Content(size, coded, lambda: _picture(data, header), budget=budget)


def _read_header(data: bytes) -> _Header:
    at = _FILE_HEADER if data.startswith(b"BM") else 0
    (length,) = struct.unpack_from("<I", data, at)
    if length not in _HEADERS:
        raise RefusedError(f"a BMP with a header of {length} bytes; export it as PNG or JPEG")
    compression = colors = 0
    dots = 0, 0
    if length == 12:
        width, height, _, bits = struct.unpack_from("<4H", data, at + 4)
    else:
        width, height, _, bits = struct.unpack_from("<2i2H", data, at + 4)
    if length >= 40:
        compression, _, *dots, colors = struct.unpack_from("<2I2iI", data, at + 16)
    _check(width, height, bits, compression, length)
    masks, after = _masks(data, at, length, bits, compression)
    # A file names the start of its pixels; without that header they follow the palette.
    start = struct.unpack_from("<I", data, 10)[0] if at else 0
    entry = 3 if length == 12 else 4
    many = min(colors or 2**bits, 2**bits) if bits <= 8 else 0
    if start > after:
        many = min(many, (start - after) // entry)
    end = after + many * entry
    palette = _palette(data[after:end], entry)
    return _Header(
        width, abs(height), height < 0, bits, compression, masks, palette, start or end, tuple(dots)
    )


def _check(width: int, height: int, bits: int, compression: int, length: int) -> None:
    if width < 1 or height == 0:
        raise ValueError(f"{width}x{height} pixels")
    # IBM's own compressions share numbers with Microsoft's.
    if compression in (_JPEG, _PNG) or (length in _OS2 and compression == _MASKS):
        raise RefusedError("a BMP that holds another format; export it as PNG or JPEG")
    known = {
        _RGB: (1, 2, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,),
        _MASKS: (16, 24, 32), _MASKS_WITH_ALPHA: (16, 24, 32),
    }  # fmt: skip
    if bits not in known.get(compression, ()):
        raise RefusedError(
            f"a BMP of {bits} bits per pixel, compression {compression}; export it as PNG or JPEG"
        )


def _masks(
    data: bytes, at: int, length: int, bits: int, compression: int
) -> tuple[tuple[int, int, int, int], int]:
    """Return the masks, and where the palette begins."""
    after = at + length
    usual = _USUAL_MASKS.get(bits, (0, 0, 0, 0))
    if compression not in (_MASKS, _MASKS_WITH_ALPHA):
        return usual, after
    alpha = length >= 56 or compression == _MASKS_WITH_ALPHA
    masks = struct.unpack_from("<4I" if alpha else "<3I", data, at + 40)
    if length == 40:
        after += 4 * len(masks)
    return (*masks, 0)[:4] if any(masks[:3]) else usual, after


def _palette(colors: bytes, entry: int) -> bytes:
    """Return colors as RGB; they are stored as BGR, and at ``entry`` bytes each."""
    rows = np.frombuffer(colors[: len(colors) // entry * entry], np.uint8).reshape(-1, entry)
    return rows[:, 2::-1].tobytes()


def _picture(data: bytes, header: _Header) -> Image.Image:
    if header.bits == 24 and not any(header.masks):
        down = 1 if header.top_down else -1
        pixels, size = memoryview(data)[header.start :], (header.width, header.height)
        picture = Image.frombytes("RGB", size, pixels, "raw", "BGR", header.stride, down)
    else:
        picture = _indexed(data, header) if header.bits <= 8 else _masked(data, header)
        if not header.top_down:
            picture = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    if all(dots > 0 for dots in header.dots):
        picture.info["dpi"] = tuple(dots * _METERS for dots in header.dots)
    picture.info["icc_profile"] = _profile(data)
    return picture


def _profile(data: bytes) -> bytes | None:
    """Return the color profile that a header of version 5 embeds."""
    at = _FILE_HEADER if data.startswith(b"BM") else 0
    (length,) = struct.unpack_from("<I", data, at)
    if length != _VERSION_5 or data[at + 56 : at + 60] != _EMBEDDED:
        return None
    place, size = struct.unpack_from("<2I", data, at + 112)
    return data[at + place : at + place + size]


def _indexed(data: bytes, header: _Header) -> Image.Image:
    shape = header.height, header.width
    if header.compression in (_RLE8, _RLE4):
        indices = decode_runs(data[header.start :], shape, two_a_byte=header.bits == 4)
    else:
        indices = np.empty(shape, np.uint8)
        for rows, strip in _strips(data, header):
            indices[rows] = _unpacked(strip, header.bits)[:, : header.width]
    picture = Image.fromarray(indices)
    picture.putpalette(header.palette.ljust(768, b"\0"))
    return picture


def _unpacked(packed: np.ndarray, bits: int) -> np.ndarray:
    """Return bytes, shape (H, N), as samples of 1, 2, 4 or 8 bits, shape (H, N * 8 / bits)."""
    if bits == 8:
        return packed
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    samples = packed[:, :, None] >> shifts & (2**bits - 1)
    return samples.reshape(len(packed), -1)


def _masked(data: bytes, header: _Header) -> Image.Image:
    masks = header.masks if header.masks[3] else header.masks[:3]
    samples = np.empty((header.height, header.width, len(masks)), np.uint8)
    for rows, strip in _strips(data, header):
        pixels = _words(strip, header)
        for channel, mask in enumerate(masks):
            samples[rows, :, channel] = _channel(pixels, mask)
    if header.masks[3] and not samples[..., 3].any():
        samples = samples[..., :3]  # by custom, alpha that is 0 everywhere was never set
    return Image.fromarray(np.ascontiguousarray(samples))


def _words(strip: np.ndarray, header: _Header) -> np.ndarray:
    size = header.bits // 8
    used = strip[:, : header.width * size]
    if size == 3:
        low, middle, high = (used[:, place::3].astype(np.uint32) for place in range(3))
        return low | middle << 8 | high << 16
    return np.ascontiguousarray(used).view(f"<u{size}").astype(np.uint32)


def _channel(pixels: np.ndarray, mask: int) -> np.ndarray:
    """Return the bits under ``mask``, scaled to 8 bits."""
    if mask == 0:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = pixels >> np.uint32(shift) & np.uint32(most)
    if most == 255:
        return values.astype(np.uint8)
    return np.rint(values * (255 / most)).clip(0, 255).astype(np.uint8)


def _strips(data: bytes, header: _Header) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows and their bytes, shape (rows, stride); the last row may lack its padding."""
    step = max(1, _STRIP // header.width)
    for top in range(0, header.height, step):
        bottom = min(top + step, header.height)
        start = header.start + top * header.stride
        size = (bottom - top) * header.stride
        strip = data[start : start + size].ljust(size, b"\0")
        yield slice(top, bottom), np.frombuffer(strip, np.uint8).reshape(-1, header.stride)
