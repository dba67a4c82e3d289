"""frames and photos of a page -> answers, on one thread, the newest frame first."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from u2demo.images.png import encode_png
from u2demo.notebook.live.masks import (
    LiveFrame,
    box_in_shares,
    live_cutout,
    live_masks,
    mask_as_png,
)

if TYPE_CHECKING:
    from torch import nn

T = TypeVar("T")
Answer = Callable[[dict, bytes | None], None]

_TAKEN = "Also in the one-click app, which goes on when the live picture stops."
_IDLE = 2.0  # seconds without work after which the thread ends


class LivePhoto(NamedTuple):
    """A full picture as a page sends it; ``is_taken`` says whether a gallery has it, too."""

    number: int
    jpeg: bytes
    is_taken: bool = False


class LiveWorker:
    """Looks at what a page sends while it sends something, on a thread of its own.

    Only the newest frame waits; photos go before it. ``load`` returns the net. ``answer`` is called
    with a message, and the bytes of a picture or none. Both run in that thread, which computes on
    ``cores``. It ends when nothing comes any more, and the next frame starts another one. A failure
    is an answer, too.
    """

    def __init__(self, load: Callable[[], "nn.Module"], answer: Answer, *, cores: int):
        self._load = load
        self._answer = answer
        self._cores = cores
        self._change = threading.Condition()
        self._newest: LiveFrame | None = None
        self._photos: deque[LivePhoto] = deque()
        self._thread: threading.Thread | None = None
        self._loading = threading.Lock()
        self._doing = ""

    @property
    def doing(self) -> str:
        """A sentence on what takes long just now, "" if nothing does."""
        return self._doing

    @property
    def is_awake(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None

    def look_at(self, frame: LiveFrame) -> None:
        """Answer with the mask of ``frame``, unless a newer one comes first."""
        with self._change:
            self._newest = frame
            self._wake()

    def cut_out(self, photo: LivePhoto) -> None:
        """Answer with the cut-out of ``photo``, with quality "best"."""
        with self._change:
            self._photos.append(photo)
            self._wake()

    def rest(self) -> None:
        """Drop what waits, and end the thread as soon as it has done what it is at."""
        with self._change:
            self._newest = None
            self._photos.clear()
            self._thread = None  # the one that runs sees that it is not wanted any more
            self._change.notify_all()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="live", daemon=True)
            self._thread.start()
        self._change.notify_all()

    def _work(self) -> None:
        try:
            with self._loading:  # a thread that began before a rest may still be at it
                model = self._at("Loading the network…", self._load)
            self._look(model)
        except Exception as error:
            self._answer({"kind": "problem", "text": f"The network failed: {error}"}, None)
        finally:
            with self._change:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _at(self, doing: str, work: Callable[..., T], *given: object) -> T:
        """Return what ``work`` does, which takes long."""
        self._doing = doing
        try:
            return work(*given)
        finally:
            self._doing = ""

    def _look(self, model: "nn.Module") -> None:
        from u2demo.nets.threads import use_threads  # loads torch: the page comes first

        with use_threads(self._cores):
            for number, mask in live_masks(model, self._frames(model), cores=self._cores):
                message = {"kind": "mask", "number": number, "box": box_in_shares(mask)}
                self._answer(message, mask_as_png(mask))

    def _frames(self, model: "nn.Module") -> Iterator[LiveFrame]:
        """Yield the newest frame, again and again, and do the photos in between."""
        while True:
            work = self._next()
            if work is None:
                return
            if isinstance(work, LiveFrame):
                yield work
                continue
            picture, mask = self._at("Looking closely at the photo…", live_cutout, model, work.jpeg)
            message = {"kind": "photo", "number": work.number, "box": box_in_shares(mask)}
            message["text"] = _TAKEN if work.is_taken else ""
            self._answer(message, encode_png(picture))

    def _next(self) -> LiveFrame | LivePhoto | None:
        """Wait for work, and return it; None when this thread is to end."""
        with self._change:
            self._change.wait_for(self._has_news, timeout=_IDLE)
            if self._thread is not threading.current_thread():
                return None
            if self._photos:
                return self._photos.popleft()
            frame, self._newest = self._newest, None
            if frame is None:
                self._thread = None
            return frame

    def _has_news(self) -> bool:
        is_wanted = self._thread is threading.current_thread()
        return not is_wanted or self._newest is not None or len(self._photos) > 0
