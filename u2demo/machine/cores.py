"""work -> cores: how many this process may use, and threads that share them."""

import contextlib
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import TypeVar

from u2demo.machine.interrupts import uninterrupted

T = TypeVar("T")
R = TypeVar("R")

_CGROUP = Path("/sys/fs/cgroup")  # where Linux keeps the limits of a container

_this_thread = threading.local()  # .cores is the thread's share; without one it may use them all


def available_cores(*, cgroup: Path = _CGROUP) -> int:
    """Return the number of cores this process may use, at least 1.

    That is what ``taskset`` or a batch system allows, or the processor time of the container
    (``docker run --cpus=2``) rounded up to whole cores, whichever is less.
    """
    if hasattr(os, "sched_getaffinity"):  # Linux
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(1, math.ceil(min(count, _quota(cgroup))))


@contextlib.contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Let this thread, and those it starts in pools, use ``count`` cores instead of all."""
    before = getattr(_this_thread, "cores", None)
    _this_thread.cores = count
    try:
        yield
    finally:
        _this_thread.cores = before


def thread_pool(workers: int) -> ThreadPoolExecutor:
    """Return a pool of ``workers`` threads that divide this thread's cores among them.

    In each of them, ``on_all_cores`` uses that thread's share, so that pools inside pools never ask
    for more threads than there are cores.
    """
    share = max(1, own_cores() // workers)
    return ThreadPoolExecutor(workers, initializer=_take, initargs=(share,))


def on_all_cores(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return ``work(item)`` for each item, in order, computed on all of this thread's cores.

    With one core, or one item, no thread is started. An exception from ``work`` is raised here.
    """
    items = list(items)
    cores = min(own_cores(), len(items))
    if cores <= 1:
        return [work(item) for item in items]
    with uninterrupted(), thread_pool(cores) as pool:
        return list(pool.map(work, items))


def in_parallel(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``work(item)`` for each item in order, never more than ``workers`` + 1 items ahead.

    Items are taken in the thread that asks for results. Python 3.14 can do this:
    ``pool.map(work, items, buffersize=workers)``.
    """
    pool = thread_pool(workers)
    running: deque[Future[R]] = deque()
    try:
        for item in items:
            with uninterrupted():
                running.append(pool.submit(work, item))
            if len(running) > workers:
                yield result_of(running.popleft())
        while running:
            yield result_of(running.popleft())
    finally:
        with uninterrupted():
            for future in running:
                future.cancel()
            wait(future for future in running if not future.cancelled())
            # Threads end on their own. The garbage collector may come here in one that is
            # beginning, which holds a lock that every thread needs to end.
            pool.shutdown(wait=False)


def result_of(future: Future[R]) -> R:
    """Return the result of a pool's work; a signal is answered when it is there."""
    with uninterrupted():
        return future.result()


def in_batches(items: Iterable[T], count: int) -> Iterator[list[T]]:
    """Yield ``items`` in lists of ``count``, the last perhaps shorter, each taken when asked for.

    Python 3.12 can do this: ``itertools.batched``.
    """
    items = iter(items)
    while batch := list(islice(items, count)):
        yield batch


def own_cores() -> int:
    """Return the number of cores that this thread may use, see ``on_cores``."""
    return getattr(_this_thread, "cores", None) or available_cores()


def _take(share: int) -> None:
    _this_thread.cores = share


def _quota(cgroup: Path) -> float:
    """Return how many cores the control group may keep busy, infinity if it has no limit."""
    try:
        if (cgroup / "cpu.max").exists():  # version 2
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        cores = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # "max", or a system without these files
        return math.inf
    return cores if cores > 0 else math.inf  # -1: no limit
