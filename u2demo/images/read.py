"""file | bytes -> image: one loader for every photo.

What comes out is always a new, upright ``PIL.Image.Image`` in mode RGB. What cannot be read raises
a ``ValueError`` that names the file and the reason.
"""

import contextlib
import io
import os
import re
import stat
import warnings
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from u2demo.images.quiet import quiet
from u2demo.images.rgb import to_rgb, upright
from u2demo.machine.names import natural_order

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif"}
    | {".bmp", ".dib", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)
# Only formats that photos come in: Pillow would hand an EPS file to an external interpreter.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "HEIF")
# The first bytes of those formats; "." stands for any byte.
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|RIFF....WEBP|GIF8|BM|II\*\0|MM\0\*|....ftyp(?:avi|hei|hev|mif|msf)",
    re.DOTALL,
)
_BOMB = 32_000_000, 1000  # more pixels than this, and this many for each byte: a photo has neither
_THUMBNAIL = 254, 1  # TIFF's NewSubfileType, and its bit for a smaller copy of another picture


class _RefusedError(Exception):
    """A file that could be read and had better not be; the text says why."""


def open_image(source: str | Path | BinaryIO) -> Image.Image:
    """Return the photo in ``source``, a path or an open binary file, upright and in mode RGB.

    The format is decided by content, never by suffix: JPEG, PNG, WebP, GIF and TIFF (first frame),
    BMP, AVIF, and HEIC where ``pillow-heif`` is installed. Transparent parts become white; 16-bit
    and float samples are scaled to 8 bits, not clipped. ``info["icc_profile"]`` is kept.

    Raises:
        ValueError: not an image, truncated or damaged, not there, a camera's raw file, a
            decompression bomb, or more than twice ``PIL.Image.MAX_IMAGE_PIXELS`` pixels (178
            million unless you raise it).
        TypeError: ``source`` is neither a path nor a binary file.
    """
    is_path = isinstance(source, str | Path)
    if not (is_path or hasattr(source, "read")) or isinstance(source, io.TextIOBase):
        kind = type(source).__name__
        raise TypeError(f"expected a path or a binary file (io.BytesIO for bytes), not {kind}")
    given = source if is_path else getattr(source, "name", None)  # a number of temporary files
    name = str(given) if isinstance(given, str | Path) else "the uploaded file"
    if is_path and _may_never_end(source):
        raise ValueError(f"{name}: a pipe, socket or device, expected a file")
    try:
        with quiet, Image.open(source, formats=_known_formats()) as picture:
            _check_header(picture)
            return to_rgb(upright(picture))
    # Decoders fed with damaged files raise nearly every exception there is.
    except Exception as error:
        raise ValueError(f"{name}: {_reason(error, source)}") from error


def find_images(folder: str | Path) -> list[Path]:
    """Return the image files below ``folder`` in natural order (``photo2`` before ``photo10``).

    A file counts by its suffix or, failing that, by its first bytes; one that nobody may read
    counts too, for ``open_image`` to say so. Hidden files and folders, such as
    ``.ipynb_checkpoints``, and linked folders are never entered; a folder that cannot be read is
    left out with a warning.

    Raises:
        ValueError: ``folder`` is not a folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; open_image reads a single file")
    found = []
    for parent, folders, files in os.walk(folder, onerror=_warn):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name) for name in files if not name.startswith(".")]
        found += filter(_looks_like_image, paths)
    return sorted(found, key=natural_order)


def sample_images() -> dict[str, Image.Image]:
    """Return the packaged photos by file name; see ``data/samples/README.md`` for their origin."""
    folder = resources.files("u2demo") / "data" / "samples"
    return {path.name: open_image(path) for path in find_images(str(folder))}


def _may_never_end(path: str | Path) -> bool:
    with contextlib.suppress(OSError, ValueError):  # what cannot be asked cannot be opened either
        mode = Path(path).stat().st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


def _check_header(picture: Image.Image) -> None:
    """Raise ``_RefusedError`` if the picture had better not be decoded."""
    pixels = picture.width * picture.height
    if pixels > _BOMB[0] and pixels > _BOMB[1] * (size := _size(picture.fp)):
        raise _RefusedError(f"a decompression bomb: {pixels / 1e6:.0f} megapixels in {size} bytes")
    if _is_thumbnail(picture):
        raise _RefusedError(
            "a camera's raw file, of which only a thumbnail can be read here; export it as TIFF or"
            " JPEG first"
        )


def _is_thumbnail(picture: Image.Image) -> bool:
    """Tell whether a TIFF begins with a small copy of what it holds, as raw files do."""
    tag, bit = _THUMBNAIL
    kind = getattr(picture, "tag_v2", {}).get(tag, 0)
    return isinstance(kind, int) and bool(kind & bit)  # damaged files have anything there


def _size(source: str | Path | BinaryIO) -> int:
    if isinstance(source, str | Path):
        return Path(source).stat().st_size
    place = source.tell()
    size = source.seek(0, os.SEEK_END)
    source.seek(place)
    return size


def _known_formats() -> list[str]:
    _register_heif()
    return [name for name in _FORMATS if name in Image.OPEN]


def _register_heif() -> None:
    Image.init()
    if "HEIF" in Image.OPEN:
        return
    with contextlib.suppress(ImportError):  # looked for each time: it may be installed meanwhile
        from pillow_heif import register_heif_opener

        register_heif_opener()


def _warn(error: OSError) -> None:
    text = f"{error.filename}: {error.strerror}; photos in this folder are left out"
    warnings.warn(text, stacklevel=3)


def _looks_like_image(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # is_file hides no permission from Python 3.14 on
            return False
        if path.suffix.lower() in SUFFIXES:
            return True
        with path.open("rb") as file:
            return bool(_SIGNATURE.match(file.read(16)))
    except PermissionError:
        return True  # else a photo would be gone without a word
    except OSError:
        return False


def _reason(error: Exception, source: str | Path | BinaryIO) -> str:
    """Say in a phrase why Pillow could not read a file, and what to do where something helps."""
    match error:
        case _RefusedError():
            return str(error)
        case Image.DecompressionBombError():
            pixels = Image.MAX_IMAGE_PIXELS
            limit = f"{2 * pixels / 1e6:.0f} million, twice PIL.Image.MAX_IMAGE_PIXELS = {pixels}"
            return f"more pixels than the limit of {limit}; raise that to read it"
        case UnidentifiedImageError() if not _size(source):
            return "an empty file"
        case UnidentifiedImageError():
            known = _known_formats()
            heif = "" if "HEIF" in known else "; for HEIC: pip install pillow-heif"
            return f"not an image of a known format ({', '.join(known)}{heif})"
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder; find_images lists the photos in it"
        case PermissionError():
            return "no permission to read this file"
        case MemoryError():
            return "not enough memory for its pixels"
    return f"damaged or truncated ({error or type(error).__name__})"
