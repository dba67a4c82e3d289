"""page -> photos, for the cells of a notebook."""

import ipywidgets
from IPython.display import display
from PIL import Image

from u2demo.images.read import sample_images
from u2demo.machine.names import numbered
from u2demo.notebook import colab
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.cells import close_on_rerun
from u2demo.notebook.environment import environment
from u2demo.notebook.layout import close
from u2demo.notebook.notes import Notes
from u2demo.notebook.photo import left_out, open_upload
from u2demo.notebook.photo_picker import Files, make_photo_picker


class Uploads:
    """The photos that a person has chosen for a notebook; until then, the packaged samples."""

    def __init__(self):
        self._photos = sample_images()

    @property
    def photos(self) -> dict[str, Image.Image]:
        """The photos chosen last, RGB or RGBA, by name: a new dict each time."""
        return dict(self._photos)

    def receive(self, files: Files) -> list[str]:
        """Replace the photos with ``files``, (name, bytes) pairs; return what a person should know.

        That is what is wrong with the files that are not among the photos, and what others hold
        besides their photo. If no file is a photo, the earlier photos stay.
        """
        chosen, problems = {}, []
        for name, data in files:
            # Phones give every photo the same name.
            free = next(free for free in numbered(name) if free not in chosen)
            try:
                chosen[free] = open_upload(name, data)
            except ValueError as error:
                problems.append(str(error))
                continue
            if left_out(chosen[free]):
                problems.append(f"{free}: {left_out(chosen[free])}")
        if chosen:
            self._photos = chosen
        return problems


def upload() -> Uploads:
    """Let a person choose photos; they are in the ``photos`` of the object returned.

    In Colab this waits for the file dialog. In JupyterLab it shows a control and returns at once:
    choose, then run the next cell. Files that are not photos are named and left out. In an
    unattended run, the photos are the packaged samples.

    Raises:
        PageError: Colab's page does not answer.
    """
    uploads = Uploads()
    if environment() == "colab":
        for problem in uploads.receive(list(colab.choose_files().items())):
            print(problem)
    elif environment() != "headless":
        _show_picker(uploads)
    return uploads


def _show_picker(uploads: Uploads) -> None:
    notes = Notes()

    def take(files: Files) -> None:
        notes.clear()
        for problem in uploads.receive(files):
            notes.say(problem, kind="problem")
        notes.say(f"Photos: {', '.join(uploads.photos)}. Run the next cells.", kind="done")

    shown = ipywidgets.VBox([make_photo_picker(guarded(take, notes), notes), notes])
    close_on_rerun(lambda: close(shown))
    display(shown)
