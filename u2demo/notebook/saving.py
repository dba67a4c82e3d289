"""results -> files: to a person's downloads, their Drive, or a folder."""

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path

import ipywidgets

from u2demo.machine.names import fold_name, numbered
from u2demo.notebook.drive import save_to_drive
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.jobs import Job, JobQueue, job_button
from u2demo.notebook.notes import Notes
from u2demo.notebook.sending import Sender
from u2demo.pipeline import Result
from u2demo.runs.save import save

Results = Generator[Result, None, None]


class Saver:
    """Buttons that save what the app shows.

    ``results(everything=...)`` is called at a click and yields the results to save at full size:
    those of the photo on the stage, or of all photos. ``notes`` stands below the buttons.
    """

    def __init__(self, results: Callable[..., Results], jobs: JobQueue, notes: Notes):
        self._results = results
        self._jobs = jobs
        self._notes = notes
        self._in_colab = environment() == "colab"
        self._sender = Sender(self._notes)
        self._details = ipywidgets.Dropdown(
            options=[
                ("Author and dates", "private"),
                ("All, also camera and place", "keep"),
                ("None", "none"),
            ],
            description="Photo details to save",
        )
        download = self._button("Download", self._download, everything=False)
        download.add_class("u2-primary")
        self.download_all = self._button("Download all as zip", self._zip, everything=True)
        if self._in_colab:
            keep = self._button("Save all to Google Drive", self._to_drive, everything=True)
        else:
            folder = results_folder().resolve().name
            keep = self._button(f"Save all to {folder}/", self._to_folder, everything=True)
        buttons = [download, self.download_all, keep]
        self.box = ipywidgets.VBox([self._details, *buttons, self._notes, *self._sender.hidden])
        self.box.add_class("u2-saver")

    def forget(self) -> None:
        """Clear the notes on earlier saves: the photos have changed."""
        self._notes.clear()

    def _button(
        self, text: str, save: Callable[[Results, str], Job], *, everything: bool
    ) -> ipywidgets.Button:
        def begin() -> Job:
            return save(self._results(everything=everything), self._details.value)

        return job_button(text, begin, self._jobs, self._notes)

    def _download(self, results: Results, metadata: str) -> Job:
        """Send one picture as it is, several of one photo as a zip."""
        with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
            files = yield from _write(results, folder, metadata, self._notes)
            if len(files) > 1:
                files = [_pack(files, Path(folder) / f"{files[0].stem.rsplit('_', 1)[0]}.zip")]
            self._sender.send(files[0])

    def _zip(self, results: Results, metadata: str) -> Job:
        with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
            files = yield from _write(results, folder, metadata, self._notes)
            self._sender.send(_pack(files, Path(folder) / "u2demo.zip"))

    def _to_folder(self, results: Results, metadata: str) -> Job:
        folder = results_folder()
        files = yield from _write(results, folder, metadata, self._notes)
        more = f" and {len(files) - 4} more" if len(files) > 4 else ""
        names = ", ".join(file.name for file in files[:4])
        self._notes.say(f"Saved to {folder.resolve()}: {names}{more}.", kind="done")

    def _to_drive(self, results: Results, metadata: str) -> Job:
        with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
            files = yield from _write(results, folder, metadata, self._notes)
            try:
                target = self._sender.show_dialogs(lambda: save_to_drive(files))
            except PageError as error:
                self._notes.say(f"{error} Here is a download instead.", kind="problem")
                self._sender.send(_pack(files, Path(folder) / "u2demo.zip"))
            else:
                place = target.relative_to(target.parents[2])
                self._notes.say(f"Saved to your Google Drive: {place}.", kind="done")


def results_folder() -> Path:
    """Return the folder for saved results: ``U2DEMO_SAVE_DIR``, else ``results`` here."""
    return Path(os.environ.get("U2DEMO_SAVE_DIR", "results"))


def _write(
    results: Results, folder: str | Path, metadata: str, notes: Notes
) -> Generator[None, None, list[Path]]:
    """Write all pictures, one photo a step; return the files, and note photos without a subject."""
    files, photos, unclear = [], 0, 0
    with contextlib.closing(results):  # closing hides the progress bar
        for result in results:
            written = save(result, folder, metadata=metadata)
            photos += 1
            if written and not result.has_clear_subject:
                unclear += 1
            files += written
            yield
    if not photos:
        raise PageError("There are no photos to save yet. Choose some first.")
    if not files:
        raise PageError("Nothing stands out in these photos, so there is nothing to save.")
    if unclear:
        many = f"{unclear} of {photos} photos: no clear subject. They are marked in the gallery."
        notes.say(many if photos > 1 else "No clear subject in this photo.")
    return files


def _pack(files: list[Path], target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed
        taken: set[str] = set()
        for file in files:
            name = next(name for name in numbered(file.name) if fold_name(name) not in taken)
            taken.add(fold_name(name))  # "Cat" and "cat" are one file where the zip is unpacked
            archive.write(file, name)
    return target
