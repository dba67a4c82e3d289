"""what was saved -> which photos are not yet, as they are now."""

from collections.abc import Iterable

from u2demo.notebook.actions import Settings
from u2demo.notebook.photo import Photo

State = tuple[Photo, Settings]  # all that a person has put into a photo


class Saved:
    """The photos that have been saved, each as it was then."""

    def __init__(self):
        self._states: dict[str, State] = {}  # by the photo's name

    def clear(self) -> None:
        """Forget all photos."""
        self._states = {}

    def add(self, states: Iterable[State]) -> None:
        """Remember photos as they were saved."""
        self._states.update({photo.name: (photo, settings) for photo, settings in states})

    def missing(self, states: Iterable[State]) -> list[Photo]:
        """Return the photos that have not been saved as they are."""
        return [state[0] for state in states if self._states.get(state[0].name) != state]
