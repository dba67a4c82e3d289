"""Bytes of a TIFF -> samples, of every depth and in every order.

Pillow, which is libtiff here, undoes the compression: it is told of a picture of plain bytes, as
wide as a row is long. How the bytes are read is worked out here, by TIFF 6.0 and its supplements.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

import numpy as np
from PIL import Image

PACKED = 1, 5, 8, 32773, 32946, 34925, 50000  # none, and those that pack bytes as they come
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
_DIFFERENCES, _FLOAT_DIFFERENCES = 2, 3
_BLOCK = 2**22  # bytes unpacked at a time
_MOST_PIECE = 2**26  # bytes of a strip or tile, which is unpacked whole
_DEPTHS = {UNSIGNED: range(1, 65), SIGNED: range(2, 65), FLOAT: (16, 32, 64)}


class Kind(IntEnum):
    """What the samples of a pixel mean; TIFF's PhotometricInterpretation."""

    WHITE_IS_0 = 0
    GRAY = 1
    RGB = 2
    PALETTE = 3
    MASK = 4
    CMYK = 5
    YCBCR = 6
    LAB = 8
    ICC_LAB = 9


COLORS = {  # samples that make a color
    Kind.WHITE_IS_0: 1, Kind.GRAY: 1, Kind.RGB: 3, Kind.PALETTE: 1,
    Kind.CMYK: 4, Kind.YCBCR: 3, Kind.LAB: 3, Kind.ICC_LAB: 3,
}  # fmt: skip
_WITHOUT_ALPHA = Kind.CMYK, Kind.LAB, Kind.ICC_LAB  # Pillow has no picture for both


@dataclass(frozen=True)
class Layout:
    """How a TIFF stores its pixels; names and numbers are those of its tags."""

    width: int
    height: int
    bits: tuple[int, ...]  # of each sample
    form: int  # 1 unsigned, 2 signed, 3 float; 0 if samples differ
    photometric: int
    order: str  # "<" or ">"
    is_planar: bool
    fill: int
    compression: int
    predictor: int
    extra: tuple[int, ...]
    tile: tuple[int, int] | None
    rows: int  # of a strip
    offsets: tuple[int, ...]  # of strips or tiles
    lengths: tuple[int, ...]
    colors: tuple[int, ...]  # of a palette: all reds, then greens, then blues

    @property
    def across(self) -> int:
        """The number of tiles side by side; 1 for strips."""
        return -(-self.width // self.tile[0]) if self.tile else 1

    @property
    def piece_height(self) -> int:
        """The rows of a strip or tile."""
        return self.tile[1] if self.tile else self.rows

    @property
    def channels(self) -> int:
        """The number of samples of a pixel that stand together."""
        return 1 if self.is_planar else len(self.bits)

    @property
    def row_size(self) -> int:
        """The bytes of a row of a strip or tile."""
        width = self.tile[0] if self.tile else self.width
        return (width * self.channels * self.bits[0] + 7) // 8

    @property
    def pieces_of_a_plane(self) -> int:
        """The number of strips or tiles that hold all pixels once."""
        return self.across * -(-self.height // self.piece_height)

    @property
    def alpha(self) -> int | None:
        """The place of the sample that is alpha, if one is."""
        colors = COLORS.get(self.photometric, 0)
        if len(self.bits) == 4 and self.photometric == Kind.RGB and not self.extra:
            return 3  # by custom
        if len(self.bits) <= colors or self.photometric in _WITHOUT_ALPHA:
            return None
        return colors if self.extra[:1] in ((1,), (2,)) else None

    @property
    def channels_left_out(self) -> int:
        """The number of samples that are neither color nor alpha."""
        return len(self.bits) - COLORS[self.photometric] - (self.alpha is not None)

    @property
    def problem(self) -> str:
        """What makes it unreadable, in words, or nothing."""
        bits = self.bits[0]
        if self.photometric not in COLORS or len(self.bits) < COLORS[self.photometric]:
            return f"of photometric interpretation {self.photometric}, {len(self.bits)} channels"
        if len(set(self.bits)) > 1:
            return f"of {', '.join(map(str, self.bits))} bits per sample"
        if bits not in _DEPTHS.get(self.form, ()):
            kind = {2: "signed ", 3: "float ", 5: "complex ", 6: "complex "}.get(self.form, "")
            return f"of {bits} bits per {kind}sample"
        if self.photometric == Kind.PALETTE and (
            bits > 16 or self.form != UNSIGNED or len(self.colors) != 3 * 2**bits
        ):
            return f"with a palette for {bits} bits per sample"
        if self.photometric in (Kind.LAB, Kind.ICC_LAB) and bits not in (8, 16):
            return f"in Lab of {bits} bits per sample"
        return self._problem_of_predictor

    @property
    def _problem_of_predictor(self) -> str:
        whole = self.bits[0] in (8, 16, 32, 64)
        known = {1: True, _DIFFERENCES: whole and self.form != FLOAT, _FLOAT_DIFFERENCES:
                 whole and self.form == FLOAT}  # fmt: skip
        if self.compression == 1 or known.get(self.predictor):
            return ""
        return f"of {self.bits[0]} bits per sample with predictor {self.predictor}"


def blocks(file: BinaryIO, layout: Layout, used: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the top row and the used samples, (rows, W, S), of one part after another."""
    line = layout.row_size * layout.across
    step = few = max(1, _BLOCK // line)
    if layout.compression != 1 or layout.tile:  # pieces are unpacked whole
        piece = layout.row_size * layout.piece_height
        if piece > max(_MOST_PIECE, 100 * max(layout.lengths)):
            raise MemoryError
        step = max(1, few // layout.piece_height) * layout.piece_height
    planes = used if layout.is_planar else [0]
    for top in range(0, layout.height, step):
        rows = range(top, min(top + step, layout.height))
        stored = [_bytes(file, layout, plane, rows) for plane in planes]
        for row in range(0, len(rows), few):
            parts = [_samples(lines[row : row + few], layout) for lines in stored]
            block = np.concatenate(parts, 2) if len(parts) > 1 else parts[0]
            block = block[:, : layout.width]
            yield top + row, block if layout.is_planar else block[..., used]


def _bytes(file: BinaryIO, layout: Layout, plane: int, rows: range) -> np.ndarray:
    """Return rows of one plane, (rows, across, row size); what is packed begins with a piece."""
    height, across = layout.piece_height, layout.across
    first = plane * layout.pieces_of_a_plane
    down = range(rows.start // height, -(-rows.stop // height))
    numbers = range(first + down.start * across, first + down.stop * across)
    if numbers.stop > min(len(layout.offsets), len(layout.lengths)):
        raise EOFError("strips are missing")
    if layout.compression == 1 and not layout.tile:
        data = _plain(file, layout, numbers, rows)
        stored = np.frombuffer(data, np.uint8).reshape(len(rows), 1, layout.row_size)
    else:
        count = len(numbers) * height if layout.tile else len(rows)
        pieces = _unpacked(file, layout, numbers, count)
        stored = pieces.reshape(-1, across, height if layout.tile else count, layout.row_size)
        stored = stored.transpose(0, 2, 1, 3).reshape(-1, across, layout.row_size)[: len(rows)]
    if layout.fill == 2 and layout.compression == 1:
        shape = stored.shape
        stored = np.packbits(np.unpackbits(stored).reshape(-1, 8)[:, ::-1]).reshape(shape)
    return stored


def _plain(file: BinaryIO, layout: Layout, numbers: range, rows: range) -> bytes:
    """Return rows of strips that are not packed."""
    parts = []
    first = rows.start
    for number in numbers:
        skipped = first % layout.rows
        count = min(layout.rows - skipped, rows.stop - first)
        file.seek(layout.offsets[number] + skipped * layout.row_size)
        parts.append(_read(file, count * layout.row_size))
        first += count
    return b"".join(parts)


def _unpacked(file: BinaryIO, layout: Layout, numbers: range, rows: int) -> np.ndarray:
    """Return strips or tiles one below the other, (rows, row size)."""
    parts = []
    for number in numbers:
        file.seek(layout.offsets[number])
        if layout.compression == 1:
            parts.append(_read(file, layout.piece_height * layout.row_size))
        else:
            parts.append(file.read(layout.lengths[number]))
    if layout.compression == 1:
        return np.frombuffer(b"".join(parts), np.uint8).reshape(rows, layout.row_size)
    return _through_pillow(parts, layout, rows)


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError("strips are cut short")
    return data


def _through_pillow(parts: list[bytes], layout: Layout, rows: int) -> np.ndarray:
    """Return packed strips as Pillow reads them from a gray TIFF of bytes, (rows, row size)."""
    body = b"".join(parts)
    offsets = np.cumsum([8, *map(len, parts)])[:-1].astype("<u4").tobytes()
    lengths = np.array([len(part) for part in parts], "<u4").tobytes()
    place = 8 + len(body)
    count = len(parts)
    tags = [
        (256, 1, layout.row_size), (257, 1, rows), (258, 1, 8), (259, 1, layout.compression),
        (262, 1, 1), (266, 1, layout.fill), (273, count, place if count > 1 else 8), (277, 1, 1),
        (278, 1, layout.piece_height),
        (279, count, place + len(offsets) if count > 1 else len(body)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, number, value) for tag, number, value in tags)
    start = place + len(offsets) + len(lengths)
    head = b"II*\0" + struct.pack("<I", start)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    file = io.BytesIO(b"".join((head, body, offsets, lengths, directory)))
    with open_unlimited(file) as picture:
        return np.asarray(picture)


def open_unlimited(file: BinaryIO) -> Image.Image:
    """Return the picture in a TIFF, which Pillow, given its memory, does not compare to a limit."""
    picture = Image.OPEN["TIFF"][0](file, "")
    size = getattr(picture, "_tile_size", picture.size)  # before it is turned upright
    picture.im = Image.core.new(picture.mode, size)
    return picture


def _samples(stored: np.ndarray, layout: Layout) -> np.ndarray:
    """Return bytes, (rows, across, row size), as samples, (rows, width of all tiles, count)."""
    rows, across, row_size = stored.shape
    count, bits = layout.channels, layout.bits[0]
    width = layout.tile[0] if layout.tile else layout.width
    if layout.predictor == _FLOAT_DIFFERENCES and layout.compression != 1:
        values = _undo_float_differences(stored, bits, count)
    elif bits in (8, 16, 32, 64):
        letter = {UNSIGNED: "u", SIGNED: "i", FLOAT: "f"}[layout.form]
        form = np.dtype(f"{layout.order}{letter}{bits // 8}")
        values = np.ascontiguousarray(stored).view(form).astype(form.newbyteorder("="))
    else:
        values = _unpack_bits(stored.reshape(rows * across, row_size), width * count, layout)
    values = values.reshape(rows, across, width, count)
    if layout.predictor == _DIFFERENCES and layout.compression != 1:
        values = np.cumsum(values, 2, dtype=values.dtype)
    return values.reshape(rows, across * width, count)


def _unpack_bits(stored: np.ndarray, count: int, layout: Layout) -> np.ndarray:
    """Return samples of any number of bits, (rows, count), from rows that begin at a byte."""
    bits = layout.bits[0]
    if bits in (24, 40, 48, 56) and layout.order == "<":  # whole bytes are in the file's order
        stored = stored.reshape(len(stored), count, bits // 8)[..., ::-1].reshape(len(stored), -1)
    single = np.unpackbits(stored, axis=1)[:, : count * bits].reshape(len(stored), count, bits)
    values = np.zeros((len(stored), count), np.uint64 if bits > 32 else np.uint32)
    for place in range(bits):
        values = values << 1 | single[..., place]
    if layout.form == SIGNED:
        values = values.astype(np.int64)
        values -= (values >> (bits - 1)) << bits
    return values


def _undo_float_differences(stored: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Return floats whose bytes were sorted by weight and then differenced (TIFF Technote 3)."""
    rows, across, row_size = stored.shape
    size = bits // 8
    lines = stored.reshape(rows * across, row_size // count, count)
    octets = np.cumsum(lines, 1, dtype=np.uint8).reshape(rows * across, size, -1)
    values = np.ascontiguousarray(octets.transpose(0, 2, 1)).view(f">f{size}")
    return values.astype(f"f{size}")
