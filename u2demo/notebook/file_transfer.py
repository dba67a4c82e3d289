"""page <-> kernel: files of any size, in both directions, through two small anywidgets.

ipywidgets' FileUpload sends all chosen files as one message, which a Jupyter server silently drops
above 10 MiB. ``PhotoPicker`` sends pieces of 1 MiB and waits for a receipt after each.
"""

import io
from collections.abc import Callable

import anywidget
import traitlets

from u2demo.notebook.front_end import assets
from u2demo.notebook.plain_picker import Files


class PhotoPicker(anywidget.AnyWidget):
    """A zone to drop, choose or take photos; ``on_files`` gets them once all have arrived.

    The page's ``main`` picker takes what is dropped or pasted anywhere on the app, others what is
    dropped on themselves. ``noun`` is what files are called there, ``accept`` the dialog's choice.
    ``patience`` is the number of seconds that the page waits for a receipt before it gives up.
    """

    _esm = assets("elements.js", "camera.js", "accessibility.js", "photo_picker.js")
    _css = assets("app.css")
    noun = traitlets.Unicode("photo").tag(sync=True)
    accept = traitlets.Unicode("image/*,.heic,.heif,.avif").tag(sync=True)
    label = traitlets.Unicode("Choose photos").tag(sync=True)
    hint = traitlets.Unicode("or drop them here").tag(sync=True)
    multiple = traitlets.Bool(True).tag(sync=True)
    main = traitlets.Bool(True).tag(sync=True)
    camera = traitlets.Bool(True).tag(sync=True)
    patience = traitlets.Float(60.0).tag(sync=True)

    def __init__(self, on_files: Callable[[Files], None], **traits: object):
        super().__init__(**traits)
        self._on_files = on_files
        self._batch = ""  # one at a time; the page queues the others
        self._files: dict[int, tuple[str, io.BytesIO]] = {}
        self.on_msg(self._receive)

    def _receive(self, _: object, message: dict, buffers: list) -> None:
        if message["batch"] != self._batch:
            self._batch = message["batch"]
            self._drop(*self._files)
        if message.get("end"):
            self._finish_batch()
        elif message.get("cancel"):
            self._drop(*self._files)
        elif message.get("drop"):  # the page could not read the rest of this file
            self._drop(message["index"])
        else:
            self._append(message["index"], message["name"], buffers[0])
            self.send({"batch": self._batch})

    def _append(self, index: int, name: str, piece: bytes) -> None:
        if index not in self._files:
            self._files[index] = name, io.BytesIO()
        self._files[index][1].write(piece)

    def _drop(self, *indexes: int) -> None:
        for index in indexes:
            self._files.pop(index, None)

    def _finish_batch(self) -> None:
        arrived = [self._files[index] for index in sorted(self._files)]
        self._files = {}
        self._on_files([(name, file.getvalue()) for name, file in arrived])


class FileSaver(anywidget.AnyWidget):
    """A widget that saves bytes as a file in the person's downloads, copies or offers them.

    It is to be seen only while it offers a picture, to be dragged out of the page. ``on_done`` is
    called with the task, "save", "copy" or "offer", the file's name, and what the browser said if
    it refused, else "".
    """

    _esm = assets("elements.js", "save_file.js")

    def __init__(self, on_done: Callable[[str, str, str], None] = lambda *_: None):
        super().__init__()
        self._on_done = on_done
        self.on_msg(self._receive)

    def save(self, name: str, data: bytes, *, type: str) -> None:
        """Start the browser's download of ``data``; ``type`` is its MIME type."""
        self.send({"task": "save", "name": name, "type": type}, buffers=[data])

    def copy(self, name: str, data: bytes, *, type: str) -> None:
        """Put ``data`` on the clipboard; browsers take "image/png" and "text/plain"."""
        self.send({"task": "copy", "name": name, "type": type}, buffers=[data])

    def offer(self, name: str, data: bytes, *, type: str) -> None:
        """Show ``data``, a picture, until the next file comes."""
        self.send({"task": "offer", "name": name, "type": type}, buffers=[data])

    def _receive(self, _: object, message: dict, buffers: list) -> None:
        self._on_done(message["task"], message["name"], message.get("refused", ""))
