"""page -> photos: the best control for choosing them that this page offers.

Uploads of any size and the camera need anywidget. Without it there is ``FileUpload``; Colab has its
own dialogs.
"""

from collections.abc import Callable

import ipywidgets

from u2demo.notebook import colab
from u2demo.notebook.callbacks import guarded, on_this_thread
from u2demo.notebook.environment import environment
from u2demo.notebook.notes import Notes

Files = list[tuple[str, bytes]]
OnFiles = Callable[[Files], None]


def make_photo_picker(
    on_files: OnFiles,
    notes: Notes,
    *,
    label: str = "Choose photos",
    hint: str = "or drop them here",
    multiple: bool = True,
    camera: bool = True,
    accept: str = "image/*",
) -> ipywidgets.Widget:
    """Return a control that calls ``on_files`` with the (name, bytes) pairs a person chooses.

    ``notes`` shows problems. ``accept`` is the choice in the dialog of the plainest control.
    """
    if environment() == "colab":
        return _colab_picker(on_files, notes, label, camera)
    try:
        from u2demo.notebook.file_transfer import PhotoPicker  # anywidget may be missing
    except ImportError:
        return _plain_picker(on_files, label, multiple, accept)
    return PhotoPicker(
        on_files, label=label, hint=hint, multiple=multiple, main=multiple, camera=camera
    )


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


def _plain_picker(on_files: OnFiles, label: str, multiple: bool, accept: str) -> ipywidgets.Widget:
    """Return a FileUpload; it works in both generations of ipywidgets, up to 10 MiB at a time.

    A larger message never arrives, and its FileUpload waits for the answer forever. So there is a
    button that puts a new one in its place.
    """

    def make_upload() -> ipywidgets.FileUpload:
        upload = ipywidgets.FileUpload(description=label, accept=accept, multiple=multiple)

        def take(change: dict) -> None:
            if not change["new"]:
                return
            files = uploaded_files(change["new"])
            _reset(upload)
            on_files(files)

        upload.observe(take, names="value")
        return upload

    def renew(_: ipywidgets.Button) -> None:
        stuck, *others = zone.children
        zone.children = [make_upload(), *others]
        stuck.close()
        hint.value = (
            "What is over 10 MB in all does not arrive this way. Choose fewer or smaller files, or "
            "run %pip install anywidget and restart the kernel."
        )

    hint = ipywidgets.Label("up to 10 MB at a time; for more: %pip install anywidget")
    again = ipywidgets.Button(description="Nothing arrives?")
    again.on_click(on_this_thread(renew))
    zone = _zone([make_upload(), hint, again])
    return zone


def uploaded_files(value: tuple | dict) -> Files:
    """Return the files in a FileUpload's value: a dict in ipywidgets 7, a tuple in 8."""
    if isinstance(value, dict):
        return [(name, bytes(file["content"])) for name, file in value.items()]
    return [(file["name"], bytes(file["content"])) for file in value]


def _reset(upload: ipywidgets.FileUpload) -> None:
    if isinstance(upload.value, dict):  # ipywidgets 7
        upload.metadata, upload.data, upload._counter = [], [], 0
    else:  # ipywidgets 8 reports the same file again only if the value was cleared
        upload.value = ()


def _zone(controls: list[ipywidgets.Widget]) -> ipywidgets.HBox:
    zone = ipywidgets.HBox(controls)
    zone.add_class("u2-zone")
    return zone
