"""opened file -> the ICC profile of its colors, whichever way the file declares them."""

import os
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from PIL import Image

from u2demo.formats.exif import COLOR_SPACE, Exif
from u2demo.images.profiles import (
    HLG,
    PQ,
    SRGB,
    Primaries,
    adobe_rgb,
    of_chromaticities,
    of_code_points,
)

_MOST_CHUNKS = 200  # of a PNG before its pixels
_UNCALIBRATED, _ADOBE = 0xFFFF, 2  # EXIF's ColorSpace; the second is custom, not standard


class CodePoints(NamedTuple):
    """Numbers of ITU-T H.273 for the primaries and the curve of a picture."""

    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        """Whether they describe light brighter than white."""
        return self.transfer in (PQ, HLG)


def code_points(picture: Image.Image) -> CodePoints | None:
    """Return the code points that count for a picture not yet loaded, None if a profile does.

    In a PNG they overrule a profile (its specification, section 4.3), elsewhere it is the reverse.
    """
    if picture.format != "PNG" and picture.info.get("icc_profile"):
        return None
    nclx = picture.info.get("nclx_profile")  # of HEIC and AVIF
    if isinstance(nclx, Mapping):
        return CodePoints(nclx.get("color_primaries", 2), nclx.get("transfer_characteristics", 2))
    file = getattr(picture, "fp", None)
    if file is None or picture.format != "PNG":
        return None
    place = file.tell()
    try:
        with suppress(OSError, ValueError, struct.error):
            return _find_cicp(file)
    finally:
        file.seek(place)
    return None


def declared_profile(picture: Image.Image, points: CodePoints | None, exif: Exif) -> bytes | None:
    """Return the profile of a picture's colors, None if they are sRGB or of no known space."""
    info = picture.info
    if points:
        return of_code_points(*points)
    if info.get("icc_profile"):
        return info["icc_profile"]
    if picture.mode == "CMYK" or "srgb" in info:  # the second is PNG's
        return None
    return _of_gamma(picture) or (adobe_rgb() if _is_adobe_rgb(exif) else None)


def _is_adobe_rgb(exif: Exif) -> bool:
    """Return whether EXIF says so, the only place where many cameras do (DCF 2.0, section 3)."""
    space = exif.number(COLOR_SPACE)
    return space == _ADOBE or (space == _UNCALIBRATED and exif.index.startswith(b"R03"))


def _of_gamma(picture: Image.Image) -> bytes | None:
    """Return the profile of a PNG that has no better word for its colors than gAMA and cHRM."""
    info = picture.info
    gamma, points = info.get("gamma"), info.get("chromaticity")
    if picture.format != "PNG" or not gamma:
        return None
    primaries = SRGB
    if points and len(points) == 8:
        primaries = Primaries(*zip(points[::2], points[1::2], strict=True))
    return of_chromaticities(primaries, 1 / gamma)


def _find_cicp(file: BinaryIO) -> CodePoints | None:
    file.seek(8)
    for _ in range(_MOST_CHUNKS):
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"cICP":
            return CodePoints(*struct.unpack("2B", file.read(2)))
        if kind == b"IDAT":
            return None
        file.seek(size + 4, os.SEEK_CUR)
    return None
