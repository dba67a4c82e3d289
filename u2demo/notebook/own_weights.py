"""page -> weights: a file that a person uploads, or the path that they type, and the net in it."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from u2demo.machine.names import safe_name
from u2demo.nets.checkpoints import WeightsError
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.drive import path_field
from u2demo.notebook.notes import Notes
from u2demo.notebook.photo_picker import Files, make_photo_picker

if TYPE_CHECKING:
    from torch import nn

_PREFIX = "file:"
Source = Path | bytes


class WeightsChoice(ipywidgets.VBox):
    """Controls to choose a weights file; ``on_file`` gets its name, and its path or content."""

    def __init__(self, on_file: Callable[[str, Source], None], notes: Notes):
        self._on_file = on_file
        picker = make_photo_picker(
            guarded(self._take_upload, notes),
            notes,
            label="Choose a weights file",
            hint="or drop it here",
            multiple=False,
            camera=False,
            noun="file",
            accept=".pth,.pt",
        )
        field = path_field("mine.pth", lambda path: on_file(path.name, path), notes)
        super().__init__([picker, *field])
        self.add_class("u2-choice")

    def _take_upload(self, files: Files) -> None:
        for name, data in files[:1]:
            self._on_file(name, data)


def load_file(name: str, source: Source) -> "nn.Module":
    """Return the net in a weights file.

    Raises:
        WeightsError: it holds none that is known; the text names the file as the person does.
    """
    from u2demo.nets.load import load_model  # loads torch: the page comes first

    if isinstance(source, Path):
        return load_model(weights=source)
    with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
        path = Path(folder) / safe_name(name)
        path.write_bytes(source)
        try:
            return load_model(weights=path)
        except WeightsError as error:
            raise WeightsError(str(error).replace(str(path), name)) from error


def name_of(file: str, net: "nn.Module") -> str:
    """Return what the app calls a net from a file: another one for each content."""
    from u2demo.nets.load import fingerprint  # loads torch: the page comes first

    return f"{_PREFIX}{fingerprint(net)}:{file}"


def file_of(name: str) -> str:
    """Return the name of the file that a net called ``name`` is from, "" if from none."""
    return name.split(":", 2)[2] if name.startswith(_PREFIX) else ""
