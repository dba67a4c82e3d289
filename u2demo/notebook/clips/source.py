"""page -> clip on disk: what a person uploads, the path that they type, or the packaged clip."""

import contextlib
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import ipywidgets

from u2demo.machine.names import safe_name
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.drive import taken_path
from u2demo.notebook.environment import environment
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.photo_picker import Files, make_photo_picker
from u2demo.video.clip import Clip
from u2demo.video.read import A_PHOTO, READS_PHOTOS

SAMPLE = "launch.mp4"
_ACCEPT = "video/*,.mkv,.mts,.m2ts,.ts,.gif,.webp,.png,.apng,.avif,.heic,.heif,.hif"
_CHOICE = {"hint": "or drop it here", "multiple": False, "camera": False}
_FOR_PROGRAMS = f"; {READS_PHOTOS}"


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

    ``label`` is the text of the button.

    A path can be typed where the kernel's disk is the person's own: in JupyterLab and Colab.
    """

    def __init__(self, on_source: OnSource, notes: Notes, *, label: str = "Choose a clip"):
        self._on_source = on_source
        self._path = ipywidgets.Text(
            description="or a path",
            placeholder="clips/dog.mp4, then Enter",
            continuous_update=False,
        )
        self._path.observe(guarded(self._take_path, notes), names="value")
        parts = [_make_picker(guarded(on_source, notes), notes, label)]
        if environment() in ("jupyter", "colab"):
            parts.append(self._path)
        super().__init__(parts)
        self.add_class("u2-choice")

    def _take_path(self, _: dict) -> None:
        path = taken_path(self._path)
        if path is not None:
            self._on_source(Source(path.name, path))


def reason_of(error: Exception, source: Source) -> str:
    """Return why a clip cannot be opened, for a person who has not seen its path."""
    text = str(error).replace(str(source.path), source.name)
    if A_PHOTO in text:
        return f"{text.removesuffix(_FOR_PROGRAMS)}. The notebook one_click.ipynb is for photos."
    return text


def describe(clip: Clip, name: str) -> str:
    """Return HTML that says what a clip is."""
    length = f"{float(clip.duration):.1f} s" if clip.duration else "of unknown length"
    facts = [name, f"{clip.size[0]} × {clip.size[1]}", length, f"{float(clip.rate):.3g} frames/s"]
    facts.append("with sound" if clip.audio else "no sound")
    left_out = f". Left out: {', '.join(clip.left_out)}" if clip.left_out else ""
    return escape(", ".join(facts) + left_out)


def _make_picker(on_source: OnSource, notes: Notes, label: str) -> ipywidgets.Widget:
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
