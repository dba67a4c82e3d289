"""The one-click app: photos in, results on the page, files out."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display
from PIL import Image

from u2demo.images import sample_images
from u2demo.masks import bounding_box
from u2demo.notebook import page, widgets
from u2demo.notebook.intake import Files, make_intake, open_upload
from u2demo.notebook.panel import Panel
from u2demo.notebook.preview import STAGE, TILE, Photo, fit, fit_mask
from u2demo.notebook.saving import Saver, results_folder
from u2demo.pipeline import DEFAULT_EFFECTS, EFFECTS, Result, save

if TYPE_CHECKING:
    from torch import nn


class OneClick:
    """A page that finds the subject of photos and shows what can be done with it.

    ``show`` opens it on the sample photos or on your own. The network runs once a photo; the
    controls redraw from its mask. Where nobody can click, ``show`` displays the results as
    figures and saves them at once.
    """

    def __init__(self, model: "nn.Module | None" = None):
        self._model = model
        self._photos: list[Photo] = []
        self._place = 0  # of the photo on the stage
        self._are_samples = False
        self._notes = widgets.Notes()
        self._progress = widgets.Progress()
        self._stage = widgets.Compare()
        self._caption = ipywidgets.HTML()
        self._gallery = widgets.Gallery(self._notes.guard(self._choose))
        self._panel = Panel(self._redraw, self._notes, sample_images()["rocket.jpg"])
        self._panel.quality.observe(self._notes.guard(self._look_again), names="value")
        self._saver = Saver(self._current, self._everything)
        self._intake = make_intake(self._notes.guard(self._receive), self._notes)
        self._restart = ipywidgets.Button(description="Back to the samples")
        self._restart.on_click(self._notes.guard(lambda _: self.run()))
        self._draw_tiles_soon = widgets.Later(self._draw_tiles)
        self.page = self._lay_out()

    def show(self, photos: Mapping[str, Image.Image] | None = None, *, ask: bool = False) -> None:
        """Display the app and open it on ``photos``, the packaged samples by default.

        With ``ask``, Colab's file dialog opens too; elsewhere the app has a control of its own.
        """
        if page.environment() == "headless":
            self.run(photos)
            self._report()
            return
        display(self.page)
        self._notes.guard(self.run)(photos)
        if ask and page.environment() == "colab":
            self._notes.guard(lambda: self._receive(list(page.choose_files().items())))()

    def run(self, photos: Mapping[str, Image.Image] | None = None) -> None:
        """Find the subject of each of ``photos``; the results replace those in the app."""
        self._notes.clear()
        self._clear()
        self._are_samples = photos is None
        chosen = sample_images() if photos is None else photos
        for name, image in self._progress.over(list(chosen.items()), _finding):
            self._add(name, image)

    def _lay_out(self) -> ipywidgets.Widget:
        top = ipywidgets.VBox([self._intake, self._notes])
        below = ipywidgets.HBox([self._caption, self._restart])
        left = ipywidgets.VBox([self._progress, self._stage, below, self._gallery])
        right = ipywidgets.VBox([self._panel.column, self._saver.box])
        main = ipywidgets.Box([left, right])
        whole = ipywidgets.VBox([widgets.style(), top, self._panel.toolbar, main])
        boxes = {"top": top, "below": below, "left": left, "side": right, "main": main}
        for name, box in {**boxes, "app": whole}.items():
            box.add_class(f"u2-{name}")
        return whole

    def _clear(self) -> None:
        self._photos = []
        self._place = 0
        self._gallery.clear()

    def _receive(self, files: Files) -> None:
        """Take a person's files: the samples go, what is no photo is named, the rest is added."""
        self._notes.clear()
        chosen = False
        for name, data in self._progress.over(files, _finding):
            try:
                image = open_upload(name, data)
                if self._are_samples:
                    self._clear()
                    self._are_samples = False
                self._add(name, image)
            except ValueError as error:  # names the photo itself
                self._notes.say(str(error), kind="problem")
            except (MemoryError, RuntimeError) as error:
                self._notes.say(
                    f"{name}: {str(error) or 'too large for the memory'}", kind="problem"
                )
            else:
                if not chosen:
                    self._choose(len(self._photos) - 1)
                chosen = True

    def _add(self, name: str, image: Image.Image) -> None:
        if not self._photos:  # something to look at meanwhile
            self._stage.show(fit(image, STAGE))
            self._caption.value = widgets.escape(name)
        self._photos.append(self._look(name, image))
        self._gallery.add(name, self._photos[-1].small)
        self._draw_tile(len(self._photos) - 1)
        if len(self._photos) == 1:
            self._choose(0)
        several = "" if len(self._photos) > 1 else "none"
        self._gallery.layout.display = self._saver.download_all.layout.display = several
        self._restart.layout.display = "none" if self._are_samples else ""

    def _look(self, name: str, image: Image.Image) -> Photo:
        # torch takes seconds to import: by now the page is there to look at.
        from u2demo.inference import predict_mask
        from u2demo.weights import load_model

        self._model = self._model or load_model()
        mask = predict_mask(self._model, image, quality=self._panel.quality.value)
        small = fit(image, STAGE)
        return Photo(name, image, mask, small, fit_mask(mask, small.size))

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

    def _redraw(self) -> None:
        """Show new settings: the stage at once, the gallery when the slider rests."""
        self._draw()
        self._draw_tiles_soon()

    def _draw(self) -> None:
        if not self._photos:
            return
        photo = self._photos[self._place]
        self._stage.show(photo.small, self._panel.picture(photo.small, photo.small_mask))
        empty = bounding_box(photo.small_mask, threshold=self._panel.settings.threshold) is None
        text = f"{photo.name}, {photo.image.width} × {photo.image.height}"
        text += ": nothing stands out in this photo" if empty else ""
        self._caption.value = widgets.escape(text)

    def _draw_tiles(self) -> Iterator[None]:
        draw = self._notes.guard(self._draw_tile)
        for place in range(len(self._photos)):
            yield draw(place)

    def _draw_tile(self, place: int) -> None:
        photo = self._photos[place]
        small = fit(photo.small, TILE)
        picture = self._panel.picture(small, fit_mask(photo.small_mask, small.size))
        self._gallery.update(place, picture)

    def _results(self, photos: list[Photo]) -> Iterator[Result]:
        for photo in self._progress.over(photos, lambda photo: f"Drawing {photo.name}"):
            pictures = self._panel.pictures(photo.image, photo.mask)
            yield Result(photo.name, photo.image, photo.mask, pictures)

    def _current(self) -> Iterator[Result]:
        return self._results([self._photos[self._place]])

    def _everything(self) -> Iterator[Result]:
        return self._results(self._photos)

    def _report(self) -> None:
        """Show and save what a person would have clicked for."""
        from u2demo.figures import image_row

        for photo in self._photos:
            pictures = {name: EFFECTS[name](photo.image, photo.mask) for name in DEFAULT_EFFECTS}
            display(image_row({"photo": photo.image, "mask": photo.mask, **pictures}))
            save(Result(photo.name, photo.image, photo.mask, pictures), results_folder())
        print(f"Nobody can click here: the results are in {results_folder().resolve()}")


def _finding(item: Photo | tuple[str, object]) -> str:
    name = item.name if isinstance(item, Photo) else item[0]
    return f"Finding the subject of {name}"
