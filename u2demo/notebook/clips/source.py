"""path, upload -> source: a clip on disk, and what is said of it."""

import contextlib
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from u2demo.machine.names import safe_name
from u2demo.machine.paths import as_path
from u2demo.notebook.notes import escape
from u2demo.video.clip import Clip
from u2demo.video.read import A_PHOTO, READS_PHOTOS

SAMPLE = "launch.mp4"
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


def source_of(clip: str | Path | None) -> Source:
    """Return the clip at that path, without one the packaged clip."""
    if clip is None:
        return Source.sample()
    path = as_path("clip", clip)
    return Source(path.name, path)


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
