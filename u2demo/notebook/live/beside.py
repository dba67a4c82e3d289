"""(net, frames) -> what is found in each: a slow net looks at some, and beside the other work."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import median
from typing import NamedTuple

from PIL import Image

from u2demo.masks.mask import Mask
from u2demo.video.steady import follows_motion, steady

PATIENCE = 0.12  # seconds; a net that takes no longer looks at every frame
_REMEMBERED = 3  # looks, whose median time counts: one that other work has held up does not


class _Look(NamedTuple):
    """What a look at a frame finds, and the seconds that it took."""

    found: Mask
    took: float


class Beside:
    """Finds the subject of frames, one after another, with a net that may be slow.

    ``look`` is the net, a function of a frame, called in a thread of its own. A net that takes
    more than ``patience`` seconds looks at a frame now and then, and meanwhile nothing new is found
    in the others: ``steady`` moves along what was found before. That needs OpenCV; without it, each
    frame is looked at.

    Use it in a ``with``, at the end of which the thread ends.
    """

    def __init__(self, look: Callable[[Image.Image], Mask], *, patience: float = PATIENCE):
        self._look = look
        self._patience = patience if follows_motion() else float("inf")
        self._times = deque([0.0] * _REMEMBERED, _REMEMBERED)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live net")
        # The frame that is looked at and those that came since, and the look.
        self._work: tuple[list[Image.Image], Future[_Look]] | None = None

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def forget(self) -> None:
        """Wait for no look any more: other frames come, in which nothing is where it was."""
        self._work = None

    def find(self, frame: Image.Image) -> Mask | None:
        """Return what is found in a frame, None while the net is still at an earlier one."""
        if median(self._times) <= self._patience:
            return self.find_now(frame)
        found = None
        if self._work:
            frames, look = self._work
            frames.append(frame)
            if not look.done():
                return None
            found = _brought(self._result(look), frames)
        self._work = [frame], self._begin(frame)
        return found

    def find_now(self, frame: Image.Image) -> Mask:
        """Return what is found in a frame, however long that takes."""
        frames, look = self._work or ([None], None)
        if frames[0] is not frame:
            look = self._begin(frame)
        self._work = None
        return self._result(look)

    def _begin(self, frame: Image.Image) -> Future[_Look]:
        return self._thread.submit(self._timed_look, frame)

    def _timed_look(self, frame: Image.Image) -> _Look:
        begun = time.perf_counter()
        found = self._look(frame)
        return _Look(found, time.perf_counter() - begun)

    def _result(self, look: Future[_Look]) -> Mask:
        found, took = look.result()
        self._times.append(took)
        return found


def _brought(found: Mask, frames: list[Image.Image]) -> Mask | None:
    """Return what was found in the first frame, moved from frame to frame to the last one.

    One long way would lose what moves fast. None if there is a cut between them.
    """
    first, *others = frames
    looks = [(first, found), *((other, None) for other in others)]
    *_, moved = steady(looks, motion=True, ahead=0)
    return None if moved.shot else moved.found
