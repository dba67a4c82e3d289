"""TIFF files of any kind, written by hand: an independent truth for what is read from them."""

import struct
import zlib

import numpy as np

_FORMS = {1: "u", 2: "i", 3: "f", 6: "c"}


def pack(samples, bits, form, order):
    """Return rows of samples, (H, N), as bytes; each row begins at a byte of its own."""
    if bits in (16, 32, 64, 128) or bits == 8:
        packed = samples.astype(f"{order}{_FORMS[form]}{bits // 8}").tobytes()
    else:
        rows = samples.astype(np.int64)[..., None] >> np.arange(bits - 1, -1, -1) & 1
        rows = rows.reshape(len(samples), -1).astype(np.uint8)
        if bits in (24,) and order == "<":
            octets = np.packbits(rows, 1).reshape(len(samples), -1, bits // 8)[..., ::-1]
            packed = octets.tobytes()
        else:
            packed = np.packbits(rows, 1).tobytes()
    return packed


def reverse_bits(data):
    """Return bytes whose first bit is the last, as FillOrder 2 has them."""
    octets = np.frombuffer(data, np.uint8)
    return np.packbits(np.unpackbits(octets).reshape(-1, 8)[:, ::-1]).tobytes()


def tiff(
    samples, bits, *, photometric=1, form=1, order="<", planar=1, fill=1, deflate=False,
    predictor=1, extra=(), colors=None, more=(), strips=1,
):  # fmt: skip
    """Return a TIFF of ``samples``, (H, W, S), as they are stored."""
    height, width, count = samples.shape
    stored = samples
    if predictor == 2:
        stored = samples.copy()
        stored[:, 1:] = samples[:, 1:] - samples[:, :-1]
        stored %= 2**bits
    planes = [stored[..., i : i + 1] for i in range(count)] if planar == 2 else [stored]
    parts = [
        pack(rows.reshape(len(rows), -1), bits, form, order)
        for plane in planes
        for rows in np.array_split(plane, strips)
    ]
    if deflate:
        parts = [zlib.compress(part) for part in parts]
    if fill == 2:
        parts = [reverse_bits(part) for part in parts]
    offsets = np.cumsum([8, *map(len, parts)]).tolist()
    tags = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * count),
        (259, 3, [8 if deflate else 1]), (262, 3, [photometric]), (266, 3, [fill]),
        (273, 4, offsets[:-1]), (277, 3, [count]), (278, 4, [-(-height // strips)]),
        (279, 4, [len(part) for part in parts]), (284, 3, [planar]), (339, 3, [form] * count),
    ]  # fmt: skip
    tags += [(317, 3, [predictor])] if predictor != 1 else []
    tags += [(338, 3, list(extra))] if extra else []
    tags += [(320, 3, colors)] if colors is not None else []
    return assemble(parts, [*tags, *more], order)


def tiled(samples, side, *, deflate=False):
    """Return a TIFF of gray samples, (H, W), negative and of 16 bits, in tiles."""
    height, width = samples.shape
    padded = np.pad(samples, ((0, -height % side), (0, -width % side)), "edge").astype("<u2")
    parts = [
        padded[y : y + side, x : x + side].tobytes()
        for y in range(0, height, side)
        for x in range(0, width, side)
    ]
    if deflate:
        parts = [zlib.compress(part) for part in parts]
    offsets = np.cumsum([8, *map(len, parts)]).tolist()[:-1]
    tags = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [8 if deflate else 1]),
        (262, 3, [0]), (277, 3, [1]), (322, 4, [side]), (323, 4, [side]), (324, 4, offsets),
        (325, 4, [len(part) for part in parts]),
    ]  # fmt: skip
    return assemble(parts, tags)


def assemble(parts, tags, order="<"):
    """Return a TIFF with ``parts`` from byte 8 on, and then the directory of ``tags``."""
    data = bytearray({"<": b"II*\0", ">": b"MM\0*"}[order] + bytes(4) + b"".join(parts))
    data += bytes(len(data) % 2)
    directory = _directory(data, tags, order, "HHI", 4)
    struct.pack_into(order + "I", data, 4, len(data))
    return bytes(data + struct.pack(order + "H", len(directory) // 12) + directory + bytes(4))


def big_tiff(samples, *, photometric, bits, order, more=()):
    """Return a BigTIFF of ``samples``, (H, W, S): 64-bit places, for files above 4 GB."""
    height, width, count = samples.shape
    pixels = pack(samples.reshape(height, -1), bits, 1, order)
    data = bytearray({"<": b"II+\0", ">": b"MM\0+"}[order])
    data += struct.pack(order + "HHQ", 8, 0, 0) + pixels + bytes(len(pixels) % 2)
    exif = _directory(data, [(0x9003, 2, list(b"2020:01:02 03:04:05\0"))], order, "HHQ", 8)
    place = len(data)
    data += struct.pack(order + "Q", 1) + exif + bytes(8)
    tags = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * count), (259, 3, [1]),
        (262, 3, [photometric]), (273, 16, [16]), (277, 3, [count]), (278, 4, [height]),
        (279, 16, [len(pixels)]), (34665, 18, [place]), *more,
    ]  # fmt: skip
    directory = _directory(data, tags, order, "HHQ", 8)
    struct.pack_into(order + "Q", data, 8, len(data))
    return bytes(data + struct.pack(order + "Q", len(directory) // 20) + directory + bytes(8))


def _directory(data, tags, order, row, inline):
    """Return the entries of a directory; values that do not fit in them are added to ``data``."""
    rows = []
    tags = {tag: (tag, kind, values) for tag, kind, values in tags}  # the last of each counts
    letters = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 16: "Q", 18: "Q"}
    for tag, kind, values in sorted(tags.values()):
        values = [part for value in values for part in (value if kind == 5 else [value])]
        value = struct.pack(f"{order}{len(values)}{letters[kind]}", *values)
        if len(value) > inline:
            place = len(data)
            data += value + bytes(len(value) % 2)
            value = struct.pack(order + row[-1], place)
        count = len(values) // (2 if kind == 5 else 1)
        rows.append(struct.pack(order + row, tag, kind, count) + value.ljust(inline, b"\0"))
    return b"".join(rows)
