"""file -> clip: what Pillow reads, animated GIF, PNG, WebP and AVIF, and the pages of a TIFF."""

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from u2demo.images.rgb import as_rgb
from u2demo.images.silence import silence
from u2demo.video.clip import Clip, DamagedError, Frame

_FORMATS = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")
_ANIMATIONS = {"GIF": "gif", "PNG": "apng", "WEBP": "webp"}
_PAGE = Fraction(1)  # seconds that a page of a TIFF is shown
_HASTE = 10  # milliseconds; browsers show frames with no more than that for 100
_UNHURRIED = Fraction(1, 10)


class _Survey(NamedTuple):
    """What all the frames of a file have in common, and how long each is shown."""

    times: list[Fraction]
    duration: Fraction
    alpha: bool


def read_animation(path: Path) -> Clip | None:
    """Return the clip in a file of pictures, None if it holds just one.

    Pages of a TIFF are frames of one second. All frames are decoded once to see how long they are
    shown, which most of these formats say at each frame only.

    Raises:
        OSError: not a picture in one of these formats.
    """
    with silence, _open(path) as pictures:
        if getattr(pictures, "n_frames", 1) - _first(pictures) < 2:
            return None
        survey = _survey(pictures)
        return Clip(
            path=path,
            size=pictures.size,
            duration=survey.duration,
            rate=len(survey.times) / survey.duration,
            alpha=survey.alpha,
            audio=False,
            frames=pictures.n_frames - _first(pictures),
            left_out=(),
            about={},
            decode=partial(_frames, path, survey),
            animation=_ANIMATIONS.get(pictures.format, ""),
            plays=_plays(pictures),
        )


def _open(path: Path) -> Image.Image:
    Image.init()
    return Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN])


def _survey(pictures: Image.Image) -> _Survey:
    times, now, alpha = [], Fraction(0), False
    for number in range(_first(pictures), pictures.n_frames):
        try:
            pictures.seek(number)
            pictures.load()
        except Exception:  # damaged; decoders raise nearly every exception there is
            if not times:
                raise
            break
        times.append(now)
        now += _shown(pictures)
        alpha = alpha or _is_transparent(pictures)
    return _Survey(times, now, alpha)


def _frames(path: Path, survey: _Survey, since: Fraction = Fraction(0)) -> Iterator[Frame]:
    with silence:
        pictures = _open(path)
    with pictures:
        first = max(0, bisect_right(survey.times, since) - 1)
        for number, time in enumerate(survey.times[first:], start=first):
            with silence:
                pictures.seek(_first(pictures) + number)
                pictures.load()
                picture = pictures.copy()  # the next frame is loaded into the same memory
            picture = picture.convert("RGBA") if survey.alpha else as_rgb(picture)
            picture.info = {}
            yield Frame(time, picture)
        missing = pictures.n_frames - _first(pictures) - len(survey.times)
    if missing:
        frames = "frame" if missing == 1 else f"{missing} frames"
        raise DamagedError(f"damaged or cut off; its last {frames} could not be read")


def _first(pictures: Image.Image) -> int:
    """Return the number of the first frame of an animation.

    The first picture of a PNG may be meant for programs that cannot animate.
    """
    return int(getattr(pictures, "default_image", False))


def _plays(pictures: Image.Image) -> int:
    """Return how often an animation is shown, 0 for ever."""
    loops = pictures.info.get("loop")
    if pictures.format == "GIF":  # it says how often it is repeated, if at all
        return 1 if loops is None else loops + 1 if loops else 0
    return loops or 0


def _shown(pictures: Image.Image) -> Fraction:
    """Return how many seconds the frame that is loaded is shown."""
    if pictures.format == "TIFF":
        return _PAGE
    milliseconds = pictures.info.get("duration") or 0
    return Fraction(milliseconds) / 1000 if milliseconds > _HASTE else _UNHURRIED


def _is_transparent(pictures: Image.Image) -> bool:
    if not pictures.has_transparency_data:
        return False
    return pictures.convert("RGBA").getextrema()[3][0] < 255
