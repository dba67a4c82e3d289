"""The one-click app: photos in, results on the page, files out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display
from PIL import Image

from u2demo.images.read import sample_images
from u2demo.masks.corrections import SUFFIX
from u2demo.notebook import colab, neighbors
from u2demo.notebook.album import Album, Kept
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.cells import close_on_rerun
from u2demo.notebook.choices import NamedPhoto
from u2demo.notebook.comparing import Comparing
from u2demo.notebook.differences import Differences
from u2demo.notebook.environment import environment
from u2demo.notebook.headless import show_and_save
from u2demo.notebook.jobs import JobQueue
from u2demo.notebook.layout import close, lay_out, make_manners
from u2demo.notebook.looking import Looking
from u2demo.notebook.models import check_net
from u2demo.notebook.notes import Notes
from u2demo.notebook.offer import Offer
from u2demo.notebook.opening import File, Opening
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo
from u2demo.notebook.photo_picker import make_photo_picker
from u2demo.notebook.progress import Progress
from u2demo.notebook.removing import Removing
from u2demo.notebook.saving import Saver
from u2demo.notebook.settling import at_once
from u2demo.notebook.to_save import ToSave
from u2demo.notebook.unsaved import Saved, State
from u2demo.notebook.widgets import toggle_class

if TYPE_CHECKING:
    from torch import nn

_SCENE = "rocket.jpg"  # behind the subject, until another is chosen


class OneClick:
    """A page that finds the subject of photos and shows what can be done with it.

    ``show`` opens it on the sample photos or on your own. The network looks at each photo once; the
    controls redraw from its mask. In an unattended run, ``show`` displays the results as figures
    and saves them at once. ``page`` is the widget that it displays.
    """

    def __init__(self, model: "nn.Module | None" = None):
        check_net(model)
        self._is_shown = False
        self._shows_samples = False
        self._saved = Saved()
        self._jobs = JobQueue()
        self._notes = Notes()
        self._saving_notes = Notes()
        self._progress = Progress(self._stop_work, answer="Stopping after this photo…")
        scene = NamedPhoto(_SCENE, sample_images()[_SCENE])
        self._panel = Panel(self._change, self._notes, scene)
        self._manners = make_manners(guarded(self._panel.reset, self._notes))
        settle = self._manners.settle if self._manners else at_once
        self._offer = Offer(self._notes, settle)
        self._album = Album(
            self._panel,
            self._notes,
            lambda place: self._removing.remove(place),
            on_corrected=lambda *photos: self._looking.take(*photos),
            on_choose=lambda: self._show_what_fits(),
            settle=settle,
        )
        self._looking = Looking(
            self._album, self._panel, self._jobs, self._progress, model, self._show_what_fits
        )
        self._album.stage.finish = self._looking.look_now
        self._opening = Opening(
            self._album,
            self._panel,
            self._looking,
            self._jobs,
            self._progress,
            self._notes,
            self._add,
        )
        self._removing = Removing(
            self._album, self._offer, self._show_what_fits, self._looking.go_on
        )
        self._comparing = Comparing(self._album, self._looking, self._jobs, self._progress)
        self._differences = Differences(
            self._album, self._panel, settle, self._notes, self._show_what_fits
        )
        results = ToSave(
            self._album, self._panel, self._progress, self._saving_notes, self._note_saved
        )
        self._saver = Saver(results, self._jobs, self._saving_notes, settle)
        self._receive = guarded(self.receive, self._notes)
        self._picker = make_photo_picker(self._receive, self._notes)
        self._restart = self._button(
            "Start over", "Remove your photos and show the samples", self._ask_to_start_over
        )
        self.page = self._lay_out()
        self._show_what_fits()

    @property
    def photos(self) -> tuple[Photo, ...]:
        """The photos in the app, in the gallery's order, each with its name and mask."""
        return tuple(self._album.photos)

    @property
    def is_busy(self) -> bool:
        """Whether photos are being looked at or saved, or a network is being fetched."""
        return self._jobs.is_busy or self._looking.models.is_fetching

    def show(self, photos: Mapping[str, Image.Image] | None = None, *, ask: bool = False) -> None:
        """Display the app and open it on ``photos``, the packaged samples by default.

        With ``ask``, Colab's file dialog opens too; elsewhere the app has its own control. When
        a cell runs again, the app that it showed before is closed, and a person's own photos come
        over from it, unless there are ``photos``. The same app, shown again, stays as it is.
        """
        if environment() == "headless":
            show_and_save(self._looking.models.load(), photos or sample_images())
            return
        before = close_on_rerun(self._hand_over)
        neighbors.open_gallery(self._receive)
        display(self.page)
        if before and photos is None:
            guarded(self._take_over, self._notes)(*before)
        elif photos is not None or not self._is_shown:
            guarded(self.run, self._notes)(photos)
        self._is_shown = True
        if environment() == "voila":  # its page opens later, and misses changes made before
            self._jobs.finish()
        if ask and environment() == "colab":
            guarded(lambda: self.receive(colab.choose_files().items()), self._notes)()

    def run(self, photos: Mapping[str, Image.Image] | None = None) -> None:
        """Find the subject of each of ``photos``; the results replace those in the app.

        The packaged samples are the default.
        """
        if photos is not None and not isinstance(photos, Mapping):
            kind = type(photos).__name__
            raise TypeError(f"photos is a {kind}, expected images by name: {{'cat.jpg': image}}")
        self._drop_work()
        self._offer.hide()
        self._saver.forget()
        self._saved.clear()
        self._album.clear()
        self._looking.forget()
        self._notes.clear()
        self._looking.begin()  # there are no photos yet: this selects a quality
        self._shows_samples = photos is None
        self._show_what_fits()
        chosen = sample_images() if photos is None else photos
        self._opening.open_soon(chosen.items())

    def receive(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Add a person's photos, (name, content of the file) pairs, after those in the app.

        The samples are removed; files that are not photos are named on the page. Corrections, as
        "cat.strokes.json", are those of the photo called "cat".
        """
        self._notes.clear()
        self._saver.forget()
        self._opening.open_soon(sorted(files, key=lambda file: file[0].endswith(SUFFIX)))

    def stop(self) -> None:
        """Stop all work; the photos and files so far stay."""
        self._stop_work()
        self._looking.models.cancel()

    def close(self) -> None:
        """Stop all work and free the memory; the app cannot be used again."""
        neighbors.close_gallery(self._receive)
        self.stop()
        self._offer.hide()
        self._album.clear()
        self._looking.forget()
        close(self.page)

    def _hand_over(self) -> tuple[list[Kept], list[File], str | None] | None:
        """Close the app; return a person's own photos, files still to open, and the quality."""
        own = [kept for kept in self._album.kept() if isinstance(kept.photo.source, bytes)]
        files = [file for file in self._own_files_to_come() if isinstance(file[1], bytes)]
        quality = self._panel.quality.value  # a stop in the middle of its looks would clear it
        self.close()
        return (own, files, quality) if own or files else None

    def _take_over(self, before: list[Kept], files: list[File], quality: str | None) -> None:
        """Go on with the photos of the app that the cell showed before."""
        model = self._looking.models.model
        for kept in before:
            if model not in (None, kept.photo.model):  # to be looked at again
                kept = replace(kept, photo=replace(kept.photo, network=""))
            self._album.bring_back(kept)
        if before:
            self._album.choose(0)
            self._panel.quality.value = quality or before[0].photo.quality
        self._looking.begin()
        self._show_what_fits()
        self._opening.open_soon(files)

    def _lay_out(self) -> ipywidgets.Widget:
        below = ipywidgets.HBox([self._album.caption])
        below.add_class("u2-below")
        shelf = ipywidgets.HBox([self._offer, self._restart])
        shelf.add_class("u2-shelf")
        working = [self._jobs.waiting, self._progress]
        quality = [self._comparing.button, self._looking.notes, self._differences]
        return lay_out(
            top=[self._picker, self._notes],
            toolbar=[self._panel.toolbar, self._panel.title],
            left=[*working, self._album.stage, below, self._album.gallery, shelf],
            side=[self._panel.column, *quality, self._looking.models.box],
            saver=self._saver.box,
            manners=self._manners,
        )

    def _button(self, text: str, title: str, press: Callable[[], None]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, tooltip=title)
        button.on_click(guarded(lambda _: press(), self._notes))
        return button

    # Photos come

    def _add(self, photo: Photo, show: bool) -> None:
        """Add a photo after the others, and ``show`` it on the stage."""
        if self._shows_samples and isinstance(photo.source, bytes):
            self._leave_samples()
        self._album.add(photo)
        if show:
            self._album.choose(len(self._album.photos) - 1)
        self._show_what_fits()

    def _leave_samples(self) -> None:
        self._removing.forget()  # samples, which an undo would bring back
        self._album.clear()
        self._shows_samples = False

    # Photos go, and come back

    def _ask_to_start_over(self) -> None:
        """Start over, after a question if a person's own photos are not saved as they are."""
        if self._shows_samples:  # the second of two quick clicks
            return
        count = len(self._unsaved())
        if not count:
            self._start_over()
            return
        what = "One photo has" if count == 1 else f"{count} photos have"
        answers = {"Start over": self._start_over, "Keep my photos": lambda: None}
        self._offer.ask(f"{what} not been saved. Start over?", answers)

    def _start_over(self) -> None:
        photos, place, saved = self._album.kept(), self._album.place, self._saved
        files = self._own_files_to_come()

        def undo() -> None:
            new = [] if self._shows_samples else self._album.kept()
            new_files = self._own_files_to_come()
            self._drop_work()
            self._album.clear()
            self._shows_samples = False
            self._saved = saved
            for kept in photos:
                self._album.bring_back(kept)
            for kept in new:
                self._album.bring_back(replace(kept, place=len(self._album.photos)))
            if self._album.photos:
                self._album.choose(place)
            self._show_what_fits()
            self._looking.go_on()
            self._opening.open_soon(files + new_files)

        self._saved = Saved()
        self._removing.forget()
        self.run()
        self._offer.undo("Started over.", undo)

    def _own_files_to_come(self) -> list[File]:
        files = self._opening.files_to_come()
        return [file for file in files if isinstance(file[1], bytes) or not self._shows_samples]

    def _stop_work(self) -> None:
        """Stop what runs and what waits; say how many files have not been opened."""
        left = len(self._opening.files_to_come())
        self._drop_work()
        self._looking.admit_mixture()  # a look that had not begun does not say so itself
        said = f"Stopped. Files not opened: {left}." if left else "Stopped."
        if said not in self._notes.value:  # of an earlier stop
            self._notes.say(said)

    def _drop_work(self) -> None:
        self._jobs.clear()
        self._opening.forget()

    # Settings, and what is saved

    def _change(self) -> None:
        self._album.change()
        self._show_what_fits()

    def _show_what_fits(self) -> None:
        """Show the controls that the photos need, and tell the page whether one is unsaved."""
        several = len(self._album.photos) > 1
        self._saver.download_all.layout.display = "" if several else "none"
        self._restart.layout.display = "none" if self._shows_samples else ""
        self._differences.fit()
        self._comparing.follow()
        self._saver.fit(self._panel.toolbar.value)
        toggle_class(self.page, "u2-unsaved", bool(self._unsaved()))

    def _note_saved(self, states: list[State]) -> None:
        self._saved.add(states)
        self._show_what_fits()

    def _unsaved(self) -> list[Photo]:
        """Return a person's photos that have not been saved as they are now."""
        states = [state for state in self._album.states() if isinstance(state[0].source, bytes)]
        return self._saved.missing(states)
