"""PNG and WebP -> what is in them: their picture without odd baggage, and what else they show.

Both are chunks, each with its kind and its length. Pillow is given those that say how the picture
looks: text of many megabytes, other frames and unknown chunks would cost memory, or the picture.
"""

import contextlib
import itertools
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from PIL import Image

from u2demo.formats.content import (
    CODEC,
    HEAVY,
    LIGHT,
    PLAIN,
    Content,
    PixelBudget,
    RefusedError,
    more,
)
from u2demo.formats.directory import is_honest_exif
from u2demo.formats.pieces import Piece, join

PNG, WEBP = b"\x89PNG\r\n\x1a\n", b"RIFF"
# Chunks of a PNG that Pillow may see if they are whole, and how long they must be at least.
_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4}
_LONGEST = 2**20  # of a text, as in Pillow, which refuses the file above that
_MOST_TEXT = 2**25  # of all texts that are looked at
_MOST_EXIF = 2**22
_MOST_PROFILE = 2**22  # bytes of a color profile; the largest for print have two megabytes
_PILLOW_PROFILE = 2**20  # above that Pillow refuses the file
_MOST_CHUNKS = 100_000  # a gigabyte, as encoders cut it
_MANY = 1000  # chunks of pixels; more are joined in memory, to be read at once
_STEP = 2**20  # bytes inflated at a time
_ALPHA = 0x10  # a flag of VP8X
_OF_WEBP = b"VP8X", b"ANIM", b"ICCP", b"EXIF", b"XMP "
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}


class _Chunk(NamedTuple):
    kind: bytes
    start: int  # of its data
    size: int


def examine_png(file: BinaryIO) -> Content:
    """Return what a PNG holds."""
    file.seek(0)
    data = file.read()
    chunks = _few(_png_chunks(data))
    if any(chunk.kind == b"CgBI" for chunk in chunks):
        raise RefusedError("a PNG of Apple's own kind, for apps; export it as an ordinary PNG")
    if not chunks or chunks[0].kind != b"IHDR":
        raise ValueError("no header")
    size = struct.unpack_from(">2I", data, chunks[0].start)
    pixels = [chunk for chunk in chunks if chunk.kind == b"IDAT"]
    profile = _profile(data, chunks)
    view = join(file, [PNG, *_wanted(data, chunks, pixels, profile)])
    budget = _budget(data, chunks)
    coded = _coded(data, pixels, budget.bytes_for(size[0] * size[1]))
    return Content(size, coded, lambda: _open_png(view, profile), _more_frames(chunks), budget)


def _coded(data: bytes, pixels: list[_Chunk], most: int) -> int:
    """Return how many bytes the pixels have, without padding as far as ``most`` of them.

    They are one stream, which may end before its chunks do.
    """
    body = b"".join(data[chunk.start : chunk.start + chunk.size] for chunk in pixels)
    first = rest = body[:most]
    inflater = zlib.decompressobj()
    with contextlib.suppress(zlib.error):  # what is damaged is found when it is read
        while rest and not inflater.eof:
            inflater.decompress(rest, _STEP)
            rest = inflater.unconsumed_tail
    return len(first) - len(inflater.unused_data) if inflater.eof else len(body)


def _budget(data: bytes, chunks: list[_Chunk]) -> PixelBudget:
    depth, color = data[chunks[0].start + 8 : chunks[0].start + 10]
    if depth == 16 or color in (4, 6) or any(chunk.kind == b"tRNS" for chunk in chunks):
        return HEAVY
    return LIGHT if color in (0, 3) else PLAIN


def _wanted(
    data: bytes, chunks: list[_Chunk], pixels: list[_Chunk], profile: bytes | None
) -> Iterator[Piece]:
    """Yield the chunks that Pillow may see."""
    texts = 0
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            if chunk is pixels[0]:
                yield from _joined(data, pixels)
        elif chunk.kind == b"iCCP":
            if profile and len(profile) <= _PILLOW_PROFILE:
                yield _span(chunk)
        elif chunk.kind in _TEXTS:
            if texts <= _MOST_TEXT and chunk.size <= _LONGEST:
                length = _length_of_text(data, chunk)
                texts += length
                if length <= _LONGEST and _is_whole(data, chunk):
                    yield _span(chunk)
        elif _is_wanted(data, chunk):
            yield _span(chunk)


def _open_png(file: BinaryIO, profile: bytes | None) -> Image.Image:
    factory, _ = Image.OPEN["PNG"]
    picture = factory(file, "")
    if profile:
        picture.info["icc_profile"] = profile
    return picture


def _png_chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the last, or to one that is cut short, which is yielded as well."""
    at = len(PNG)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield _Chunk(kind, at + 8, size)
        at += 12 + size
        if kind == b"IEND":
            return


def _few(chunks: Iterator[_Chunk]) -> list[_Chunk]:
    few = list(itertools.islice(chunks, _MOST_CHUNKS + 1))
    if len(few) > _MOST_CHUNKS:
        raise RefusedError(f"a decompression bomb: more than {_MOST_CHUNKS:,} chunks")
    return few


def _span(chunk: _Chunk) -> Piece:
    return chunk.start - 8, chunk.start + chunk.size + 4


def _is_whole(data: bytes, chunk: _Chunk) -> bool:
    end = chunk.start + chunk.size
    checksum = zlib.crc32(memoryview(data)[chunk.start - 4 : end])
    return data[end : end + 4] == checksum.to_bytes(4, "big")


def _is_wanted(data: bytes, chunk: _Chunk) -> bool:
    kind = chunk.kind
    if kind in (b"fcTL", b"fdAT", b"acTL"):
        return False
    if kind[:1].isupper() or kind == b"tRNS":  # what says how pixels look must be right
        return True
    if kind == b"eXIf":
        exif = data[chunk.start : chunk.start + min(chunk.size, _MOST_EXIF)]
        return _is_whole(data, chunk) and is_honest_exif(exif)
    return chunk.size == _LENGTHS.get(kind) and _is_whole(data, chunk)


def _joined(data: bytes, chunks: list[_Chunk]) -> list[Piece]:
    """Return the chunks of pixels, as one if there are many."""
    if len(chunks) <= _MANY:
        return [_span(chunk) for chunk in chunks]
    body = b"".join(data[chunk.start : chunk.start + chunk.size] for chunk in chunks)
    checksum = zlib.crc32(body, zlib.crc32(b"IDAT"))
    return [struct.pack(">I4s", len(body), b"IDAT"), body, checksum.to_bytes(4, "big")]


def _profile(data: bytes, chunks: list[_Chunk]) -> bytes | None:
    """Return the color profile, None if it is damaged or no photo has one as large."""
    chunk = next((chunk for chunk in chunks if chunk.kind == b"iCCP"), None)
    if chunk is None or not _is_whole(data, chunk):
        return None
    _, _, packed = data[chunk.start : chunk.start + chunk.size].partition(b"\0")
    return _inflate(packed[1:], _MOST_PROFILE) if packed[:1] == b"\0" else None


def _length_of_text(data: bytes, chunk: _Chunk) -> int:
    """Return how long a text is once it is inflated; one above the limit may be cut short."""
    body = data[chunk.start : chunk.start + chunk.size]
    key, _, rest = body.partition(b"\0")
    packed = rest[1:] if chunk.kind == b"zTXt" else b""
    if chunk.kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].split(b"\0", 2)[-1]
    if not packed:
        return len(body)
    text = _inflate(packed, _LONGEST)
    return _LONGEST + 1 if text is None else len(key) + len(text)


def _inflate(packed: bytes, most: int) -> bytes | None:
    """Return what was packed, None if that is damaged or longer than ``most``."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, most + 1)
    except zlib.error:
        return None
    return plain if len(plain) <= most else None


def _more_frames(chunks: list[_Chunk]) -> tuple[str, ...]:
    kinds = [chunk.kind for chunk in chunks]
    if b"acTL" not in kinds or b"IDAT" not in kinds:
        return ()
    return more(kinds[kinds.index(b"IDAT") :].count(b"fcTL"), "frame")


def examine_webp(file: BinaryIO) -> Content:
    """Return what a WebP holds."""
    file.seek(0)
    data = file.read()
    if data[8:12] != b"WEBP":
        raise RefusedError("a RIFF file, but not WebP; export it as JPEG or PNG")
    pieces: list[Piece] = []
    coded = frames = 0
    frame = b""
    for chunk in _few(_riff_chunks(data)):
        span = chunk.start - 8, min(chunk.start + chunk.size + chunk.size % 2, len(data))
        if chunk.kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANMF"):
            frames += chunk.kind != b"ALPH"
            if frames > 1:
                continue
            coded += span[1] - span[0]
            pieces.append(span)
            if chunk.kind == b"ANMF":
                frame = data[chunk.start : chunk.start + 12]
        elif chunk.kind == b"EXIF" and not is_honest_exif(data[span[0] + 8 : span[1]]):
            continue
        elif chunk.kind in _OF_WEBP and chunk.size <= _MOST_PROFILE:
            pieces.append(span)
    size = _webp_size(data)
    length = sum(end - start for start, end in pieces)
    if frame and _sides(frame[6:]) != size and pieces[0] == (12, 30):
        # VP8X says whether a frame has alpha, not whether something shows around it.
        pieces[0] = data[12:20] + bytes([data[20] | _ALPHA]) + data[21:30]
    view = join(file, [b"RIFF" + struct.pack("<I", length + 4) + b"WEBP", *pieces])
    left_out = more(frames - 1, "frame")
    return Content(size, coded, lambda: Image.OPEN["WEBP"][0](view, ""), left_out, CODEC)


def _riff_chunks(data: bytes) -> Iterator[_Chunk]:
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    at = 12
    while at + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, at)
        yield _Chunk(kind, at + 8, size)
        at += 8 + size + size % 2


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return _sides(data[24:])
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<2H", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _sides(data: bytes) -> tuple[int, int]:
    """Return a width and a height, each less one in three bytes."""
    return int.from_bytes(data[:3], "little") + 1, int.from_bytes(data[3:6], "little") + 1
