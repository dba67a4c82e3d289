"""decoder -> clip: what is known of a clip, and its frames, decoded a little ahead."""

import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeVar

from PIL import Image

from u2demo.machine.cores import result_of
from u2demo.machine.interrupts import uninterrupted

T = TypeVar("T")

_AHEAD = 2  # frames; with one that is worked on and one that is handed over, four are alive


class Frame(NamedTuple):
    """A picture of a clip, and the time it is shown at, in seconds from the clip's start."""

    time: Fraction
    image: Image.Image


class Shape(NamedTuple):
    """What all frames of a clip that is written have in common."""

    width: int
    height: int
    mode: str


class DamagedError(Exception):
    """A decoder has given all the frames it could, and some are missing; the text says why."""


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=3)


@dataclass(frozen=True)
class Clip:
    """A clip on disk. Iterating it decodes its frames, upright, from the first; see ``read``.

    ``size`` is (width, height), upright, in square pixels. ``duration`` is in seconds, ``rate`` in
    frames a second, on average; ``frames`` is how many the file says there are. What it does not
    say is None. With ``alpha``, frames are RGBA, else RGB. ``audio`` is whether there is sound.
    ``left_out`` says in plain words what else the file holds, such as "2 more video streams".
    ``about`` is its title, author, copyright, description and dates, as far as it says them.
    ``animation`` is "gif", "webp" or "apng" if it is one, else "", and ``plays`` how often it is
    shown, 0 for ever. ``decode(since=0)`` yields the frames from about that time on, as far as the
    file says where they are; ``at`` is exact.
    """

    path: Path
    size: tuple[int, int]
    duration: Fraction | None
    rate: Fraction
    alpha: bool
    audio: bool
    frames: int | None
    left_out: tuple[str, ...]
    about: Mapping[str, str] = field(hash=False)
    decode: Callable[..., Iterator[Frame]] = field(repr=False, compare=False)
    animation: str = ""
    plays: int = 0

    def __iter__(self) -> Iterator[Frame]:
        return self.read()

    @property
    def expected_frames(self) -> int | None:
        """How many frames come, or about as many; None if nothing tells.

        A file may count frames before the start, which a clip that was trimmed does not show.
        """
        if not self.duration:
            return self.frames
        about = max(1, round(self.duration * self.rate))
        return min(self.frames or about, about)

    def read(self, *, report: Callable[[str], None] = _warn) -> Iterator[Frame]:
        """Yield the frames in order; their times increase.

        A thread of its own decodes them. Keep no more than one at a time, and at most four are in
        memory. Where a file is damaged or cut off, the frames that can be decoded come, and at the
        end ``report`` is called with a sentence that says what is missing; by default it warns.
        """
        try:
            yield from ahead(self.decode())
        except DamagedError as damage:
            report(f"{self.path}: {damage}")

    def at(self, time: Fraction) -> Frame:
        """Return the frame that is shown at ``time``, in seconds; of a damaged clip, the nearest.

        Raises:
            ValueError: not one frame can be decoded.
        """
        since = time
        found = self._shown_at(time, since)
        while since and (found is None or found.time > time):  # its end or its index is missing
            since = since / 2 if since > 1 else Fraction(0)
            found = self._shown_at(time, since)
        if found is None:
            raise ValueError(f"{self.path}: damaged; not one frame of it can be decoded")
        return found

    def _shown_at(self, time: Fraction, since: Fraction) -> Frame | None:
        """Return the last frame from ``since`` on that begins by ``time``, or the first of all."""
        found = None
        with suppress(DamagedError), closing(self.decode(since=since)) as frames:
            for frame in frames:
                if found is not None and frame.time > time:
                    break
                found = frame
        return found


def ahead(items: Generator[T, None, None], count: int = _AHEAD) -> Iterator[T]:
    """Yield ``items``, which are not None, made by a thread that is up to ``count`` ahead."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        with uninterrupted():
            pending = deque(pool.submit(next, items, None) for _ in range(count))
        while (item := result_of(pending.popleft())) is not None:
            with uninterrupted():
                pending.append(pool.submit(next, items, None))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
        items.close()
