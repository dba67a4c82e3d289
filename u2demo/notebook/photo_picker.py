"""page -> photos: the best control for choosing them that this page offers.

Dropped files and the camera need anywidget; Colab has its own dialogs.
"""

from collections.abc import Callable

import ipywidgets

from u2demo.notebook import colab
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.environment import environment
from u2demo.notebook.notes import Notes
from u2demo.notebook.plain_picker import Files, PlainPicker

OnFiles = Callable[[Files], None]


def make_photo_picker(
    on_files: OnFiles,
    notes: Notes,
    *,
    label: str = "Choose photos",
    hint: str = "or drop them here",
    multiple: bool = True,
    camera: bool = True,
    noun: str = "photo",
    accept: str = "",
) -> ipywidgets.Widget:
    """Return a control that calls ``on_files`` with the (name, bytes) pairs a person chooses.

    ``notes`` shows problems. ``noun`` is what files are called on the page, ``accept`` the dialog's
    choice, by default photos.
    """
    if environment() == "colab":
        return _colab_picker(on_files, notes, label, camera)
    try:
        from u2demo.notebook.file_transfer import PhotoPicker  # anywidget may be missing
    except ImportError:
        return PlainPicker(on_files, label=label, accept=accept or "image/*", multiple=multiple)
    traits = {"label": label, "hint": hint, "noun": noun, "multiple": multiple, "camera": camera}
    if accept:
        traits["accept"] = accept
    return PhotoPicker(on_files, main=multiple, **traits)


def _colab_picker(on_files: OnFiles, notes: Notes, label: str, camera: bool) -> ipywidgets.Widget:
    """Return buttons that open Colab's own dialogs in the output below them."""
    output = ipywidgets.Output()

    def make_button(text: str, ask: Callable[[], Files]) -> ipywidgets.Button:
        def ask_and_pass(_: ipywidgets.Button) -> None:
            notes.clear()
            files = colab.show_dialogs_in(output, ask)
            output.clear_output()
            on_files(files)

        button = ipywidgets.Button(description=text, tooltip=text)
        button.on_click(guarded(ask_and_pass, notes))
        return button

    choose = make_button(label, lambda: list(colab.choose_files().items()))
    choose.add_class("u2-primary")
    buttons = [choose, make_button("Take a photo", _take_photo)] if camera else [choose]
    return ipywidgets.VBox([_zone(buttons), output])


def _take_photo() -> Files:
    photo = colab.take_photo()
    return [("webcam.jpg", photo)] if photo else []


def _zone(controls: list[ipywidgets.Widget]) -> ipywidgets.HBox:
    zone = ipywidgets.HBox(controls)
    zone.add_class("u2-zone")
    return zone
