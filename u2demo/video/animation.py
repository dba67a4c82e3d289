"""file -> clip: what Pillow reads, animated GIF, PNG, WebP and AVIF, and the pages of a TIFF.

Frames of a GIF or PNG may draw over parts of those before. Pillow would put them together otherwise
than browsers do: it thins out what is half transparent, and leaves parts that should have gone.
"""

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from u2demo.formats.gif import parts as parts_of_gif
from u2demo.images.colors import convert
from u2demo.images.rgb import to_rgb
from u2demo.images.silence import silence
from u2demo.video.clip import Clip, DamagedError, Frame

_FORMATS = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")
_ANIMATIONS = {"GIF": "gif", "PNG": "apng", "WEBP": "webp"}
_PAGE = Fraction(1)  # seconds that a page of a TIFF is shown
_HASTE = 10  # milliseconds; browsers show frames with no more than that for 100
_UNHURRIED = Fraction(1, 10)
# What becomes of a part once its time is up, by what a GIF and a PNG call it.
_DISPOSALS = {"GIF": {2: "clear", 3: "restore"}, "PNG": {1: "clear", 2: "restore"}}
_OVER = 1  # a PNG's word for drawing over what is there, not in its place


class _Part(NamedTuple):
    """What a frame draws, and where."""

    picture: Image.Image  # RGBA
    place: tuple[int, int]
    over: bool  # what is there shows through
    disposal: str  # what becomes of it: "clear", "restore" what was there, or "" if it stays
    seconds: Fraction


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
        count = getattr(pictures, "n_frames", 1) - _first(pictures)
        if count < 2:
            return None
        survey = _survey(pictures)
        return Clip(
            path=path,
            size=pictures.size,
            duration=survey.duration,
            rate=len(survey.times) / survey.duration,
            alpha=survey.alpha,
            audio=False,
            frames=count,
            left_out=(),
            about={},
            decode=partial(_frames, path, survey, count),
            animation=_ANIMATIONS.get(pictures.format, ""),
            plays=_plays(pictures),
        )


def _open(path: Path) -> Image.Image:
    Image.init()
    return Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN])


def _survey(pictures: Image.Image) -> _Survey:
    times, now, alpha = [], Fraction(0), False
    try:
        for picture, seconds in _shown_pictures(pictures):
            times.append(now)
            now += seconds
            alpha = alpha or picture.mode == "RGBA"
    except Exception:  # damaged; decoders raise nearly every exception there is
        if not times:
            raise
    return _Survey(times, now, alpha)


def _frames(
    path: Path, survey: _Survey, count: int, since: Fraction = Fraction(0)
) -> Iterator[Frame]:
    with silence:
        pictures = _open(path)
    with pictures:
        first = max(0, bisect_right(survey.times, since) - 1)
        shown = _shown_pictures(pictures, first)
        for time in survey.times[first:]:
            with silence:
                picture, _ = next(shown)
            picture = picture.convert("RGBA" if survey.alpha else "RGB")
            picture.info = {}
            yield Frame(time, picture)
    missing = count - len(survey.times)
    if missing:
        frames = "frame" if missing == 1 else f"{missing} frames"
        raise DamagedError(f"damaged or cut off; its last {frames} could not be read")


def _shown_pictures(
    pictures: Image.Image, since: int = 0
) -> Iterator[tuple[Image.Image, Fraction]]:
    """Yield what is shown, from picture ``since`` on, and for how many seconds.

    Pictures are RGB, or RGBA if some of their pixels are transparent, in sRGB.
    """
    if pictures.format in _PARTS:
        parts = _PARTS[pictures.format](pictures)
        for canvas, seconds in islice(_composed(parts, pictures.size), since, None):
            yield to_rgb(canvas), seconds
    else:
        for number in range(since, pictures.n_frames):
            pictures.seek(number)
            pictures.load()
            # A copy, for the next is loaded into the same memory.
            yield _in_srgb(pictures.copy()), _seconds(pictures)


def _composed(
    parts: Iterator[_Part], size: tuple[int, int]
) -> Iterator[tuple[Image.Image, Fraction]]:
    """Yield what parts of frames make together, and for how many seconds it is shown."""
    canvas = Image.new("RGBA", size)
    for part in parts:
        before = canvas
        canvas = canvas.copy()
        if part.over:
            canvas.alpha_composite(part.picture, part.place)
        else:
            canvas.paste(part.picture, part.place)
        yield canvas, part.seconds
        if part.disposal == "restore":
            canvas = before
        elif part.disposal == "clear":
            canvas = canvas.copy()
            canvas.paste(Image.new("RGBA", part.picture.size), part.place)


def _gif_parts(pictures: Image.Image) -> Iterator[_Part]:
    for part in parts_of_gif(Path(pictures.filename).read_bytes()):
        with Image.open(BytesIO(part.file), formats=["GIF"]) as picture:
            disposal = _DISPOSALS["GIF"].get(part.disposal, "")
            yield _Part(picture.convert("RGBA"), part.place, True, disposal, _seconds(picture))


def _png_parts(pictures: Image.Image) -> Iterator[_Part]:
    for number in range(_first(pictures), pictures.n_frames):
        pictures.seek(number)
        info = pictures.info
        pictures.blend_op = None  # so that Pillow leaves the part as it is in the file
        picture = _in_srgb(pictures.crop(info["bbox"])).convert("RGBA")
        disposal = _DISPOSALS["PNG"].get(info["disposal"], "")
        over = info["blend"] == _OVER
        yield _Part(picture, info["bbox"][:2], over, disposal, _seconds(pictures))


_PARTS = {"GIF": _gif_parts, "PNG": _png_parts}


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


def _seconds(pictures: Image.Image) -> Fraction:
    """Return how long the frame that is loaded is shown."""
    if pictures.format == "TIFF":
        return _PAGE
    milliseconds = pictures.info.get("duration") or 0
    return Fraction(milliseconds) / 1000 if milliseconds > _HASTE else _UNHURRIED


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Return a picture as ``to_rgb`` does, its profile applied."""
    photo = to_rgb(picture)
    return convert(photo, photo.info.get("icc_profile"), None)
