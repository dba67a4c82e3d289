"""(net, quality) -> photos with masks: each looked at once, and again when the choice changes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from u2demo.masks.corrections import file_names, from_json, photo_named_in
from u2demo.notebook.album import Album
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.jobs import Job, JobQueue
from u2demo.notebook.models import ModelMenu, title
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo, find_subject
from u2demo.notebook.progress import Progress

if TYPE_CHECKING:
    from torch import nn

FINDING = "Finding the subject"
_MOST_KEPT = 16


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
        self._quality = panel.quality
        self._quality.observe(guarded(self._change, self.notes), names="value")
        self._jobs = jobs
        self._progress = progress
        self._on_look = on_look
        self._kept: list[Photo] = []

    def look(self, name: str, source: bytes | Image.Image, image: Image.Image) -> Photo:
        """Return the photo with its mask; ``image`` is the opened ``source``."""
        model, (network, quality) = self.models.load(), self._way()
        return find_subject(model, name, source, image, network=network, quality=quality)

    def look_again(self, photo: Photo, quality: str) -> Photo:
        """Return ``photo``, corrected as it is, as the chosen network finds it with ``quality``."""
        kept = self.kept(photo, quality, self.models.name)
        if kept:
            return replace(kept.corrected(photo.history), name=photo.name)
        return find_subject(
            self.models.load(),
            photo.name,
            photo.source,
            photo.open_image(),
            network=self.models.name,
            quality=quality,
            history=photo.history,
        )

    def keep(self, *photos: Photo) -> None:
        """Keep what was found, so that no second look finds it again; the latest few are kept."""
        for photo in photos:
            self._kept = [each for each in self._kept if not _is_same_look(each, photo)]
            self._kept = [*self._kept, photo][-_MOST_KEPT:]

    def forget(self) -> None:
        """Forget what was kept."""
        self._kept = []

    def kept(self, photo: Photo, quality: str, network: str | None = None) -> Photo | None:
        """Return what was kept of ``photo`` and its box, by default found by the same network."""
        wanted = replace(
            photo,
            quality=quality,
            network=network or photo.network,
            within=photo.history.now.within,
        )
        return next((each for each in self._kept if _is_same_look(each, wanted)), None)

    def take(self, before: Photo, photo: Photo) -> None:
        """Put a corrected photo in its place; look again if its box to look in has changed."""
        self._album.replace(before, photo)
        self._on_look()
        if photo.wants_another_look:
            self.go_on()

    def load(self, name: str, data: bytes) -> None:
        """Correct the photo that a file of corrections is called after, or say why not."""
        text = data.decode("utf-8-sig", "replace")
        try:
            photo = self._called(name, photo_named_in(text))
            corrections = from_json(text, photo.size)
            self.take(photo, photo.corrected(photo.history.say(corrections)))
        except ValueError as error:
            self.notes.say(f"{name}: {error}.", kind="problem")

    def _called(self, name: str, named: str | None) -> Photo:
        """Return the photo whose corrections have that file name, and may be ``named`` in it."""
        names = [(photo, file_names(photo.name)) for photo in self._album.photos]
        exactly = [photo for photo, (exact, _) in names if exact == name]
        called = exactly or [photo for photo, (_, usual) in names if usual == name]
        if not called:
            raise ValueError("there is no photo of that name. Choose it first")
        meant = [photo for photo in called if photo.name == named]
        return (meant or called)[-1]

    def begin(self) -> None:
        """Look again at all photos whose mask was found another way; a quality is chosen then."""
        self.notes.clear()
        _, quality = self._way()
        self._quality.value = quality
        self.go_on()

    def go_on(self) -> None:
        """Look again at the photos that are left: if no quality is chosen, at those that ask."""
        self._jobs.start(self._look_again(), self.notes.report)

    def look_now(self) -> None:
        """Look again at once at the photo on the stage, if its box to look in has changed."""
        photo = self._album.on_stage
        if photo and photo.wants_another_look:
            self._renew(photo)

    def _way(self) -> tuple[str, str]:
        """Return the network and the quality that are chosen now."""
        return self.models.name, self._quality.value or "fast"

    def _change(self, change: dict) -> None:
        if change["new"]:
            self.begin()

    def _look_again(self) -> Job:
        photos, total = self._outdated_in_turn(), len(self._outdated())
        try:
            for photo in self._progress.over(photos, total, FINDING, lambda photo: photo.name):
                self._renew(photo)
                yield
        finally:
            self.admit_mixture()

    def _renew(self, photo: Photo) -> None:
        """Put the result of another look at a photo in its place, or say why there is none."""
        try:
            again = self.look_again(photo, self._quality.value or photo.quality)
        except (MemoryError, RuntimeError) as error:
            explain_failure(self.notes, photo.name, error)
            return
        self._album.replace(photo, again)
        self._on_look()

    def _outdated_in_turn(self) -> Iterator[Photo]:
        """Yield the photos to look at again, first the one that is on the stage at that time."""
        tried: list[Photo] = []  # one that fails stays outdated
        while left := [photo for photo in self._outdated() if photo not in tried]:
            photo = self._album.on_stage if self._album.on_stage in left else left[0]
            tried.append(photo)
            yield photo

    def _outdated(self) -> list[Photo]:
        """Return the photos to look at again; while no quality is chosen, for their boxes only."""
        way = self._way()
        return [
            photo
            for photo in self._album.photos
            if photo.wants_another_look
            or (self._quality.value and (photo.network, photo.quality) != way)
        ]

    def admit_mixture(self) -> None:
        """If photos are left: say how many are done, and let any quality be chosen."""
        missing = len(self._outdated())
        if not missing or not self._quality.value:
            return
        total, quality = len(self._album.photos), self._quality.label
        self.notes.say(
            f"{total - missing} of {total} photos done "
            f"({title(self.models.name)}, {quality}). "
            "Choose Fast or Best to continue with the others."
        )
        self._quality.value = None


def _is_same_look(one: Photo, other: Photo) -> bool:
    ways = [(each.network, each.quality, each.within) for each in (one, other)]
    return one.source is other.source and ways[0] == ways[1]


def explain_failure(notes: Notes, name: str, error: Exception) -> None:
    """Say why a photo of that name could not be looked at or drawn."""
    reason = str(error).removeprefix(f"{name}: ") or "not enough memory"
    notes.say(f"{name}: {reason}", kind="problem", group="photos could not be processed")
