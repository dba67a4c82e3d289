"""A person's files -> photos with masks, one after the other."""

from collections import deque
from collections.abc import Callable, Iterable

from PIL import Image

from u2demo.masks.corrections import SUFFIX
from u2demo.notebook.album import Album
from u2demo.notebook.jobs import Job, JobQueue
from u2demo.notebook.looking import FINDING, Looking, explain_failure
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo, open_upload
from u2demo.notebook.progress import Progress

File = tuple[str, bytes | Image.Image]  # its name, and what is in it: bytes if it is a person's own

_UNREADABLE = "files could not be opened"


class Opening:
    """Opens files, looks at each photo in them, and gives it to ``add``.

    ``add`` also gets whether to show the photo on the stage: the first of a person's own that
    were chosen together. ``notes`` say why a file could not be opened.
    """

    def __init__(
        self,
        album: Album,
        panel: Panel,
        looking: Looking,
        jobs: JobQueue,
        progress: Progress,
        notes: Notes,
        add: Callable[[Photo, bool], None],
    ):
        self._album = album
        self._panel = panel
        self._looking = looking
        self._jobs = jobs
        self._progress = progress
        self._notes = notes
        self._add = add
        self._waiting: list[deque[File]] = []  # of each choice, its files

    def open_soon(self, files: Iterable[File]) -> None:
        """Open these files after those that wait already."""
        waiting = deque(files)
        self._waiting = [*filter(None, self._waiting), waiting]
        self._jobs.start(self._open(waiting), self._notes.report, waiting.clear)

    def files_to_come(self) -> list[File]:
        """Return the files that have not been opened yet."""
        return [file for waiting in self._waiting for file in waiting]

    def forget(self) -> None:
        """Forget the files that wait; their jobs are stopped elsewhere."""
        self._waiting = []

    def _open(self, waiting: deque[File]) -> Job:
        shown = False
        files = list(waiting)
        for name, source in self._progress.over(files, len(files), FINDING, lambda file: file[0]):
            photo = self._look_at_file(name, source)
            waiting.popleft()
            if photo:
                show = isinstance(source, bytes) and not shown
                self._add(photo, show)
                shown = shown or show
            yield

    def _look_at_file(self, name: str, source: bytes | Image.Image) -> Photo | None:
        """Return the photo with its mask; None, and a note on the page, if that fails."""
        if name.endswith(SUFFIX):
            self._looking.load(name, source)
            return None
        try:
            image = open_upload(name, source, max_pixels=self._panel.max_pixels)
            self._album.announce(name, image)
            return self._looking.look(name, source, image)
        except ValueError as error:  # it names the photo
            self._notes.say(self._panel.explain(error), kind="problem", group=_UNREADABLE)
        except (MemoryError, RuntimeError) as error:
            explain_failure(self._notes, name, error)
        self._album.withdraw()
        return None
