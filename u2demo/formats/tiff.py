"""TIFF -> what is in it: pages, kind of samples, and whether it has what it claims.

Pillow reads the kinds in ``_PILLOW`` rightly. Of the others some come out black, negative or
scrambled without a word, so ``tones`` reads them, or they are refused by their kind.
"""

import contextlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

from u2demo.formats.content import HEAVY, LIGHT, PLAIN, Content, RefusedError, more
from u2demo.formats.directory import Directories, Directory
from u2demo.formats.exif import read_exif, write_exif
from u2demo.formats.samples import PACKED, Kind, Layout, open_unlimited
from u2demo.formats.tones import read_picture

SIGNATURES = b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"
_NAMES = {
    Kind.MASK: "that is a transparency mask", Kind.YCBCR: "in an unusual kind of YCbCr",
    10: "in ITU Lab", 32803: "of a camera's raw pixels", 34892: "of a camera's raw pixels",
    32844: "in LogL", 32845: "in LogLuv",
}  # fmt: skip
_FAX = 2, 3, 4, 32771
_OLD_JPEG = 6
_JPEGS = _OLD_JPEG, 7
# Of red, green and blue in Y (ITU-R BT.601); black and white of Y, Cb and Cr.
_JPEGS_WEIGHTS, _JPEGS_REFERENCE = (0.299, 0.587, 0.114), (0, 255, 128, 255, 128, 255)
_RARE = {34925: "LZMA", 50000: "Zstandard", 50001: "WebP"}  # not in every libtiff
# Kind and bits of each sample that Pillow reads rightly, in its own order of bits, planes together,
# unsigned.
_PILLOW = {
    (Kind.WHITE_IS_0, (1,)), (Kind.GRAY, (1,)), (Kind.WHITE_IS_0, (8,)), (Kind.GRAY, (8,)),
    (Kind.RGB, (8,) * 3), (Kind.RGB, (8,) * 4), (Kind.CMYK, (8,) * 4), (Kind.LAB, (8,) * 3),
    (Kind.YCBCR, (8,) * 3), (Kind.YCBCR, (8,)),
}  # fmt: skip
_PILLOWS_EXTRA = (), (0,), (1,), (2,), (999,)  # the last is Corel Draw's
_MOST_PAGES = 10_000
_MOST_PIECES = 2**20  # strips or tiles
_TILE_SPARE = 2**24  # pixels by which a tile may be larger than its picture
_USUAL_SCANS, _MOST_VISITS = 12, 25_000_000  # as in jpeg, here of a channel and its blocks
_REDUCED, _PAGE_MASK = 1, 4  # bits of NewSubfileType
_MOST_PROFILE, _MOST_XMP = 2**22, 2**20


def examine(file: BinaryIO) -> Content:
    """Return what a TIFF holds: its first page, and how many more there are."""
    directories = Directories(file)
    if not directories.are_honest():
        raise ValueError("its directory claims far more bytes than the file has")
    pages = list(directories.chain(_MOST_PAGES))
    if not pages:
        raise EOFError("no directory")
    tags = _Tags(directories, pages[0])
    if tags.number(254, 0) & _REDUCED or directories.is_raw:
        raise RefusedError(
            "a camera's raw file; only its thumbnail can be read here. Export it as TIFF or JPEG"
            " first"
        )
    layout = _layout(tags, directories)
    coded = _check_pieces(layout, directories.size)
    if layout.compression in _JPEGS:
        _check_scans(file, layout)
    left_out = _more_pages([_Tags(directories, page) for page in pages[1:]])
    size = layout.width, layout.height
    pillow_knows = not (directories.big and layout.order == ">")
    if pillow_knows and _is_for_pillow(layout, tags):
        budget = LIGHT if len(layout.bits) == 1 else PLAIN
        return Content(size, coded, lambda: _open(file, layout), left_out, budget)
    _check_kind(layout, tags)
    left_out += more(layout.channels_left_out, "channel")
    return Content(size, coded, lambda: _read(file, layout, tags), left_out, HEAVY)


class _Tags:
    """The values of a page's entries."""

    def __init__(self, directories: Directories, page: Directory):
        self._directories = directories
        self._entries = page.entries

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        return self._directories.numbers(self._entries.get(tag), most)

    def number(self, tag: int, default: int) -> int:
        numbers = self.numbers(tag, 1)
        return numbers[0] if numbers else default

    def data(self, tag: int, most: int) -> bytes:
        return self._directories.data(self._entries.get(tag), most)

    def ratios(self, tag: int, count: int) -> tuple[float, ...]:
        """Return the rational numbers of an entry; none if it has too few."""
        data = self.data(tag, 8 * count)
        if len(data) < 8 * count:
            return ()
        parts = struct.unpack(f"{self._directories.order}{2 * count}I", data)
        return tuple(a / max(b, 1) for a, b in zip(parts[::2], parts[1::2], strict=True))


def _layout(tags: _Tags, directories: Directories) -> Layout:
    width, height = tags.number(256, 0), tags.number(257, 0)
    if width < 1 or height < 1:
        raise ValueError(f"{width}x{height} pixels")
    compression = tags.number(259, 1)
    is_tiled = 322 in tags
    colored = Kind.RGB, Kind.YCBCR
    is_old_color = compression == _OLD_JPEG and tags.number(262, Kind.YCBCR) in colored
    samples = tags.number(277, 3 if is_old_color else 1)
    if samples > 100:
        raise RefusedError(f"a TIFF of {samples} channels; export three of them as RGB")
    bits = tags.numbers(258, 100) or (1,)
    bits = bits * samples if len(bits) == 1 else bits[:samples]
    if len(bits) != samples:
        raise ValueError(f"bits for {len(bits)} samples of {samples}")
    forms = {1 if form == 4 else form for form in tags.numbers(339, samples)} or {1}
    usual = Kind.RGB if samples >= 3 else Kind.WHITE_IS_0 if compression in _FAX else Kind.GRAY
    photometric = tags.number(262, usual)
    return Layout(
        width=width,
        height=height,
        bits=bits,
        form=forms.pop() if len(forms) == 1 else 0,
        photometric=photometric,
        order=directories.order,
        is_planar=tags.number(284, 1) == 2 and samples > 1,
        fill=tags.number(266, 1),
        compression=compression,
        predictor=tags.number(317, 1),
        extra=tags.numbers(338, samples),
        tile=(tags.number(322, 0), tags.number(323, 0)) if is_tiled else None,
        rows=min(tags.number(278, height), height),
        offsets=tags.numbers(324 if is_tiled and 324 in tags else 273, _MOST_PIECES),
        lengths=tags.numbers(325 if is_tiled and 325 in tags else 279, _MOST_PIECES),
        colors=tags.numbers(320, 3 * 2**16) if photometric == Kind.PALETTE else (),
    )


def _check_pieces(layout: Layout, size: int) -> int:
    """Return how many bytes hold the pixels; raise an error if that cannot be."""
    if layout.tile:
        width, height = layout.tile
        if width * height > 2 * layout.width * layout.height + _TILE_SPARE:
            millions = f"{width * height / 1e6:.0f}"
            raise RefusedError(f"a decompression bomb: {millions} megapixels in {size} bytes")
        if width < 1 or height < 1:
            raise ValueError(f"tiles of {width}x{height} pixels")
    elif layout.rows < 1:
        raise ValueError("strips without rows")
    if not layout.offsets and layout.compression != _OLD_JPEG:
        raise EOFError("no pixels")
    needed = layout.pieces_of_a_plane * (len(layout.bits) if layout.is_planar else 1)
    pairs = list(zip(layout.offsets[:needed], layout.lengths, strict=False))
    coded = sum(max(0, min(length, size - offset)) for offset, length in pairs)
    if coded > 4 * size:
        raise ValueError("its strips share their bytes")
    if not layout.lengths:
        return size
    return min(coded, size)


def _check_scans(file: BinaryIO, layout: Layout) -> None:
    """Raise ``RefusedError`` if the JPEGs in a TIFF have scans that take too long."""
    scans = 0
    for offset, length in zip(layout.offsets, layout.lengths, strict=False):
        file.seek(offset)
        scans += file.read(length).count(b"\xff\xda")
    blocks = layout.width * layout.height * len(layout.bits) // 64
    rounds = scans / (layout.pieces_of_a_plane * len(layout.bits))
    if rounds > _USUAL_SCANS and rounds * blocks > _MOST_VISITS:
        raise RefusedError(f"a decompression bomb: {scans} scans of one picture")


def _more_pages(pages: list[_Tags]) -> tuple[str, ...]:
    """Return the phrase for further pages; smaller copies and masks do not count."""
    count = sum(
        not page.number(254, 0) & (_REDUCED | _PAGE_MASK) and page.number(255, 1) != 2
        for page in pages
    )
    return more(count, "page")


def _is_for_pillow(layout: Layout, tags: _Tags) -> bool:
    if (layout.photometric, layout.bits) not in _PILLOW or 262 not in tags:
        return False
    if layout.extra not in _PILLOWS_EXTRA:
        return False
    if layout.compression in (*_FAX, *_JPEGS):
        return layout.compression not in _JPEGS or layout.form == 1
    if layout.photometric == Kind.YCBCR and layout.compression == 1:
        return False  # before version 13 it expects four bytes a pixel
    return layout.form == 1 and layout.fill == 1 and not layout.is_planar


def _check_kind(layout: Layout, tags: _Tags) -> None:
    """Raise ``RefusedError`` for kinds that cannot be read, with what to export instead."""
    name = None if _is_plain_ycbcr(layout, tags) else _NAMES.get(layout.photometric)
    if name:
        raise RefusedError(f"a TIFF {name}; export it as TIFF or JPEG in RGB")
    if layout.compression not in PACKED:
        raise RefusedError(
            f"a TIFF of {layout.bits[0]} bits per sample in compression {layout.compression};"
            " export it without compression, or as PNG or JPEG"
        )
    problem = layout.problem
    if problem:
        raise RefusedError(f"a TIFF {problem}; export it with 8 or 16 bits per sample, in RGB")


def _is_plain_ycbcr(layout: Layout, tags: _Tags) -> bool:
    """Return whether a TIFF holds Y, Cb and Cr of every pixel, in bytes, and means them as JPEG."""
    weights, reference = tags.ratios(529, 3), tags.ratios(532, 6)
    return (
        layout.photometric == Kind.YCBCR
        and layout.compression == 1
        and layout.bits == (8, 8, 8)
        and tags.numbers(530, 2) == (1, 1)
        and (not weights or np.allclose(weights, _JPEGS_WEIGHTS, atol=0.001))
        and (not reference or reference == _JPEGS_REFERENCE)
    )


def _open(file: BinaryIO, layout: Layout) -> Image.Image:
    file.seek(0)
    picture = open_unlimited(file)
    if layout.compression in _RARE:
        with _rare_compressions(layout):
            picture.load()
        picture.info["exif"] = write_exif(read_exif(file))
    return picture


@contextlib.contextmanager
def _rare_compressions(layout: Layout) -> Iterator[None]:
    """Do not call a file damaged that this Pillow may be unable to unpack."""
    try:
        yield
    except OSError:
        if layout.compression not in _RARE:
            raise
        name = _RARE[layout.compression]
        raise RefusedError(
            f"a TIFF in {name} compression, damaged or beyond this Pillow; export it without"
            " compression, or as PNG or JPEG"
        ) from None


def _read(file: BinaryIO, layout: Layout, tags: _Tags) -> Image.Image:
    with _rare_compressions(layout):
        picture = read_picture(file, layout)
    picture.info["exif"] = write_exif(read_exif(file))
    picture.info["xmp"] = tags.data(700, _MOST_XMP)
    picture.info["icc_profile"] = tags.data(34675, _MOST_PROFILE)
    return picture
