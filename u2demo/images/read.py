"""file | bytes -> image: one loader for every photo.

The result is always a new, upright ``PIL.Image.Image`` in mode RGB, or RGBA if some pixels are
transparent. A file that cannot be read raises a ``ValueError`` that names the file and the reason.
"""

import contextlib
import io
import math
import os
import re
import stat
import struct
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from u2demo.formats import bmp, chunks, gif, heif, jpeg, tiff
from u2demo.formats.content import Content, RefusedError
from u2demo.images.kinds import is_clip
from u2demo.images.rgb import to_rgb, upright
from u2demo.images.silence import silence
from u2demo.images.streams import seekable
from u2demo.machine.disk import IN_USE, retry_busy
from u2demo.machine.numbers import check_number
from u2demo.machine.places import is_url

LIMIT = "U2DEMO_MAX_PIXELS"  # the environment variable
# In the order in which they are shown: the first is one of which every mask is right.
_SAMPLES = ("coffee.png", "cows.jpg", "cat.jpeg", "astronaut.jpg", "rocket.jpg")
_THOUSANDS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_COUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([kMG]?)")
# Only formats that photos come in: Pillow would hand an EPS file to an external interpreter.
_KNOWN = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC"


def _beginning(*signatures: bytes) -> re.Pattern[bytes]:
    """Return the pattern of a file that begins with one of ``signatures``."""
    return re.compile(b"|".join(map(re.escape, signatures)))


_FORMATS: tuple[tuple[re.Pattern[bytes], Callable[[BinaryIO], Content]], ...] = (
    (_beginning(jpeg.SIGNATURE), jpeg.examine),
    (_beginning(chunks.PNG), chunks.examine_png),
    (_beginning(chunks.WEBP), chunks.examine_webp),
    (_beginning(*gif.SIGNATURES), gif.examine),
    (_beginning(*tiff.SIGNATURES), tiff.examine),
    (_beginning(*bmp.SIGNATURES), bmp.examine),
    (heif.AVIF, heif.examine_avif),
    (heif.HEIC, heif.examine_heic),
)


def open_image(source: str | Path | BinaryIO, *, max_pixels: int | None = None) -> Image.Image:
    """Return the photo in ``source``, a path or an open binary file, upright.

    The format is decided by content, never by suffix: JPEG, PNG, WebP, GIF and TIFF (first frame),
    BMP, AVIF, and HEIC where ``pillow-heif`` is installed. The mode is RGB, or RGBA if some pixels
    are transparent; 16-bit and float samples are scaled to 8 bits, not clipped. ``info`` may hold
    ``icc_profile``, ``dpi``, ``exif``, and ``left_out``, phrases for what else the file shows.

    ``max_pixels`` is the most that a photo may have. None stands for the environment variable
    U2DEMO_MAX_PIXELS, else for twice ``PIL.Image.MAX_IMAGE_PIXELS`` (178 million unless you change
    it).

    Raises:
        ValueError: the file is missing, truncated, damaged, not an image, a camera's raw file, a
            decompression bomb, of a kind that is not supported, or has too many pixels; or
            ``source`` is a URL.
        TypeError: ``source`` is neither a path nor a binary file.
    """
    is_path = isinstance(source, str | Path)
    if not (is_path or hasattr(source, "read")) or isinstance(source, io.TextIOBase):
        kind = type(source).__name__
        raise TypeError(f"expected a path or a binary file (io.BytesIO for bytes), not {kind}")
    limit = pixel_limit(max_pixels)
    name = _name(source)
    if is_url(source):
        raise ValueError(
            f"{name}: a URL, expected a path or an open file, such as urllib.request.urlopen(URL)"
        )
    if is_path and _may_never_end(source):
        raise ValueError(f"{name}: a pipe, socket or device, expected a file")
    try:
        with silence, _opened(source) as file:
            return _read(file, limit)
    # Decoders fed with damaged files raise nearly every exception there is.
    except Exception as error:
        raise ValueError(f"{name}: {_reason(error)}") from error


def _read(file: BinaryIO, limit: float) -> Image.Image:
    content = _examine(file)
    pixels = content.size[0] * content.size[1]
    _check_size(pixels, content, limit)
    with content.picture() as picture:
        if picture.width * picture.height > pixels:
            raise ValueError(f"{picture.width}x{picture.height} pixels, not {content.size}")
        image = to_rgb(upright(picture))
    if content.left_out:
        image.info["left_out"] = (*image.info.get("left_out", ()), *content.left_out)
    return image


def _examine(file: BinaryIO) -> Content:
    Image.init()
    file.seek(0)
    start = file.read(64)
    if not start:
        raise RefusedError("an empty file")
    for pattern, examine in _FORMATS:
        if pattern.match(start):
            return examine(file)
    if is_clip(Path(), start):
        raise RefusedError(
            "a video, not a photo; give it its suffix, such as .mp4, to process it as a clip"
            " (in Python: open_video)"
        )
    raise RefusedError(f"not an image of a known format ({_KNOWN})")


def pixel_limit(max_pixels: int | None) -> float:
    """Return the most pixels that a photo may have; ``max_pixels`` is as for ``open_image``.

    Raises:
        TypeError, ValueError: ``max_pixels`` or the environment variable is not a number of pixels.
    """
    if max_pixels is not None:
        check_number("max_pixels", max_pixels, expected="a number of pixels", least=1)
        return max_pixels
    given = os.environ.get(LIMIT)
    if given:
        try:
            return pixel_count(given)
        except ValueError as error:
            raise ValueError(f"{LIMIT} is {error}") from None
    limit = Image.MAX_IMAGE_PIXELS
    return float("inf") if limit is None else 2 * limit


def pixel_count(text: str) -> int:
    """Return a number of pixels that somebody typed, such as "400M", "1.5G" or "178_000_000".

    Raises:
        ValueError: it is not a number of pixels, 1 or more.
    """
    match = _COUNT.fullmatch(text.replace("_", "").strip())
    count = float(match[1]) * _THOUSANDS[match[2]] if match else 0
    if not 1 <= count < math.inf:
        raise ValueError(f"{text!r:.80}, expected a number of pixels such as 400M")
    return int(count)


def _check_size(pixels: int, content: Content, limit: float) -> None:
    """Raise ``RefusedError`` if there are too many pixels, for us or for so few bytes."""
    if pixels > limit:
        raise RefusedError(
            f"more pixels than the limit of {limit:,}: {pixels:,}. To raise it: --max-pixels on the"
            f" command line, {LIMIT} in the environment, open_image(..., max_pixels=...) in Python"
        )
    if content.coded < content.budget.bytes_for(pixels):
        millions = f"{pixels / 1e6:.0f}"
        raise RefusedError(f"a decompression bomb: {millions} megapixels in {content.coded} bytes")


def sample_images() -> dict[str, Image.Image]:
    """Return the packaged photos by file name; see ``data/samples/README.md`` for their origin."""
    folder = resources.files("u2demo") / "data" / "samples"  # perhaps inside a zip
    files = [folder / name for name in _SAMPLES]
    return {file.name: open_image(io.BytesIO(file.read_bytes())) for file in files}


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


@contextlib.contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(source, str | Path):
        path = Path(source)
        with retry_busy(lambda: path.open("rb"), path) as file:
            yield file
    else:
        yield seekable(source)


def _reason(error: Exception) -> str:
    """Return a phrase that says why a file could not be read, and what helps, if anything does."""
    if isinstance(error, SyntaxError) and error.__cause__:  # in which Pillow wraps others
        error = error.__cause__
    match error:
        case RefusedError():
            return str(error)
        case Image.DecompressionBombError():
            return "more pixels than Pillow reads of this format; raise PIL.Image.MAX_IMAGE_PIXELS"
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder; process_folder takes one"
        case OSError(strerror=strerror) if strerror == IN_USE:
            return IN_USE
        case PermissionError():
            return "no permission to read this file"
        case MemoryError():
            return "not enough memory for its pixels"
        case IndexError() | struct.error():  # their words are about our code
            return "damaged or truncated (its headers are cut short)"
    return f"damaged or truncated ({error or type(error).__name__})"
