"""picture -> bytes of a file: JPEG, PNG or WebP, and which of them a picture becomes."""

import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from u2demo.formats.exif import kept, read_exif, with_resolution, write_exif
from u2demo.images.colors import convert
from u2demo.images.png import PNG_MODES, encode_png
from u2demo.images.rgb import has_rgb, shared_info, to_rgb
from u2demo.machine.numbers import check_number

_TOO_LONG = 2**20  # bytes of a color profile; Pillow does not open a PNG whose profile is longer
_ALSO_PNG = frozenset({"1", "LA", "P", "I;16"})  # modes that Pillow writes, besides PNG_MODES


class Notes(NamedTuple):
    """What a file holds beside its pixels; ``exif`` is a block as from ``write_exif``."""

    profile: bytes | None = None  # ICC
    dpi: tuple[float, float] | None = None  # (x, y)
    exif: bytes = b""


class Kind(NamedTuple):
    """A kind of file: what it can hold, how it is encoded, and how it begins and ends."""

    modes: frozenset[str] | None  # of the pictures that it can hold; None for all
    longest: int  # pixels along a side
    encode: Callable[[Image.Image, Notes, int | None], bytes]  # with a quality, None for the usual
    begin: bytes
    end: bytes | None  # None: its first bytes hold its length, as in RIFF


def _jpeg(picture: Image.Image, notes: Notes, quality: int | None) -> bytes:
    return _pillow(picture, notes, format="JPEG", quality=round(quality or 95), subsampling=0)


def _png(picture: Image.Image, notes: Notes, quality: int | None) -> bytes:
    if notes.profile and len(notes.profile) >= _TOO_LONG:
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        picture = convert(picture.convert(mode), notes.profile, None)
        notes = notes._replace(profile=None)
    if picture.mode in PNG_MODES:
        return encode_png(picture, icc_profile=notes.profile, dpi=notes.dpi, exif=notes.exif)
    if picture.mode not in _ALSO_PNG:  # CMYK, YCbCr and the like
        picture = to_rgb(picture)
    return _pillow(picture, notes, format="PNG")


def _webp(picture: Image.Image, notes: Notes, quality: int | None) -> bytes:
    if notes.dpi:  # WebP has no other place for it
        exif = with_resolution(read_exif(notes.exif), notes.dpi)
        notes = notes._replace(exif=write_exif(exif))
    # Alpha is exact. Method 0 takes half the time of method 2, about as long as our PNG; a cut-out
    # of 12 megapixels is a tenth larger. Methods 4 and above are slower still, hardly smaller.
    return _pillow(
        picture, notes, format="WEBP", quality=round(quality or 90), alpha_quality=100, method=0
    )


def _pillow(picture: Image.Image, notes: Notes, **options: object) -> bytes:
    encoded = io.BytesIO()
    if notes.dpi:
        options["dpi"] = notes.dpi
    picture.save(encoded, **options, icc_profile=notes.profile, exif=notes.exif)
    return encoded.getvalue()


KINDS: Mapping[str, Kind] = {
    ".jpg": Kind(frozenset({"RGB"}), 65_500, _jpeg, b"\xff\xd8", b"\xff\xd9"),
    ".png": Kind(None, 2**31 - 1, _png, b"\x89PNG\r\n", b"IEND\xaeB`\x82"),
    # No gray: as a PNG, a mask stays exact and has one channel.
    ".webp": Kind(frozenset({"RGB", "RGBA"}), 16_383, _webp, b"RIFF", None),
}
# A picture becomes the first of these kinds that can hold it.
FORMATS: Mapping[str, tuple[str, ...]] = {
    "auto": (".jpg", ".png"),
    "webp": (".webp", ".png"),
    "png": (".png",),
}

# What of a photo's EXIF goes into the pictures made of it. Orientation, thumbnails, makers' notes
# and sizes in pixels never do: they would not be true.
METADATA: Mapping[str, str] = {
    "private": "copyright, author, description and dates",
    "keep": "also camera, place (GPS) and the rest",
    "none": "nothing",
}


def check_format(format: str) -> None:
    """Raise ``ValueError`` unless ``format`` is one of ``FORMATS``."""
    if not isinstance(format, str) or format not in FORMATS:
        raise ValueError(f"unknown format {format!r:.80}; choose {' or '.join(FORMATS)}")


def suffix(picture: Image.Image, format: str = "auto") -> str:
    """Return the suffix of the file that ``picture`` becomes, such as ".png"."""
    return next(name for name in FORMATS[format] if _holds(KINDS[name], picture))


def check_metadata(metadata: str) -> None:
    """Raise ``ValueError`` unless ``metadata`` is one of ``METADATA``."""
    if not isinstance(metadata, str) or metadata not in METADATA:
        raise ValueError(f"unknown metadata {metadata!r:.80}; choose {', '.join(METADATA)}")


def encode(
    picture: Image.Image,
    suffix: str,
    *,
    like: Image.Image,
    metadata: str = "private",
    quality: int | None = None,
) -> bytes:
    """Return ``picture`` as the bytes of a file with ``suffix``.

    ``quality``, 1 to 100, is for JPEG and WebP: by default 95 and 90.

    Resolution and color profile of ``like``, the photo that it was made from, are written too, and
    of its EXIF what ``metadata`` says; see ``METADATA``.
    """
    if "transparency" in picture.info:  # one color or level, which not all encoders heed
        picture = to_rgb(picture)
    shared = shared_info(like) | shared_info(picture)
    if not has_rgb(picture):
        shared.pop("icc_profile", None)
    notes = Notes(shared.get("icc_profile"), shared.get("dpi"), _exif_to_write(like, metadata))
    return KINDS[suffix].encode(picture, notes, quality)


def check_picture_quality(quality: int | None) -> None:
    """Raise ``TypeError`` or ``ValueError`` unless ``quality`` is from 1 to 100, or None."""
    if quality is not None:
        check_number("quality", quality, expected="1 to 100, or None", least=1, most=100)


def _exif_to_write(photo: Image.Image, metadata: str) -> bytes:
    block = photo.info.get("exif")
    if metadata == "none" or not isinstance(block, bytes):
        return b""
    return write_exif(kept(read_exif(block), credits_only=metadata == "private"))


def is_whole(file: str | Path) -> bool:
    """Return whether ``file`` holds a complete picture, judged by its first and last bytes."""
    kind = KINDS.get(os.path.splitext(file)[1])  # noqa: PTH122 - asked of millions of files
    begin, end = (kind.begin, kind.end) if kind else (b"", b"")
    try:
        with open(file, "rb", buffering=0) as picture:  # noqa: PTH123 - as above
            first = picture.read(8)
            if end is None:
                size = picture.seek(0, os.SEEK_END)
                return first[:4] == begin and int.from_bytes(first[4:], "little") + 8 == size
            picture.seek(-len(end), os.SEEK_END)
            return first.startswith(begin) and picture.read(len(end)) == end
    except OSError:  # missing, or shorter than that
        return False


def _holds(kind: Kind, picture: Image.Image) -> bool:
    if max(picture.size) > kind.longest:
        return False
    if kind.modes is None:
        return True
    mode = "RGBA" if picture.has_transparency_data else picture.mode
    return mode in kind.modes
