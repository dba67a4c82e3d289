"""page -> source: folders that a person types, files that they upload, or pairs to practice on."""

from collections.abc import Callable

import ipywidgets

from u2demo.notebook.callbacks import guarded
from u2demo.notebook.drive import typed_path
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.notes import Notes
from u2demo.notebook.photo_picker import Files, make_photo_picker
from u2demo.notebook.teaching.source import Source, from_folders, from_uploads, practice

_HELP = (
    "The mask of cat.jpg is called cat.png, cat_mask.png or cat_cutout.png: white is the subject."
    " Cut-outs with a transparent background count as both. Fifty pairs are a good start."
)


class PairChoice(ipywidgets.VBox):
    """Controls to choose pairs, passed to ``on_source``; ``notes`` shows problems.

    Folders can be typed where the kernel's disk is the person's own: in JupyterLab and Colab.
    """

    def __init__(self, on_source: Callable[[Source], None], notes: Notes):
        self._on_source = on_source
        take = guarded(self._take_files, notes)
        picker = make_photo_picker(take, notes, label="Choose photos and masks", camera=False)
        again = ipywidgets.Button(description="Practice pairs", tooltip="Made of packaged photos")
        again.on_click(guarded(lambda _: on_source(practice()), notes))
        about = ipywidgets.HTML(_HELP)
        about.add_class("u2-about")
        parts = [picker, about, again]
        if environment() in ("jupyter", "colab"):
            parts.insert(1, self._folders(notes))
        super().__init__(parts)
        self.add_class("u2-choice")

    def _folders(self, notes: Notes) -> ipywidgets.Widget:
        self._photos, self._masks = (
            ipywidgets.Text(description=text, placeholder=hint)
            for text, hint in (("Photos", "folder of photos"), ("Masks", "the same, or another"))
        )
        read = ipywidgets.Button(description="Read folders", tooltip="Read the pairs in them")

        def take(_: ipywidgets.Button) -> None:
            notes.clear()
            self._take_folders()

        read.on_click(guarded(take, notes))
        row = ipywidgets.HBox([self._photos, self._masks, read])
        row.add_class("u2-folders")
        return row

    def _take_files(self, files: Files) -> None:
        if files:
            self._on_source(from_uploads(files))

    def _take_folders(self) -> None:
        photos = typed_path(self._photos.value)
        if photos is None:
            raise PageError("Type the folder of the photos first.")
        masks = typed_path(self._masks.value) or photos
        for folder in (photos, masks):
            if not folder.is_dir():
                raise PageError(f"{folder} is not a folder on the computer of this notebook.")
        self._on_source(from_folders(photos, masks))
