"""page -> clip on disk: what a person uploads, the path that they type, or the packaged clip."""

import contextlib
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import ipywidgets

from u2demo.machine.names import expand_home, safe_name
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.drive import mount_for
from u2demo.notebook.environment import environment
from u2demo.notebook.notes import Notes
from u2demo.notebook.photo_picker import Files, make_photo_picker

SAMPLE = "launch.mp4"
_ACCEPT = "video/*,.mkv,.mts,.m2ts,.ts,.gif,.webp,.png,.apng,.avif"
_CHOICE = {"label": "Choose a clip", "hint": "or drop it here", "multiple": False, "camera": False}


class Source:
    """A clip on disk: the ``name`` that a person knows it by, and its ``path``.

    ``close`` deletes it if it is a copy.
    """

    def __init__(self, name: str, path: Path, close: Callable[[], None] = lambda: None):
        self.name = name
        self.path = path
        self.close = close

    @classmethod
    def empty(cls, name: str) -> "Source":
        """Return an empty copy, in a folder of its own that no file browser shows."""
        folder = tempfile.TemporaryDirectory(prefix="u2demo-")
        path = Path(folder.name) / safe_name(name)
        path.touch()
        return cls(name, path, folder.cleanup)

    @classmethod
    def sample(cls) -> "Source":
        """Return the packaged clip."""
        stack = contextlib.ExitStack()
        file = resources.files("u2demo") / "data" / "samples" / SAMPLE
        return cls(SAMPLE, stack.enter_context(resources.as_file(file)), stack.close)

    def append(self, piece: bytes) -> None:
        """Add to the end of a copy."""
        with self.path.open("ab") as file:
            file.write(piece)


OnSource = Callable[[Source], None]


class ClipChoice(ipywidgets.VBox):
    """Controls to choose a clip, passed to ``on_source``; ``notes`` shows problems.

    A path can be typed where the kernel's disk is the person's own: in JupyterLab and Colab.
    """

    def __init__(self, on_source: OnSource, notes: Notes):
        self._on_source = on_source
        self._path = ipywidgets.Text(
            description="or a path",
            placeholder="clips/dog.mp4, then Enter",
            continuous_update=False,
        )
        self._path.observe(guarded(self._take_path, notes), names="value")
        parts = [_make_picker(guarded(on_source, notes), notes)]
        if environment() in ("jupyter", "colab"):
            parts.append(self._path)
        super().__init__(parts)
        self.add_class("u2-choice")

    def _take_path(self, change: dict) -> None:
        typed = change["new"].strip().strip("\"'")
        if not typed:
            return
        self._path.value = ""  # so that the same path again counts as a choice
        path = expand_home(typed)
        if environment() == "colab":
            mount_for(path)
        self._on_source(Source(path.name, path))


def _make_picker(on_source: OnSource, notes: Notes) -> ipywidgets.Widget:
    def take(files: Files) -> None:
        for name, data in files[:1]:
            source = Source.empty(name)
            source.append(data)
            on_source(source)

    if environment() != "colab":
        with contextlib.suppress(ImportError):
            from u2demo.notebook.clips.transfer import ClipPicker  # anywidget may be missing

            return ClipPicker(
                lambda sources: on_source(sources[0]), accept=_ACCEPT, noun="clip", **_CHOICE
            )
    return make_photo_picker(take, notes, accept=_ACCEPT, **_CHOICE)
