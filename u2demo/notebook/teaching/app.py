"""The page that teaches: pairs in, a live curve, before and after, and a net of your own out."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display

from u2demo.machine.paths import as_path
from u2demo.nets.checkpoints import CHECKPOINTS
from u2demo.notebook.app import OneClick
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.cells import close_on_rerun
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.jobs import Job, JobQueue, aside, beside, job_button
from u2demo.notebook.layout import close, style
from u2demo.notebook.models import label, networks
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.progress import Progress, time_left
from u2demo.notebook.saving import results_folder
from u2demo.notebook.sending import Sender
from u2demo.notebook.teaching.choosing import PairChoice
from u2demo.notebook.teaching.drawings import draw_before_and_after, draw_curve, draw_pairs
from u2demo.notebook.teaching.headless import teach_and_save
from u2demo.notebook.teaching.lesson import Lesson, Wish
from u2demo.notebook.teaching.saving import NAME, save_pair
from u2demo.notebook.teaching.source import Source, from_folders, from_photos, practice

if TYPE_CHECKING:
    from torch import nn

    from u2demo.training.course import Progress as Step
    from u2demo.training.report import Report

_STAYS = "The net taught before scores better on the same photos, and stays."


class Teach:
    """A page that teaches a net pairs of photos and masks.

    ``show`` opens it on folders of yours, on the photos of an app with the masks as you corrected
    them there, or on pairs to practice on, made of the packaged photos, and begins with those at
    once, but in Voila. A lesson that was stopped can go on. A net that was taught can be tried and
    saved until a later lesson succeeds and, on the same photos held out, does not score worse.
    ``model`` is that net, or the one before. ``page`` is the widget that it displays. In an
    unattended run, ``show`` teaches, displays figures and saves.
    """

    def __init__(self):
        self._lesson: Lesson | None = None
        self._taught: Lesson | None = None  # the last that made a better net
        self._model: nn.Module | None = None
        self._app: OneClick | None = None
        self._jobs = JobQueue()
        self._uses = JobQueue()  # of the taught net, also while another is taught
        self._chosen, self._notes, self._saving = (Notes() for _ in range(3))
        self._sender = Sender(self._saving)
        self._progress = Progress(self._stop, answer="Stopping, and checking what was learned…")
        self._pairs, self._curve, self._result, self._yours = (ipywidgets.HTML() for _ in range(4))
        self._network = ipywidgets.Dropdown(
            description="Start from", options=[(label(name), name) for name in networks()]
        )
        self._steps = ipywidgets.BoundedIntText(
            value=0, min=0, max=100_000, description="Steps (0 = automatic)"
        )
        self._gate = ipywidgets.Checkbox(True, description="Look for mistakes first", indent=False)
        self._begin = job_button("Teach", self._learn, self._jobs, self._notes)
        self._begin.add_class("u2-primary")
        self._further = job_button("Go on", self._go_on, self._jobs, self._notes)
        self._further.layout.display = "none"
        uses = {
            "Try it": self._try,
            f"Download {NAME}": self._download,
            f"Save to {results_folder().resolve().name}/": self._save,
        }
        self._after = ipywidgets.HBox(
            [job_button(text, use, self._uses, self._saving) for text, use in uses.items()]
        )
        self._after.layout.display = "none"
        self._below = ipywidgets.VBox()
        self.page = self._lay_out()

    @property
    def model(self) -> "nn.Module":
        """The net that was taught last; while none was better, the one that it started from."""
        if self._model is None:
            from u2demo.nets.load import load_model  # loads torch: the page comes first

            self._model = load_model(self._network.value)
        return self._model

    @property
    def is_busy(self) -> bool:
        """Whether pairs are read or taught, or a net is saved."""
        return self._jobs.is_busy or self._uses.is_busy

    def show(
        self,
        photos: str | Path | OneClick | None = None,
        masks: str | Path | None = None,
    ) -> None:
        """Display the page and open it on two folders, an app's photos, or pairs to practice on.

        When a cell runs again, the page that it showed before is closed. The same page, shown again
        without ``photos``, stays as it is.
        """
        source = _source(photos, masks)
        if environment() == "headless":
            self._model = teach_and_save(source)
            return
        close_on_rerun(self.close)
        display(self.page)
        if photos is not None or self._lesson is None:
            guarded(self._receive, self._chosen)(source)
        if environment() == "voila":  # its page opens later, and misses changes made before
            self._jobs.finish()

    def close(self) -> None:
        """Stop all work, and free the memory; the page cannot be used again."""
        self._stop()
        self._jobs.clear()
        self._uses.clear()
        if self._app:
            self._app.close()
        close(self.page)

    def _lay_out(self) -> ipywidgets.Widget:
        row = ipywidgets.HBox([self._network, self._steps, self._gate, self._begin, self._further])
        row.add_class("u2-lesson")
        self._after.add_class("u2-lesson")
        styles = [style(), style("teach.css")]
        above = [PairChoice(self._receive, self._chosen), self._chosen, self._pairs, row]
        on_the_way = [self._notes, self._progress, self._curve]
        result = [self._result, self._yours, self._after, self._saving, *self._sender.hidden]
        app = ipywidgets.VBox([*styles, *above, *on_the_way, *result])
        app.add_class("u2-app")
        app.add_class("u2-teach")
        page = ipywidgets.VBox([app, self._below])
        page.add_class("u2-lessons")
        return page

    # Pairs come

    def _receive(self, source: Source) -> None:
        """Read other pairs in place of those before; begin at once with those to practice on.

        A click on Teach begins where a taught net could be lost, and in Voila, which shows a page
        when its cells are done, and cannot show them at work.
        """
        self._stop()
        self._jobs.clear()
        self._chosen.clear()
        self._notes.clear()
        self._clear()
        self._pairs.value = ""
        self._lesson = Lesson(source, Wish(self._network.value))
        begins = source.is_practice and not self._taught and environment() != "voila"
        if begins:
            self._jobs.start(self._learn(), self._notes.report)
        else:
            self._jobs.start(self._read(self._lesson), self._chosen.report)

    def _clear(self) -> None:
        """Clear what is shown of the last lesson, with which nobody can go on now."""
        self._curve.value = self._result.value = ""
        self._further.layout.display = "none"

    def _read(self, lesson: Lesson) -> Job:
        self._chosen.clear()
        yield from self._watch(lesson.read())
        count = f"{len(lesson.samples)} pairs {lesson.source.title}"
        self._pairs.value = f"<p>{escape(count)}</p>{draw_pairs(lesson.samples)}"
        for name, why in lesson.left_out.items():
            self._chosen.say(f"{name}: {why}", kind="problem", group="photos are left out")

    # The net learns

    def _learn(self) -> Job:
        yield from self._alone(self._learn_pairs())

    def _go_on(self) -> Job:
        yield from self._alone(self._learn_rest())

    def _alone(self, job: Job) -> Job:
        """Do a job while Teach rests, also where it was not begun by a click."""
        self._begin.disabled = True
        try:
            yield from job
        finally:
            self._begin.disabled = False

    def _learn_rest(self) -> Job:
        lesson = self._lesson
        self._clear()
        yield from self._watch(lesson.go_on())
        self._show_result(lesson)

    def _learn_pairs(self) -> Job:
        if self._lesson is None:
            raise PageError("There are no pairs yet. Choose photos and masks first.")
        wish = Wish(self._network.value, self._steps.value, self._gate.value)
        lesson = self._lesson
        if lesson.trained or lesson.wish.model != wish.model or not lesson.samples:
            self._clear()
            self._lesson = lesson = Lesson(lesson.source, wish)
            yield from self._read(lesson)
        lesson.wish = wish
        self._clear()
        yield from self._watch(lesson.learn())
        self._show_result(lesson)

    def _watch(self, steps: "Iterator[Step]") -> Job:
        """Take steps beside the page, and show how far they are."""
        doing, began, first = "", 0.0, 0
        try:
            self._progress.show("Beginning", 0)
            with closing(aside(steps)) as taken:
                for step in taken:
                    if step is None:
                        self._show_download()
                        yield
                        continue
                    if step.doing != doing:
                        doing, began, first = step.doing, time.monotonic(), step.done
                    left = _left(step, time.monotonic() - began, step.done - first)
                    text = f"{doing.capitalize()}, {step.done} of {step.total}{left}"
                    self._progress.show(text, step.done / step.total)
                    self._draw_curve(step.total)
                    yield
        finally:
            self._progress.hide()

    def _show_download(self) -> None:
        """Say how much of the weights has come, while they are fetched."""
        size = self._lesson.fetched
        if size is not None:
            self._progress.show_download(size, CHECKPOINTS[self._lesson.wish.model].bytes)

    def _draw_curve(self, steps: int) -> None:
        lesson = self._lesson
        if lesson and lesson.losses:
            checks = tuple(lesson.course.history)
            self._curve.value = draw_curve(tuple(lesson.losses), checks, steps)

    def _show_result(self, lesson: Lesson) -> None:
        report = lesson.trained.report
        kind = "done" if report.is_better else "info"
        self._notes.say(f"{report.summary()}.", kind=kind)
        self._result.value = draw_before_and_after(report)
        self._further.layout.display = "none" if lesson.is_complete else ""
        if report.is_better and self._taught and _is_worse(report, self._taught.trained.report):
            self._notes.say(_STAYS)
        elif report.is_better:
            self._taught = lesson
            self._yours.value = f"<p>{escape(_about(lesson))}</p>"
            self._after.layout.display = ""
            self._saving.clear()  # it is about the net before
        self._model = (self._taught or lesson).trained.model

    def _stop(self) -> None:
        """End the lesson with what has been learned; before it has begun, end everything."""
        if self._lesson:
            self._lesson.stop()
        if not (self._lesson and self._lesson.course):
            self._jobs.clear()

    # The net is used

    def _try(self) -> Job:
        """Open the app with the net below."""
        yield
        if self._app:
            self._app.close()
        self._app = OneClick(self._model)
        self._below.children = (self._app.page,)
        self._app.run()

    def _download(self) -> Job:
        data, facts = yield from beside(self._taught.weights)
        with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
            for name, content in ((NAME, data), ("mine.json", facts)):
                file = Path(folder) / name
                file.write_bytes(content)
                self._sender.send(file)

    def _save(self) -> Job:
        data, facts = yield from beside(self._taught.weights)
        saved = save_pair(results_folder(), data, facts)
        self._saving.say(
            f"Saved to {saved}. Use it with load_model(weights=…), or in the app's menu: A file of"
            " your own.",
            kind="done",
        )


def _source(photos: str | Path | OneClick | None, masks: str | Path | None) -> Source:
    if photos is None or isinstance(photos, OneClick):
        if masks is not None:
            why = "there are no photos" if photos is None else "the app's photos have masks"
            raise ValueError(f"masks is {masks!r:.80}, but {why}; expected two folders, or one")
        return practice() if photos is None else from_photos(photos.photos)
    photos = as_path("photos", photos)
    return from_folders(photos, photos if masks is None else as_path("masks", masks))


def _is_worse(new: "Report", old: "Report") -> bool:
    """Return whether a net scores worse than another; if their photos differ, nobody knows."""
    photos, others = ({row.sample for row in report.rows} for report in (new, old))
    return photos == others and new.after.iou < old.after.iou


def _about(lesson: Lesson) -> str:
    """Return which net the page has for use, and how long."""
    pairs = f"{len(lesson.samples)} pairs {lesson.source.title}"
    iou = lesson.trained.report.after.iou
    return (
        f"Your net was taught {pairs}; IoU {iou:.3f}. The next lesson that succeeds replaces it,"
        " unless it scores worse on the same photos held out."
    )


def _left(step: "Step", seconds: float, done: int) -> str:
    """Return the time left for all nets, once there is something to tell it by."""
    if done < 3:
        return ""
    left = (step.total - step.done + step.later) * seconds / done
    return f", {time_left(left)}"
