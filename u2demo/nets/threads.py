"""How many threads PyTorch computes with, for as long as something lasts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_found: list[tuple[int, int]] = []  # of each use that lasts: its thread, and the number it found


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let PyTorch compute with ``count`` threads, and afterwards with as many as before.

    With 1 none is started. That matters to who forks: a child process has none of its parent's
    threads, but would wait for them.
    """
    here = threading.get_ident()
    with _lock:
        # A new thread begins with the number that another one may just be using for a while.
        borrowed = _found and here not in dict(_found)
        use = here, _found[0][1] if borrowed else torch.get_num_threads()
        _found.append(use)
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            _found.remove(use)
            torch.set_num_threads(use[1])
