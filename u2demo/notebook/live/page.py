"""page <-> kernel: the live page in JupyterLab and Voila, through an anywidget."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import anywidget
import traitlets

from u2demo.notebook.front_end import assets
from u2demo.notebook.live.assets import SCRIPTS, STYLES, sample_pictures
from u2demo.notebook.live.desk import LiveDesk
from u2demo.notebook.live.files import keep_in_folder
from u2demo.notebook.live.masks import live_cores
from u2demo.notebook.saving import results_folder
from u2demo.video.steady import follows_motion

if TYPE_CHECKING:
    from torch import nn


_ADVICE = (
    "With OpenCV this computer makes several times as many masks: pip install"
    " opencv-python-headless, then restart the kernel."
)


class LivePage(anywidget.AnyWidget):
    """The live page. ``load`` returns the net and is called in the thread that looks at frames.

    ``patience`` is the number of seconds after which the page says that the kernel is silent;
    ``advice``, what it says while masks are slow.
    """

    _esm = assets(*SCRIPTS, "live_widget.js")
    _css = assets(*STYLES)
    samples = traitlets.List(traitlets.Bytes()).tag(sync=True)
    keep = traitlets.Unicode("").tag(sync=True)  # what the page calls the folder for results
    patience = traitlets.Float(2.5).tag(sync=True)
    advice = traitlets.Unicode("").tag(sync=True)

    def __init__(self, load: Callable[[], "nn.Module"], **traits: object):
        keep = f"{results_folder().resolve().name}/"
        advice = "" if follows_motion() else _ADVICE
        said = {"samples": sample_pictures(), "keep": keep, "advice": advice}
        super().__init__(**{**said, **traits})
        self.desk = LiveDesk(load, self._answer, keep_in_folder, cores=live_cores())
        self.on_msg(self._receive)

    def close(self) -> None:
        """End the work, and the page with it."""
        self.desk.rest()
        super().close()

    def _receive(self, _: object, message: dict, buffers: list) -> None:
        self.desk.receive(message, bytes(buffers[0]) if buffers else b"")

    def _answer(self, message: dict, picture: bytes | None) -> None:
        if self.comm is not None:  # it may have been closed meanwhile
            self.send(message, buffers=[picture] if picture else [])
