"""What a file holds, as far as its headers say: found before a pixel is decoded."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image


class RefusedError(Exception):
    """A file that could be read but should not be; the text says why, and what helps."""


@dataclass(frozen=True)
class Content:
    """A picture that is still in its file.

    ``size`` is (width, height) in pixels. ``coded`` is the number of bytes that hold its pixels,
    without metadata and whatever else is in the file. ``picture()`` returns it as stored.
    ``left_out`` names what else the file shows, in plain words.
    """

    size: tuple[int, int]
    coded: int
    picture: Callable[[], Image.Image]
    left_out: tuple[str, ...] = ()
