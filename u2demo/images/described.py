"""opened file -> what it says beside its pixels: which way is up, resolution, EXIF, colors."""

import math
import re
from typing import NamedTuple

from PIL import Image

from u2demo.formats.exif import (
    IPTC,
    ORIENTATION,
    UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    Exif,
    kept,
    read_exif,
    with_texts,
    write_exif,
)
from u2demo.images.credits import credits_of_iptc, credits_of_texts, credits_of_xmp
from u2demo.images.declared import CodePoints, code_points, declared_profile

_XMP_TAG = 700
_IPTC_RESOURCE = 0x0404  # Photoshop's number for it
_ORIENTATION_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_ON_ITS_SIDE = {5, 6, 7, 8}  # EXIF's orientations
_INCHES = {1: None, 2: 1.0, 3: 2.54, None: 1.0}  # by EXIF's unit: 1 says nothing, 3 is centimeters
_INCHES_OF_JFIF = {1: 1.0, 2: 2.54}
_OWN_RESOLUTION = {"PNG", "BMP", "DIB", None}  # formats; Pillow invents one for others
_DPI = 2, 65_535  # below is no real resolution; above is more than a JPEG can hold


class Described(NamedTuple):
    """What a file says: EXIF's number for the turn that is left to do, and the image's ``info``."""

    orientation: int
    info: dict[str, object]


class Unloaded(NamedTuple):
    """What must be asked of a file before its picture is loaded, because that may close it."""

    tags: Exif | None  # of a TIFF
    points: CodePoints | None


def look_before_loading(picture: Image.Image) -> Unloaded:
    """Return what only a file that is still open says."""
    tags = None
    if hasattr(picture, "tag_v2") and picture.fp:
        place = picture.fp.tell()
        tags = read_exif(picture.fp)
        picture.fp.seek(place)
    return Unloaded(tags, code_points(picture))


def describe(picture: Image.Image, seen: Unloaded) -> Described:
    """Return what the file of a loaded picture says, with what was ``seen`` before."""
    info = picture.info
    exif = seen.tags or read_exif(_block(info))
    xmp = _packet(picture)
    kept_info: dict[str, object] = {}
    profile = declared_profile(picture, seen.points, exif)
    if profile:
        kept_info["icc_profile"] = profile
    orientation = _orientation(exif, xmp)
    dpi = _dpi(picture, exif)
    if dpi:
        kept_info["dpi"] = dpi[::-1] if orientation in _ON_ITS_SIDE else dpi
    iptc = exif.image.get(IPTC, (0, b""))[1] or _resource(info) or _raw(info, "iptc")
    for texts in (credits_of_xmp(xmp), credits_of_iptc(iptc), credits_of_texts(info)):
        exif = with_texts(exif, texts)
    block = write_exif(kept(exif))
    if block:
        kept_info["exif"] = block
    if hasattr(picture, "tag_v2"):  # Pillow turns a TIFF by itself and then forgets the tag
        orientation = picture.tag_v2.get(ORIENTATION, 1)
    return Described(orientation, kept_info)


def valid_dpi(dpi: object) -> tuple[float, float] | None:
    """Return a resolution as two floats, None if it is not one."""
    try:
        x, y = map(float, dpi)
    except (OverflowError, TypeError, ValueError):
        return None
    sound = all(math.isfinite(side) and _DPI[0] <= side <= _DPI[1] for side in (x, y))
    return (x, y) if sound else None


def _dpi(picture: Image.Image, exif: Exif) -> tuple[float, float] | None:
    info = picture.info
    said = info.get("dpi") if picture.format in _OWN_RESOLUTION else None
    if info.get("jfif_unit") in _INCHES_OF_JFIF and "jfif_density" in info:
        said = (side * _INCHES_OF_JFIF[info["jfif_unit"]] for side in info["jfif_density"])
    dpi = valid_dpi(said)
    if dpi:
        return dpi
    inch = _INCHES.get(exif.number(UNIT))
    sides = exif.ratio(X_RESOLUTION), exif.ratio(Y_RESOLUTION)
    return valid_dpi(side * inch for side in sides) if inch and all(sides) else None


def _orientation(exif: Exif, xmp: bytes) -> int:
    said = exif.number(ORIENTATION)
    match = _ORIENTATION_IN_XMP.search(xmp) if said is None else None
    return int(match[1]) if match else said or 1


def _block(info: dict[str, object]) -> bytes:
    block = info.get("exif")
    return block if isinstance(block, bytes) else _raw(info, "exif")


def _raw(info: dict[str, object], kind: str) -> bytes:
    """Return what ImageMagick writes into a text of a PNG, which has no chunk for all of it."""
    text = info.get(f"Raw profile type {kind}")
    try:
        return bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _packet(picture: Image.Image) -> bytes:
    """Return the packet of XMP. Pillow 10 leaves that of a TIFF in its tag."""
    tags = getattr(picture, "tag_v2", {})
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or tags.get(_XMP_TAG)
    if isinstance(packet, str):
        return packet.encode(errors="replace")
    return packet if isinstance(packet, bytes) else _raw(picture.info, "xmp")


def _resource(info: dict[str, object]) -> bytes:
    resources = info.get("photoshop")
    data = resources.get(_IPTC_RESOURCE) if isinstance(resources, dict) else None
    return data if isinstance(data, bytes) else b""
