"""GIF and PNG animations whose frames are parts of one color, as Pillow does not write them."""

import io
import struct
import zlib
from typing import NamedTuple

from PIL import Image

SIZE = 24, 16


class Part(NamedTuple):
    """A box of one color; what becomes of it is named as in the format."""

    box: tuple[int, int, int, int]  # left, top, right, bottom
    color: tuple[int, int, int, int]
    disposal: int = 0
    over: bool = True


def write_gif(path, parts):
    """Write a GIF that shows each part for a tenth of a second."""
    written = b"GIF89a" + struct.pack("<2H3B", *SIZE, 0, 0, 0)
    for (left, top, right, bottom), color, disposal, _ in parts:
        picture = Image.new("P", (right - left, bottom - top), 0)
        picture.putpalette(bytes(color[:3]) + bytes(3))
        one = _saved(picture, "GIF")
        frame = one.index(b",", 13 + 3 * (2 << (one[10] & 7)))
        table, pixels = one[13 : 13 + 3 * (2 << (one[10] & 7))], one[frame + 10 : -1]
        written += b"!\xf9\x04" + struct.pack("<BHBx", disposal << 2, 10, 0)
        written += b"," + struct.pack("<4H", left, top, right - left, bottom - top)
        written += bytes([0x80 | one[10] & 7]) + table + pixels
    path.write_bytes(written + b";")


def write_png(path, parts):
    """Write an animated PNG that shows each part for a tenth of a second, the first all over."""
    chunks = [
        (b"IHDR", struct.pack(">2I5B", *SIZE, 8, 6, 0, 0, 0)),
        (b"acTL", struct.pack(">2I", len(parts), 0)),
    ]
    for number, ((left, top, right, bottom), color, disposal, over) in enumerate(parts):
        box = right - left, bottom - top, left, top
        head = struct.pack(">5I2H2B", max(0, 2 * number - 1), *box, 1, 10, disposal, over)
        rows = (b"\0" + bytes(color) * (right - left)) * (bottom - top)
        order = struct.pack(">I", 2 * number) if number else b""
        chunks += [(b"fcTL", head), (b"fdAT" if number else b"IDAT", order + zlib.compress(rows))]
    written = b"\x89PNG\r\n\x1a\n"
    for kind, data in [*chunks, (b"IEND", b"")]:
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        written += len(data).to_bytes(4, "big") + kind + data + checksum
    path.write_bytes(written)


def _saved(picture, format):
    file = io.BytesIO()
    picture.save(file, format)
    return file.getvalue()
