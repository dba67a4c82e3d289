"""The one-click app: photos in, results on the page, files out."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display
from PIL import Image

from u2demo.images.read import sample_images
from u2demo.masks.mask import Mask
from u2demo.notebook import colab
from u2demo.notebook.actions import Pictures
from u2demo.notebook.album import Album
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.cells import close_on_rerun
from u2demo.notebook.correcting import History
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.headless import show_and_save
from u2demo.notebook.jobs import Job, JobQueue
from u2demo.notebook.layout import lay_out
from u2demo.notebook.models import ModelMenu, title
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo, find_subject, open_upload
from u2demo.notebook.photo_picker import make_photo_picker
from u2demo.notebook.progress import Progress
from u2demo.notebook.saving import Results, Saver
from u2demo.notebook.widgets import close
from u2demo.pipeline import Result

if TYPE_CHECKING:
    from torch import nn


class OneClick:
    """A page that finds the subject of photos and shows what can be done with it.

    ``show`` opens it on the sample photos or on your own. The network looks at each photo once; the
    controls redraw from its mask. In an unattended run, ``show`` displays the results as figures
    and saves them at once. ``page`` is the widget that it displays.
    """

    def __init__(self, model: "nn.Module | None" = None):
        if model is not None and not hasattr(model, "parameters"):  # torch comes later
            raise TypeError(f"expected a net, as from load_model, not {type(model).__name__}")
        self._shows_samples = False
        self._jobs = JobQueue()
        self._notes = Notes()
        self._progress = Progress(self._jobs.stop, answer="Stopping after this photo…")
        self._panel = Panel(
            lambda: self._album.redraw(), self._notes, sample_images()["rocket.jpg"]
        )
        self._album = Album(self._panel, self._notes, self._take_correction)
        self._panel.quality.observe(guarded(self._change_quality, self._notes), names="value")
        self._models = ModelMenu(self._look_again, self._notes, model)
        self._saver = Saver(self._results, self._jobs)
        self._picker = make_photo_picker(guarded(self.receive, self._notes), self._notes)
        self._restart = ipywidgets.Button(description="Back to the samples")
        self._restart.on_click(guarded(lambda _: self.run(), self._notes))
        self.page = self._lay_out()

    @property
    def photos(self) -> tuple[Photo, ...]:
        """The photos in the app, in the gallery's order, each with its name and mask."""
        return tuple(self._album.photos)

    @property
    def is_busy(self) -> bool:
        """Whether photos are being looked at or saved, or a network is being fetched."""
        return self._jobs.is_busy or self._models.is_fetching

    def show(self, photos: Mapping[str, Image.Image] | None = None, *, ask: bool = False) -> None:
        """Display the app and open it on ``photos``, the packaged samples by default.

        With ``ask``, Colab's file dialog opens too; elsewhere the app has its own control. When
        a cell runs again, the app that it showed before is closed.
        """
        if environment() == "headless":
            show_and_save(self._models.load(), photos or sample_images())
            return
        close_on_rerun(self.close)
        display(self.page)
        guarded(self.run, self._notes)(photos)
        if environment() == "voila":  # its page opens later, and misses changes made before
            self._jobs.finish()
        if ask and environment() == "colab":
            guarded(self._ask_in_colab, self._notes)()

    def run(self, photos: Mapping[str, Image.Image] | None = None) -> None:
        """Find the subject of each of ``photos``; the results replace those in the app.

        The packaged samples are the default.
        """
        if photos is not None and not isinstance(photos, Mapping):
            kind = type(photos).__name__
            raise TypeError(f"photos is a {kind}, expected images by name: {{'cat.jpg': image}}")
        self._jobs.clear()
        self._saver.forget()
        self._album.clear()
        self._look_again()  # there are no photos yet: this clears the notes and selects a quality
        self._shows_samples = photos is None
        chosen = sample_images() if photos is None else photos
        self._jobs.start(self._open(list(chosen.items())), self._notes.report)

    def receive(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Add a person's photos, (name, content of the file) pairs, after those in the app.

        The samples are removed; files that are not photos are named on the page.
        """
        self._notes.clear()
        self._saver.forget()
        self._jobs.start(self._open(list(files)), self._notes.report)

    def stop(self) -> None:
        """Stop all work; the photos and files so far stay."""
        self._jobs.clear()
        self._models.cancel()

    def close(self) -> None:
        """Stop all work and free the memory; the app cannot be used again."""
        self.stop()
        self._album.clear()
        close(self.page)

    def _lay_out(self) -> ipywidgets.Widget:
        below = ipywidgets.HBox([self._album.caption, self._restart])
        below.add_class("u2-below")
        return lay_out(
            top=[self._picker, self._notes],
            toolbar=self._panel.toolbar,
            left=[self._progress, self._album.stage, below, self._album.gallery],
            side=[self._panel.column, self._models.box, self._saver.box],
        )

    def _ask_in_colab(self) -> None:
        self.receive(colab.choose_files().items())

    def _open(self, files: list[tuple[str, bytes | Image.Image]]) -> Job:
        """Add each photo, or say why not; the first of a person's own photos goes on stage."""
        chosen = False
        for name, source in self._progress.over(files, "Looking at", lambda file: file[0]):
            photo = self._look_at_file(name, source)
            if photo:
                is_own = isinstance(source, bytes)
                if self._shows_samples and is_own:
                    self._album.clear()
                    self._shows_samples = False
                self._add(photo)
                if is_own and not chosen:
                    self._album.choose(len(self._album.photos) - 1)
                    chosen = True
            yield

    def _look_at_file(self, name: str, source: bytes | Image.Image) -> Photo | None:
        """Return the photo with its mask; None, and a note on the page, if that fails."""
        try:
            image = open_upload(name, source, max_pixels=self._panel.max_pixels)
            self._album.announce(name, image)
            return self._look(name, source, image)
        except ValueError as error:  # it names the photo
            self._notes.say(self._panel.explain(error), kind="problem")
        except (MemoryError, RuntimeError) as error:
            self._explain_failure(name, error)
        self._album.withdraw()
        return None

    def _look(
        self,
        name: str,
        source: bytes | Image.Image,
        image: Image.Image,
        history: History | None = None,
    ) -> Photo:
        network, quality = self._way_of_looking()
        way = {"network": network, "quality": quality, "history": history}
        return find_subject(self._models.load(), name, source, image, **way)

    def _take_correction(self, before: Photo, photo: Photo) -> None:
        """Put a corrected photo in its place; look again if a box to look in has changed."""
        self._album.replace(before, photo)
        if photo.wants_another_look:
            self._jobs.start(self._bring_up_to_date(), self._notes.report)

    def _explain_failure(self, name: str, error: Exception) -> None:
        reason = str(error).removeprefix(f"{name}: ") or "too large for the memory"
        self._notes.say(f"{name}: {reason}", kind="problem")

    def _add(self, photo: Photo) -> None:
        self._album.add(photo)
        several = len(self._album.photos) > 1
        self._saver.download_all.layout.display = "" if several else "none"
        self._restart.layout.display = "none" if self._shows_samples else ""

    def _way_of_looking(self) -> tuple[str, str]:
        """Return the network and the quality that are chosen now."""
        return self._models.name, self._panel.quality.value or "fast"

    def _change_quality(self, change: dict) -> None:
        if change["new"]:
            self._look_again()

    def _look_again(self) -> None:
        self._notes.clear()
        _, quality = self._way_of_looking()
        self._panel.quality.value = quality
        self._jobs.start(self._bring_up_to_date(), self._notes.report)

    def _bring_up_to_date(self) -> Job:
        """Look again at each photo whose mask was found with other settings."""
        try:
            for photo in self._progress.over(self._outdated(), "Looking at", _name):
                photo = self._album.latest(photo)  # it may have been corrected meanwhile
                try:
                    image = photo.open_image()
                    again = self._look(photo.name, photo.source, image, photo.history)
                except (MemoryError, RuntimeError) as error:
                    self._explain_failure(photo.name, error)
                else:
                    self._album.replace(photo, again)
                yield
        finally:
            self._admit_mixture()

    def _outdated(self) -> list[Photo]:
        """Return the photos to look at again; none while no quality is chosen."""
        if not self._panel.quality.value:
            return []
        wanted = self._way_of_looking()
        return [
            photo
            for photo in self._album.photos
            if (photo.network, photo.quality) != wanted or photo.wants_another_look
        ]

    def _admit_mixture(self) -> None:
        """If photos are left: say how many are done, and let any quality be chosen."""
        missing = len(self._outdated())
        if not missing:
            return
        total, quality = len(self._album.photos), self._panel.quality.label
        self._notes.say(
            f"{total - missing} of {total} photos are done "
            f"({title(self._models.name)}, {quality}). "
            "Choose Fast or Best to continue with the others."
        )
        self._panel.quality.value = None

    def _results(self, *, everything: bool) -> Results:
        """Yield the results to save, drawn as the controls say at the time of this call.

        The photos are those that are there at this call: the one on the stage, or all, and then
        also those that are still being processed. One that cannot be drawn is named on the page.
        """
        draw = self._panel.drawing()
        place = self._album.place
        chosen = self._album.photos[:] if everything else self._album.photos[place : place + 1]
        were_samples = self._shows_samples

        def draw_all() -> Results:
            photos = [self._album.latest(photo) for photo in chosen]
            if everything:
                if were_samples and not self._shows_samples:  # replaced by a person's own
                    photos = []
                photos += [photo for photo in self._album.photos if photo not in photos]
            drawn = 0
            for photo in self._progress.over(photos, "Drawing", _name):
                result = self._draw(photo, draw)
                if result:
                    drawn += 1
                    yield result
            if photos and not drawn:
                raise PageError("There is nothing to save.")

        return draw_all()

    def _draw(self, photo: Photo, draw: Callable[[Image.Image, Mask], Pictures]) -> Result | None:
        """Return the result for one photo; None, and a note on the page, if that fails."""
        try:
            image, mask = photo.open_image(), photo.unpack_mask()
            return Result(photo.name, image, mask, draw(image, mask), photo.peak)
        except (MemoryError, RuntimeError, ValueError) as error:
            self._explain_failure(photo.name, error)
            return None


def _name(photo: Photo) -> str:
    return photo.name
