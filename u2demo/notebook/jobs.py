"""jobs -> steps: one job at a time, and the page is answered between its steps."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from inspect import GEN_CLOSED, getgeneratorstate
from queue import Empty, SimpleQueue
from typing import TypeVar

import ipywidgets

from u2demo.notebook import callbacks, neighbors
from u2demo.notebook.notes import Notes
from u2demo.notebook.settling import Settle, at_once

T = TypeVar("T")
Job = Iterator[None]  # a generator: the work between two yields is one step

_MOMENT = 0.02  # seconds that a step waits for what a thread makes
_PAUSE = 0.01  # seconds between two steps, in which a click that has arrived is handled
_AGAIN = 0.2  # seconds after which a queue that gives way looks whether it may go on
_GIVES_WAY = "Waiting: this goes on when the live picture stops."


class JobQueue:
    """Jobs done one after another, a step at a time, so that the page can be clicked meanwhile.

    Without an event loop, a job is done when ``start`` returns. With one, jobs wait while a picture
    is live in the same kernel; ``waiting`` says so on the page.
    """

    def __init__(self):
        self.waiting = Notes()
        self._loop = callbacks.running_loop()
        self._jobs: deque[tuple[Job, Callable[[], None]]] = deque()  # the first one is running
        self._is_stepping = False
        self._has_said = False  # that jobs wait

    @property
    def is_busy(self) -> bool:
        """Whether a job is running or waiting."""
        return bool(self._jobs)

    def start(
        self,
        job: Job,
        on_error: Callable[[Exception], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        """Run ``job`` after those started earlier; an error ends it and goes to ``on_error``.

        ``on_end`` is called when the job has ended, even if it never began.
        """
        self._jobs.append((_reporting(job, on_error), on_end))
        if self._is_stepping:  # a job starts another, which follows it
            return
        if not self._loop:
            self.finish()
        elif len(self._jobs) == 1:
            self._loop.call_soon(self._take_turn)

    def finish(self) -> None:
        """Do the rest of all jobs now."""
        while self._jobs:
            self._step()

    def clear(self) -> None:
        """End all jobs; the running one cleans up after itself."""
        for job, _ in self._jobs:
            job.close()

    def _take_turn(self) -> None:
        """Do a step, unless a live picture goes first, and plan the next turn."""
        waits = self._must_wait()
        self._say_whether(waits)
        if waits:
            self._loop.call_later(_AGAIN, self._take_turn)
            return
        try:
            if self._jobs:
                self._step()
        finally:  # an interrupt ends only the running job
            if self._jobs:
                self._loop.call_later(_PAUSE, self._take_turn)

    def _must_wait(self) -> bool:
        is_wanted = bool(self._jobs) and getgeneratorstate(self._jobs[0][0]) != GEN_CLOSED
        return is_wanted and neighbors.is_live()

    def _say_whether(self, waits: bool) -> None:
        """Say on the page that jobs wait, once, until they go on."""
        if waits and not self._has_said:
            self.waiting.say(_GIVES_WAY)
        if self._has_said and not waits:
            self.waiting.clear()
        self._has_said = waits  # a person may have closed the note since

    def _step(self) -> None:
        """Do a step of the first job; remove it once it has ended or failed."""
        job, _ = self._jobs[0]
        self._is_stepping = True
        try:
            next(job)
        except StopIteration:
            self._remove_first()
        except BaseException:
            self._remove_first()
            raise
        finally:
            self._is_stepping = False

    def _remove_first(self) -> None:
        _, on_end = self._jobs.popleft()
        on_end()


def job_button(
    text: str,
    begin: Callable[[], Job],
    jobs: JobQueue,
    notes: Notes,
    settle: Settle = at_once,
) -> ipywidgets.Button:
    """Return a button that starts the job that ``begin()`` returns, and rests until that has ended.

    ``notes`` are cleared at a click, and show problems. A click waits, as ``settle`` says, for what
    the page still has to say.
    """
    button = ipywidgets.Button(description=text, tooltip=text)

    def release() -> None:
        button.disabled = False

    def press(_: ipywidgets.Button) -> None:
        if button.disabled:  # the second of two quick clicks
            return
        notes.clear()
        button.disabled = True
        settle(callbacks.guarded(start, notes))

    def start() -> None:
        try:
            job = begin()
        except BaseException:
            release()
            raise
        jobs.start(job, notes.report, release)

    button.on_click(callbacks.guarded(press, notes))
    return button


def aside(items: Generator[T, None, None]) -> Iterator[T | None]:
    """Yield ``items``, made by a thread of its own, and None whenever the next is not there yet.

    So a job can do what takes long between two of its steps. The thread does not wait for items to
    be taken, but for a live picture to stop. Closing ends it after the item that it is at.
    """
    made: SimpleQueue[T] = SimpleQueue()
    stopped = threading.Event()

    def make() -> None:
        with closing(items):
            for item in items:
                made.put(item)
                while neighbors.is_live() and not stopped.wait(_AGAIN):
                    pass
                if stopped.is_set():
                    return

    with ThreadPoolExecutor(1, thread_name_prefix="aside") as thread:
        work = thread.submit(make)
        try:
            while not work.done() or not made.empty():
                yield _next(made)
        finally:
            stopped.set()
        work.result()  # raises what the thread did


def beside(task: Callable[[], T]) -> Generator[None, None, T]:
    """Return what ``task`` returns, called in a thread of its own, in steps that wait for it."""
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as thread:
        work = thread.submit(task)
        while not work.done():
            wait([work], timeout=_MOMENT)
            yield
    return work.result()


def _next(made: SimpleQueue[T]) -> T | None:
    try:
        return made.get(timeout=_MOMENT)
    except Empty:
        return None


def _reporting(job: Job, on_error: Callable[[Exception], None]) -> Job:
    try:
        yield from job
    except Exception as error:
        on_error(error)
