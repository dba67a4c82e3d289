"""The one-click app: photos in, results on the page, files out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display
from PIL import Image

from u2demo.images.read import sample_images
from u2demo.notebook import page, widgets
from u2demo.notebook.album import Album
from u2demo.notebook.intake import Files, make_intake
from u2demo.notebook.layout import lay_out
from u2demo.notebook.models import ModelMenu
from u2demo.notebook.panel import Panel
from u2demo.notebook.preview import STAGE, Photo, fit, look, open_source
from u2demo.notebook.progress import Progress
from u2demo.notebook.saving import Results, Saver
from u2demo.notebook.turns import Job, Turns
from u2demo.notebook.unwatched import show_and_save
from u2demo.pipeline import Result

if TYPE_CHECKING:
    from torch import nn


class OneClick:
    """A page that finds the subject of photos and shows what can be done with it.

    ``show`` opens it on the sample photos or on your own. The network runs once a photo; the
    controls redraw from its mask. Where nobody can click, ``show`` displays the results as
    figures and saves them at once.
    """

    def __init__(self, model: "nn.Module | None" = None):
        self._are_samples = False
        self._turns = Turns()
        self._notes = widgets.Notes()
        self._progress = Progress(self._turns.stop, answer="Stopping after this photo…")
        self._panel = Panel(
            lambda: self._album.redraw(), self._notes, sample_images()["rocket.jpg"]
        )
        self._album = Album(self._panel, self._notes)
        self._panel.quality.observe(self._notes.guard(self._change_quality), names="value")
        self._models = ModelMenu(self._look_again, self._notes, model)
        self._saver = Saver(self._results, self._turns)
        self._intake = make_intake(self._notes.guard(self._receive), self._notes)
        self._restart = ipywidgets.Button(description="Back to the samples")
        self._restart.on_click(self._notes.guard(lambda _: self.run()))
        self.page = self._lay_out()

    def show(self, photos: Mapping[str, Image.Image] | None = None, *, ask: bool = False) -> None:
        """Display the app and open it on ``photos``, the packaged samples by default.

        With ``ask``, Colab's file dialog opens too; elsewhere the app has a control of its own.
        Run again, a cell closes the app that it showed before.
        """
        if page.environment() == "headless":
            show_and_save(self._models.load(), photos or sample_images())
            return
        page.once_a_cell(self.close)
        display(self.page)
        self._notes.guard(self.run)(photos)
        if page.environment() == "voila":  # its page opens after that, and misses what changes then
            self._turns.finish()
        if ask and page.environment() == "colab":
            self._notes.guard(lambda: self._receive(list(page.choose_files().items())))()

    def run(self, photos: Mapping[str, Image.Image] | None = None) -> None:
        """Find the subject of each of ``photos``; the results replace those in the app."""
        self._turns.clear()
        self._saver.forget()
        self._album.clear()
        self._look_again()  # at none: it clears what was said, and a quality is chosen
        self._are_samples = photos is None
        chosen = sample_images() if photos is None else photos
        self._turns.start(self._open(list(chosen.items())), self._notes.tell)

    def close(self) -> None:
        """Stop what it does and give its memory back."""
        self._turns.clear()
        self._models.cancel()
        self._album.clear()
        widgets.close(self.page)

    def _lay_out(self) -> ipywidgets.Widget:
        below = ipywidgets.HBox([self._album.caption, self._restart])
        below.add_class("u2-below")
        return lay_out(
            top=[self._intake, self._notes],
            toolbar=self._panel.toolbar,
            left=[self._progress, self._album.stage, below, self._album.gallery],
            side=[self._panel.column, self._models.box, self._saver.box],
        )

    def _receive(self, files: Files) -> None:
        """Take a person's files: the samples go, what is no photo is named, the rest is added."""
        self._notes.clear()
        self._saver.forget()
        self._turns.start(self._open(files), self._notes.tell)

    def _open(self, files: list[tuple[str, bytes | Image.Image]]) -> Job:
        """Add each photo, or say why not; the first one of a person's own comes on stage."""
        chosen = False
        for name, source in self._progress.over(files, "Looking at", lambda file: file[0]):
            try:
                image = open_source(name, source)
                if self._are_samples and source is not image:
                    self._album.clear()
                    self._are_samples = False
                self._add(name, source, image)
            except ValueError as error:  # names the photo itself
                self._notes.say(str(error), kind="problem")
            except (MemoryError, RuntimeError) as error:
                reason = str(error) or "too large for the memory"
                self._notes.say(f"{name}: {reason}", kind="problem")
            else:
                if source is not image and not chosen:
                    self._album.choose(len(self._album.photos) - 1)
                chosen = True
            yield

    def _add(self, name: str, source: bytes | Image.Image, image: Image.Image) -> None:
        if not self._album.photos:  # something to look at meanwhile
            self._album.stage.show(fit(image, STAGE))
            self._album.caption.value = widgets.escape(name)
        self._album.add(look(self._models.load(), name, source, image, self._looking()))
        several = len(self._album.photos) > 1
        self._saver.download_all.layout.display = "" if several else "none"
        self._restart.layout.display = "none" if self._are_samples else ""

    def _looking(self) -> tuple[str, str]:
        return self._models.name, self._panel.quality.value or "fast"

    def _change_quality(self, change: dict) -> None:
        if change["new"]:
            self._look_again()

    def _look_again(self) -> None:
        self._notes.clear()
        self._panel.quality.value = self._looking()[1]
        self._turns.start(self._bring_up_to_date(), self._notes.tell)

    def _bring_up_to_date(self) -> Job:
        """Look at each photo again that was looked at in another way than is chosen now."""
        photos = self._behind()
        try:
            for photo in self._progress.over(photos, "Looking at", _name):
                model, looking = self._models.load(), self._looking()
                again = look(model, photo.name, photo.source, photo.image, looking)
                self._album.replace(photo, again)
                yield
        except GeneratorExit:
            self._admit_a_mixture()
            raise

    def _behind(self) -> list[Photo]:
        """Return the photos to look at again; none while no quality is chosen."""
        if not self._panel.quality.value:
            return []
        return [photo for photo in self._album.photos if photo.looked != self._looking()]

    def _admit_a_mixture(self) -> None:
        """After a stop: say how far it came, and choose no quality, so that any can be chosen."""
        if missing := len(self._behind()):
            total, quality = len(self._album.photos), self._panel.quality.label
            self._notes.say(
                f"Stopped: {total - missing} of {total} photos are done ({self._models.title}, "
                f"{quality}). Choose Fast or Best to go on with the others."
            )
            self._panel.quality.value = None

    def _results(self, *, everything: bool) -> Results:
        place = self._album.place
        photos = self._album.photos if everything else self._album.photos[place : place + 1]
        for photo in self._progress.over(list(photos), "Drawing", _name):
            pictures = self._panel.pictures(photo.image, photo.mask)
            yield Result(photo.name, photo.image, photo.mask, pictures, photo.peak)


def _name(photo: Photo) -> str:
    return photo.name
