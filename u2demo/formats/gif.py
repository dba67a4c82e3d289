"""GIF -> what is in it: its first frame without odd baggage, and how many more there are.

Pillow joins a comment to all before it; comments and the other extensions are left out.
"""

import re
import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from PIL import Image

from u2demo.formats.content import HEAVY, LIGHT, Content, RefusedError, more
from u2demo.formats.pieces import Piece, join

SIGNATURES = b"GIF87a", b"GIF89a"
_SCREEN = 13  # bytes of signature and screen
_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_BLOCK = re.compile(b"[!,;]")
_MOST_BLOCKS = 100_000  # frames and extensions; a frame has two as a rule
_CONTROL = 0xF9  # the extension that tells which color is transparent


class _Block(NamedTuple):
    kind: int
    start: int
    end: int


class Part(NamedTuple):
    """What a frame draws, as a GIF of its own, where on the screen, and what becomes of it then."""

    file: bytes
    place: tuple[int, int]
    disposal: int  # 2: it is cleared, 3: what was there before comes back, else it stays


def examine(file: BinaryIO) -> Content:
    """Return what a GIF holds."""
    file.seek(0)
    data = file.read()
    width, height, flags = struct.unpack_from("<2HB", data, 6)
    start = _SCREEN + _colors(flags)
    first: _Block | None = None
    control: Piece = b""
    frames = 0
    for number, block in enumerate(_blocks(data, start)):
        if number > _MOST_BLOCKS:
            raise RefusedError(f"a decompression bomb: more than {_MOST_BLOCKS:,} blocks")
        if block.kind == _FRAME:
            first = first or block
            frames += 1
        elif data[block.start + 1] == _CONTROL and first is None:
            control = block.start, block.end
    if first is None:
        raise EOFError("no picture in it")
    left, top, frame_width, frame_height = struct.unpack_from("<4H", data, first.start + 1)
    size = max(width, left + frame_width), max(height, top + frame_height)
    view = join(file, [(0, start), control, (first.start, first.end), b";"])
    coded = first.end - first.start
    box = left, top, left + frame_width, top + frame_height
    is_opaque = not control and box == (0, 0, *size)  # control tells which color is transparent
    budget = LIGHT if is_opaque else HEAVY
    return Content(size, coded, lambda: _open(view, box), more(frames - 1, "frame"), budget)


def _open(file: BinaryIO, box: tuple[int, int, int, int]) -> Image.Image:
    """Return the first frame, transparent outside ``box``, where it draws nothing."""
    picture = Image.OPEN["GIF"][0](file, "")
    if box == (0, 0, *picture.size):
        return picture
    screen = Image.new("RGBA", picture.size)
    screen.paste(picture.convert("RGBA").crop(box), box)
    return screen


def parts(data: bytes) -> Iterator[Part]:
    """Yield the part of each frame of a GIF; the last may be cut short."""
    start = _SCREEN + _colors(data[10])
    control = b""
    for block in _blocks(data, start):
        piece = data[block.start : block.end]
        if block.kind == _FRAME:
            left, top = struct.unpack_from("<2H", piece, 1)
            screen = data[:6] + piece[5:9] + data[10:start]
            disposal = control[3] >> 2 & 7 if control else 0
            whole = screen + control + b"," + bytes(4) + piece[5:] + b";"
            yield Part(whole, (left, top), disposal)
            control = b""
        elif piece[1] == _CONTROL:
            control = piece


def has_more_frames(data: bytes) -> bool:
    """Return whether a GIF has more than one frame."""
    if len(data) < _SCREEN:
        return False
    blocks = _blocks(data, _SCREEN + _colors(data[10]))
    frames = (block for block in islice(blocks, _MOST_BLOCKS) if block.kind == _FRAME)
    return next(islice(frames, 1, None), None) is not None


def _colors(flags: int) -> int:
    """Return the number of bytes of a color table."""
    return 3 * (2 << (flags & 7)) if flags & 128 else 0


def _blocks(data: bytes, at: int) -> Iterator[_Block]:
    """Yield extensions and frames; the last may be cut short. Other bytes are passed over."""
    while found := _BLOCK.search(data, at):
        start = found.start()
        kind = data[start]
        if kind == _END or start + 10 >= len(data):
            return
        head = 2 if kind == _EXTENSION else 11 + _colors(data[start + 9])
        at = _after_parts(data, start + head)
        yield _Block(kind, start, min(at, len(data)))


def _after_parts(data: bytes, at: int) -> int:
    """Return the place after parts of up to 255 bytes, each after its length; 0 ends them."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1
