"""page -> files without anywidget: a script writes them, piece by piece, into a hidden text box.

ipywidgets' FileUpload sends all files as one message. A Jupyter server drops it above 10 MiB, and
the control waits for the answer forever.
"""

import io
import json
from base64 import b64decode
from collections.abc import Callable

import ipywidgets
import traitlets

from u2demo.notebook.front_end import assets
from u2demo.notebook.notes import escape

Files = list[tuple[str, bytes]]

_HINT = "Dropping files and the camera need anywidget: %pip install anywidget"


class PlainPicker(ipywidgets.HBox):
    """A button that chooses files; ``on_files`` gets them once all have arrived.

    ``patience`` is the number of seconds that the page waits for the kernel before it gives up.
    """

    def __init__(
        self,
        on_files: Callable[[Files], None],
        *,
        label: str,
        accept: str,
        multiple: bool,
        patience: float = 60.0,
    ):
        self._on_files = on_files
        self._batch = ""
        self._files: dict[int, tuple[str, io.BytesIO]] = {}
        self._box = _Box(continuous_update=False, layout={"display": "none"})
        self._box.observe(self._receive, names="value")
        button = ipywidgets.HTML(_button(label, accept, multiple, patience))
        super().__init__([button, self._box])
        self.add_class("u2-zone")

    def _receive(self, change: dict) -> None:
        if not change["new"].startswith("{"):  # a receipt
            return
        message = json.loads(change["new"])
        self._box.value = message["receipt"]
        if message["batch"] != self._batch:  # the one before broke off
            self._batch = message["batch"]
            self._files = {}
        if message.get("end"):
            arrived = [(name, data.getvalue()) for name, data in self._files.values()]
            self._files = {}
            self._on_files(arrived)
        elif message.get("drop"):  # the page could not read the rest of this file
            self._files.pop(message["index"], None)
        else:
            start = message["name"], io.BytesIO()
            _, data = self._files.setdefault(message["index"], start)
            data.write(b64decode(message["data"]))


class _Box(ipywidgets.Textarea):
    """What the page writes; the kernel does not send it back, as it does with other text."""

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)


def _button(label: str, accept: str, multiple: bool, patience: float) -> str:
    """Return the HTML of the button, of the input that it opens, and of what is said."""
    script = f"{assets('plain_picker.js')}\nsendFiles(this, {patience});"
    return (
        '<button type="button" class="jupyter-button u2-primary"'
        ' data-lm-suppress-shortcuts="true" onclick="this.nextElementSibling.click()">'
        f"{escape(label)}</button>"
        f'<input type="file" class="u2-file" style="display: none" accept="{escape(accept)}"'
        f' aria-label="{escape(label)}"{" multiple" if multiple else ""}'
        f' onchange="{escape(script)}">'
        f'<span class="u2-hint">{_HINT}</span><span class="u2-say" role="status"></span>'
    )
