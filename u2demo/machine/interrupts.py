"""A signal -> KeyboardInterrupt, but not amid the work of a lock, which would stay locked."""

import contextlib
import threading
from collections.abc import Iterator


class _ThisThread(threading.local):
    is_held = False
    came: KeyboardInterrupt | None = None  # while it was held


_this_thread = _ThisThread()


def interrupt(reason: object) -> None:
    """Raise ``KeyboardInterrupt(reason)`` here, or, inside ``uninterrupted``, at its end."""
    if not _this_thread.is_held:
        raise KeyboardInterrupt(reason)
    _this_thread.came = KeyboardInterrupt(reason)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back what ``interrupt`` raises in this thread, until the end.

    The locks of futures and pools are partly written in Python. A signal that raises an exception
    in one of them leaves it locked, and the process then waits forever for a thread that needs it.
    """
    was_held = _this_thread.is_held
    _this_thread.is_held = True
    try:
        yield
    finally:
        _this_thread.is_held = was_held
        came = _this_thread.came
        if came is not None and not was_held:
            _this_thread.came = None
            raise came
