"""photos with their masks -> the stage and the gallery."""

import ipywidgets
from PIL import Image

from u2demo.notebook.callbacks import Debounced, guarded
from u2demo.notebook.jobs import Job
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo
from u2demo.notebook.preview import STAGE, TILE, fit, fit_mask
from u2demo.notebook.stage import OnCorrected, Stage
from u2demo.notebook.widgets import Gallery


class Album:
    """The photos in the app, one of them on the stage, drawn as ``panel`` says.

    ``on_corrected`` is as for ``Stage``.
    """

    def __init__(self, panel: Panel, notes: Notes, on_corrected: OnCorrected | None = None):
        self.photos: list[Photo] = []
        self.place = 0  # of the photo on the stage
        self.stage = Stage(panel, notes, on_corrected)
        self.caption = ipywidgets.HTML()
        self.gallery = Gallery(guarded(self.choose, notes), guarded(self.remove, notes))
        self._panel = panel
        self._draw_tile_safely = guarded(self._draw_tile, notes)
        self._draw_tiles_soon = Debounced(self._draw_tiles)

    def clear(self) -> None:
        """Forget all photos."""
        self._draw_tiles_soon.cancel()
        self.stage.clear()
        self.photos = []
        self.place = 0
        self.gallery.clear()

    def add(self, photo: Photo) -> None:
        """Append a photo; the first one goes on stage."""
        self.photos.append(photo)
        self.gallery.add(photo.name, photo.small)
        self._draw_tile(len(self.photos) - 1)
        if len(self.photos) == 1:
            self.choose(0)
        self._show_gallery()

    def replace(self, old: Photo, new: Photo) -> None:
        """Replace ``old``, if it is still there, with ``new``, the result of another look."""
        if old not in self.photos:
            return
        place = self.photos.index(old)
        self.photos[place] = new
        self._draw_tile(place)
        if place == self.place:
            self.draw()

    def remove(self, place: int) -> None:
        """Forget one of several photos; if it is on stage, the next one takes its place."""
        if len(self.photos) == 1:  # the second of two quick clicks
            return
        del self.photos[place]
        self.gallery.remove(place)
        self._show_gallery()
        on_stage = self.place - 1 if place < self.place else self.place
        self.choose(min(on_stage, len(self.photos) - 1))

    def _show_gallery(self) -> None:
        self.gallery.layout.display = "" if len(self.photos) > 1 else "none"

    def choose(self, place: int) -> None:
        """Put a photo on the stage."""
        self.place = place
        self.gallery.mark(place)
        self.draw()

    def redraw(self) -> None:
        """Show new settings: the stage at once, the gallery when the slider rests."""
        self.draw()
        self._draw_tiles_soon()

    def draw(self) -> None:
        """Draw the photo on the stage, with its caption."""
        if not self.photos:
            return
        photo = self.photos[self.place]
        self.stage.show_photo(photo)
        self.caption.value = _caption(photo)

    def announce(self, name: str, image: Image.Image) -> None:
        """Show a photo that is being processed, if none is on the stage."""
        if not self.photos:
            self.stage.show(fit(image, STAGE))
            self.caption.value = escape(name)

    def withdraw(self) -> None:
        """Forget the name of an announced photo that failed."""
        if not self.photos:
            self.caption.value = ""

    def latest(self, photo: Photo) -> Photo:
        """Return the result of the last look at ``photo``; ``photo`` itself if it is gone."""
        for other in self.photos:
            if other.source is photo.source and other.name == photo.name:
                return other
        return photo

    def _draw_tiles(self) -> Job:
        for photo in list(self.photos):
            if photo in self.photos:
                self._draw_tile_safely(self.photos.index(photo))
                yield

    def _draw_tile(self, place: int) -> None:
        photo = self.photos[place]
        small = fit(photo.small, TILE)
        picture = self._panel.picture(small, fit_mask(photo.small_mask, small.size))
        self.gallery.update(place, picture, clear=photo.has_clear_subject)


def _caption(photo: Photo) -> str:
    """Return the HTML below the stage; the page shows it in a quiet color."""
    lines = [_describe(photo), photo.left_out]
    return "<br>".join(escape(line) for line in lines if line)


def _describe(photo: Photo) -> str:
    text = f"{photo.name}, {photo.size[0]} × {photo.size[1]}"
    if photo.has_clear_subject:
        return text
    advice = "a lower threshold" if photo.quality == "best" else "Best or a lower threshold"
    return f"{text}: no clear subject, try {advice}"
