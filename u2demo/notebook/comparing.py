"""photo on the stage -> what both qualities find in it, Fast left and Best right of the divider."""

import ipywidgets

from u2demo.notebook.album import Album
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.jobs import Job, JobQueue
from u2demo.notebook.looking import Looking, explain_failure
from u2demo.notebook.photo import Photo
from u2demo.notebook.progress import Progress

_OTHER = {"fast": "best", "best": "fast"}


class Comparing:
    """A button that puts the results of both qualities side by side.

    Each photo is looked at once for that; what is found is kept, also for when the other quality is
    chosen. ``follow`` should be called after all that may change what is on the stage.
    """

    def __init__(self, album: Album, looking: Looking, jobs: JobQueue, progress: Progress):
        self._album = album
        self._looking = looking
        self._jobs = jobs
        self._progress = progress
        self._asked: Photo | None = None  # that is being looked at
        self._has_looked = False  # at that one
        self.button = ipywidgets.ToggleButton(
            description="Compare Fast and Best",
            tooltip="Show the result of Fast on the left of the divider, of Best on the right",
        )
        self.button.add_class("u2-rare")
        self.button.observe(guarded(lambda _: self.follow(), looking.notes), names="value")

    def follow(self) -> None:
        """Compare the photo that is on the stage now, if a person wants to compare."""
        photo = self._album.on_stage
        can_compare = photo is not None and photo.network == self._looking.models.name
        if not can_compare or not self.button.value:
            self._album.compare(None)
            return
        other = self._looking.kept(photo, _OTHER[photo.quality])
        if other:
            self._album.compare(other)
        elif self._asked is None:
            self._asked, self._has_looked = photo, False
            report, end = self._looking.notes.report, self._end
            self._jobs.start(self._look(photo), report, end)

    def _look(self, photo: Photo) -> Job:
        """Look at a photo with the other quality."""
        for _ in self._progress.over([photo], 1, "Comparing", lambda photo: photo.name):
            now = self._album.latest(photo)
            try:
                self._looking.keep(now, self._looking.look_again(now, _OTHER[now.quality]))
                self._has_looked = True
            except (MemoryError, RuntimeError) as error:
                explain_failure(self._looking.notes, photo.name, error)
            yield

    def _end(self) -> None:
        """Show what was found, or look again if a box was drawn; end this if it was stopped."""
        self._asked = None
        if not self._has_looked:
            self.button.value = False
        self.follow()
