"""clip -> masks: the net's maps of its frames, steadied and kept small, then a mask for each frame.

A clip is decoded twice. The first time the net looks at the frames that are not like one it has
seen; only then is it known how salient the subject of a shot is, and where it goes. The second time
the maps become masks.
"""

import tempfile
import threading
import zlib
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import tee
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from u2demo.inference.recipes import CLIP_QUALITIES, check_quality
from u2demo.machine.cores import available_cores, in_parallel, result_of
from u2demo.machine.interrupts import uninterrupted
from u2demo.machine.memory import return_freed_memory
from u2demo.masks.box import Box, box_around
from u2demo.masks.mask import Mask, confidence_in
from u2demo.video.alike import alike
from u2demo.video.clip import Clip, Frame, ahead
from u2demo.video.steady import Looks, Steady, follows_motion, steady

if TYPE_CHECKING:
    from torch import nn

TYPICAL = 0.75  # quantile of the certainties in a shot that is its own; the subject may come late
_MOST_THREADS = 8  # each has a frame, its mask and its pictures: 60 MB at 1080p
_END = 0  # after all counts of frames, which begin at 1


class Piece(NamedTuple):
    """A frame with what is found in it: a small map, (h, w) float32 from 0 to 1, and its shot."""

    frame: Frame
    found: Mask
    shot: int


@dataclass(frozen=True, eq=False)
class Shot:
    """The frames between two cuts.

    ``certainty`` is the net's of their subject, ``highest`` the highest value of each pixel of
    their maps, and ``size`` that of a frame.
    """

    certainty: float
    highest: Mask
    size: tuple[int, int]

    @property
    def box(self) -> Box | None:
        """The box around the subject in all of the frames, None if none stands out."""
        return self.box_above(0.5)

    def box_above(self, threshold: float) -> Box | None:
        """Return the box around all that is above ``threshold`` in any frame, None if nothing is.

        It is found on the small maps and reaches a pixel of them further than they say.
        """
        from u2demo.inference.clips import finish  # imports torch: a second, not needed earlier

        height, width = self.highest.shape
        mask = finish(Image.new("RGB", (width, height)), self.highest, certainty=self.certainty)
        box = box_around(mask > threshold)
        if box is None:
            return None
        across, down = self.size[0] / width, self.size[1] / height
        return Box(
            max(0, int((box.left - 1) * across)),
            max(0, int((box.top - 1) * down)),
            min(self.size[0], int((box.right + 1) * across) + 1),
            min(self.size[1], int((box.bottom + 1) * down) + 1),
        )


@dataclass
class _OpenShot:
    """A shot whose frames are still coming."""

    highest: Mask
    certainties: list[float] = field(default_factory=list)

    def closed(self, size: tuple[int, int]) -> Shot:
        """Return the shot; ``size`` is that of a frame."""
        return Shot(float(np.quantile(self.certainties, TYPICAL)), self.highest, size)


class Findings:
    """What a net finds in a clip. Use it as a context; first ``look``, then the rest is known.

    The maps of all frames wait in a file without a name, in ``folder`` or where the system keeps
    such files: about 10 kB a frame, and none in memory.

    Raises:
        ValueError: ``quality`` is unknown.
        TypeError: ``clip`` is not a clip.
    """

    def __init__(
        self, clip: Clip, model: "nn.Module", *, quality: str = "fast", folder: Path | None = None
    ):
        check_quality(quality)
        if not isinstance(clip, Clip):
            raise TypeError(f"clip is a {type(clip).__name__}, expected one from open_video")
        self.clip = clip
        self.shots: tuple[Shot, ...] = ()
        self.damage = ""  # says what of the clip could not be decoded
        self.confidence = 0.0  # in the frame about which the net was most decided
        self._model, self._quality = model, quality
        self._shot_of = array("L")  # number of the shot, for each frame
        self._ends = array("Q", [0])  # of its map in the file
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by the context
        self._reading = threading.Lock()

    def __enter__(self) -> "Findings":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    @property
    def count(self) -> int:
        """The number of frames that were looked at, 0 until all have been."""
        return len(self._shot_of) if self.shots else 0

    @property
    def seen(self) -> Clip:
        """The clip as far as it could be decoded; of a damaged one the duration is not known."""
        return replace(self.clip, duration=None) if self.damage else self.clip

    def look(self) -> Iterator[int]:
        """Let the net look at the frames; yield how many it has seen, after each.

        Close the iterator to stop. A thread does the work, so that a caller is free in between.

        Raises:
            ValueError: the clip has not one frame that can be decoded.
        """
        self._forget()
        counts: SimpleQueue[int] = SimpleQueue()
        stopped = threading.Event()
        with ThreadPoolExecutor(1, thread_name_prefix="look") as thread:
            with uninterrupted():
                done = thread.submit(self._look, counts, stopped)
            try:
                yield from iter(counts.get, _END)
            finally:
                stopped.set()
            self.shots = result_of(done)
        return_freed_memory()  # the net's, as much as all that the frames take from here on
        if not self.shots:
            raise ValueError(f"{self.clip.path}: damaged; not one frame of it can be decoded")

    def frames(self) -> Iterator[tuple[Frame, Mask]]:
        """Yield each frame and its mask, decoded anew; as often as you like, once all are seen.

        Raises:
            ValueError: the net has not looked at all frames, or the file has changed since.
        """
        with (
            closing(self.pieces()) as pieces,
            closing(in_parallel(self.finished, pieces, workers())) as finished,
        ):
            yield from finished

    def pieces(self) -> Iterator[Piece]:
        """Yield each frame with its map, decoded anew."""
        if not self.shots:
            raise ValueError("the net has not looked at all frames; exhaust look() first")
        number = 0
        with closing(self.clip.read(report=lambda sentence: None)) as frames:
            for frame in frames:
                if number < self.count:
                    yield Piece(frame, self._map_of(number), self._shot_of[number])
                number += 1
        if number != self.count and not self.damage:
            raise ValueError(f"{self.clip.path}: changed during processing; run it again")

    def finished(self, piece: Piece) -> tuple[Frame, Mask]:
        """Return the frame of a piece, and its mask."""
        from u2demo.inference.clips import finish  # imports torch: a second, not needed earlier
        from u2demo.inference.predict import share_cores  # imports torch as well

        level = self.shots[piece.shot].certainty
        with share_cores(workers() + 1):
            mask = finish(piece.frame.image, piece.found, certainty=level, quality=self._quality)
        return piece.frame, mask

    def _forget(self) -> None:
        self.shots, self.damage, self.confidence = (), "", 0.0
        self._shot_of, self._ends = array("L"), array("Q", [0])

    def _look(self, counts: SimpleQueue[int], stopped: threading.Event) -> tuple[Shot, ...]:
        """Look at the frames until ``stopped``; put their number into ``counts``, then the end."""
        shots: list[_OpenShot] = []
        try:
            fine = CLIP_QUALITIES[self._quality].fine
            with closing(self.clip.read(report=self._note_damage)) as frames:
                looks = _looks(self._model, frames, quality=self._quality)
                # The net looks at a frame while the maps of those before it are steadied.
                with closing(ahead(self._counted(looks, counts, stopped), 1)) as counted:
                    for settled in steady(counted, fine=fine):
                        self._keep(settled, shots)
            if stopped.is_set():
                return ()
            return tuple(shot.closed(self.clip.size) for shot in shots)
        finally:
            counts.put(_END)  # last, for the caller then says that it has stopped

    def _counted(
        self, looks: Looks, counts: SimpleQueue[int], stopped: threading.Event
    ) -> Iterator[tuple[Image.Image, Mask | None]]:
        """Yield ``looks`` until ``stopped``, their number into ``counts``; note the confidence."""
        for number, (image, found) in enumerate(looks, 1):
            if stopped.is_set():
                return
            if found is not None:
                self.confidence = max(self.confidence, confidence_in(found))
            counts.put(number)
            yield image, found

    def _note_damage(self, sentence: str) -> None:
        self.damage = sentence.removeprefix(f"{self.clip.path}: ")

    def _keep(self, settled: Steady, shots: list[_OpenShot]) -> None:
        """Write a map to the file, and count it in its shot."""
        from u2demo.inference.clips import certainty  # imports torch: a second, not needed earlier

        if settled.shot == len(shots):
            shots.append(_OpenShot(settled.found))
        shot = shots[settled.shot]
        shot.highest = np.maximum(shot.highest, settled.found)
        shot.certainties.append(certainty(settled.found))
        packed = zlib.compress(np.rint(settled.found * 255).astype(np.uint8), level=1)
        self._file.seek(self._ends[-1])
        self._file.write(packed)
        self._ends.append(self._ends[-1] + len(packed))
        self._shot_of.append(settled.shot)

    def _map_of(self, number: int) -> Mask:
        """Return the map of a frame, from the file."""
        start, end = self._ends[number], self._ends[number + 1]
        with self._reading:
            self._file.seek(start)
            packed = self._file.read(end - start)
        values = np.frombuffer(zlib.decompress(packed), np.uint8)
        shape = self.shots[self._shot_of[number]].highest.shape
        return values.reshape(shape).astype(np.float32) / 255


def _looks(
    model: "nn.Module", frames: Iterator[Frame], *, quality: str
) -> Iterator[tuple[Image.Image, Mask | None]]:
    """Yield each frame with the net's map of it, None if it is like one that was looked at."""
    from u2demo.inference.clips import look, reduced  # imports torch: not needed earlier

    # Of a group that waits for the net, only as much is kept as is looked at.
    images = (reduced(model, frame.image, quality=quality) for frame in frames)
    # Without the motion, a map would stay behind.
    groups = alike(images) if follows_motion() else ([image] for image in images)
    groups, same = tee(groups)  # a GPU looks at several frames at once: their groups wait
    found = look(model, (group[0] for group in same), quality=quality)
    for (first, *others), (_, mask) in zip(groups, found, strict=True):
        yield first, mask
        for other in others:
            yield other, None


def workers() -> int:
    """Return how many threads make pictures of frames: a core is left to those who encode them."""
    return max(1, min(available_cores() - 1, _MOST_THREADS))
