"""(net, source) -> trained net: one lesson, in steps that a page can watch, draw and stop."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from u2demo.nets.download import Stopped
from u2demo.notebook.teaching.source import Source

if TYPE_CHECKING:
    from torch import Tensor

    from u2demo.training.course import Course, Progress
    from u2demo.training.samples import Sample
    from u2demo.training.teach import Start, Trained

_PRACTICE = {"steps": 12, "rate": 3e-4, "batch": 2, "side": 160}


@dataclass(frozen=True)
class Wish:
    """What a person has chosen.

    ``model`` is the net to start from; ``steps`` is how many, 0 for the usual; ``gate`` is whether
    to look for mistakes in the pairs first.
    """

    model: str = "u2netp"
    steps: int = 0
    gate: bool = True


class Lesson:
    """One lesson: ``read`` the pairs, then ``learn`` them; after ``stop``, ``go_on``.

    ``fetched`` is how many bytes of the net's weights have come, None when none are fetched.
    ``start`` is the net, ``samples`` are the pairs, and ``left_out`` says why others are none.
    ``losses``, of the net that is taught, and ``course`` grow on the way; ``trained`` is there at
    the end, also after ``stop``.
    """

    def __init__(self, source: Source, wish: Wish):
        self.source, self.wish = source, wish
        self.fetched: int | None = None
        self.start: Start | None = None
        self.samples: list[Sample] = []
        self.left_out: dict[str, str] = {}
        self.losses: list[float] = []
        self.course: Course | None = None
        self.trained: Trained | None = None
        self._best: dict[str, Tensor] | None = None  # the weights of what was trained
        self._is_stopped = False

    def read(self) -> "Iterator[Progress]":
        """Read the pairs, with the net's weights at hand or fetched; yield after each pair.

        Raises:
            ValueError: there are none.
            WeightsError: the weights cannot be had.
            Stopped: ``stop`` was called while they were fetched.
        """
        from u2demo.nets.load import fetch_weights  # loads torch: the page comes first
        from u2demo.training.teach import Start  # loads torch

        fetch_weights(self.wish.model, progress=self._tell)
        self.start = Start.load(self.wish.model)
        self.fetched = None
        self.samples, self.left_out = yield from self.source.read(self.start.net)

    def learn(self) -> "Iterator[Progress]":
        """Teach the net the pairs that were read; yield after each step.

        Raises:
            ValueError: the pairs look wrong, or are too few.
        """
        from u2demo.training.course import Course  # loads torch: the page comes first
        from u2demo.training.reading import check_samples, read_kept  # loads torch
        from u2demo.training.teach import settings_for  # loads torch

        self.course, self.losses = None, []
        net = self.start.net
        if self.wish.gate and not self.source.is_practice:
            yield from check_samples(net, self.samples)
        other, _ = yield from read_kept(net, self.samples)
        chosen = dict(_PRACTICE) if self.source.is_practice else {}
        if self.wish.steps:
            chosen["steps"] = self.wish.steps
        settings = settings_for(net, len(self.samples), **chosen)
        self.course = Course(net, self.samples, other, settings)
        yield from self.go_on()

    @property
    def is_complete(self) -> bool:
        """Whether it has been learned to its end, not stopped before."""
        return self.course is not None and self.course.is_complete

    def go_on(self) -> "Iterator[Progress]":
        """Teach what is left, where the lesson was stopped; yield after each step.

        Raises:
            ValueError: the training diverged.
        """
        from u2demo.training.teach import trained  # loads torch: the page comes first

        for progress in self.course.run():
            if progress.loss is not None:
                if progress.done == 1:  # another net begins, where each photo is held out once
                    self.losses = []
                self.losses.append(progress.loss)
            yield progress
        self.trained = trained(self.course, self.start, self.samples, self.left_out)
        self._best = self.course.best

    def stop(self) -> None:
        """End the lesson after the present step, with what has been learned; end a download."""
        self._is_stopped = True
        if self.course:
            self.course.stop()

    def weights(self) -> "tuple[bytes, bytes]":
        """Return the taught net as the bytes of a weights file, and of the JSON file beside it."""
        from u2demo.training.saving import encode_net  # loads torch: the page comes first
        from u2demo.training.teach import facts_of  # loads torch

        facts = facts_of(self.start, self.trained.report, self.course, self.samples)
        return encode_net(self._best, facts)

    def _tell(self, size: int) -> None:
        if self._is_stopped:
            raise Stopped
        self.fetched = size
