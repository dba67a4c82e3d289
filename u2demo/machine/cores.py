"""How many cores there are for the work."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def available_cores() -> int:
    """Return on how many cores this process may run; ``taskset`` and batch systems give it some."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def on_all_cores(work: Callable[[T], object], items: Iterable[T]) -> None:
    """Call ``work`` with each item, several at a time; raise what one of the calls raised."""
    with ThreadPoolExecutor(available_cores()) as pool:
        for _ in pool.map(work, items):
            pass
