"""page <-> kernel in Google Colab: the live page, asked again and again by a cell that runs.

Other widgets than Colab's own need a permission there.
"""

import queue
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

from u2demo.machine.cores import available_cores
from u2demo.notebook import colab
from u2demo.notebook.environment import PageError
from u2demo.notebook.front_end import assets
from u2demo.notebook.live.assets import SCRIPTS, STYLES, sample_pictures
from u2demo.notebook.live.desk import LiveDesk
from u2demo.notebook.live.files import keep_in_drive

if TYPE_CHECKING:
    from torch import nn

_PATIENCE = 5.0  # seconds after which the page says that the kernel is silent
_WAIT = 2.0  # seconds; so long the page may wait for an answer that takes long

Answers = queue.SimpleQueue[tuple[dict, bytes | None]]


def serve(load: Callable[[], "nn.Module"]) -> None:
    """Show the live page and answer it until the person presses Done.

    Raises:
        PageError: the page does not answer, or cannot go on.
    """
    colab.check_page_answers()
    answers: Answers = queue.SimpleQueue()

    def answer(message: dict, picture: bytes | None) -> None:
        answers.put((message, picture))

    def bring(said: list[dict]) -> list[dict]:
        for message in said:
            data = b64decode(message.pop("data", ""))
            desk.receive(message, data)
        return [
            {"message": message, "data": b64encode(picture or b"").decode()}
            for message, picture in _gather(answers, _WAIT if said else 0)
        ]

    desk = LiveDesk(load, answer, keep_in_drive, cores=available_cores())
    told = {
        "styles": assets(*STYLES),
        "samples": [b64encode(picture).decode() for picture in sample_pictures()],
        "keep": "Google Drive",
        "patience": _PATIENCE,
    }
    try:
        colab.converse("u2live", (*SCRIPTS, "live_colab.js"), told, bring)
    except PageError as error:
        raise PageError(f"The live page failed: {error}") from error
    finally:  # also when the cell is interrupted
        desk.rest()


def _gather(answers: Answers, seconds: float) -> list[tuple[dict, bytes | None]]:
    """Return all answers so far; wait ``seconds`` if there are none but receipts."""
    gathered: list[tuple[dict, bytes | None]] = []
    end = time.monotonic() + seconds
    while not answers.empty() or all(message["kind"] == "receipt" for message, _ in gathered):
        try:
            gathered.append(answers.get(timeout=max(0.0, end - time.monotonic())))
        except queue.Empty:
            break
    return gathered
