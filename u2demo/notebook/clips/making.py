"""(clip, net) -> three stills, and a clip on disk with an effect; no widgets here.

The net looks at a clip once. Then any number of clips can be made of what it found.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from u2demo.effects.effect import Effect
from u2demo.machine.names import safe_name
from u2demo.notebook.photo import Photo, find_subject
from u2demo.video.clip import Clip
from u2demo.video.draw import draw, first_of, trial
from u2demo.video.find import Findings
from u2demo.video.preview import HEAVIEST, LONGEST, copying
from u2demo.video.run import kind_of
from u2demo.video.write import suffix, writing

if TYPE_CHECKING:
    from torch import nn


class Way(NamedTuple):
    """How a net looks: the app's name for it, and the quality."""

    network: str
    quality: str


@dataclass(frozen=True)
class Preview:
    """A small clip for the page: the content of its file, and its type, such as "video/mp4"."""

    data: bytes
    type: str


def stills(clip: Clip, model: "nn.Module", way: Way) -> Iterator[Photo]:
    """Yield the frames at the clip's start, middle and end with their masks, named by their times.

    Of a clip with fewer than three frames there are fewer.
    """
    length = clip.duration or (clip.frames or 1) / clip.rate
    end = max(Fraction(0), length - 1 / clip.rate)
    seen = set()
    for time in (Fraction(0), end / 2, end):
        frame = clip.at(time)
        if frame.time not in seen:
            seen.add(frame.time)
            name = f"{float(frame.time):.1f} s"
            yield find_subject(model, name, frame.image, frame.image, **way._asdict())


class Workshop:
    """A place where clips are made of one clip.

    ``file`` is the last one that was made. ``original`` and ``result`` show on a page the clip and
    what was made of it, both None until they are there. All lies in a folder of its own, outside of
    what a file browser shows, until ``close``.
    """

    def __init__(self, clip: Clip, name: str):
        self.clip = clip
        self.file: Path | None = None
        self.original: Preview | None = None
        self.result: Preview | None = None
        self._stem = Path(safe_name(name)).stem
        self._folder = tempfile.TemporaryDirectory(prefix="u2demo-")
        self._findings: Findings | None = None
        self._open = ExitStack()  # closes the findings
        self._way: Way | None = None

    @property
    def is_shown_whole(self) -> bool:
        """Whether ``original`` and ``result`` show more than the beginning, namely all."""
        heaviest = max(len(self.original.data), len(self.result.data))
        return (self.clip.duration or 0) <= LONGEST and heaviest < HEAVIEST

    @property
    def damage(self) -> str:
        """What of the clip could not be decoded, in words; "" if all could."""
        return self._findings.damage if self._findings else ""

    @property
    def frames(self) -> int:
        """How many frames were looked at, 0 until all have been."""
        return self._findings.count if self._findings else 0

    def has_looked(self, way: Way) -> bool:
        """Return whether a net has looked at all frames in this way."""
        return self._way == way and self.frames > 0

    def look(self, model: "nn.Module", way: Way) -> Iterator[int]:
        """Let ``model`` look at the frames; yield how many it has seen."""
        self._forget()
        self._findings = self._open.enter_context(Findings(self.clip, model, quality=way.quality))
        self._way = way
        with closing(self._findings.look()) as seen:
            yield from seen

    def check(self, effect: Effect, format: str) -> None:
        """Raise ``ValueError`` if ``format`` cannot hold what the effect makes of this clip."""
        kind_of(self.clip, trial(effect, first_of(self.clip)), effect, format=format)

    def make(self, name: str, effect: Effect, format: str) -> Iterator[Fraction]:
        """Make a clip, called after the effect; yield the time of each frame written.

        Raises:
            ValueError: ``format`` cannot hold what the effect makes, or so many frames.
        """
        self._discard()
        picture = trial(effect, first_of(self.clip))
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        file = folder / f"{self._stem}_{name}{suffix(picture, format)}"
        copy = folder / f"preview{suffix(picture)}"
        try:
            with ExitStack() as stack:
                drawn = stack.enter_context(closing(draw(self._findings, effect)))
                passing = stack.enter_context(closing(copying(copy, drawn, like=self.clip)))
                seen = self._findings.seen
                yield from stack.enter_context(closing(writing(file, passing, like=seen)))
            self.file, self.result = file, _preview(copy)
        finally:
            if self.file is None:
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def file_size(self) -> int:
        """The bytes of ``file``, or of all in it if it is a folder of frames."""
        files = self.file.iterdir() if self.file.is_dir() else [self.file]
        return sum(file.stat().st_size for file in files)

    def copy_original(self) -> Iterator[Fraction]:
        """Make ``original``, if it is not there; yield the time of each of its frames."""
        if self.original:
            return
        copy = Path(self._folder.name) / f"original{'.webm' if self.clip.alpha else '.mp4'}"
        with closing(self.clip.read(report=lambda sentence: None)) as frames:
            first = takewhile(lambda frame: frame.time <= LONGEST, frames)
            with closing(copying(copy, first, like=self.clip)) as copied:
                for frame in copied:
                    yield frame.time
        self.original = _preview(copy)

    def close(self) -> None:
        """Delete all that was made and found."""
        self._forget()
        self._folder.cleanup()

    def _forget(self) -> None:
        self._open.close()
        self._findings, self._way = None, None

    def _discard(self) -> None:
        """Delete what was made last."""
        if self.file:
            shutil.rmtree(self.file.parent, ignore_errors=True)
        self.file = self.result = None


def _preview(path: Path) -> Preview:
    return Preview(path.read_bytes(), f"video/{path.suffix[1:]}")
