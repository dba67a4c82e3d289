"""A run and the terminal it was started from: what is said there, and how it is stopped."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn, TextIO


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let ``kill`` and a closed terminal end a run as Ctrl-C does, unless told to ignore them."""

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt(number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]
    heeded = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in heeded:
            signal.signal(number, stop)
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)


def say(text: str, stream: TextIO) -> None:
    """Print, though nobody may listen any more: behind ``| head -1``, on a closed terminal."""
    try:
        print(text, file=stream, flush=True)
    except OSError:  # Python would try again at its end, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def printable(text: object) -> str:
    """Return ``text`` on one line, without what would drive a terminal or stop ``print``."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
    encoding = sys.stdout.encoding or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)
