"""process -> memory: how much of what it frees it keeps, and when it gives that back."""

import ctypes
import sys

from u2demo.machine.cores import available_cores

_LARGE = 32 * 2**20  # bytes, above which glibc returns a buffer to the system at once
_KEPT = 256 * 2**20  # bytes of freed memory that glibc may keep
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h


def keep_freed_memory() -> None:
    """Make glibc keep freed memory for later use, up to 256 MB, for the rest of the process.

    Call it once, before the first prediction, in a program of your own that predicts many masks on
    a CPU; the command line does so. Predictions then take a tenth less time: otherwise glibc
    returns a net's buffers to the system after each photo, and the system clears every page when
    they are allocated again. A run over a folder takes a sixth less memory, because threads share
    what they free: otherwise each of glibc's arenas, eight for each core, keeps its own buffers.

    It changes thresholds of malloc for the whole process and cannot be undone, which is why loading
    a net does not call it for you. Other C libraries are left alone.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_ARENA_MAX, available_cores())


def return_freed_memory() -> None:
    """Give the system back, once, what this process has freed and glibc has kept.

    No setting changes. It is worth a call where one kind of work ends and another begins that has
    no use for buffers of the same sizes.
    """
    malloc_trim = _of_glibc("malloc_trim")
    if malloc_trim:
        malloc_trim(0)


def _of_glibc(name: str) -> "ctypes._FuncPointer | None":
    """Return a function of glibc, None if the C library is another."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
