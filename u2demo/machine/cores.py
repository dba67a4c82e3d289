"""How many cores there are for the work."""

import os


def available_cores() -> int:
    """Return on how many cores this process may run; ``taskset`` and batch systems give it some."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
