"""results -> files: to a person's downloads, clipboard, Drive, or a folder."""

import contextlib
import datetime
import os
import tempfile
import zipfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import ipywidgets

from u2demo.machine.disk import advise
from u2demo.machine.names import fold_name, numbered
from u2demo.machine.paths import as_path
from u2demo.notebook import annotations
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.jobs import Job, JobQueue, beside, job_button
from u2demo.notebook.notes import Notes
from u2demo.notebook.saving_form import Form, FormChoice, Work, keep
from u2demo.notebook.sending import Sender
from u2demo.notebook.settling import Settle, at_once
from u2demo.runs.records import Record

Results = Generator[Work, None, None]
Take = Callable[..., tuple[Results, Callable[[], None]]]
Save = Callable[[Results, Form], Job]

_FEW = 4  # names of files in a sentence
_STOPPED = "Stopped. Nothing was saved."


class Saver:
    """Buttons that save what the app shows.

    ``results(everything=...)`` is called at a click. It returns the results to save at full size,
    of the photo on the stage or of all photos, and a function to call once they are saved.
    ``notes`` stands below the buttons. A click waits, as ``settle`` says, for what the page still
    has to say of its sliders.
    """

    def __init__(self, results: Take, jobs: JobQueue, notes: Notes, settle: Settle = at_once):
        self._settle = settle
        self._results = results
        self._jobs = jobs
        self._notes = notes
        self._sender = Sender(self._notes)
        self._form = FormChoice()
        download = self._button("Download", self._download)
        download.add_class("u2-primary")
        copy = self._button("Copy", self._copy, keeps=False)
        copy.layout.display = "" if self._sender.can_copy else "none"
        self.download_all = self._button("Download all as zip", self._zip, everything=True)
        if environment() == "colab":
            keep_all = self._button("Save all to Google Drive", self._to_drive, everything=True)
        else:
            folder = results_folder().resolve().name
            keep_all = self._button(f"Save all to {folder}/", self._to_folder, everything=True)
        drag = self._button("Drag out", self._offer, keeps=False)
        drag.layout.display = copy.layout.display
        drag.add_class("u2-drag-out")
        first = ipywidgets.HBox([download, copy, drag])
        first.add_class("u2-first")
        self._boxes = self._lay_out_boxes()
        buttons = [first, self.download_all, keep_all, self._boxes]
        self.box = ipywidgets.VBox([*buttons, self._notes, self._form, *self._sender.hidden])
        self.box.add_class("u2-saver")
        self.fit("")

    def fit(self, action: str) -> None:
        """Show what fits an action, by its name: boxes as numbers, if it draws some."""
        self._per_object = action == "boxes"
        self._boxes.layout.display = "" if action in ("box", "boxes") else "none"

    def forget(self) -> None:
        """Clear the notes on earlier saves: the photos have changed."""
        self._notes.clear()

    def _lay_out_boxes(self) -> ipywidgets.Widget:
        self._format = ipywidgets.Dropdown(
            options=list(annotations.FORMATS), description="Boxes as numbers"
        )
        copy = self._button("Copy boxes", self._copy_boxes, keeps=False)
        copy.layout.display = "" if self._sender.can_copy else "none"
        every = self._button("Save boxes", self._save_boxes, everything=True, keeps=False)
        row = ipywidgets.HBox([every, copy])
        row.add_class("u2-first")
        box = ipywidgets.VBox([self._format, row])
        box.add_class("u2-choice")
        return box

    def _button(
        self, text: str, save: Save, *, everything: bool = False, keeps: bool = True
    ) -> ipywidgets.Button:
        def begin() -> Job:
            results, note_saved = self._results(everything=everything)
            job = save(results, self._form.form)
            return _then(job, note_saved) if keeps else job

        return job_button(text, begin, self._jobs, self._notes, self._settle)

    # Pictures

    def _download(self, results: Results, form: Form) -> Job:
        """Send one picture as it is, several of one photo as a zip."""
        with _temporary_folder() as folder, self._admitting(_STOPPED):
            files = yield from self._write(_without_extra(results), folder, form)
            if len(files) > 1:
                files = [_pack(files, folder / f"{files[0].stem.rsplit('_', 1)[0]}.zip")]
            self._sender.send(files[0])

    def _copy(self, results: Results, form: Form) -> Job:
        form = form._replace(format="png", quality=None)
        with _temporary_folder() as folder, self._admitting("Stopped. Nothing was copied."):
            file = yield from self._write_one(results, folder, form, "The clipboard takes")
            self._sender.copy(file)

    def _offer(self, results: Results, form: Form) -> Job:
        """Put one picture on the page, to be dragged out of it as a file."""
        with _temporary_folder() as folder, self._admitting("Stopped. Nothing is there to drag."):
            file = yield from self._write_one(results, folder, form, "A hand drags")
            self._sender.offer(file)

    def _write_one(
        self, results: Results, folder: Path, form: Form, takes: str
    ) -> Generator[None, None, Path]:
        """Return the file of the only picture, for what ``takes`` no more than one."""
        files = yield from self._write(_without_extra(results), folder, form)
        if len(files) > 1:
            raise PageError(f"{takes} one picture, not several. Download them.")
        return files[0]

    def _zip(self, results: Results, form: Form) -> Job:
        with _temporary_folder() as folder, self._admitting(_STOPPED):
            files = yield from self._write(results, folder, form)
            packed = yield from self._packed(files, folder)
            self._sender.send(packed)

    def _packed(self, files: list[Path], folder: Path) -> Generator[None, None, Path]:
        """Return one zip of ``files``, and say meanwhile that it is being packed."""
        note = self._notes.add_html(f"Packing {len(files)} files…")
        try:
            return (yield from beside(lambda: _pack(files, folder / _zip_name(files))))
        finally:
            self._notes.remove(note)

    def _to_folder(self, results: Results, form: Form) -> Job:
        folder = results_folder()
        kept: list[Path] = []
        new, photos, total = 0, 0, 0
        try:
            with _temporary_folder() as drafts:
                for result in self._checked(results):
                    total = result.total
                    with advise(folder):
                        folder.mkdir(parents=True, exist_ok=True)
                        for draft in form.save(result, drafts):
                            file, is_new = keep(draft, folder)
                            draft.unlink()
                            kept.append(file)
                            new += is_new
                    photos += 1
                    yield
        except GeneratorExit:
            self._notes.say(f"Stopped: {photos} of {total} photos saved." if photos else _STOPPED)
            raise
        self._say_kept(folder.resolve(), kept, new)

    def _say_kept(self, folder: Path, kept: list[Path], new: int) -> None:
        if not new:
            self._notes.say(f"Already saved in {folder}, nothing has changed.", kind="done")
            return
        more = f" and {len(kept) - _FEW} more" if len(kept) > _FEW else ""
        names = ", ".join(file.name for file in kept[:_FEW])
        there = f" Already there: {len(kept) - new}." if new < len(kept) else ""
        self._notes.say(f"Saved to {folder}: {names}{more}.{there}", kind="done")

    def _to_drive(self, results: Results, form: Form) -> Job:
        with _temporary_folder() as folder, self._admitting(_STOPPED):
            files = yield from self._write(results, folder, form)
            pack = partial(_pack, files, folder / _zip_name(files))
            self._sender.keep_in_drive(files, pack)

    def _write(
        self, results: Results, folder: Path, form: Form
    ) -> Generator[None, None, list[Path]]:
        """Write all pictures, one photo a step, and return the files."""
        files = []
        for result in self._checked(results):
            files += form.save(result, folder)
            yield
        return files

    def _checked(self, results: Results) -> Results:
        """Yield the results that have pictures, and say how many show no clear subject."""
        photos, unclear, empty = 0, 0, True
        with contextlib.closing(results):  # closing hides the progress bar
            for result in results:
                photos += 1
                if result.pictures:
                    empty = False
                    unclear += not result.is_clear
                    yield result
        if not photos:
            raise PageError("There are no photos to save yet. Choose some first.")
        if empty:
            raise PageError("Nothing stands out in these photos, so there is nothing to save.")
        if unclear:
            many = f"{unclear} of {photos} photos: no clear subject. They say “please check”."
            self._notes.say(many if photos > 1 else "No clear subject in this photo.")

    @contextlib.contextmanager
    def _admitting(self, stopped: str) -> Generator[None, None, None]:
        """Say ``stopped`` if a person stops the job."""
        try:
            yield
        except GeneratorExit:
            self._notes.say(stopped)
            raise

    # Boxes

    def _copy_boxes(self, results: Results, _: Form) -> Job:
        per_object = self._per_object  # at the click; the job may begin later

        def copy() -> Job:
            records = yield from _records(results, per_object)
            with _temporary_folder() as folder:
                table = folder / "boxes.txt"
                table.write_text(annotations.as_table(records), encoding="utf-8")
                self._sender.copy(table)

        return copy()

    def _save_boxes(self, results: Results, _: Form) -> Job:
        # At the click; the job may begin later.
        format, per_object = annotations.FORMATS[self._format.value], self._per_object

        def save() -> Job:
            records = yield from _records(results, per_object)
            with _temporary_folder() as folder:
                made = folder / "boxes"
                made.mkdir()
                files = annotations.write_boxes(records, format, made)
                if len(files) > 1:
                    files = [_pack(files, folder / f"boxes_{format}.zip", root=made)]
                self._sender.send(files[0])

        return save()


def _then(job: Job, act: Callable[[], None]) -> Job:
    """Do a job, and ``act`` after it, unless it fails or is stopped."""
    yield from job
    act()


def results_folder() -> Path:
    """Return the folder for saved results: ``U2DEMO_SAVE_DIR``, else ``results`` here."""
    return as_path("U2DEMO_SAVE_DIR", os.environ.get("U2DEMO_SAVE_DIR", "results"))


def _records(results: Results, per_object: bool) -> Generator[None, None, list[Record]]:
    """Return where the subjects of all photos are, one photo a step."""
    records = []
    with contextlib.closing(results):
        for result in results:
            records.append(annotations.as_record(result, per_object=per_object))
            yield
    if not any(record.objects for record in records):
        raise PageError("Nothing stands out in these photos, so there is no box.")
    return records


def _without_extra(results: Results) -> Results:
    """Yield the results with nothing but their pictures."""
    with contextlib.closing(results):
        for result in results:
            yield replace(result, extra={})


@contextlib.contextmanager
def _temporary_folder() -> Generator[Path, None, None]:
    with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
        yield Path(folder)


def _zip_name(files: Sequence[Path]) -> str:
    """Return a name that tells the first picture, how many others there are, and the day."""
    day = datetime.date.today().isoformat()
    more = f"_and_{len(files) - 1}_more" if len(files) > 1 else ""
    return f"{files[0].stem}{more}_{day}.zip"


def _pack(files: Sequence[Path], target: Path, *, root: Path | None = None) -> Path:
    """Return a zip of ``files``, with their paths below ``root`` or, without it, their names."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed
        taken: set[str] = set()
        for file in files:
            path = file.relative_to(root).as_posix() if root else file.name
            name = next(name for name in numbered(path) if fold_name(name) not in taken)
            taken.add(fold_name(name))  # "Cat" and "cat" are one file where the zip is unpacked
            archive.write(file, name)
    return target
