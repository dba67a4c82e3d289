"""How many threads PyTorch computes with, for as long as something lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let PyTorch compute with ``count`` threads, and afterwards with as many as before.

    With 1 none is started. That matters to who forks: a child process has none of its parent's
    threads, but would wait for them.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
