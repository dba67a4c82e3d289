"""number -> hostile file: the same one each time, on every machine with the same Pillow."""

import functools
import itertools
import random
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from seeds import chunk, seeds

# Where a format keeps its sides: what stands before them, and how they are written.
_SIDES = (
    (rb"IHDR", ">II"),
    (rb"\xff[\xc0-\xc2]..\x08", ">HH"),
    (rb"GIF8[79]a", "<HH"),
    (rb"\0\x2c....", "<HH"),  # a frame of a GIF
    (rb"BM.{12}\x28\0\0\0", "<II"),
    (rb"VP8X.{8}", "<IH"),  # 24 bits each, the second overlapping: all the better
    (rb"VP8 .{4}...\x9d\x01\x2a", "<HH"),
    (rb"VP8L.{4}\x2f", "<HH"),
    (rb"ispe....", ">II"),
    # A TIFF's width or that of its tiles, and on into the entry of the height.
    (rb"[\0\x42]\x01[\x03\x04]\0\x01\0\0\0", "<II"),
)
_LENGTHS = (0, 1, 2, 3, 16_383, 65_500, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_AREA = (1, 2, 9, 1000, 2700, 8192, 13_000, 13_377, 32_768)  # sides that stay below the limit
_WORDS = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff")
_BODIES = (b"%PDF-1.7\n", b"<html><script>", b"PK\3\4", b"%!PS-Adobe-3.0\n", b"GIF89a", b"MZ")


@dataclass(frozen=True)
class Mutant:
    """A file, and in words how it was made."""

    name: str
    data: bytes


def make_mutant(number: int) -> Mutant:
    """Return mutant ``number``: one of the seeds, changed in one to three ways."""
    dice = random.Random(number)
    files = _files()
    seed = dice.choice(list(files))
    data, done = files[seed], []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        change = dice.choice(CHANGES)
        data = change(data, dice)
        done.append(change.__name__.strip("_").replace("_", " "))
    if data.startswith(b"\x89PNG") and dice.random() < 0.6:
        data = _with_right_checksums(data)
    return Mutant(f"mutant {number}: {seed}, {', '.join(done)}", data)


@functools.cache
def _files() -> dict[str, bytes]:
    return seeds()


def _flip_bits(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16, 64))):
        if changed:
            changed[_place(changed, dice)] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, dice: random.Random) -> bytes:
    word, place = dice.choice(_WORDS), _place(data, dice)
    return data[:place] + word + data[place + len(word) :]


def _truncate(data: bytes, dice: random.Random) -> bytes:
    return data[: _place(data, dice)]


def _repeat(data: bytes, dice: random.Random) -> bytes:
    start, target = _place(data, dice), _place(data, dice)
    return data[:target] + data[start : start + dice.choice((1, 4, 64, 4096))] + data[target:]


def _cut_out(data: bytes, dice: random.Random) -> bytes:
    start = _place(data, dice)
    return data[:start] + data[start + dice.choice((1, 2, 4, 64)) :]


def _splice(data: bytes, dice: random.Random) -> bytes:
    """Put another file's tail after this one's head, at the same place or anywhere."""
    other = dice.choice(list(_files().values()))
    place = _place(data, dice)
    return data[:place] + other[place if dice.random() < 0.5 else _place(other, dice) :]


def _borrow_a_part(data: bytes, dice: random.Random) -> bytes:
    """Insert whole segments or chunks of other files between this one's own."""
    donors = [file for file in _files().values() if file[:2] == data[:2]] or [data]
    part, places = dice.choice(_parts(dice.choice(donors))), _parts(data)
    target = data.find(dice.choice(places)) if places else 0
    return data[:target] + part * dice.choice((1, 1, 2, 300)) + data[target:]


def _swap_parts(data: bytes, dice: random.Random) -> bytes:
    parts = _parts(data)
    a, b = dice.randrange(len(parts)), dice.randrange(len(parts))
    parts[a], parts[b] = parts[b], parts[a]
    return b"".join(parts)


def _lie_about_sides(data: bytes, dice: random.Random) -> bytes:
    pattern, form = dice.choice([side for side in _SIDES if _find(side[0], data)] or _SIDES[:1])
    found = _find(pattern, data)
    if not found:
        return data
    small, size = dice.random() < 0.5, struct.calcsize(form)
    most = 256 ** (size // 2) - 1 if form[1] == form[2] else 65_535
    sides = [dice.choice(_AREA if small else _LENGTHS) for _ in "wh"]
    lie = struct.pack(form, *(min(side, most) for side in sides))
    return data[: found.end()] + lie + data[found.end() + size :]


def _lie_about_lengths(data: bytes, dice: random.Random) -> bytes:
    """Overwrite an aligned number of two or four bytes, as lengths, counts and offsets are."""
    form = dice.choice(("<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    place = _place(data, dice) // 2 * 2
    lie = struct.pack(form, min(dice.choice(_LENGTHS), 256**size - 1))
    return data[:place] + lie + data[place + size :]


def _garble_metadata(data: bytes, dice: random.Random) -> bytes:
    """Give the file EXIF or a color profile that is noise, in a container that is whole."""
    noise = dice.randbytes(dice.choice((0, 1, 9, 132, 5000, 60_000)))
    exif = dice.choice((b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"")) + noise
    if data[:2] == b"\xff\xd8":
        segments = [
            (b"\xe1", b"Exif\0\0" + exif),
            (b"\xe2", b"ICC_PROFILE\0\1\1" + noise),
            (b"\xe2", b"MPF\0" + exif),
            (b"\xed", b"Photoshop 3.0\x008BIM" + noise),
        ]
        kind, body = dice.choice(segments)
        return data[:2] + b"\xff" + kind + struct.pack(">H", len(body) + 2) + body + data[2:]
    if data[:4] == b"\x89PNG":
        profile = b"p\0\0" + zlib.compress(noise * dice.choice((1, 300)))
        kinds = [(b"eXIf", exif), (b"iCCP", profile), (b"zTXt", profile), (b"tRNS", noise)]
        kinds.append((b"acTL", noise[:8]))
        place = dice.choice((33, len(data) - 12))
        return data[:place] + chunk(*dice.choice(kinds)) + data[place:]
    if data[:4] == b"RIFF":
        kind = dice.choice((b"EXIF", b"ICCP", b"XMP ", b"ANIM", b"ALPH"))
        body = data[8:] + kind + struct.pack("<I", len(noise)) + noise + b"\0" * (len(noise) % 2)
        return b"RIFF" + struct.pack("<I", len(body)) + body
    place = _place(data, dice)
    return data[:place] + noise + data[place + len(noise) :]


def _claim_more_than_there_is(data: bytes, dice: random.Random) -> bytes:
    """Give the file EXIF whose entries all point to the same bytes, or make a TIFF's point so."""
    entries, size = dice.choice(((9, 50_000), (3000, 20_000), (6000, 100_000)))
    if data[:4] in (b"II*\0", b"MM\0*"):
        changed = bytearray(data)
        order = "<" if data[:2] == b"II" else ">"
        start = int.from_bytes(data[4:8], "little" if order == "<" else "big") + 2
        for place in range(start, min(start + 120, len(data) - 12), 12):
            if dice.random() < 0.4:
                struct.pack_into(order + "I", changed, place + 4, dice.choice((size, 2**28, 0)))
        return bytes(changed)
    exif = _greedy(entries, 50_000 if data[:2] == b"\xff\xd8" else size)
    return _with_exif(data, exif)


def _greedy(entries: int, size: int) -> bytes:
    place = 8 + 2 + entries * 12 + 4
    rows = (struct.pack("<HHII", 40_000 + i, 7, size, place) for i in range(entries))
    return b"II*\0" + struct.pack("<IH", 8, entries) + b"".join(rows) + bytes(4 + size)


def _with_exif(data: bytes, exif: bytes) -> bytes:
    if data[:2] == b"\xff\xd8":
        parts = [b"Exif\0\0" + exif[at : at + 65_000] for at in range(0, len(exif), 65_000)]
        segments = [b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts]
        return data[:2] + b"".join(segments) + data[2:]
    if data[:4] == b"\x89PNG":
        return data[:33] + chunk(b"eXIf", exif) + data[33:]
    if data[:4] == b"RIFF":
        body = data[8:] + b"EXIF" + struct.pack("<I", len(exif)) + exif + bytes(len(exif) % 2)
        return b"RIFF" + struct.pack("<I", len(body)) + body
    return data


def _come_in_tiny_parts(data: bytes, dice: random.Random) -> bytes:
    """Put thousands of comments, of scans, of chunks or of moves into the file."""
    count = dice.choice((30, 3000, 60_000))
    if data[:2] == b"\xff\xd8":
        scan = data.rfind(b"\xff\xda")
        if scan > 0 and dice.random() < 0.5:
            return data[:-2] + data[scan:-2] * min(count, 600) + data[-2:]
        return (
            data[:2] + dice.choice((b"\xff\xfe\0\3a", b"\xff\xe1\0\x08Exif\0\0")) * count + data[2:]
        )
    if data[:4] == b"\x89PNG":
        kind = dice.choice((b"IDAT", b"tEXt", b"prVt"))
        place = dice.choice((33, max(data.find(b"IDAT") - 4, 33)))
        return data[:place] + chunk(kind, b"a\0" * (kind == b"tEXt")) * count + data[place:]
    if data[:3] == b"GIF":
        start = 13 + (3 * (2 << (data[10] & 7)) if data[10] & 128 else 0)
        return data[:start] + dice.choice((b"!\xfe\1a\0", b"!\xff\0", b"\0")) * count + data[start:]
    if data[:2] == b"BM":
        start = int.from_bytes(data[10:14], "little")
        return data[:start] + dice.choice((b"\0\2\xff\0", b"\0\2\0\xff", b"\0\0", b"\1\1")) * count
    return data + b"\0" * count


def _pad(data: bytes, dice: random.Random) -> bytes:
    return data + dice.choice((b"\0", b"\xff", b"\xff\xd9", b"\xff\0")) * dice.choice((99, 200_000))


def _be_two_things(data: bytes, dice: random.Random) -> bytes:
    body = dice.choice((*_BODIES, dice.choice(list(_files().values()))))
    return body + data if dice.random() < 0.3 else data + body


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip_bits, _overwrite, _truncate, _repeat, _cut_out, _splice, _borrow_a_part, _swap_parts,
    _lie_about_sides, _lie_about_lengths, _garble_metadata, _claim_more_than_there_is,
    _come_in_tiny_parts, _pad, _be_two_things,
)  # fmt: skip


def _place(data: bytes, dice: random.Random) -> int:
    """Return a place in ``data``, in its headers more often than not."""
    return dice.randrange(max(1, min(len(data), dice.choice((32, 200, 1000, len(data))))))


def _find(pattern: bytes, data: bytes) -> re.Match | None:
    return re.search(pattern, data, re.DOTALL)


def _parts(data: bytes) -> list[bytes]:
    """Return what a file is made of: JPEG segments, PNG or RIFF chunks, else slices."""
    if data[:2] == b"\xff\xd8":
        cuts = [found.start() for found in re.finditer(rb"\xff[\xc0-\xfe]", data)]
    elif data[:4] == b"\x89PNG":
        cuts = [found.start() - 4 for found in re.finditer(rb"[a-z][A-Za-z]{3}|[IP][A-Z]{3}", data)]
    elif data[:4] == b"RIFF":
        cuts = [found.start() for found in re.finditer(rb"VP8[ LX]|EXIF|ICCP|AN[IM][MF]", data)]
    else:
        cuts = list(range(0, len(data), 12))  # a TIFF's entries are that long
    cuts = sorted({0, *(cut for cut in cuts if 0 <= cut < len(data)), len(data)})
    return [data[a:b] for a, b in itertools.pairwise(cuts)] or [data]


def _with_right_checksums(data: bytes) -> bytes:
    """Return a PNG whose chunks pass the first check, so that what is in them is looked at."""
    repaired, place = [data[:8]], 8
    while place + 12 <= len(data):
        length = struct.unpack_from(">I", data, place)[0]
        if place + 12 + length > len(data):
            break
        repaired.append(chunk(data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return b"".join([*repaired, data[place:]])
