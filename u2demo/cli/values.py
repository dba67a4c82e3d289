"""text of an option -> its value, or the sentence that argparse shows."""

import argparse
import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PIL import ImageColor

from u2demo.cli.sources import is_animation
from u2demo.cli.terminal import sentence
from u2demo.effects.canvas import LONGEST, SHADOW, SIZE, SPACE, check_canvas
from u2demo.effects.scenes import Gradient
from u2demo.images.kinds import is_clip
from u2demo.images.read import open_image, pixel_count
from u2demo.machine.paths import from_home
from u2demo.machine.places import is_url
from u2demo.masks.adjust import Edge
from u2demo.masks.box import box_in
from u2demo.runs.records import Shard
from u2demo.runs.shards import parse_shard
from u2demo.runs.stored import read_list
from u2demo.video.read import open_video


def path(text: str) -> Path:
    """Return a path, which is not empty, see ``from_home``."""
    if not text:  # Path would take it for the current folder
        raise argparse.ArgumentTypeError(
            "is empty, expected a name; is a variable of your shell unset?"
        )
    with _refusing():
        return from_home(text)


def place(text: str) -> str | Path:
    """Return a URL as it is, anything else as a path."""
    return text if is_url(text) else path(text)


def photos_in(file: str) -> list[str]:
    """Return the paths and URLs in a list, "-" for standard input."""
    with _refusing():
        return read_list(file)


def processes(text: str) -> int:
    """Return a number of processes, from 1."""
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r:.80} is not a number from 1")
    return int(text)


def pixels(text: str) -> int:
    """Return a number of pixels, such as that of ``400M``."""
    with _refusing():
        return pixel_count(text)


def part(text: str) -> str:
    """Return ``text`` if it says which part of a photo is meant, see ``box_in``."""
    with _refusing():
        box_in(text, (1, 1))
    return text


def shard(text: str) -> Shard:
    """Return a shard: its number and how many there are."""
    with _refusing():
        return parse_shard(text)


def canvas(text: str) -> tuple[int, int] | str:
    """Return (width, height) in pixels, or ``"auto"``."""
    if text == "auto":
        return text
    try:
        size = tuple(map(int, text.lower().split("x")))
        check_canvas(size, SPACE, SHADOW)
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r:.80} is not a size, expected WIDTHxHEIGHT in pixels, such as 2000x2000, each"
            f" at most {LONGEST}, or auto"
        ) from None
    return size


def margin(text: str) -> float:
    """Return the space around a subject, as a share."""
    return _number(text, lambda margin: check_canvas(SIZE, margin, SHADOW))


def shadow(text: str) -> float:
    """Return how dark a shadow is, from 0 to 1."""
    return _number(text, lambda shadow: check_canvas(SIZE, SPACE, shadow))


def edge(name: str, text: str) -> float:
    """Return the value that ``adjust_mask`` takes for its argument ``name``."""
    return _number(text, lambda value: Edge(**{name: value}))


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Let argparse show the sentence of an error."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(sentence(error)) from None


def _number(text: str, check: Callable[[float], object]) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is not a number") from None
    with _refusing():
        check(value)
    return value


def names(text: str, choices: Iterable[str]) -> list[str]:
    """Return names between commas, each one of ``choices``."""
    chosen = [name.strip() for name in text.split(",")]
    unknown = [name for name in chosen if name not in choices]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown name {', '.join(unknown)!r}; choose from {', '.join(choices)}"
        )
    return chosen


def background(text: str) -> object:
    """Return what a background is: a color, a gradient, a photo or a clip."""
    try:
        if is_clip(Path(text)) or is_animation(text):
            return open_video(Path(text).absolute())  # other machines may be told of it
        if Path(text).is_file():
            return open_image(text)
        if text == "transparent":
            return text
        first, is_gradient, last = text.partition("..")
        if is_gradient:
            return Gradient(first, last)
        *color, alpha = (*ImageColor.getrgb(text), 255)[:4]
    except ModuleNotFoundError as error:
        raise argparse.ArgumentTypeError(error) from error
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a color, a photo nor a clip ({error})"
        ) from error
    if alpha < 255:
        raise argparse.ArgumentTypeError(
            f"{text!r} is transparent, expected a solid color such as '#ffffff'; "
            "the effect cutout leaves the background transparent"
        )
    return tuple(color)
