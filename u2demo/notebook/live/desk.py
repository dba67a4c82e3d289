"""messages of a live page -> answers, whatever carries them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from u2demo.notebook import neighbors
from u2demo.notebook.live.files import LiveFiles
from u2demo.notebook.live.masks import LiveFrame
from u2demo.notebook.live.worker import Answer, LivePhoto, LiveWorker

if TYPE_CHECKING:
    from torch import nn


class LiveDesk:
    """Takes what a live page says, at once, and answers when there is something to say.

    Photos also go into the gallery of a one-click app that is open in this kernel.

    ``load`` returns the net; ``keep`` saves a file, given its name and content, and says where. The
    net computes on ``cores``. ``answer`` may be called in any thread.
    """

    def __init__(
        self,
        load: Callable[[], "nn.Module"],
        answer: Answer,
        keep: Callable[[str, bytes], str],
        *,
        cores: int,
    ):
        self._answer = answer
        self._worker = LiveWorker(load, answer, cores=cores)
        self._files = LiveFiles(keep)
        neighbors.announce(self)

    @property
    def is_at_work(self) -> bool:
        """Whether frames or photos are being looked at, or waited for."""
        return self._worker.is_awake

    def receive(self, message: dict, data: bytes) -> None:
        """Take a message: a frame, a photo, a piece of a file, or that the page has stopped."""
        kind, number = message["kind"], message.get("number")
        if kind == "stop":
            self.rest()
        elif kind == "piece":
            self._answer(self._files.receive(message, data), None)
        elif kind == "photo":
            is_taken = neighbors.pass_on(time.strftime("live %Y-%m-%d %H-%M-%S.jpg"), data)
            self._worker.cut_out(LivePhoto(number, data, is_taken))
        else:
            self._worker.look_at(LiveFrame(number, message["time"], data))
            self._answer({"kind": "receipt", "doing": self._worker.doing}, None)

    def rest(self) -> None:
        """Look at nothing more."""
        self._worker.rest()
