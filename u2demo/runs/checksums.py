"""settings -> checksum: whether a picture would come out as it did before."""

import os
import zlib
from functools import partial
from types import CodeType, FunctionType

import numpy as np
from PIL import Image

from u2demo import __version__


def checksum(settings: object) -> str:
    """Return eight hexadecimal digits that change with anything ``settings`` hold.

    Functions count by their code, their defaults and what they enclose, not by global names they
    use; those of this package by their name and the package's version. What cannot be looked into
    counts as new in each run.
    """
    try:
        text = repr([__version__, _describe(settings)])
    except (RecursionError, ValueError):  # a function that encloses itself, or nothing yet
        text = os.urandom(8).hex()
    return f"{zlib.crc32(text.encode(errors='surrogateescape')):08x}"


def _describe(value: object) -> object:
    match value:
        case partial():
            return ["partial", _describe([value.func, value.args, value.keywords])]
        case FunctionType() if str(value.__module__).partition(".")[0] != "u2demo":
            enclosed = [cell.cell_contents for cell in value.__closure__ or ()]
            parts = value.__code__, value.__defaults__, value.__kwdefaults__, enclosed
            return [value.__qualname__, *map(_describe, parts)]
        case FunctionType():
            return value.__qualname__
        case CodeType():
            return [value.co_code, value.co_names, _describe(value.co_consts)]
        case Image.Image():
            return [value.mode, value.size, zlib.crc32(value.tobytes())]
        case np.ndarray():
            return [value.dtype, value.shape, zlib.crc32(value.tobytes())]
        case list() | tuple():
            return [_describe(part) for part in value]
        case set() | frozenset():  # each run of Python has an order of its own
            return sorted(repr(_describe(part)) for part in value)
        case dict():
            return {repr(name): _describe(part) for name, part in value.items()}
    return repr(value)
