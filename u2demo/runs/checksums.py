"""settings, files -> checksums: whether they have changed since an earlier run."""

import dataclasses
import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import BinaryIO

import numpy as np
from PIL import Image

from u2demo import __version__
from u2demo.images.write import KINDS
from u2demo.images.write import is_whole as is_whole_picture

_PIECE = 2**20  # bytes
_CONTENT = re.compile("[0-9]+-[0-9a-f]{32}")


def checksum(settings: object) -> str:
    """Return eight hexadecimal digits that change when anything in ``settings`` changes.

    Functions count by their code, their defaults and the values they enclose, not by global names
    that they use; this package's own functions count by name and the package's version. Objects
    count by their class and attributes. Values that cannot be inspected count as new in every run.
    """
    try:
        text = repr([__version__, _describe(settings)])
    except (RuntimeError, TypeError, ValueError):  # a cycle, an unset variable, a GPU tensor
        text = os.urandom(8).hex()
    return f"{zlib.crc32(text.encode(errors='surrogateescape')):08x}"


def content_checksum(data: bytes) -> str:
    """Return the number of bytes and, after a hyphen, 32 hexadecimal digits of their hash."""
    return checksum_of_pieces([data])


def checksum_of_pieces(pieces: Iterable[bytes]) -> str:
    """Return ``content_checksum`` of data that comes in pieces."""
    digest = hashlib.blake2b(digest_size=16)
    size = 0
    for piece in pieces:
        size += len(piece)
        digest.update(piece)
    return f"{size}-{digest.hexdigest()}"


def is_content_checksum(text: str) -> bool:
    """Return whether ``text`` is what ``content_checksum`` returns for some content."""
    return _CONTENT.fullmatch(text) is not None


def file_checksum(file: Path) -> str:
    """Return ``content_checksum`` of what is in ``file``, read piece by piece.

    For a folder, it is that of the names and contents of its files, and tells their total size.
    """
    digest = hashlib.blake2b(digest_size=16)
    if file.is_dir():
        size = 0
        for inside in sorted(file.iterdir()):
            digest.update(inside.name.encode(errors="surrogateescape") + b"/")
            size += _add_file(digest, inside)
    else:
        size = _add_file(digest, file)
    return f"{size}-{digest.hexdigest()}"


def readable_checksum(file: Path) -> str:
    """Return ``file_checksum`` of a file, "" if it has no content that can be read."""
    try:
        return file_checksum(file) if file.is_file() else ""
    except OSError:
        return ""


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of an open file, piece by piece."""
    while piece := file.read(_PIECE):
        yield piece


def _add_file(digest: "hashlib.blake2b", file: Path) -> int:
    """Add what is in ``file`` to a digest; return its size in bytes."""
    size = 0
    with file.open("rb") as opened:
        for piece in pieces_of(opened):
            size += len(piece)
            digest.update(piece)
    return size


def is_whole(file: str | Path) -> bool:
    """Return whether a picture is complete, and a clip or a folder of frames is there at all."""
    return is_whole_picture(file) or os.path.isdir(file)  # noqa: PTH112 - of millions of files


def is_as_written(picture: Path, checksum: str) -> bool:
    """Return whether a picture has the content with this checksum, or was cut short by a crash.

    Cut short means that it begins like a picture, but has no end, and fewer bytes than were
    written.
    """
    size = int(checksum.partition("-")[0])
    try:
        if picture.is_symlink() or not (picture.is_file() or picture.is_dir()):
            return False
        if picture.is_dir() and not any(picture.iterdir()):
            return True  # a kill came between the folder's name and its frames
        if picture.is_dir() or picture.stat().st_size == size:
            return file_checksum(picture) == checksum
        return picture.stat().st_size < size and _begins_only(picture)
    except OSError:
        return False


def _begins_only(picture: Path) -> bool:
    """Return whether a file begins like a picture, as far as it goes, and has no end."""
    begin = KINDS[picture.suffix].begin if picture.suffix in KINDS else b""
    with picture.open("rb") as opened:
        first = opened.read(len(begin))
    return begin.startswith(first) and not is_whole(picture)


def _describe(value: object) -> object:
    match value:
        case partial() | FunctionType() | MethodType() | CodeType():
            return _describe_code(value)
        case Image.Image():
            profile = value.info.get("icc_profile")
            return [value.mode, value.size, zlib.crc32(value.tobytes()), _describe(profile)]
        case np.ndarray():
            return [value.dtype, value.shape, zlib.crc32(value.tobytes())]
        case list() | tuple():
            return [_describe(part) for part in value]
        case set() | frozenset():  # the order differs in each run of Python
            return sorted(repr(_describe(part)) for part in value)
        case dict():
            return {repr(name): _describe(part) for name, part in value.items()}
        case type() | ModuleType() | PurePath():
            return repr(value)
    return _describe_object(value)


def _describe_code(value: partial | FunctionType | MethodType | CodeType) -> object:
    match value:
        case partial():
            return ["partial", _describe([value.func, value.args, value.keywords])]
        case FunctionType() if str(value.__module__).partition(".")[0] != "u2demo":
            enclosed = [cell.cell_contents for cell in value.__closure__ or ()]
            parts = value.__code__, value.__defaults__, value.__kwdefaults__, enclosed
            return [value.__qualname__, *map(_describe, parts)]
        case FunctionType():
            return value.__qualname__
        case MethodType():
            return ["method", _describe(value.__self__), _describe(value.__func__)]
    return [value.co_code, value.co_names, _describe(value.co_consts)]


def _describe_object(value: object) -> object:
    """Return what identifies any other object: its class, with its attributes or ``repr``."""
    kind = type(value).__qualname__
    if hasattr(value, "__array__") and not isinstance(value, np.generic):  # tensors, tables
        return [kind, _describe(np.asarray(value))]
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return [kind, {name: _describe(getattr(value, name)) for name in names}]
    slots = [name for name in getattr(type(value), "__slots__", ()) if hasattr(value, name)]
    attributes = {name: getattr(value, name) for name in slots}
    attributes.update(getattr(value, "__dict__", {}))
    if attributes and type(value).__repr__ is object.__repr__:  # its repr shows only an address
        return [kind, _describe(attributes)]
    return [kind, _describe(attributes), repr(value)]
