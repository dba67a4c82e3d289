"""photos with their masks and settings -> the stage and the gallery."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import ipywidgets
from PIL import Image

from u2demo.machine.names import numbered
from u2demo.masks.mask import Mask
from u2demo.notebook.actions import Action, Settings
from u2demo.notebook.callbacks import Debounced, guarded
from u2demo.notebook.jobs import Job
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo
from u2demo.notebook.preview import STAGE, TILE, fit, fit_mask
from u2demo.notebook.settling import Settle, at_once
from u2demo.notebook.stage.stage import OnCorrected, Stage
from u2demo.notebook.unsaved import State
from u2demo.notebook.widgets import Gallery


@dataclass(frozen=True)
class Kept:
    """A photo that has left the app, with what it takes to bring it back."""

    photo: Photo
    settings: Settings
    place: int


class Album:
    """The photos in the app, one of them on the stage, each drawn with settings of its own.

    ``settings`` has those of each photo by its name, which no two photos share. ``common`` is
    what photos come with. ``panel`` shows the settings of the photo on the stage; its action is
    for all. ``on_remove`` is called with a photo's place when a person asks to remove it.
    ``on_choose`` is called after another one is put on the stage, ``on_corrected`` as by ``Stage``.
    A click in the gallery waits, as ``settle`` says, for what the page still has to say.
    """

    def __init__(
        self,
        panel: Panel,
        notes: Notes,
        on_remove: Callable[[int], None] = lambda place: None,
        on_corrected: OnCorrected | None = None,
        on_choose: Callable[[], None] = lambda: None,
        settle: Settle = at_once,
    ):
        self.photos: list[Photo] = []
        self.place = 0  # of the photo on the stage
        self.clearings = 0  # how often all photos were forgotten
        self.settings: dict[str, Settings] = {}
        self.common = panel.settings
        self.stage = Stage(panel, notes, on_corrected, names=lambda: self.settings)
        self.caption = ipywidgets.HTML()
        self._on_choose = on_choose
        self.gallery = Gallery(guarded(self.choose, notes), guarded(on_remove, notes), settle)
        self._panel = panel
        self._beside: Photo | None = None
        self._action: Action | None = None  # that the tiles show, or soon will
        self._stale: list[Photo] = []  # whose tiles are to be drawn
        self._draw_tile_safely = guarded(self._draw_tile, notes)
        self._draw_tiles_soon = Debounced(self._draw_tiles)

    @property
    def on_stage(self) -> Photo | None:
        """The photo on the stage, None if there are no photos."""
        return self.photos[self.place] if self.photos else None

    def clear(self) -> None:
        """Forget all photos."""
        self._draw_tiles_soon.cancel()
        self.stage.clear()
        self._beside = None
        self.clearings += 1
        self.photos = []
        self.settings = {}
        self.place = 0
        self._stale = []
        self.gallery.clear()

    # Photos come and go

    def add(self, photo: Photo) -> None:
        """Append a photo, under a name that no other one has; the first one goes on stage."""
        self._insert(Kept(self._free_name(photo), self.common, len(self.photos)))

    def replace(self, old: Photo, new: Photo) -> None:
        """Replace ``old``, if it is still there, with ``new``, the result of another look."""
        if old not in self.photos:
            return
        place = self.photos.index(old)
        self.photos[place] = new
        self._draw_tile(place)
        if place == self.place:
            self.draw()

    def remove(self, place: int) -> Kept | None:
        """Take away one of several photos and return it; the next one takes its place on stage.

        The last photo stays, and None is returned.
        """
        if len(self.photos) == 1:  # the second of two quick clicks
            return None
        photo = self.photos.pop(place)
        kept = Kept(photo, self.settings.pop(photo.name), place)
        self.gallery.remove(place)
        self._show_gallery()
        on_stage = self.place - 1 if place < self.place else self.place
        self.choose(min(on_stage, len(self.photos) - 1))
        return kept

    def states(self) -> list[State]:
        """Return each photo with its settings."""
        return [(photo, self.settings[photo.name]) for photo in self.photos]

    def kept(self) -> list[Kept]:
        """Return all photos with their settings, for ``bring_back``."""
        return [
            Kept(photo, self.settings[photo.name], place) for place, photo in enumerate(self.photos)
        ]

    def bring_back(self, kept: Kept) -> None:
        """Put a photo that has left back to where it was, and on stage."""
        photo = self._free_name(kept.photo)
        place = min(kept.place, len(self.photos))
        self._insert(Kept(photo, kept.settings, place))
        self.choose(place)

    def _free_name(self, photo: Photo) -> Photo:
        """Return the photo under a name that no other one has."""
        free = next(name for name in numbered(photo.name) if name not in self.settings)
        return photo if free == photo.name else replace(photo, name=free)

    def _insert(self, kept: Kept) -> None:
        self.photos.insert(kept.place, kept.photo)
        self.settings[kept.photo.name] = kept.settings
        self.gallery.insert(kept.place, kept.photo.name, kept.photo.small)
        self._mark_own(kept.place)
        self._draw_tile(kept.place)
        self._action = self._action or self._panel.action
        if len(self.photos) == 1:
            self.choose(0)
        self._show_gallery()

    def _show_gallery(self) -> None:
        self.gallery.layout.display = "" if len(self.photos) > 1 else "none"

    def choose(self, place: int) -> None:
        """Put a photo on the stage, and the controls to its settings."""
        self.place = place
        self._panel.show(self.settings[self.photos[place].name])
        self.gallery.mark(place)
        self.draw()
        self._on_choose()

    # Settings

    def change(self) -> None:
        """Give the photo on the stage the settings that the controls say, and draw it."""
        if self.on_stage:
            self._set(self.place, self._panel.settings)
        self._redraw()

    def change_all(self) -> None:
        """Give all photos, also those to come, the settings that the controls say."""
        self.common = self._panel.settings
        for place in range(len(self.photos)):
            self._set(place, self.common)
        self._stale = list(self.photos)
        self._redraw()

    @property
    def differs(self) -> bool:
        """Whether some photos have other settings than others."""
        first, *others = self.settings.values() or [self.common]
        return any(not first.is_like(other) for other in others)

    def _set(self, place: int, settings: Settings) -> None:
        name = self.photos[place].name
        if not self.settings[name].is_like(settings):
            self.settings[name] = settings
        self._mark_own(place)

    def _mark_own(self, place: int) -> None:
        own = not self.settings[self.photos[place].name].is_like(self.common)
        self.gallery.mark_own(place, own)

    # Pictures

    def _redraw(self) -> None:
        """Draw the stage at once, and the tiles that show something else when the slider rests."""
        if self._panel.action is not self._action:
            self._stale = list(self.photos)
        elif self.on_stage and self.on_stage not in self._stale:
            self._stale.append(self.on_stage)
        self._action = self._panel.action
        self.draw()
        self._draw_tiles_soon()

    def draw(self) -> None:
        """Draw the photo on the stage, with its caption."""
        photo = self.on_stage
        if not photo:
            return
        self.stage.show_photo(photo, self._beside_now(photo))
        self.caption.value = _caption(photo)

    def compare(self, other: Photo | None) -> None:
        """Show ``other``, the photo on the stage as another quality finds it, beside that photo."""
        if other is not self._beside:
            self._beside = other
            self.draw()

    def _beside_now(self, photo: Photo) -> Photo | None:
        """Return what to show beside ``photo``, None if that is of another photo or quality."""
        other = self._beside
        if other is None or other.source is not photo.source or other.quality == photo.quality:
            return None
        return other

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
            if other.is_same(photo):
                return other
        return photo

    def _picture(self, photo: Photo, image: Image.Image, mask: Mask) -> Image.Image:
        return self._panel.picture(image, mask, self.settings[photo.name])

    def _draw_tiles(self) -> Job:
        while self._stale:
            photo = self._stale.pop(0)
            if photo in self.photos:
                self._draw_tile_safely(self.photos.index(photo))
                yield

    def _draw_tile(self, place: int) -> None:
        photo = self.photos[place]
        small = fit(photo.small, TILE)
        picture = self._picture(photo, small, fit_mask(photo.small_mask, small.size))
        self.gallery.update(place, picture, clear=photo.is_clear)


def _caption(photo: Photo) -> str:
    """Return the HTML below the stage; the page shows it in a quiet color."""
    lines = [_describe(photo), photo.left_out]
    return "<br>".join(escape(line) for line in lines if line)


def _describe(photo: Photo) -> str:
    text = f"{photo.name}, {photo.size[0]} × {photo.size[1]}"
    if photo.is_clear:
        return text
    is_best = photo.quality == "best"
    if photo.small_mask.max() <= 0.5:
        advice = "Draw" if is_best else "Try Best, or draw"
        return f"{text}. Nothing stands out here. {advice} a box around what you mean."
    more = "" if is_best else " Best may do better."
    return f"{text}. The subject was hard to find: please check the result.{more}"
