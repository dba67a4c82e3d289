"""One thing at a time, on the thread that runs the cells, and the page answered in between.

JupyterLab hands what a person clicks to a thread of its own (ipykernel 7's subshells), in the
middle of whatever a cell does. Here it waits for its turn, so that nothing else needs a lock.
"""

import asyncio
import functools
from collections import deque
from collections.abc import Callable, Iterator

Job = Iterator[None]  # a generator: what it does between two yields is one step

_PAUSE = 0.01  # seconds between two steps, in which a click that has arrived is heard


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of this thread, None outside of a kernel."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def in_turn(callback: Callable) -> Callable:
    """Return ``callback`` so that, whichever thread calls it, this one's event loop runs it."""
    home = running_loop()

    @functools.wraps(callback)
    def call(*arguments: object) -> None:
        if home in (None, running_loop()):
            callback(*arguments)
        else:
            home.call_soon_threadsafe(callback, *arguments)

    return call


class Turns:
    """Does jobs one after another, a step at a time, so that a page can be clicked meanwhile.

    Where no event loop runs, a job is done when ``start`` returns.
    """

    def __init__(self):
        self._loop = running_loop()
        self._jobs: deque[tuple[Job, Callable[[], None]]] = deque()  # the first one is at work

    def start(
        self,
        job: Job,
        tell: Callable[[Exception], None],
        over: Callable[[], None] = lambda: None,
    ) -> None:
        """Do ``job`` after those started before; an error ends it and goes to ``tell``.

        ``over`` is called when that is done, or will never be: a job can end before it began.
        """
        self._jobs.append((_telling(job, tell), over))
        if not self._loop:
            self._step()
        elif len(self._jobs) == 1:
            self._loop.call_soon(self._step)

    def finish(self) -> None:
        """Do at once what is left of all jobs."""
        loop, self._loop = self._loop, None
        try:
            self._step()
        finally:
            self._loop = loop

    def stop(self) -> None:
        """End the job that is at work; it tidies up after itself."""
        if self._jobs:
            self._jobs[0][0].close()

    def clear(self) -> None:
        """End all jobs."""
        for job, _ in self._jobs:
            job.close()

    def _step(self) -> None:
        while self._jobs:
            job, over = self._jobs[0]
            ended = True  # unless it says otherwise; the others go on after somebody's interrupt
            try:
                ended = next(job, True)
            finally:
                if ended:
                    self._jobs.popleft()
                    over()
                if self._loop and self._jobs:
                    self._loop.call_later(_PAUSE, self._step)
            if self._loop:
                return


def _telling(job: Job, tell: Callable[[Exception], None]) -> Job:
    try:
        yield from job
    except Exception as error:
        tell(error)


class Later:
    """Do the steps of ``task`` a moment after the last of several calls: when a slider rests.

    Between two steps the kernel answers the page; another call starts over.
    """

    def __init__(self, task: Callable[[], Job], *, seconds: float = 0.25):
        self._task = task
        self._seconds = seconds
        self._timer: asyncio.Handle | None = None

    def __call__(self) -> None:
        """Start waiting anew; where no event loop runs, do all steps at once."""
        self.cancel()
        if loop := running_loop():
            self._timer = loop.call_later(self._seconds, self._step, loop, self._task())
        else:
            for _ in self._task():
                pass

    def cancel(self) -> None:
        """Forget the call before."""
        if self._timer:
            self._timer.cancel()

    def _step(self, loop: asyncio.AbstractEventLoop, steps: Job) -> None:
        for _ in steps:
            self._timer = loop.call_soon(self._step, loop, steps)
            return
