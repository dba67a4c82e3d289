"""What a process keeps of the memory that it has freed."""

import ctypes
import sys

from u2demo.machine.cores import available_cores

_LARGE = 32 * 2**20  # bytes, above which glibc returns a buffer to the system at once
_KEPT = 256 * 2**20  # bytes of freed memory that glibc may keep
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h


def keep_freed_memory() -> None:
    """Let glibc keep a net's buffers from one photo to the next, up to ``_KEPT``.

    It would return them to the system, which clears them page by page when they are asked for
    again: a tenth of a net's time. What is freed is shared among all threads, for each of glibc's
    arenas, eight a core, would keep buffers of its own: a sixth of the memory that a folder takes.
    Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_ARENA_MAX, available_cores())
