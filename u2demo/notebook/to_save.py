"""photos with their settings -> results at full size, one by one, to save."""

from collections.abc import Callable
from contextlib import closing

from u2demo.masks.corrections import to_json
from u2demo.notebook.actions import Pictures, Settings
from u2demo.notebook.album import Album
from u2demo.notebook.environment import PageError
from u2demo.notebook.looking import explain_failure
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo
from u2demo.notebook.progress import Progress
from u2demo.notebook.saving import Results
from u2demo.notebook.saving_form import Work
from u2demo.notebook.stage.correcting import corrections_name, count
from u2demo.notebook.unsaved import State


class ToSave:
    """What there is to save of an album; ``on_saved`` gets the photos once they are saved.

    A photo that cannot be drawn is named in ``notes``.
    """

    def __init__(
        self,
        album: Album,
        panel: Panel,
        progress: Progress,
        notes: Notes,
        on_saved: Callable[[list[State]], None],
    ):
        self._album = album
        self._panel = panel
        self._progress = progress
        self._notes = notes
        self._on_saved = on_saved

    def __call__(self, *, everything: bool) -> tuple[Results, Callable[[], None]]:
        """Return the results, drawn as the controls say at this call, and what notes them as saved.

        They are of the photo that is on the stage now, or of all that are there now, and then also
        of those that are still to come.
        """
        draw, place = self._panel.drawing(), self._album.place
        states, clearings = self._album.states(), self._album.clearings
        chosen = states if everything else states[place : place + 1]
        drawn: list[State] = []

        def draw_all() -> Results:
            to_save = [(self._album.latest(photo), settings) for photo, settings in chosen]
            if everything:
                if self._album.clearings != clearings:  # samples, replaced by a person's own
                    to_save = []
                there = {photo for photo, _ in to_save}
                to_save += [state for state in self._album.states() if state[0] not in there]
            # Python 3.12.3 closes this generator without the one that it loops over.
            with closing(self._progress.over(to_save, len(to_save), "Saving", _name)) as shown:
                for state in shown:
                    result = self._draw(*state, draw, total=len(to_save))
                    if result:
                        yield result
                        drawn.append(state)
            if to_save and not drawn:
                raise PageError("There is nothing to save.")

        return draw_all(), lambda: self._on_saved(drawn)

    def _draw(
        self, photo: Photo, settings: Settings, draw: Callable[..., Pictures], *, total: int
    ) -> Work | None:
        """Return the result for one photo; None, and a note on the page, if that fails."""
        try:
            image, mask = photo.open_image(), photo.unpack_mask()
            return Work(
                photo.name,
                image,
                mask,
                draw(image, mask, settings),
                photo.confidence,
                edge=settings.edge(image.size),
                extra=self._corrections(photo),
                is_clear=photo.is_clear,
                total=total,
            )
        except (MemoryError, RuntimeError, ValueError) as error:
            explain_failure(self._notes, photo.name, error)
            return None

    def _corrections(self, photo: Photo) -> dict[str, bytes]:
        """Return the file of what a person has said about a photo, if anything, with its name."""
        said = photo.history.now
        if not count(said):
            return {}
        name = corrections_name(photo.name, self._album.settings)
        return {name: to_json(said, photo.size, photo=photo.name).encode()}


def _name(state: State) -> str:
    return state[0].name
