"""page -> photos: the best way in that this page has.

Uploads of any size and the camera need anywidget. Without it there is ``FileUpload``, and Colab has
dialogs of its own.
"""

from collections.abc import Callable

import ipywidgets
from IPython.display import display
from PIL import Image

from u2demo.images.read import sample_images
from u2demo.machine.names import numbered
from u2demo.notebook import page
from u2demo.notebook.preview import open_source
from u2demo.notebook.widgets import Notes, close

Files = list[tuple[str, bytes]]
OnFiles = Callable[[Files], None]


def upload() -> dict[str, Image.Image]:
    """Let a person choose photos and return them by name; the samples until they do.

    In Colab this waits for the dialog. In JupyterLab it shows a control and returns at once:
    choose, then run the next cell. What is no photo is named and left out.
    """
    photos, notes = sample_images(), Notes()

    def take(files: Files, complain: Callable[[str], None]) -> None:
        chosen = {}
        for name, data in files:
            # Phones call each photo the same.
            free = next(free for free in numbered(name) if free not in chosen)
            try:
                chosen[free] = open_source(name, data)
            except ValueError as error:
                complain(str(error))
        if chosen:
            photos.clear()
            photos.update(chosen)

    def take_and_tell(files: Files) -> None:
        notes.clear()
        take(files, lambda problem: notes.say(problem, kind="problem"))
        notes.say(f"Photos: {', '.join(photos)}. Run the next cells.", kind="done")

    if page.environment() == "colab":
        take(list(page.choose_files().items()), print)
    elif page.environment() != "headless":
        shown = ipywidgets.VBox([make_intake(notes.guard(take_and_tell), notes), notes])
        page.once_a_cell(lambda: close(shown))
        display(shown)
    return photos


def make_intake(
    on_files: OnFiles,
    notes: Notes,
    *,
    label: str = "Choose photos",
    hint: str = "or drop them here",
    multiple: bool = True,
    camera: bool = True,
) -> ipywidgets.Widget:
    """Return the best control this page has for bringing photos in."""
    if page.environment() == "colab":
        return _colab_intake(on_files, notes, label, camera)
    try:
        from u2demo.notebook.transfer import Intake
    except ImportError:
        return _plain_intake(on_files, label, multiple)
    return Intake(on_files, label=label, hint=hint, multiple=multiple, camera=camera)


def run_in(output: ipywidgets.Output, task: Callable[[], object]) -> object:
    """Return what ``task`` returns, its dialogs shown in ``output``.

    Unlike in ``with output``, a ``PageError`` comes through.
    """
    output.clear_output()
    answer, problem = None, None
    with output:
        try:
            answer = task()
        except page.PageError as error:
            problem = error
    if problem:
        raise problem
    return answer


def _colab_intake(on_files: OnFiles, notes: Notes, label: str, camera: bool) -> ipywidgets.Widget:
    """Return buttons that open Colab's own dialogs in the output below them."""
    output = ipywidgets.Output()

    def make_button(text: str, ask: Callable[[], Files]) -> ipywidgets.Button:
        def ask_and_pass(_: ipywidgets.Button) -> None:
            notes.clear()
            files = run_in(output, ask)
            output.clear_output()
            on_files(files)

        button = ipywidgets.Button(description=text, tooltip=text)
        button.on_click(notes.guard(ask_and_pass))
        return button

    buttons = [make_button(label, lambda: list(page.choose_files().items()))]
    buttons[0].add_class("u2-primary")
    if camera:
        buttons.append(make_button("Take a photo", _shoot))
    zone = ipywidgets.HBox(buttons)
    zone.add_class("u2-zone")
    return ipywidgets.VBox([zone, output])


def _shoot() -> Files:
    photo = page.take_photo()
    return [("webcam.jpg", photo)] if photo else []


def _plain_intake(on_files: OnFiles, label: str, multiple: bool) -> ipywidgets.Widget:
    """Return a FileUpload; it works in both generations of ipywidgets, up to 10 MiB at a time."""
    upload = ipywidgets.FileUpload(description=label, accept="image/*", multiple=multiple)

    def take(change: dict) -> None:
        if not change["new"]:
            return
        files = uploaded_files(change["new"])
        _reset(upload)
        on_files(files)

    upload.observe(take, names="value")
    hint = ipywidgets.Label("up to 10 MB at a time; for more: pip install anywidget")
    zone = ipywidgets.HBox([upload, hint])
    zone.add_class("u2-zone")
    return zone


def uploaded_files(value: tuple | dict) -> Files:
    """Return (name, bytes) of a FileUpload's value, ipywidgets 7's dict or 8's tuple."""
    if isinstance(value, dict):
        return [(name, bytes(file["content"])) for name, file in value.items()]
    return [(file["name"], bytes(file["content"])) for file in value]


def _reset(upload: ipywidgets.FileUpload) -> None:
    if isinstance(upload.value, dict):  # ipywidgets 7
        upload.metadata, upload.data, upload._counter = [], [], 0
    else:  # 8 says nothing when the same file is chosen again, unless it was taken out
        upload.value = ()
