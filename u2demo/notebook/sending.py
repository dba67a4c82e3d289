"""file -> a person's downloads, clipboard or Drive: in Colab, JupyterLab or Voila; else a link."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import ipywidgets

from u2demo.notebook import colab
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.drive import note_saved, save_to_drive
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.notes import Note, Notes, escape

TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".zip": "application/zip",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".apng": "image/apng",
    ".csv": "text/csv",
    ".json": "application/json",
    ".txt": "text/plain",
    ".pth": "application/octet-stream",
}
_LONGEST_LINK = 40_000_000  # bytes; longest data URL that a page accepts


class _Words(NamedTuple):
    """What is said of a task before, around and after the file's name."""

    doing: str
    failed: str
    done: str


_TASKS = {  # of the page
    "save": _Words("Sending", "was not saved", "is in your downloads."),
    "copy": _Words("Copying", "was not copied", "is copied. Paste it where you like."),
    "offer": _Words(
        "Preparing",
        "was not shown",
        "is ready: drag the small picture below to where you want the file.",
    ),
}


class Sender:
    """Sends files to a person's downloads, clipboard or Drive, and says so in ``notes``.

    ``hidden`` are widgets to place anywhere on the page.
    """

    def __init__(self, notes: Notes):
        self._notes = notes
        self._in_colab = environment() == "colab"
        done = guarded(self._done, notes)
        self._file_saver = None if self._in_colab else _make_file_saver(done)
        self._on_the_way: dict[tuple[str, str], Note] = {}  # by task and name
        self._output = ipywidgets.Output() if self._in_colab else None  # for Colab's dialogs
        self.hidden = [widget for widget in (self._file_saver, self._output) if widget]

    @property
    def can_copy(self) -> bool:
        """Whether this page has a way to the clipboard."""
        return self._file_saver is not None

    def send(self, file: Path) -> None:
        """Start the browser's download of ``file``."""
        if self._file_saver:
            self._pass_on(file, "save", self._file_saver.save)
            return
        data = file.read_bytes()
        if self._in_colab:
            self._send_in_colab(file.name, data)
        self._offer_link(file.name, data, TYPES[file.suffix])

    def copy(self, file: Path) -> None:
        """Copy a picture, a PNG, or a text to the clipboard."""
        self._pass_on(file, "copy", self._file_saver.copy)

    def offer(self, file: Path) -> None:
        """Show ``file``, a picture, on the page, where a person can drag it to another program."""
        self._pass_on(file, "offer", self._file_saver.offer)

    def _pass_on(self, file: Path, task: str, give: Callable[..., None]) -> None:
        """Give ``file`` to the page, and say so until the page has it."""
        data = file.read_bytes()
        text = f"{_TASKS[task].doing} {file.name}, {size_text(len(data))}…"
        self._on_the_way[task, file.name] = self._notes.add_html(escape(text))
        give(file.name, data, type=TYPES[file.suffix])

    def _done(self, task: str, name: str, refused: str) -> None:
        """Say that the page has what was sent, or why not."""
        note = self._on_the_way.pop((task, name), None)
        if note is None:  # the page shows this twice
            return
        words, why = _TASKS[task], refused.rstrip(".")
        text = f"{name} {words.done}"
        if refused:
            text = f"{name} {words.failed}; the browser says: {why}. Download it instead."
        note.show(escape(text), "problem" if refused else "done")

    def keep_in_drive(self, files: Sequence[Path], pack: Callable[[], Path]) -> None:
        """Copy ``files`` to a person's Google Drive; if that fails, send what ``pack`` returns."""
        what = f"{len(files)} files" if len(files) > 1 else files[0].name
        note = self._notes.add_html(escape(f"Saving {what} to your Google Drive…"))
        try:
            folder = colab.show_dialogs_in(self._output, lambda: save_to_drive(files))
        except PageError as error:
            note.show(escape(f"{error} Here is a download instead."), "problem")
            self.send(pack())
        else:
            saved = folder if len(files) > 1 else folder / files[0].name
            note.show(escape(note_saved(saved)), "done")

    def _send_in_colab(self, name: str, data: bytes) -> None:
        try:
            colab.show_dialogs_in(self._output, lambda: colab.download(name, data))
        except PageError as error:  # a link is offered as well
            self._notes.report(error)

    def _offer_link(self, name: str, data: bytes, media: str) -> None:
        if len(data) > _LONGEST_LINK:
            self._notes.say(f"{name} is too large for a link ({len(data) / 1e6:.0f} MB).")
            return
        url = f"data:{media};base64,{b64encode(data).decode()}"
        self._notes.add_html(
            f'Your file: <a download="{escape(name)}" href="{url}">{escape(name)}</a>', kind="done"
        )


def size_text(size: int) -> str:
    """Return a file's ``size``, in bytes, as a person reads it: "1.5 MB", "30 kB"."""
    return f"{size / 1e6:.1f} MB" if size >= 50_000 else f"{size / 1e3:.0f} kB"


def _make_file_saver(on_done: Callable[[str, str, str], None]) -> ipywidgets.Widget | None:
    try:
        from u2demo.notebook.file_transfer import FileSaver  # anywidget may be missing
    except ImportError:
        return None
    return FileSaver(on_done)
