"""The one-click app: photos in, results on the page, files out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import ipywidgets
import numpy as np
from IPython.display import display
from PIL import Image
from torch import nn

from u2demo.figures import image_row
from u2demo.images import sample_images
from u2demo.inference import predict_mask
from u2demo.masks import Mask, bounding_box
from u2demo.notebook import page, widgets
from u2demo.notebook.actions import adjust_mask
from u2demo.notebook.intake import Files, make_intake, open_upload
from u2demo.notebook.panel import Panel
from u2demo.notebook.saving import Saver, results_folder
from u2demo.pipeline import DEFAULT_EFFECTS, EFFECTS, Result, save
from u2demo.weights import load_model


@dataclass
class Photo:
    """One photo with its mask, and both again at the size of a screen."""

    name: str
    image: Image.Image
    mask: Mask
    small: Image.Image
    small_mask: Mask


class OneClick:
    """A page that finds the subject of photos and shows what can be done with it.

    ``show`` opens it on the sample photos or on your own. The network runs once a photo; the
    controls redraw from its mask. Where nobody can click, ``show`` displays the results as
    figures and saves them at once.
    """

    def __init__(self, model: nn.Module | None = None):
        self._model = model
        self._photos: list[Photo] = []
        self._are_samples = False
        self._place = 0

        self._notes = widgets.Notes()
        self._progress = widgets.Progress()
        self._stage = widgets.Compare()
        self._gallery = widgets.Gallery(self._notes.guard(self._choose))
        self._panel = Panel(self._draw_all, self._notes, sample_images()["rocket.jpg"])
        self._panel.quality.observe(self._notes.guard(self._look_again), names="value")
        self._saver = Saver(self._current, self._everything, self._notes)
        self._intake = make_intake(self._notes.guard(self._receive), self._notes)
        self._restart = ipywidgets.Button(description="Start over", tooltip="Remove all photos")
        self._restart.on_click(self._notes.guard(lambda _: self.run()))
        self.page = self._lay_out()

    def show(self, photos: Mapping[str, Image.Image] | None = None) -> None:
        """Display the app and open it on ``photos``, the packaged samples by default."""
        headless = page.environment() == "headless"
        if not headless:
            display(self.page)
        self.run(photos)
        if headless:
            self._report()

    def run(self, photos: Mapping[str, Image.Image] | None = None) -> None:
        """Find the subject of each of ``photos``; the results replace those in the app."""
        self._notes.clear()
        self._clear()
        self._are_samples = photos is None
        chosen = sample_images() if photos is None else photos
        for name, image in self._progress.over(list(chosen.items()), _finding):
            self._add(name, image)

    def _lay_out(self) -> ipywidgets.Widget:
        top = ipywidgets.VBox([self._intake, self._progress, self._notes])
        left = ipywidgets.VBox([self._stage, self._gallery, self._restart])
        right = ipywidgets.VBox([self._panel.column, self._saver.box])
        main = ipywidgets.Box([left, right])
        whole = ipywidgets.VBox([widgets.style(), top, self._panel.toolbar, main])
        for box, name in ((top, "top"), (left, "left"), (right, "side"), (main, "main")):
            box.add_class(f"u2-{name}")
        self._restart.add_class("u2-restart")
        whole.add_class("u2-app")
        return whole

    def _clear(self) -> None:
        self._photos = []
        self._gallery.clear()
        self._restart.layout.display = "none"

    def _receive(self, files: Files) -> None:
        """Take a person's files: the samples go, what is no photo is named, the rest is added."""
        if not files:
            return
        self._notes.clear()
        for name, data in self._progress.over(files, _finding):
            try:
                image = open_upload(name, data)
            except ValueError as error:
                self._notes.say(str(error), kind="problem")
                continue
            if self._are_samples:
                self._clear()
                self._are_samples = False
            self._add(name, image)

    def _add(self, name: str, image: Image.Image) -> None:
        if not self._photos:
            self._stage.show(widgets.fit(image, widgets.STAGE))  # something to look at meanwhile
        self._photos.append(self._look(name, image))
        self._gallery.add(name, self._photos[-1].small)
        self._gallery.layout.display = "" if len(self._photos) > 1 else "none"
        self._saver.download_all.layout.display = self._gallery.layout.display
        self._restart.layout.display = "none" if self._are_samples else ""
        self._draw_tile(len(self._photos) - 1)
        if len(self._photos) == 1 or not self._are_samples:
            self._choose(len(self._photos) - 1)

    def _look(self, name: str, image: Image.Image) -> Photo:
        self._model = self._model or load_model()
        mask = predict_mask(self._model, image, quality=self._panel.quality.value)
        small = widgets.fit(image, widgets.STAGE)
        small_mask = Image.fromarray(mask).resize(small.size, Image.Resampling.BILINEAR)
        return Photo(name, image, mask, small, np.asarray(small_mask))

    def _look_again(self, _: dict) -> None:
        self._notes.clear()
        for place, photo in enumerate(self._progress.over(self._photos, _finding)):
            self._photos[place] = self._look(photo.name, photo.image)
            self._draw_tile(place)
            if place == self._place:
                self._draw()

    def _choose(self, place: int) -> None:
        self._place = place
        self._gallery.mark(place)
        self._draw()

    def _draw_all(self) -> None:
        self._draw()
        for place in range(len(self._photos)):
            self._draw_tile(place)

    def _draw(self) -> None:
        photo = self._photos[self._place]
        self._stage.show(photo.small, self._picture(photo.small, photo.small_mask))
        if bounding_box(photo.mask) is None:
            self._notes.say(f"Nothing stands out in {photo.name}.")

    def _draw_tile(self, place: int) -> None:
        photo = self._photos[place]
        small = widgets.fit(photo.small, widgets.TILE)
        mask = np.asarray(Image.fromarray(photo.small_mask).resize(small.size))
        self._gallery.update(place, self._picture(small, mask))

    def _picture(self, image: Image.Image, mask: Mask) -> Image.Image:
        pictures = self._pictures(image, mask)
        if len(pictures) == 1:
            return next(iter(pictures.values()))
        return widgets.contact_sheet(pictures, image.size) if pictures else image

    def _pictures(self, image: Image.Image, mask: Mask) -> Mapping[str, Image.Image]:
        settings = self._panel.settings
        adjusted = adjust_mask(mask, threshold=settings.threshold, softness=settings.softness)
        return self._panel.action.draw(image, adjusted, settings)

    def _results(self, photos: list[Photo]) -> Iterator[Result]:
        for photo in self._progress.over(photos, lambda photo: f"Drawing {photo.name}"):
            pictures = self._pictures(photo.image, photo.mask)
            yield Result(photo.name, photo.image, photo.mask, pictures)

    def _current(self) -> Iterator[Result]:
        return self._results([self._photos[self._place]])

    def _everything(self) -> Iterator[Result]:
        return self._results(self._photos)

    def _report(self) -> None:
        """Show and save what a person would have clicked for."""
        for photo in self._photos:
            pictures = {name: EFFECTS[name](photo.image, photo.mask) for name in DEFAULT_EFFECTS}
            display(image_row({"photo": photo.image, "mask": photo.mask, **pictures}))
            save(Result(photo.name, photo.image, photo.mask, pictures), results_folder())
        print(f"Nobody can click here: the results are in {results_folder().resolve()}")


def _finding(item: Photo | tuple[str, object]) -> str:
    name = item.name if isinstance(item, Photo) else item[0]
    return f"Finding the subject of {name}"
