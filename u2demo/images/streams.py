"""open binary file -> one that can be read at any place: streams do less than files."""

import contextlib
import io
from typing import BinaryIO

from u2demo.formats.content import RefusedError

# These can be read anywhere, and give as many bytes as are asked for. Others are read whole.
_COMPLETE = (io.BytesIO, io.BufferedReader, io.BufferedRandom)
_PIECE = 2**20  # bytes
_MOST = 2**31  # bytes of a stream; some never end


def seekable(file: BinaryIO) -> BinaryIO:
    """Return ``file`` at its start, or the content of a stream, such as a download.

    Raises:
        RefusedError: it is closed or not open for reading, does not return bytes, or never ends.
    """
    if getattr(file, "closed", False) is True:
        raise RefusedError("a closed file, expected an open one")
    if hasattr(file, "readable") and not file.readable():
        raise RefusedError("a file open for writing, expected one open for reading ('rb')")
    if type(file) in _COMPLETE and file.seekable():
        file.seek(0)
        return file
    with contextlib.suppress(AttributeError, OSError):  # io.UnsupportedOperation is an OSError
        file.seek(0)
    return _whole(file)


def _whole(file: BinaryIO) -> io.BytesIO:
    content = io.BytesIO()
    while True:
        piece = file.read(_PIECE)  # perhaps fewer, as from a socket
        if not isinstance(piece, bytes | bytearray | memoryview):
            kind = type(piece).__name__
            raise RefusedError(f"a stream of {kind}, expected one of bytes")
        if not piece:
            content.seek(0)
            return content
        content.write(piece)
        if content.tell() > _MOST:
            raise RefusedError("a stream that never ends, expected a photo")
