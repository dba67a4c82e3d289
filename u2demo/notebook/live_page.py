"""page <-> kernel: the live page in JupyterLab and Voila, through an anywidget."""

from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING

import anywidget
import traitlets

from u2demo.images.read import sample_images
from u2demo.notebook.live_files import LiveFiles, keep_in_folder
from u2demo.notebook.live_masks import LiveFrame
from u2demo.notebook.live_worker import LivePhoto, LiveWorker
from u2demo.notebook.preview import encode, fit
from u2demo.notebook.saving import results_folder

if TYPE_CHECKING:
    from torch import nn

SCRIPTS = ("camera.js", "live_picture.js", "live.js")
STYLES = ("app.css", "live.css")
_SAMPLE = (960, 640)  # pixels, (width, height), that a sample fits into


def assets(names: tuple[str, ...]) -> str:
    """Return the text of some of the notebook's assets, one after another."""
    folder = resources.files("u2demo.notebook") / "assets"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def samples() -> list[bytes]:
    """Return the packaged photos as the page shows them, each an encoded picture."""
    return [encode(fit(photo, _SAMPLE)) for photo in sample_images().values()]


class LivePage(anywidget.AnyWidget):
    """The live page. ``load`` returns the net and is called in the thread that looks at frames.

    ``patience`` is the number of seconds after which the page says that the kernel is silent.
    """

    _esm = assets((*SCRIPTS, "live_widget.js"))
    _css = assets(STYLES)
    samples = traitlets.List(traitlets.Bytes()).tag(sync=True)
    keep = traitlets.Unicode("").tag(sync=True)
    patience = traitlets.Float(2.5).tag(sync=True)

    def __init__(self, load: Callable[[], "nn.Module"], **traits: object):
        keep = f"{results_folder().resolve().name}/"
        super().__init__(**{"samples": samples(), "keep": keep, **traits})
        self.worker = LiveWorker(load, self._answer)
        self._files = LiveFiles(keep_in_folder)
        self.on_msg(self._receive)

    def close(self) -> None:
        """End the work, and the page with it."""
        self.worker.rest()
        super().close()

    def _receive(self, _: object, message: dict, buffers: list) -> None:
        """Take a message of the page; this may run in any thread, in the middle of a cell."""
        kind = message["kind"]
        if kind == "stop":
            self.worker.rest()
        elif kind == "piece":
            self._answer(self._files.receive(message, bytes(buffers[0])))
        elif kind == "photo":
            self.worker.cut_out(LivePhoto(message["number"], bytes(buffers[0])))
        else:
            frame = LiveFrame(message["number"], message["time"], bytes(buffers[0]))
            self.worker.look_at(frame)
            self._answer({"kind": "receipt", "doing": self.worker.doing})

    def _answer(self, message: dict, picture: bytes | None = None) -> None:
        if self.comm is not None:  # it may have been closed meanwhile
            self.send(message, buffers=[picture] if picture else [])
