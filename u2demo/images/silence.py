"""Reading photos without a word from Pillow and its libraries, in a process that stays as it was.

Whatever matters raises an error. The rest is noise: a single damaged fax makes libtiff print a line
for each of its rows, and a photo of 108 megapixels is not an attack.
"""

import contextlib
import ctypes
import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import cache

from PIL import Image

_TiffSetter = Callable[[int | None], int | None]


class _Silence:
    """A context in which any number of threads read photos without a word from the libraries.

    The settings belong to the whole process: the first reader in changes them, and the last one out
    restores them.
    """

    def __init__(self):
        self._lock = threading.RLock()
        self._readers = 0
        self._settings = contextlib.ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._readers == 0:
                for setting in (_no_warnings, _no_log, _no_tiff_errors):
                    self._settings.enter_context(setting())
            self._readers += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._settings.close()

    def survive_forks(self) -> None:
        """Let a process be forked while one of its threads reads a photo.

        The child has copies of the lock and the settings, but not the threads that would release
        the lock and restore the settings.
        """
        if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._forget_readers,
            )

    def _forget_readers(self) -> None:
        self._readers = 0
        self._settings.close()
        self._lock.release()


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    ignored = ("ignore", None, Warning, re.compile(r"PIL\.|pillow_heif"), 0)
    # By hand, because warnings.filterwarnings makes Python forget which warnings it has shown, and
    # catch_warnings drops a filter that another thread adds in the meantime.
    filters = warnings.filters
    filters.insert(0, ignored)
    try:
        yield
    finally:
        for place in (filters, warnings.filters):  # another thread may have replaced the list
            if ignored in place:
                place.remove(ignored)


@contextlib.contextmanager
def _no_log() -> Iterator[None]:
    log = logging.getLogger("PIL")
    handler = logging.NullHandler()
    log.addHandler(handler)  # without any handler, Python prints to stderr
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextlib.contextmanager
def _no_tiff_errors() -> Iterator[None]:
    set_handler = _tiff_error_setter()
    if set_handler is None:
        yield
        return
    before = set_handler(None)
    try:
        yield
    finally:
        set_handler(before)


@cache
def _tiff_error_setter() -> _TiffSetter | None:
    """Return libtiff's function that sets its error handler, None where it cannot be reached."""
    try:
        setter = ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError, TypeError):  # for example on Windows
        return None
    setter.argtypes = [ctypes.c_void_p]
    setter.restype = ctypes.c_void_p
    return setter


silence = _Silence()
silence.survive_forks()
