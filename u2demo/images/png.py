"""image -> PNG, on all cores.

A PNG holds one long deflate stream, which is why encoders work on one core. Here the picture is
cut into strips, which are filtered and compressed side by side. A "sync flush" ends all but the
last, so that the joined pieces are one valid stream (RFC 1950, RFC 1951; PNG specification, third
edition, chapters 9 and 10).
"""

import struct
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from zlib_ng import zlib_ng as zlib  # twice as fast as Python's own

from u2demo.machine.cores import on_all_cores

PNG_MODES = {"L": 0, "RGB": 2, "RGBA": 6}  # PNG's number for each mode
_STRIP = 2**20  # bytes
_LEFT, _ABOVE, _MEAN = 1, 2, 3  # what a pixel is predicted from
_FILTERS = (_LEFT, _ABOVE, _MEAN)
_SAMPLE = 4  # rows of a strip that decide on its filter
_LEVEL = 5  # of deflate: about as small as level 6 of the usual zlib, in a quarter of the time
_QUICK_LEVEL = 2  # enough to tell which filter is best
_ADLER_BASE = 65521
_METERS = 0.0254  # in an inch

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ZLIB_HEADER = b"\x78\x5e"

_Rows = NDArray[np.uint8]  # (height, bytes of a row)


class _Strip(NamedTuple):
    """A compressed strip of the picture, and the checksum and size of its bytes before."""

    data: bytes
    adler: int  # Adler-32 of the uncompressed bytes
    size: int  # their number


def encode_png(
    image: Image.Image,
    *,
    icc_profile: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    exif: bytes = b"",
) -> bytes:
    """Return ``image``, mode L, RGB or RGBA, as the bytes of a PNG file.

    About as small as Pillow's default in a quarter of its processor time. ``dpi`` is (x, y);
    ``exif`` is a block as from ``write_exif``.
    """
    header = struct.pack(">2I5B", *image.size, 8, PNG_MODES[image.mode], 0, 0, 0)
    chunks = [_SIGNATURE, _chunk(b"IHDR", header)]
    if icc_profile:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile)))
    if dpi:
        pixels_a_meter = (round(side / _METERS) for side in dpi)
        chunks.append(_chunk(b"pHYs", struct.pack(">2IB", *pixels_a_meter, 1)))
    if exif:
        chunks.append(_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")))
    chunks += _data_chunks(image)
    chunks.append(_chunk(b"IEND", b""))
    return b"".join(chunks)


def _data_chunks(image: Image.Image) -> list[bytes]:
    pixel = len(image.getbands())
    step = max(1, _STRIP // (pixel * image.width))

    def compress(start: int) -> _Strip:
        stop = min(start + step, image.height)
        # Including the row above. Beyond the picture Pillow crops zeros, as PNG expects.
        strip = np.asarray(image.crop((0, start - 1, image.width, stop)))
        rows = strip.reshape(len(strip), -1)
        last = stop == image.height
        if rows.any():
            return _deflate(rows, pixel, last)
        return empty(rows.shape, last)

    @cache  # most of a cut-out is empty
    def empty(shape: tuple[int, int], last: bool) -> _Strip:
        return _deflate(np.zeros(shape, np.uint8), pixel, last)

    strips = on_all_cores(compress, range(0, image.height, step))
    checksum = 1
    for strip in strips:
        checksum = _join_adler(checksum, strip.adler, strip.size)
    pieces = [_ZLIB_HEADER, *(strip.data for strip in strips), struct.pack(">I", checksum)]
    return [_chunk(b"IDAT", piece) for piece in pieces]


def _deflate(rows: _Rows, pixel: int, last: bool) -> _Strip:
    """Return the rows, all but the first, filtered and compressed."""
    filtered = _residual(_best_filter(rows, pixel), rows, pixel)
    deflate = zlib.compressobj(_LEVEL, wbits=-15)
    data = deflate.compress(filtered)
    data += deflate.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
    return _Strip(data, zlib.adler32(filtered), filtered.size)


def _best_filter(rows: _Rows, pixel: int) -> int:
    """Return the filter that makes the rows in the middle smallest."""
    middle = len(rows) // 2
    sample = rows[max(middle - _SAMPLE, 0) : middle + 1]
    return min(
        _FILTERS,
        key=lambda kind: len(zlib.compress(_residual(kind, sample, pixel), _QUICK_LEVEL)),
    )


def _residual(kind: int, rows: _Rows, pixel: int) -> _Rows:
    """Return each row but the first: the filter's number, then the row minus its prediction."""
    above, here = rows[:-1], rows[1:]
    residual = np.zeros((len(here), 1 + here.shape[1]), np.uint8)
    residual[:, 0] = kind
    guess = residual[:, 1:]
    if kind == _ABOVE:
        guess[:] = above
    else:
        guess[:, pixel:] = here[:, :-pixel]
    if kind == _MEAN:
        common = guess & above
        guess ^= above
        guess >>= 1
        guess += common  # (a ^ b) / 2 + (a & b) is the mean of a and b, without a ninth bit
    np.subtract(here, guess, out=guess)
    return residual


def _join_adler(first: int, second: int, size: int) -> int:
    """Return the Adler-32 checksum of two joined pieces; ``size`` is that of the second."""
    a1, b1 = first & 0xFFFF, first >> 16
    a2, b2 = second & 0xFFFF, second >> 16
    a = (a1 + a2 - 1) % _ADLER_BASE
    b = (b1 + b2 + size * (a1 - 1)) % _ADLER_BASE
    return b << 16 | a


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return b"".join((struct.pack(">I", len(data)), name, data, struct.pack(">I", checksum)))
