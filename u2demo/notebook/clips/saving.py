"""clip that was made -> a person's downloads, their Drive, or a folder."""

import shutil
import tempfile
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import ipywidgets

from u2demo.machine.disk import advise, at_free_name, discard, partial_file, place
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.jobs import Job, JobQueue, beside, job_button
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.saving import results_folder
from u2demo.notebook.sending import Sender
from u2demo.notebook.settling import Settle, at_once

Make = Generator[None, None, Path]  # a job that returns what it has made

_FORMATS = {
    "auto": ("Automatic", "WebM if the background is transparent, else MP4."),
    "webm": (
        "WebM (VP9)",
        "Browsers and many editors show its transparency; most players show black instead, and"
        " Safari and iPhones may not.",
    ),
    "mp4": ("MP4 (H.264)", "Plays everywhere. It cannot be transparent."),
    "mov": ("MOV (ProRes 4444)", "For video editors, with transparency. Very large."),
    "png": ("PNG frames", "A folder of numbered pictures with transparency, downloaded as a zip."),
    "gif": ("GIF", "Plays everywhere; 256 colors, hard edges, no sound. For a few seconds."),
    "webp": ("Animated WebP", "Browsers play it, with transparency, no sound. For a few seconds."),
    "apng": ("Animated PNG", "As WebP, without any loss, and larger. For a few seconds."),
}
_MOST_SENT = 300_000_000  # bytes; a page holds a file that it downloads in memory


class ClipSaver:
    """A menu of formats, and buttons that save the clip that ``make()``, a job, returns.

    A click waits, as ``settle`` says, for what the page still has to say.
    """

    def __init__(self, make: Callable[[], Make], jobs: JobQueue, settle: Settle = at_once):
        self._make = make
        self._jobs = jobs
        self._settle = settle
        self._notes = Notes()
        self._sender = Sender(self._notes)
        self._saved: dict[Path, Path] = {}  # what was made -> its copy in the folder
        self.format = ipywidgets.Dropdown(
            options=[(title, name) for name, (title, _) in _FORMATS.items()], description="Format"
        )
        self._about = ipywidgets.HTML()
        self._about.add_class("u2-about")
        self.format.observe(lambda _: self._explain(), names="value")
        self._explain()
        download = self._button("Download", self._download)
        if environment() == "colab":
            keep = self._button("Save to Google Drive", self._to_drive)
        else:
            folder = results_folder().resolve().name
            keep = self._button(f"Save to {folder}/", self._to_folder)
        parts = [self.format, self._about, download, keep, self._notes, *self._sender.hidden]
        self.box = ipywidgets.VBox(parts)
        self.box.add_class("u2-saver")

    def forget(self) -> None:
        """Clear the notes on earlier saves: there is another clip."""
        self._notes.clear()

    def _explain(self) -> None:
        self._about.value = escape(_FORMATS[self.format.value][1])

    def _button(self, text: str, save: Callable[[Path, Path], Job]) -> ipywidgets.Button:
        begin = partial(self._save, save)
        return job_button(text, begin, self._jobs, self._notes, self._settle)

    def _save(self, save: Callable[[Path, Path], Job]) -> Job:
        made = yield from self._make()
        with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
            yield from save(made, Path(folder))

    def _download(self, made: Path, folder: Path) -> Job:
        file = yield from beside(lambda: _one_file(made, folder))
        if file.stat().st_size > _MOST_SENT:
            megabytes = f"{file.stat().st_size / 1e6:.0f} MB"
            raise PageError(f"{file.name} has {megabytes}, too much for a page. Save it below.")
        self._sender.send(file)

    def _to_folder(self, made: Path, _: Path) -> Job:
        folder = results_folder()
        if made in self._saved and self._saved[made].exists():
            text = f"Already saved in {folder.resolve()}, nothing has changed."
        else:
            self._saved[made] = yield from beside(lambda: _copy(made, folder))
            text = f"Saved to {folder.resolve()}: {self._saved[made].name}."
        self._notes.say(text, kind="done")

    def _to_drive(self, made: Path, folder: Path) -> Job:
        file = yield from beside(lambda: _one_file(made, folder))
        self._sender.keep_in_drive([file], lambda: file)


def _one_file(made: Path, folder: Path) -> Path:
    """Return ``made``; a folder of frames as a zip, which is put into ``folder``."""
    if not made.is_dir():
        return made
    target = folder / made.name
    return Path(shutil.make_archive(str(target), "zip", made.parent, made.name))


def _copy(made: Path, folder: Path) -> Path:
    """Copy a file or a folder of frames under its name, or the next free one; return that path."""
    with advise(folder):
        folder.mkdir(parents=True, exist_ok=True)
        hidden = partial_file(folder)
        copy = shutil.copytree if made.is_dir() else shutil.copyfile
        try:
            copy(made, hidden)
            suffix = "" if made.is_dir() else made.suffix
            return at_free_name(folder / made.name, partial(place, hidden), suffix=suffix)
        finally:
            discard(hidden)
