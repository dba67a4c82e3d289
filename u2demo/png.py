"""image -> PNG, on all cores.

A PNG holds one long deflate stream, which is why encoders work on one core. Here the picture is
cut into strips that are filtered and compressed side by side; a "sync flush" ends each but the
last, so that the pieces in a row are one valid stream (RFC 1950, RFC 1951; PNG specification,
third edition, chapters 9 and 10).
"""

import os
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PNG_MODES = {"L": 0, "RGB": 2, "RGBA": 6}  # with the number PNG gives them
_STRIP = 2**19  # bytes
_LEFT, _ABOVE, _MEAN = 1, 2, 3  # filters: what a pixel is guessed from
_SAMPLE = 4  # rows of a strip that decide on its filter
_LEVEL = 4  # of deflate: a little larger than with 6, in a third of the time
_ADLER_BASE = 65521

_Rows = NDArray[np.uint8]  # (height, bytes of a row)


def encode_png(image: Image.Image, *, icc_profile: bytes | None = None) -> bytes:
    """Return ``image``, mode L, RGB or RGBA, as the bytes of a PNG file.

    About as small as Pillow's default in a third of its processor time.
    """
    rows = np.asarray(image).reshape(image.height, -1)
    header = struct.pack(">2I5B", *image.size, 8, PNG_MODES[image.mode], 0, 0, 0)
    chunks = [b"\x89PNG\r\n\x1a\n", *_chunk(b"IHDR", header)]
    if icc_profile:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    chunks += _data_chunks(rows, rows.shape[1] // image.width)
    return b"".join((*chunks, *_chunk(b"IEND", b"")))


def _data_chunks(rows: _Rows, pixel: int) -> Iterator[bytes]:
    step = max(1, _STRIP // rows.shape[1])
    starts = range(0, len(rows), step)
    end = {starts[-1]: zlib.Z_FINISH}

    def compress(start: int) -> tuple[bytes, int, int]:
        filtered = _filtered(rows, slice(start, min(start + step, len(rows))), pixel)
        deflate = zlib.compressobj(_LEVEL, wbits=-15)
        data = deflate.compress(filtered) + deflate.flush(end.get(start, zlib.Z_SYNC_FLUSH))
        return data, zlib.adler32(filtered), filtered.size

    checksum, zlib_header = 1, b"\x78\x5e"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for data, adler, size in pool.map(compress, starts):
            yield from _chunk(b"IDAT", zlib_header + data)
            checksum, zlib_header = _join_adler(checksum, adler, size), b""
    yield from _chunk(b"IDAT", struct.pack(">I", checksum))


def _filtered(rows: _Rows, strip: slice, pixel: int) -> _Rows:
    """Return a strip after the filter that makes the rows in its middle smallest."""
    middle = (strip.start + strip.stop) // 2
    sample = slice(middle, min(middle + _SAMPLE, strip.stop))

    def sample_size(kind: int) -> int:
        return len(zlib.compress(_residual(kind, rows, sample, pixel), _LEVEL))

    return _residual(min((_LEFT, _ABOVE, _MEAN), key=sample_size), rows, strip, pixel)


def _residual(kind: int, rows: _Rows, strip: slice, pixel: int) -> _Rows:
    """Return each row of a strip as the filter's number and what the filter leaves of it."""
    residual = np.zeros((strip.stop - strip.start, 1 + rows.shape[1]), np.uint8)
    residual[:, 0] = kind
    guess, here = residual[:, 1:], rows[strip]
    above = np.zeros_like(here)
    above[strip.start == 0 :] = rows[max(strip.start - 1, 0) : strip.stop - 1]
    if kind == _LEFT:
        guess[:, pixel:] = here[:, :-pixel]
    elif kind == _ABOVE:
        guess[:] = above
    else:
        guess[:, pixel:] = here[:, :-pixel]
        common = guess & above
        guess ^= above
        guess >>= 1
        guess += common  # (a ^ b) / 2 + (a & b) is their mean, and needs no ninth bit
    np.subtract(here, guess, out=guess)
    return residual


def _join_adler(first: int, second: int, size: int) -> int:
    """Return the Adler-32 checksum of two pieces in a row; ``size`` is the second one's."""
    a1, b1, a2, b2 = first & 0xFFFF, first >> 16, second & 0xFFFF, second >> 16
    a = (a1 + a2 - 1) % _ADLER_BASE
    b = (b1 + b2 + size * (a1 - 1)) % _ADLER_BASE
    return b << 16 | a


def _chunk(name: bytes, data: bytes) -> tuple[bytes, ...]:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)), name, data, struct.pack(">I", checksum)
