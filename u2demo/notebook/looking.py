"""(net, quality) -> photos with masks: each looked at once, and again when the choice changes."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PIL import Image

from u2demo.masks.corrections import file_names, from_json
from u2demo.notebook.album import Album
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.jobs import Job, JobQueue
from u2demo.notebook.models import ModelMenu, title
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo, find_subject
from u2demo.notebook.progress import Progress
from u2demo.notebook.stage.correcting import History

if TYPE_CHECKING:
    from torch import nn

FINDING = "Finding the subject"


class Looking:
    """Looks at photos with the chosen network and quality, and again when another is chosen.

    ``models`` is the menu of networks, ``notes`` what to say beside the choice. ``on_look`` is
    called after each other look at a photo of ``album``.
    """

    def __init__(
        self,
        album: Album,
        panel: Panel,
        jobs: JobQueue,
        progress: Progress,
        model: "nn.Module | None",
        on_look: Callable[[], None],
    ):
        self.notes = Notes()
        self.models = ModelMenu(self.begin, model)
        self._album = album
        album.stage.finish = jobs.finish
        self._quality = panel.quality
        self._quality.observe(guarded(self._change, self.notes), names="value")
        self._jobs = jobs
        self._progress = progress
        self._on_look = on_look

    def look(
        self,
        name: str,
        source: bytes | Image.Image,
        image: Image.Image,
        history: History | None = None,
    ) -> Photo:
        """Return the photo with its mask, corrected; ``image`` is the opened ``source``."""
        network, quality = self._way()
        way = {"network": network, "quality": quality, "history": history}
        return find_subject(self.models.load(), name, source, image, **way)

    def take(self, before: Photo, photo: Photo) -> None:
        """Put a corrected photo in its place; look again if its box to look in has changed."""
        self._album.replace(before, photo)
        self._on_look()
        if photo.wants_another_look:
            self.go_on()

    def load(self, name: str, text: bytes) -> None:
        """Correct the photo that a file of corrections is called after, or say why not."""
        try:
            photo = self._called(name)
            corrections = from_json(text.decode("utf-8", "replace"), photo.size)
            self.take(photo, photo.corrected(photo.history.say(corrections)))
        except ValueError as error:
            self.notes.say(f"{name}: {error}.", kind="problem")

    def _called(self, name: str) -> Photo:
        """Return the photo whose corrections have that file name."""
        names = [(photo, file_names(photo.name)) for photo in self._album.photos]
        exactly = [photo for photo, (exact, _) in names if exact == name]
        called = exactly or [photo for photo, (_, usual) in names if usual == name]
        if not called:
            raise ValueError("there is no photo of that name. Choose it first")
        return called[-1]

    def begin(self) -> None:
        """Look again at all photos whose mask was found another way; a quality is chosen then."""
        self.notes.clear()
        _, quality = self._way()
        self._quality.value = quality
        self.go_on()

    def go_on(self) -> None:
        """Look again at the photos that are left, if a quality is chosen."""
        self._jobs.start(self._look_again(), self.notes.report)

    def _way(self) -> tuple[str, str]:
        """Return the network and the quality that are chosen now."""
        return self.models.name, self._quality.value or "fast"

    def _change(self, change: dict) -> None:
        if change["new"]:
            self.begin()

    def _look_again(self) -> Job:
        failed: list[Photo] = []
        total = len(self._outdated())
        photos = self._outdated_in_turn(failed)
        try:
            for photo in self._progress.over(photos, total, FINDING, lambda photo: photo.name):
                try:
                    image = photo.open_image()
                    again = self.look(photo.name, photo.source, image, photo.history)
                except (MemoryError, RuntimeError) as error:
                    explain_failure(self.notes, photo.name, error)
                    failed.append(photo)
                else:
                    self._album.replace(photo, again)
                    self._on_look()
                yield
        finally:
            self._admit_mixture()

    def _outdated_in_turn(self, failed: list[Photo]) -> Iterator[Photo]:
        """Yield the photos to look at again, first the one that is on the stage at that time."""
        while left := [photo for photo in self._outdated() if photo not in failed]:
            yield self._album.on_stage if self._album.on_stage in left else left[0]

    def _outdated(self) -> list[Photo]:
        """Return the photos to look at again; none while no quality is chosen."""
        if not self._quality.value:
            return []
        way = self._way()
        return [
            photo
            for photo in self._album.photos
            if (photo.network, photo.quality) != way or photo.wants_another_look
        ]

    def _admit_mixture(self) -> None:
        """If photos are left: say how many are done, and let any quality be chosen."""
        missing = len(self._outdated())
        if not missing:
            return
        total, quality = len(self._album.photos), self._quality.label
        self.notes.say(
            f"{total - missing} of {total} photos are done "
            f"({title(self.models.name)}, {quality}). "
            "Choose Fast or Best to continue with the others."
        )
        self._quality.value = None


def explain_failure(notes: Notes, name: str, error: Exception) -> None:
    """Say why a photo of that name could not be looked at or drawn."""
    reason = str(error).removeprefix(f"{name}: ") or "too large for the memory"
    notes.say(f"{name}: {reason}", kind="problem", group="photos could not be processed")
