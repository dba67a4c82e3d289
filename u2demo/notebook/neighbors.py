"""pages open in one kernel -> whose work goes first, and who takes a photo made in another page."""

from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet

Receive = Callable[[list[tuple[str, bytes]]], None]


class Live(Protocol):
    """What looks at a live picture now and then."""

    @property
    def is_at_work(self) -> bool:
        """Whether it looks at one now."""


_live: WeakSet[Live] = WeakSet()
_galleries: list[Receive] = []  # the one opened last at the end


def announce(live: Live) -> None:
    """Let others give way to ``live`` while it is at work."""
    _live.add(live)


def is_live() -> bool:
    """Return whether a picture is live: other work waits, or it would stutter."""
    return any(each.is_at_work for each in _live)


def open_gallery(receive: Receive) -> None:
    """Let ``receive`` have the photos, (name, content of the file) pairs, of other pages."""
    close_gallery(receive)  # it may be open already
    _galleries.append(receive)


def close_gallery(receive: Receive) -> None:
    """Pass no more photos to ``receive``; it may never have been opened."""
    if receive in _galleries:
        _galleries.remove(receive)


def pass_on(name: str, photo: bytes) -> bool:
    """Give a photo to the gallery that was opened last; return whether there is one."""
    if not _galleries:
        return False
    _galleries[-1]([(name, photo)])
    return True
