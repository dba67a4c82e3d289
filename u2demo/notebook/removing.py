"""photo that a person removes -> an offer to bring it back, with those that went just before."""

from collections.abc import Callable

from u2demo.notebook.album import Album, Kept
from u2demo.notebook.offer import Offer


class Removing:
    """Takes photos out of an album, and brings them back if a person asks for it in time.

    ``on_change`` is called after both, ``on_return`` after they have come back.
    """

    def __init__(
        self,
        album: Album,
        offer: Offer,
        on_change: Callable[[], None],
        on_return: Callable[[], None],
    ):
        self._album = album
        self._offer = offer
        self._on_change = on_change
        self._on_return = on_return
        self._removed: list[Kept] = []

    def remove(self, place: int) -> None:
        """Take a photo away, and offer to undo that."""
        kept = self._album.remove(place)
        if not kept:
            return
        self._removed = [*self._removed, kept] if self._offer.offers(self._undo) else [kept]
        count = len(self._removed)
        what = kept.photo.name if count == 1 else f"{count} photos"
        self._offer.undo(f"{what} removed.", self._undo)
        self._on_change()

    def forget(self) -> None:
        """Forget what was removed, which cannot come back any more."""
        if self._removed:
            self._offer.hide()
        self._removed = []

    def _undo(self) -> None:
        for kept in reversed(self._removed):
            self._album.bring_back(kept)
        self._removed = []
        self._on_change()
        self._on_return()
