"""frames -> the same frames, and on the way a small copy of the clip that a web page can play."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from PIL import Image

from u2demo.video.clip import Clip, Frame
from u2demo.video.write import ClipWriter

_SIZE = (640, 480)  # pixels, (width, height)
LONGEST = 20  # seconds
HEAVIEST = 4_500_000  # bytes, about: what the encoder still holds is added


def copying(path: Path, frames: Iterable[Frame], *, like: Clip) -> Iterator[Frame]:
    """Yield ``frames`` as they are, and write a copy of at most 640x480 pixels and 5 MB.

    It goes to ``path``, which should end in ``.webm`` if frames are transparent and in ``.mp4`` if
    not, and is complete when the iterator ends. Of a clip of more than 20 seconds, or of one that
    would become too large, it holds the beginning; a long one has no sound.

    Raises:
        ValueError: there are no frames, or those of an ``.mp4`` are transparent.
        ModuleNotFoundError: PyAV is needed, and missing or too old.
    """
    has_sound = like.audio and like.duration is not None and like.duration <= LONGEST
    beginning = replace(like, audio=has_sound, duration=None)
    with ClipWriter(path, path.suffix, like=beginning) as copy:
        for frame in frames:
            if _is_room(path, frame.time):
                copy.add(Frame(frame.time, _small(frame.image)))
            yield frame
        copy.finish()


def _is_room(path: Path, time: Fraction) -> bool:
    written = path.stat().st_size if path.exists() else 0
    return time <= LONGEST and written < HEAVIEST


def _small(image: Image.Image) -> Image.Image:
    scale = min(1, _SIZE[0] / image.width, _SIZE[1] / image.height)
    wide, high = (max(2, 2 * round(side * scale / 2)) for side in image.size)
    return image.resize((wide, high), Image.Resampling.BILINEAR, reducing_gap=2.0)
