"""path -> clip: one loader for every clip, or a sentence that says why there is none."""

import re
import stat
from pathlib import Path

from PIL import Image

from u2demo.formats.heif import HEIC, is_sequence
from u2demo.images.kinds import is_clip
from u2demo.machine.paths import as_path
from u2demo.video.animation import read_animation
from u2demo.video.clip import Clip
from u2demo.video.container import RefusedError
from u2demo.video.decode import read_clip
from u2demo.video.mp4 import CUT_OFF
from u2demo.video.pyav import check_pyav

# By the usual suffix of photos, their first bytes.
_PHOTOS = {
    ".jpg": re.compile(rb"\xff\xd8\xff"),
    ".png": re.compile(rb"\x89PNG\r\n"),
    ".gif": re.compile(rb"GIF8"),
    ".webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    ".tif": re.compile(rb"II\*\0|MM\0\*"),
    ".bmp": re.compile(rb"BM.{12}[\x0c\x28\x6c\x7c]", re.DOTALL),
    ".avif": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    ".heic": HEIC,
}
_MAY_MOVE = {".png", ".gif", ".webp", ".tif", ".avif"}
A_PHOTO = "a photo, not a clip"
READS_PHOTOS = "open_image reads it"
_MP4 = re.compile(rb"....(?:ftyp|moov|mdat|wide|free|skip)", re.DOTALL)


def open_video(path: str | Path) -> Clip:
    """Return the clip at ``path``; iterating it gives each ``Frame(time, image)``, upright.

    It is read by PyAV: MP4, MOV, WebM, Matroska, AVI, MPEG and others. Animated GIF, PNG, WebP and
    AVIF, and the pages of a TIFF, need Pillow only. The kind is decided by content. Rotation and
    flips are applied, frame times kept as they vary, pixels made square; alpha is kept, also
    WebM's; HDR (HLG and PQ) is brought into the range of ordinary screens, BT.2020, P3 and colors
    with a profile into sRGB. Interlaced frames are made of their first field; a frame of another
    shape than the first gets bars.

    Raises:
        ValueError: the file is missing, damaged, encrypted, of an unknown kind or codec, or holds
            no clip, but a photo or sound; the text names the file and the reason.
        TypeError: ``path`` is not a path.
        ModuleNotFoundError: PyAV is needed, and missing or too old.
    """
    path = as_path("path", path)
    try:
        return _read(path)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # decoders fed with damaged files raise nearly all there is
        raise ValueError(f"{path}: {_reason(error, path)}") from error


def _read(path: Path) -> Clip:
    suffix = _usual_suffix(_first_bytes(path))
    if suffix in _MAY_MOVE:
        clip = read_animation(path)
    elif suffix and not (suffix == ".heic" and _is_heic_sequence(path)):
        clip = None
    else:
        check_pyav(f"{path}: to read clips")
        clip = read_clip(path)
    if clip is None:
        raise RefusedError(f"{A_PHOTO}; {_advice(path, suffix)}")
    return clip


def _usual_suffix(first: bytes) -> str:
    """Return the suffix of photos that begin like this, "" if it is no photo."""
    return next((suffix for suffix, begin in _PHOTOS.items() if begin.match(first)), "")


def _is_heic_sequence(path: Path) -> bool:
    with path.open("rb") as file:
        return is_sequence(file)


def _advice(path: Path, suffix: str) -> str:
    """Return what helps with a photo whose name should end in ``suffix``."""
    if is_clip(path):
        return f"rename it to {suffix} to process it as a photo"
    return READS_PHOTOS


def _first_bytes(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise RefusedError("a pipe, socket or device, expected a file")
    with path.open("rb") as file:
        return file.read(16)


def _reason(error: Exception, path: Path) -> str:
    """Return a phrase that says why there is no clip, and what helps, if anything does."""
    match error:
        case RefusedError():
            return str(error)
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder, expected a clip"
        case PermissionError():
            return "no permission to read this file"
        case MemoryError():
            return "not enough memory for its frames"
        case Image.DecompressionBombError():
            return f"frames with more pixels than {2 * Image.MAX_IMAGE_PIXELS:,}, Pillow's limit"
        case OSError() | ValueError() | EOFError():
            return _damage(error, path)
    return f"cannot be read ({type(error).__name__}: {error})"


def _damage(error: Exception, path: Path) -> str:
    """Return a phrase on a file that a decoder has refused, or that cannot even be opened."""
    try:
        first = _first_bytes(path)
    except OSError as unread:
        return unread.strerror
    except ValueError as unread:  # a zero byte in the name
        return str(unread)
    if not first:
        return "an empty file"
    if _MP4.match(first):
        return CUT_OFF
    if _usual_suffix(first) in _MAY_MOVE:
        return f"damaged or cut off ({error or type(error).__name__})"
    return "not a clip of a known kind, or damaged at its start"
