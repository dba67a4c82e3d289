"""file | bytes -> image: one loader for every photo.

The result is always a new, upright ``PIL.Image.Image`` in mode RGB. A file that cannot be read
raises a ``ValueError`` that names the file and the reason.
"""

import io
import os
import re
import stat
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from u2demo.images.find import find_images
from u2demo.images.rgb import to_rgb, upright
from u2demo.images.silence import silence

# Only formats that photos come in: Pillow would hand an EPS file to an external interpreter.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF")
_HEIF = re.compile(rb"....ftyp(?:hei|hev|mif|msf)", re.DOTALL)  # a file's first bytes
_BOMB = 32_000_000, 1000  # pixels, and pixels a byte; no photo exceeds both
_START_OF_SCAN = b"\xff\xda"  # JPEG's marker; each scan refines all the pixels once more
_MOST_SCANS = 100  # encoders make about ten, and a camera's preview comes on top
_TILE = 322, 323  # TIFF's TileWidth and TileLength
_THUMBNAIL = 254, 1  # TIFF's NewSubfileType, and its bit for a smaller copy of another picture


class _RefusedError(Exception):
    """A file that could be read but should not be; the text says why."""


def open_image(source: str | Path | BinaryIO, *, max_pixels: int | None = None) -> Image.Image:
    """Return the photo in ``source``, a path or an open binary file, upright and in mode RGB.

    The format is decided by content, never by suffix: JPEG, PNG, WebP, GIF and TIFF (first frame),
    BMP, AVIF, and HEIC where ``pillow-heif`` is installed. Transparent parts become white; 16-bit
    and float samples are scaled to 8 bits, not clipped. ``info["icc_profile"]`` is kept.

    Raises:
        ValueError: the file is missing, truncated, damaged, not an image, a camera's raw file, a
            decompression bomb, or has more than twice ``PIL.Image.MAX_IMAGE_PIXELS`` pixels (178
            million unless you raise it).
        TypeError: ``source`` is neither a path nor a binary file.
    """
    is_path = isinstance(source, str | Path)
    if not (is_path or hasattr(source, "read")) or isinstance(source, io.TextIOBase):
        kind = type(source).__name__
        raise TypeError(f"expected a path or a binary file (io.BytesIO for bytes), not {kind}")
    name = _name(source)
    if is_path and _may_never_end(source):
        raise ValueError(f"{name}: a pipe, socket or device, expected a file")
    try:
        with silence:
            file = source if is_path else _seekable(source)
            with _open(file) as picture:
                _check_header(picture)
                return to_rgb(upright(picture))
    # Decoders fed with damaged files raise nearly every exception there is.
    except Exception as error:
        raise ValueError(f"{name}: {_reason(error)}") from error


def sample_images() -> dict[str, Image.Image]:
    """Return the packaged photos by file name; see ``data/samples/README.md`` for their origin."""
    folder = resources.files("u2demo") / "data" / "samples"
    return {path.name: open_image(path) for path in find_images(str(folder))}


def _name(source: str | Path | BinaryIO) -> str:
    given = source if isinstance(source, str | Path) else getattr(source, "name", None)
    # A temporary file may have a number for a name.
    return str(given) if isinstance(given, str | Path) else "the uploaded file"


def _may_never_end(path: str | Path) -> bool:
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):  # opening it will say why
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _seekable(file: BinaryIO) -> BinaryIO:
    """Return ``file`` at its start, or the content of a stream, such as a download."""
    try:
        file.seek(0)
    except (AttributeError, OSError):  # io.UnsupportedOperation is an OSError
        return io.BytesIO(file.read())
    return file


def _open(file: str | Path | BinaryIO) -> Image.Image:
    """Return the picture in ``file`` with its header read, as ``Image.open`` does.

    HEIC is opened with pillow-heif's own class, because registering it would add a format to Pillow
    for the whole process.
    """
    try:
        return Image.open(file, formats=_known_formats())
    except UnidentifiedImageError:
        first = _first_bytes(file)
        if not first:
            raise _RefusedError("an empty file") from None
        if not _HEIF.match(first):
            raise
    try:
        from pillow_heif import HeifImageFile  # optional; may be installed later
    except ImportError:
        raise _RefusedError("a HEIC photo; to read it: pip install pillow-heif") from None
    return HeifImageFile(file)


def _known_formats() -> list[str]:
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]  # AVIF depends on how Pillow is built


def _first_bytes(file: str | Path | BinaryIO) -> bytes:
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            return opened.read(16)
    file.seek(0)
    first = file.read(16)
    file.seek(0)
    return first


def _check_header(picture: Image.Image) -> None:
    """Raise an error if the picture should not be decoded."""
    pixels = picture.width * picture.height
    limit = Image.MAX_IMAGE_PIXELS  # None: no limit
    if limit is not None and pixels > 2 * limit:  # unlike Image.open, pillow-heif does not look
        raise Image.DecompressionBombError
    _check_cost(picture, max(pixels, _pixels_of_tile(picture)))
    if _is_thumbnail(picture):
        raise _RefusedError(
            "a camera's raw file; only its thumbnail can be read here. Export it as TIFF or JPEG"
            " first"
        )


def _check_cost(picture: Image.Image, pixels: int) -> None:
    """Raise ``_RefusedError`` if a small file would take an unusual amount of memory or time."""
    if pixels > _BOMB[0]:
        size = _size(picture.fp)
        if pixels > _BOMB[1] * size:
            millions = f"{pixels / 1e6:.0f}"
            raise _RefusedError(f"a decompression bomb: {millions} megapixels in {size} bytes")
    if picture.info.get("progressive"):
        scans = _content(picture.fp).count(_START_OF_SCAN)
        if scans > _MOST_SCANS:
            raise _RefusedError(f"a decompression bomb: {scans} scans of one picture")


def _pixels_of_tile(picture: Image.Image) -> int:
    """Return the number of pixels in a tile of a TIFF, 0 if it has none; libtiff loads it whole."""
    sides = [_tag(picture, tag) for tag in _TILE]
    return sides[0] * sides[1]


def _is_thumbnail(picture: Image.Image) -> bool:
    """Return whether a TIFF begins with a small copy of its picture, as raw files do."""
    tag, bit = _THUMBNAIL
    return bool(_tag(picture, tag) & bit)


def _tag(picture: Image.Image, tag: int) -> int:
    """Return the value of a TIFF's tag, 0 if it is missing or, in a damaged file, not a number."""
    value = getattr(picture, "tag_v2", {}).get(tag, 0)
    return value if isinstance(value, int) else 0


def _size(file: BinaryIO) -> int:
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def _content(file: BinaryIO) -> bytes:
    place = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(place)
    return content


def _reason(error: Exception) -> str:
    """Return a phrase that says why a file could not be read, and what helps, if anything does."""
    match error:
        case _RefusedError():
            return str(error)
        case Image.DecompressionBombError():
            pixels = Image.MAX_IMAGE_PIXELS
            limit = f"{2 * pixels / 1e6:.0f} million, twice PIL.Image.MAX_IMAGE_PIXELS = {pixels}"
            return f"more pixels than the limit of {limit}; raise that limit to read it"
        case UnidentifiedImageError():
            return f"not an image of a known format ({', '.join(_known_formats())}, HEIC)"
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder; find_images lists the photos in it"
        case PermissionError():
            return "no permission to read this file"
        case MemoryError():
            return "not enough memory for its pixels"
    return f"damaged or truncated ({error or type(error).__name__})"
