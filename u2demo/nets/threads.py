"""The number of PyTorch's threads: for the duration of a ``with``, and in forked processes."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

import torch

_lock = threading.Lock()
# For each thread that has changed the number: the numbers to restore, the first change first.
_borrowed: dict[int, list[int]] = {}


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let PyTorch compute with ``count`` threads, and afterwards with as many as before.

    With ``count=1`` no thread is started, which keeps a later fork safe: a child process lacks its
    parent's threads, but would wait for them.
    """
    here = threading.get_ident()
    with _lock:
        before = _own_number(here)
        _borrowed.setdefault(here, []).append(before)
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            _borrowed[here].pop()
            if not _borrowed[here]:
                del _borrowed[here]
            torch.set_num_threads(before)


@cache
def make_forks_safe() -> None:
    """Let processes that are forked from now on compute with one thread.

    They lack the threads that this process has started, and would wait for them forever.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


def _own_number(thread: int) -> int:
    """Return the number of threads to restore for ``thread``."""
    own = torch.get_num_threads()  # a new thread takes the common number at its first such call
    if not _borrowed or thread in _borrowed:
        return own
    # A new thread starts with the number that another one has borrowed.
    others = next(iter(_borrowed.values()))
    return others[0]
