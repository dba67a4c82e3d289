"""page -> source: a clip that a person uploads, or the path of one that they type."""

import contextlib
from collections.abc import Callable

import ipywidgets

from u2demo.notebook.callbacks import guarded
from u2demo.notebook.clips.source import Source
from u2demo.notebook.drive import path_field
from u2demo.notebook.environment import environment
from u2demo.notebook.notes import Notes
from u2demo.notebook.photo_picker import Files, make_photo_picker

_ACCEPT = "video/*,.mkv,.mts,.m2ts,.ts,.gif,.webp,.png,.apng,.avif,.heic,.heif,.hif"
_CHOICE = {"hint": "or drop it here", "multiple": False, "camera": False}


class ClipChoice(ipywidgets.VBox):
    """Controls to choose a clip, passed to ``on_source``; ``notes`` shows problems.

    ``label`` is the text of the button.
    """

    def __init__(
        self, on_source: Callable[[Source], None], notes: Notes, *, label: str = "Choose a clip"
    ):
        picker = _make_picker(guarded(on_source, notes), notes, label)
        field = path_field("clips/dog.mp4", lambda path: on_source(Source(path.name, path)), notes)
        super().__init__([picker, *field])
        self.add_class("u2-choice")


def _make_picker(
    on_source: Callable[[Source], None], notes: Notes, label: str
) -> ipywidgets.Widget:
    words = {"label": label, **_CHOICE}

    def take(files: Files) -> None:
        for name, data in files[:1]:
            source = Source.empty(name)
            source.append(data)
            on_source(source)

    if environment() != "colab":
        with contextlib.suppress(ImportError):
            from u2demo.notebook.clips.transfer import ClipPicker  # anywidget may be missing

            return ClipPicker(
                lambda sources: on_source(sources[0]), accept=_ACCEPT, noun="clip", **words
            )
    return make_photo_picker(take, notes, accept=_ACCEPT, **words)
