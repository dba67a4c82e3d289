"""callback -> callback: on the thread that runs the cells, its errors on the page, not too often.

JupyterLab delivers clicks on another thread (ipykernel 7's subshells), in the middle of whatever a
cell is doing. Here each click waits until the thread that runs the cells is free, so that nothing
else needs a lock.
"""

import asyncio
import functools
from collections.abc import Callable, Iterator
from typing import Protocol


class Reporter(Protocol):
    """What shows errors on the page, such as ``Notes``."""

    def report(self, error: Exception) -> None:
        """Show an error."""


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of this thread, None outside a kernel."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def on_this_thread(callback: Callable) -> Callable:
    """Return ``callback`` wrapped so that this thread's event loop runs it, whoever calls it."""
    home = running_loop()

    @functools.wraps(callback)
    def call(*arguments: object) -> None:
        if home in (None, running_loop()):
            callback(*arguments)
        else:
            home.call_soon_threadsafe(callback, *arguments)

    return call


def guarded(callback: Callable, notes: Reporter) -> Callable:
    """Return ``callback`` wrapped for a widget: it runs on this thread, with errors in ``notes``.

    Jupyter hides the errors of callbacks.
    """

    @functools.wraps(callback)
    def call(*arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception as error:
            notes.report(error)

    return on_this_thread(call)


class Debounced:
    """Do the steps of ``task`` a moment after the last of several calls: when a slider rests.

    Between two steps the kernel answers the page; another call starts over.
    """

    def __init__(self, task: Callable[[], Iterator[None]], *, seconds: float = 0.25):
        self._task = task
        self._seconds = seconds
        self._timer: asyncio.Handle | None = None

    def __call__(self) -> None:
        """Start waiting again; without an event loop, do all steps at once."""
        self.cancel()
        loop = running_loop()
        if loop:
            self._timer = loop.call_later(self._seconds, self._step, loop, self._task())
            return
        for _ in self._task():
            pass

    def cancel(self) -> None:
        """Forget the last call and its remaining steps."""
        if self._timer:
            self._timer.cancel()

    def _step(self, loop: asyncio.AbstractEventLoop, steps: Iterator[None]) -> None:
        try:
            next(steps)
        except StopIteration:
            return
        self._timer = loop.call_soon(self._step, loop, steps)
