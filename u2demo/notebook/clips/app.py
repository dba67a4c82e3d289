"""The app for clips: a clip in, three of its frames on the page at once, then a clip out."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display

from u2demo.effects.canvas import put_on_canvas
from u2demo.effects.effect import Effect
from u2demo.images.read import sample_images
from u2demo.notebook.actions import Settings, all_actions
from u2demo.notebook.album import Album
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.cells import close_on_rerun
from u2demo.notebook.choices import NamedPhoto
from u2demo.notebook.clips.behind import ClipBehind
from u2demo.notebook.clips.choosing import ClipChoice
from u2demo.notebook.clips.headless import show_and_save_clip
from u2demo.notebook.clips.making import Way, Workshop, stills
from u2demo.notebook.clips.player import Player
from u2demo.notebook.clips.saving import ClipSaver, Make
from u2demo.notebook.clips.source import Source, describe, reason_of, source_of
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.jobs import Job, JobQueue, aside, job_button
from u2demo.notebook.layout import close, lay_out, make_manners, style
from u2demo.notebook.models import ModelMenu, check_net
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo
from u2demo.notebook.progress import Progress, time_left
from u2demo.notebook.sending import size_text
from u2demo.notebook.settling import at_once
from u2demo.video.clip import Clip
from u2demo.video.moving import Adjusted
from u2demo.video.read import open_video

if TYPE_CHECKING:
    from torch import nn

_SCENE = "rocket.jpg"  # behind the subject, until another is chosen
_NOT_FOR_CLIPS = {"objects"}
_CANVAS = 1080, 1080  # pixels, until another size is chosen; the one of photos makes heavy clips


@dataclass(frozen=True)
class Order:
    """What the controls say: a clip is made again only if this has changed."""

    way: Way
    action: str
    settings: Settings
    behind: Path  # the clip for the background
    format: str


class Clips:
    """A page that finds the subject of a clip and makes a new clip with it.

    ``show`` opens it on the packaged clip or on yours. The network looks at three frames, which
    show what the controls do; all frames follow when the clip is made. In an unattended run,
    ``show`` displays figures and saves the clip at once. ``page`` is the widget that it displays.
    """

    def __init__(self, model: "nn.Module | None" = None):
        check_net(model)
        self._workshop: Workshop | None = None
        self._source: Source | None = None
        self._made: Order | None = None
        self._jobs = JobQueue()
        self._notes = Notes()
        self._progress = Progress(self._stop, answer="Stopping after this frame…")
        self._behind = ClipBehind(self._change_behind, self._notes)
        actions = {}
        for name, each in all_actions().items():
            if name not in _NOT_FOR_CLIPS:
                actions[name] = each
            if name == "scene":  # a clip behind stands beside the photo behind
                actions["behind"] = self._behind.action
        scene = NamedPhoto(_SCENE, sample_images()[_SCENE])
        self._panel = Panel(self._redraw, self._notes, scene, actions)
        self._panel.show(replace(self._panel.settings, canvas=_CANVAS))
        self._manners = make_manners(guarded(self._panel.reset, self._notes))
        settle = self._manners.settle if self._manners else at_once
        self._album = Album(self._panel, self._notes)
        self._panel.toolbar.observe(lambda _: self._arrange(), names="value")
        self._arrange()
        self._panel.quality.value = "fast"
        self._panel.quality.observe(guarded(self._change_quality, self._notes), names="value")
        self._models = ModelMenu(self._look_again, model)
        self._choice = ClipChoice(self._receive, self._notes)
        self._about = ipywidgets.HTML()
        self._player = Player()
        self._button = job_button("Make the clip", self._remake, self._jobs, self._notes, settle)
        self._saver = ClipSaver(self._up_to_date, self._jobs, settle)
        self._saver.format.observe(guarded(lambda _: self._admit_change(), self._notes), "value")
        self.page = self._lay_out()

    @property
    def is_busy(self) -> bool:
        """Whether the app looks at frames, makes or saves a clip, or fetches a network."""
        return self._jobs.is_busy or self._models.is_fetching

    def show(self, clip: str | Path | None = None) -> None:
        """Display the app and open it on the ``clip`` at that path, by default the packaged one.

        When a cell runs again, the app that it showed before is closed. The same app, shown again
        without a ``clip``, stays as it is.
        """
        source = source_of(clip)
        if environment() == "headless":
            show_and_save_clip(self._models.load(), source)
            return
        close_on_rerun(self.close)
        display(self.page)
        if clip is not None or self._source is None:
            guarded(self._receive, self._notes)(source)
        if environment() == "voila":  # its page opens later, and misses changes made before
            self._jobs.finish()

    def run(self, clip: str | Path | None = None) -> None:
        """Open the clip at that path, by default the packaged one, in place of the present one."""
        self._receive(source_of(clip))

    def close(self) -> None:
        """Stop all work, delete what was made, free the memory; the app cannot be used again."""
        self._jobs.clear()
        self._models.cancel()
        self._leave()
        self._behind.delete_copy()
        close(self.page)

    def _lay_out(self) -> ipywidgets.Widget:
        self._button.add_class("u2-primary")
        below = ipywidgets.HBox([self._album.caption, self._button])
        below.add_class("u2-below")
        shown = [self._album.stage, below, self._album.gallery, self._player]
        page = lay_out(
            top=[self._choice, self._notes, self._about],
            toolbar=[self._panel.toolbar, self._panel.title],
            left=[self._jobs.waiting, self._progress, *shown],
            side=[self._behind, self._panel.column, self._models.box],
            saver=self._saver.box,
            manners=self._manners,
        )
        page.add_class("u2-clips")
        self._about.add_class("u2-clip")
        page.children = (style("clips.css"), *page.children)
        return page

    # A clip comes

    def _receive(self, source: Source) -> None:
        """Open another clip; if that fails, say why, and the present one stays."""
        self._notes.clear()
        try:
            clip = open_video(source.path)
        except (ValueError, ModuleNotFoundError) as error:
            source.close()
            self._notes.say(reason_of(error, source), kind="problem")
            return
        self._jobs.clear()
        self._leave()
        self._source, self._workshop = source, Workshop(clip, source.name)
        self._about.value = describe(clip, source.name)
        self._look_again()

    def _leave(self) -> None:
        """Forget the present clip and all that was made of it."""
        self._album.clear()
        self._player.clear()
        self._saver.forget()
        self._made = None
        if self._workshop:
            self._workshop.close()
            self._source.close()
        self._workshop = self._source = None

    def _change_quality(self, change: dict) -> None:
        if change["new"]:
            self._look_again()

    def _look_again(self) -> None:
        """Look at three frames with the chosen network and quality."""
        self._jobs.clear()
        if self._workshop:
            self._jobs.start(self._look_at_three(self._workshop.clip), self._notes.report)

    def _look_at_three(self, clip: Clip) -> Job:
        before = list(self._album.photos)
        try:
            self._progress.show("Looking at three frames", 0)
            yield
            done = 0
            with closing(aside(stills(clip, self._models.load(), self._way()))) as found:
                for photo in found:
                    if photo is not None:
                        self._put(photo, before[done] if done < len(before) else None)
                        done += 1
                        self._progress.show("Looking at three frames", done / 3)
                    yield
        finally:
            self._progress.hide()
            self._admit_change()

    def _put(self, photo: Photo, old: Photo | None) -> None:
        """Show a photo, in place of ``old`` if there is one."""
        if old is None:
            self._album.add(photo)
        else:
            self._album.replace(old, photo)

    # A clip is made

    def _way(self) -> Way:
        return Way(self._models.name, self._panel.quality.value or "fast")

    def _order(self) -> Order:
        panel = self._panel
        action, format = panel.toolbar.value, self._saver.format.value
        return Order(self._way(), action, panel.settings, self._behind.path, format)

    def _effect(self) -> Effect:
        """Return the chosen action as an effect of the present clip."""
        settings = self._panel.settings
        match self._panel.toolbar.value:
            case "canvas":  # the subject has one place in all frames of a shot
                effect = partial(
                    put_on_canvas,
                    size=settings.canvas,
                    margin=settings.space,
                    background=settings.plain,
                    shadow=settings.shadow,
                )
            case "behind":
                effect = self._behind.effect()
            case _:
                return self._panel.effect()
        return Adjusted(effect, settings.edge(self._workshop.clip.size))

    def _remake(self) -> Job:
        yield from self._up_to_date()

    def _up_to_date(self) -> Make:
        """Make the clip as the controls say now, unless that was done; return its path."""
        if self._workshop is None:
            raise PageError("There is no clip yet. Choose one first.")
        order = self._order()
        if self._made != order:
            self._workshop.check(self._effect(), order.format)
            self._made = None
            self._notes.clear()
            try:
                yield from self._carry_out(order)
                self._made = order
            except ModuleNotFoundError as error:
                raise PageError(f"{str(error).capitalize()}, then try again.") from error
            except MemoryError as error:
                raise PageError("The clip is too large for this computer's memory.") from error
            finally:
                self._progress.hide()
                if self._made is None:
                    self._player.clear()  # what it showed is deleted
            self._show_result()
        return self._workshop.file

    def _carry_out(self, order: Order) -> Job:
        workshop, effect = self._workshop, self._effect()
        if not workshop.has_looked(order.way):
            looks = workshop.look(self._models.load(), order.way)
            yield from self._watch("Looking at", looks)
        yield from self._watch("Making", workshop.make(order.action, effect, order.format))
        yield from self._watch("Copying", workshop.copy_original())

    def _watch(self, verb: str, steps: Iterator) -> Job:
        """Take ``steps``, one for each frame, beside the page, and say how far they are."""
        total = self._workshop.frames or self._workshop.clip.expected_frames or 1
        began, done = time.monotonic(), 0
        with closing(aside(steps)) as taken:
            for step in taken:
                if step is not None:
                    done += 1
                    total = max(total, done)
                    pace = _pace(done, total, time.monotonic() - began)
                    self._progress.show(f"{verb} frame {done} of {total}{pace}", done / total)
                yield

    def _show_result(self) -> None:
        workshop = self._workshop
        shown = {self._source.name: workshop.original, workshop.file.name: workshop.result}
        self._player.show(shown, self._summary())
        self._admit_change()  # controls can be moved while a clip is made
        if workshop.damage:
            self._notes.say(f"{self._source.name}: {workshop.damage}", kind="problem")
        if self._made.action == "behind" and self._behind.damage:
            self._notes.say(self._behind.damage, kind="problem")

    def _summary(self) -> str:
        workshop = self._workshop
        shown = "" if workshop.is_shown_whole else ". Its beginning is shown here, in small"
        return f"{workshop.file.name}, {size_text(workshop.file_size)}{shown}"

    def _arrange(self) -> None:
        """Show the control for the clip behind where it counts."""
        is_shown = self._panel.toolbar.value == "behind"
        self._behind.layout.display = "" if is_shown else "none"

    def _change_behind(self) -> None:
        """Draw another clip behind; what is being made with the one before ends."""
        if self._jobs.is_busy:
            self._look_again()
        else:
            self._redraw()

    def _redraw(self) -> None:
        self._album.change_all()
        self._admit_change()

    def _admit_change(self) -> None:
        """Say below the clip that was made if the controls have changed since."""
        if self._made is None:
            return
        is_old = self._made != self._order()
        self._player.say("Changed since. Make the clip again." if is_old else self._summary())

    def _stop(self) -> None:
        self._jobs.clear()
        self._notes.say("Stopped.")


def _pace(done: int, total: int, seconds: float) -> str:
    """Return the time left and the speed, once there is something to tell them by."""
    if seconds < 1 or done < 3:
        return ""
    speed = done / seconds
    return f", {time_left((total - done) / speed)}, {speed:.1f} frames/s"
