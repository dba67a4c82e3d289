"""Pillow, and what it stands on, without their remarks: what matters raises.

A 108-megapixel photo is no attack, and odd metadata no news to anybody; but a damaged fax alone
brings a line on stderr for each of its rows.
"""

import contextlib
import ctypes
import logging
import threading
import warnings
from functools import cache

from PIL import Image


class _Quiet:
    """Ignores Pillow's warnings while photos are read, by any number of threads at once."""

    def __init__(self):
        self._lock = threading.Lock()  # warnings.catch_warnings swaps state of the whole process
        self._readers = 0

    def __enter__(self) -> None:
        _silence()
        with self._lock:
            self._readers += 1
            if self._readers == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._filters.__exit__(*error)


quiet = _Quiet()


@cache
def _silence() -> None:
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python prints to stderr
    with contextlib.suppress(AttributeError, OSError, TypeError):  # libtiff out of reach: Windows
        ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)
