"""What a file holds, as far as its headers say: found before a pixel is decoded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image


class RefusedError(Exception):
    """A file that could be read but should not be; the text says why, and what helps."""


class PixelBudget(NamedTuple):
    """How many pixels are always read; above that, a file needs a byte for every ``per_byte``.

    The first are read within two seconds and 500 MB. Photos have far more bytes than the second
    asks for; white pages and posters do not, and files made to fill the memory do not.
    """

    always: int
    per_byte: int

    def bytes_for(self, pixels: int) -> int:
        """Return how many coded bytes a file of so many pixels needs."""
        return -(-pixels // self.per_byte) if pixels > self.always else 0


LIGHT = PixelBudget(180_000_000, 1000)  # one channel of up to 8 bits, opaque
PLAIN = PixelBudget(32_000_000, 1000)
HEAVY = PixelBudget(48_000_000, 100)  # alpha, or more than 8 bits
CODEC = PixelBudget(32_000_000, 100)  # WebP, AVIF, HEIC: whole in memory, several times
PROGRESSIVE = PixelBudget(120_000_000, 100)  # all coefficients of a JPEG wait in memory


def more(count: int, noun: str) -> tuple[str, ...]:
    """Return the phrase for what else a file shows, such as "2 more pages"; () for nothing."""
    return (f"{count} more {noun}{'s' * (count > 1)}",) if count > 0 else ()


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
    budget: PixelBudget = PLAIN
