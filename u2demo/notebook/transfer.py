"""page <-> kernel: bytes of any size, in both directions, through two small anywidgets.

ipywidgets' FileUpload sends all chosen files as one message, which a Jupyter server drops in
silence over 10 MiB. ``Intake`` sends pieces of 512 KiB and waits for a receipt after each.
"""

from collections.abc import Callable
from importlib import resources

import anywidget
import traitlets

Files = list[tuple[str, bytes]]
_ASSETS = resources.files("u2demo.notebook") / "assets"


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")


class Intake(anywidget.AnyWidget):
    """A zone to drop, choose or shoot photos; ``on_files`` gets them once all have arrived."""

    _esm = _asset("camera.js") + _asset("access.js") + _asset("intake.js")
    _css = _asset("app.css")
    label = traitlets.Unicode("Choose photos").tag(sync=True)
    hint = traitlets.Unicode("or drop them here").tag(sync=True)
    multiple = traitlets.Bool(True).tag(sync=True)
    camera = traitlets.Bool(True).tag(sync=True)

    def __init__(self, on_files: Callable[[Files], None], **traits: object):
        super().__init__(**traits)
        self._on_files = on_files
        self._batch = ""  # one at a time: the others stand in line in the page
        self._files: dict[int, tuple[str, bytearray]] = {}
        self.on_msg(self._receive)

    def _receive(self, _, message: dict, buffers: list) -> None:
        if message["batch"] != self._batch:
            self._batch, self._files = message["batch"], {}
        if message.get("end"):
            files, self._files = self._files, {}
            self._on_files(
                [(name, bytes(files.pop(i)[1])) for i, (name, _) in sorted(files.items())]
            )
            return
        _, data = self._files.setdefault(message["index"], (message["name"], bytearray()))
        data.extend(buffers[0])
        self.send({"batch": self._batch})


class Outlet(anywidget.AnyWidget):
    """Invisible; saves bytes as a file in the person's downloads."""

    _esm = _asset("outlet.js")

    def save(self, name: str, data: bytes, *, type: str) -> None:
        """Start the browser's download of ``data``; ``type`` is its MIME type."""
        self.send({"name": name, "type": type}, buffers=[data])
