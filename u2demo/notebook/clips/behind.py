"""a person's choice -> the clip that goes on behind the subject of another."""

from collections.abc import Callable
from pathlib import Path

import ipywidgets
from PIL import Image

from u2demo.effects.background import replace_background
from u2demo.masks.mask import Mask
from u2demo.notebook.actions import Action, Pictures, Settings
from u2demo.notebook.clips.choosing import ClipChoice
from u2demo.notebook.clips.source import Source, reason_of
from u2demo.notebook.environment import PageError
from u2demo.notebook.notes import Notes, escape
from u2demo.video.clip import Clip
from u2demo.video.draw import first_of
from u2demo.video.moving import BeforeClip
from u2demo.video.read import open_video


class ClipBehind(ipywidgets.VBox):
    """A clip for the background: the packaged one until another is chosen.

    ``on_change`` is called after each choice, before the copy of the last one is deleted; it ends
    work on that. ``action`` is the toolbar's entry for it.
    """

    def __init__(self, on_change: Callable[[], None], notes: Notes):
        self._on_change, self._notes = on_change, notes
        self._source = Source.sample()
        self._clip: Clip | None = None
        self._first: Image.Image | None = None
        self.damage = ""  # says what of the clip could not be decoded
        self._name = ipywidgets.HTML()
        self.action = Action("Clip behind", "Put another clip behind the subject", self._draw)
        choice = ClipChoice(self._take, notes, label="Choose clip behind")
        super().__init__([self._name, choice])
        for name in ("u2-group", "u2-behind"):
            self.add_class(name)
        self._say()

    @property
    def path(self) -> Path:
        """Where the clip lies."""
        return self._source.path

    @property
    def clip(self) -> Clip:
        """The clip, opened when it is first needed."""
        if self._clip is None:
            self._clip = self._opened(self._source)
        return self._clip

    def effect(self) -> BeforeClip:
        """Return what puts the clip behind a subject; once used, ``damage`` is up to date."""
        self.damage = ""
        return BeforeClip(self.clip, report=self._note_damage)

    def delete_copy(self) -> None:
        """Delete the clip if it was uploaded."""
        self._source.close()

    def _draw(self, image: Image.Image, mask: Mask, settings: Settings) -> Pictures:
        """Draw a still: before the clip's first frame."""
        if self._first is None:
            self._first = first_of(self.clip)
        return {"behind": replace_background(image, mask, background=self._first)}

    def _take(self, source: Source) -> None:
        self._notes.clear()
        try:
            clip = self._opened(source)
        except PageError as error:
            source.close()
            self._notes.say(str(error), kind="problem")
            return
        old = self._source
        self._source, self._clip, self._first = source, clip, None
        self._say()
        self._on_change()
        old.close()

    def _opened(self, source: Source) -> Clip:
        try:
            return open_video(source.path)
        except (ValueError, ModuleNotFoundError) as error:
            raise PageError(reason_of(error, source)) from error

    def _note_damage(self, sentence: str) -> None:
        self.damage = sentence.replace(str(self._source.path), self._source.name)

    def _say(self) -> None:
        self._name.value = f'<div class="u2-about">{escape(self._source.name)}</div>'
