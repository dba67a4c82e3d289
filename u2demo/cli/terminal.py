"""run <-> terminal: what a run prints, and how it is stopped."""

import contextlib
import errno
import math
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from u2demo.machine.attempts import impatient
from u2demo.machine.interrupts import interrupt
from u2demo.machine.names import printable as on_one_line

if TYPE_CHECKING:
    from u2demo.runs.cluster import Progress as ClusterProgress
    from u2demo.runs.records import Record
    from u2demo.video.run import Progress

# Errors of print when nobody listens: in a pipe to head -1, the same on Windows, a closed terminal.
_NOBODY = {errno.EPIPE, errno.EINVAL, errno.EIO}
_EVERY = 60  # seconds between two lines in a log
_OFTEN = 0.2  # seconds between two changes of a bar
_STOPPING = b"\nstopping, as soon as what is in work is finished\n"


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Make ``kill`` and a closed terminal end a run as Ctrl-C does, unless they are ignored.

    Only the first signal counts, and it is answered at once: what is in work may take long to end.
    A store that does not respond is not asked again. A second signal, while the current photos are
    being finished, would crash Python, which would exit with threads still computing. The handler
    stays for it: Python complains about a signal that came in the same moment and is ignored by
    then.
    """

    def stop(number: int, frame: object) -> None:
        if not impatient.is_set():
            impatient.set()
            if sys.stderr is not None:
                with contextlib.suppress(OSError):  # nobody listens
                    os.write(2, _STOPPING)  # a print may be what the signal interrupts
            interrupt(number)

    usual = (signal.SIG_DFL, signal.default_int_handler)
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    found = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in found.items() if handler in usual}
    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        impatient.clear()


def say(text: str, stream: TextIO | None) -> bool:
    """Print, even if nobody listens any more; return False if a listener misses the text.

    A stream closed before the start is None. A log on a full disk misses its text.
    """
    if stream is None:
        return True
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        # Otherwise Python would try again at exit, and complain.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return error.errno in _NOBODY
    return True


@contextlib.contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Say each ``UserWarning`` on a line of stderr, without the place in the code it comes from."""
    usual = warnings.showwarning

    def show(message, category, *place, **more):
        if category is UserWarning:  # not those of its kinds, which are for developers
            say(f"u2demo: {sentence(message)}", sys.stderr)
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


def carry_out(work: Callable[[], tuple[list[str], bool]], what_next: Callable[[], str]) -> int:
    """Do the ``work`` of a command, and say what came of it; return the exit code.

    ``work`` returns the lines of the summary, and whether all was done. ``what_next`` returns what
    follows if a signal stops it: the end of the sentence "stopped". The code is 0 if all was done,
    128 + N for signal N, else 1.
    """
    try:
        with stopped_by_signals():
            lines, complete = work()
    except KeyboardInterrupt as stop:
        say(f"stopped{what_next()}", sys.stderr)
        return 128 + (stop.args[0] if stop.args else signal.SIGINT)
    except (ValueError, OSError, MemoryError, ModuleNotFoundError) as error:
        say(f"u2demo: {sentence(error)}", sys.stderr)
        return 1
    text = "\n".join(lines)
    if not say(text, sys.stdout):
        say(f"u2demo: could not print the summary; is the disk full?\n{text}", sys.stderr)
        return 1
    return 0 if complete else 1


def _has_terminal() -> bool:
    """Return whether a bar can move where progress is told."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextlib.contextmanager
def progress(total: int | None) -> Iterator[Callable[["Record"], object]]:
    """Yield a function to call with each of ``total`` records, None if nobody has counted them.

    On a terminal it moves a bar; elsewhere, as in a log, it prints a line a minute.
    """
    if not _has_terminal():
        yield ProgressLines(total).report
        return
    from tqdm import tqdm

    with tqdm(total=total, unit="photo") as bar:
        failed = 0

        def report(record: "Record") -> None:
            nonlocal failed
            if record.status == "failed":
                failed += 1
                bar.set_postfix_str(f"{failed:,} failed", refresh=False)
            bar.update()

        yield report


class ProgressLines:
    """Progress, speed and time left: a line now and then, on stderr."""

    def __init__(self, total: int | None, clock: Callable[[], float] = time.monotonic):
        self._total, self._clock = total, clock
        self._start = self._said = clock()
        self._seen = self._made = self._failed = 0

    def report(self, record: "Record") -> None:
        """Count a record; print a line if the last one is a minute old."""
        self._seen += 1
        if record.status != "skipped":  # those take no time
            self._made += 1
        if record.status == "failed":
            self._failed += 1
        now = self._clock()
        is_last = self._seen == self._total
        if not is_last and now - self._said >= _EVERY:
            self._said = now
            rate = self._made / (now - self._start)
            failed = f"; {self._failed:,} failed" if self._failed else ""
            say(how_far(self._seen, self._total, rate) + failed, sys.stderr)


@contextlib.contextmanager
def progress_of_cluster() -> Iterator[Callable[["ClusterProgress"], object]]:
    """Yield a function to call with each ``Progress`` of a cluster: a bar, or a line a minute."""
    if not _has_terminal():
        yield ClusterLines().report
        return
    from tqdm import tqdm

    with tqdm(unit="photo") as bar:

        def report(progress: "ClusterProgress") -> None:
            bar.total = progress.total
            bar.set_postfix_str(_at_work(progress), refresh=False)
            bar.update(progress.photos - bar.n)

        yield report


class ClusterLines:
    """How far a cluster has come, photos a second over all machines: a line now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._start = self._said = clock()

    def report(self, progress: "ClusterProgress") -> None:
        """Print a line if the last one is a minute old."""
        now = self._clock()
        if progress.photos and now - self._said >= _EVERY:
            self._said = now
            rate = progress.made / (now - self._start)
            done = how_far(progress.photos, progress.total, rate)
            say(f"{done}; {_at_work(progress)}", sys.stderr)


def how_far(seen: int, total: int | None, rate: float) -> str:
    """Return how many photos are done, how many a second, and the time that is left.

    A ``rate`` of 0 says that all were done by earlier runs.
    """
    photos = counted(seen, "photo") if total is None else f"{seen:,} of {counted(total, 'photo')}"
    if not rate:
        return f"{photos}, all done before"
    said = f"{photos}, {rate:.1f} a second"
    return said if total is None else f"{said}, {duration((total - seen) / rate)} left"


def _at_work(progress: "ClusterProgress") -> str:
    processes = counted(progress.processes, "process", "processes")
    return f"{processes} on {counted(progress.machines, 'machine')}"


@contextlib.contextmanager
def progress_of_clips() -> Iterator[Callable[["Progress"], object]]:
    """Yield a function to call with each ``Progress``: a bar, or a line a minute."""
    if not _has_terminal():
        yield ClipLines(every=_EVERY).report
        return
    from tqdm import tqdm

    shape = "{percentage:3.0f}%|{bar}|{postfix}"
    with tqdm(total=1.0, bar_format=shape) as bar:

        def show(said: str, share: float) -> None:
            bar.n = share
            bar.set_postfix_str(said)

        yield ClipLines(every=_OFTEN, show=show).report
        bar.n = 1.0  # the last step came too soon after the one before to be shown
        bar.refresh()


class ClipLines:
    """How far the work on clips has come, frames a second and time left: a line now and then."""

    def __init__(
        self,
        *,
        every: float,
        show: Callable[[str, float], object] = lambda said, share: say(said, sys.stderr),
        clock: Callable[[], float] = time.monotonic,
    ):
        self._every, self._show, self._clock = every, show, clock
        self._start = self._said = clock()
        self._step, self._step_start = ("", ""), self._start

    def report(self, progress: "Progress") -> None:
        """Show a line if the last one is old enough."""
        now = self._clock()
        step = str(progress.clip), progress.step
        if step != self._step:
            self._step, self._step_start = step, now
        if now - self._said < self._every:
            return
        self._said = now
        of = f" of {progress.total:,}" if progress.total else ""
        said = f"{printable(progress.clip.name)}: {progress.step}, frame {progress.frames:,}{of}"
        if now > self._step_start and progress.frames > 1:
            said += f", {progress.frames / (now - self._step_start):.1f} frames/s"
        if progress.share:
            left = (now - self._start) * (1 / progress.share - 1)
            said += f", {duration(left)} left"
        self._show(said, progress.share)


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number of things in words, "1 photo" or "2,000 photos"."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def first_of(names: Sequence[object], most: int, *, total: int = 0) -> str:
    """Return the first ``most`` names, and how many more there are, of all or of a ``total``."""
    said = ", ".join(map(printable, names[:most]))
    more = (total or len(names)) - most
    return f"{said} and {more:,} more" if more > 0 else said


def printable(text: object) -> str:
    """Return ``text`` on one line, with anything that a terminal or ``print`` rejects escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # None is a closed stream
    return on_one_line(text).encode(encoding, "backslashreplace").decode(encoding)


def sentence(error: Exception) -> str:
    """Return what an error says, safe to print, without the system's error number."""
    said = str(error) or type(error).__name__
    text = re.sub(r"^\[(Errno|WinError) -?\d+\] ", "", said)
    return "\n".join(map(printable, text.splitlines()))


def duration(seconds: float) -> str:
    """Return a time in words: hours and minutes, rounded up."""
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
