"""error -> words: why a photo of a folder failed, and what helps."""

import errno
import os
from pathlib import Path

from u2demo.images.kinds import why_unread

# Errors of a drive or a cloud that does not give a file's content.
_NOT_FETCHED = {
    getattr(errno, name)
    for name in ("EIO", "ENODATA", "ETIMEDOUT", "ENOTCONN", "ESTALE", "EREMOTEIO", "EHOSTDOWN",
                 "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ECONNRESET", "ENXIO", "ENODEV")
    if hasattr(errno, name)
}  # fmt: skip
# ERROR_CLOUD_FILE_... of Windows, and what a network drive says there.
_NOT_FETCHED_ON_WINDOWS = {*range(358, 405), 53, 59, 64, 67, 121, 1231}


def reason_of(error: Exception, photo: str) -> str:
    """Return the sentence for a record: the photo's path, then what is wrong with it."""
    text = _text(error, Path(photo))
    return text if text.startswith(photo) else f"{photo}: {text}"


def _text(error: Exception, photo: Path) -> str:
    text = str(error) or type(error).__name__
    of_torch = isinstance(error, RuntimeError) and "memory" in text
    if isinstance(error, MemoryError) or of_torch:
        return "not enough memory; run again when more is free"
    if os.path.isdir(photo):  # noqa: PTH112 - any text is a name
        return "a folder, expected a single file; give it without --list"
    if unread := why_unread(photo):
        return unread
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError):
        return _text_of_disk(cause, photo) or text
    return text


def _text_of_disk(error: OSError, photo: Path) -> str:
    if photo.is_symlink() and not _leads_somewhere(photo):
        return "a link to a file that is not there; is its disk connected, has it been fetched?"
    of_windows = getattr(error, "winerror", None) in _NOT_FETCHED_ON_WINDOWS
    if of_windows or error.errno in _NOT_FETCHED:
        return (
            f"could not be fetched from its drive or cloud folder ({error.strerror}); connect it,"
            " or keep the file on this computer, and run again"
        )
    return ""


def _leads_somewhere(link: Path) -> bool:
    try:
        return link.exists()
    except OSError:
        return False
