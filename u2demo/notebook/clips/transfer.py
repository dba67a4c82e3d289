"""page <-> kernel: clips of any size, in pieces, through two anywidgets."""

import itertools
from collections.abc import Mapping

import anywidget
import traitlets

from u2demo.notebook.clips.making import Preview
from u2demo.notebook.clips.source import Source
from u2demo.notebook.file_transfer import PhotoPicker
from u2demo.notebook.front_end import assets

_PIECE = 512 * 1024  # bytes


class ClipPicker(PhotoPicker):
    """A zone to drop or choose a clip, which arrives in a file outside of any file browser.

    ``on_files`` gets it as a ``Source``, alone in a list.
    """

    def _append(self, index: int, name: str, piece: bytes) -> None:
        try:
            if index not in self._files:
                self._files[index] = Source.empty(name)
            self._files[index].append(piece)
        except OSError as error:  # the disk is full
            self._drop(index)
            self.send({"batch": self._batch, "error": f"{error.strerror}."})

    def _drop(self, *indexes: int) -> None:
        for index in indexes:
            if index in self._files:
                self._files.pop(index).close()

    def close(self) -> None:
        """Remove the picker from the page, and what has arrived of a clip from the disk."""
        self._drop(*list(self._files))
        super().close()

    def _finish_batch(self) -> None:
        arrived = list(self._files.values())
        self._files = {}
        if arrived:
            self._on_files(arrived)


class Screen(anywidget.AnyWidget):
    """Clips that play side by side; the page asks for their pieces when it is ready."""

    _esm = assets("player.js")
    clips = traitlets.List().tag(sync=True)

    def __init__(self):
        super().__init__()
        self._data: dict[str, bytes] = {}  # by key
        self._keys = map(str, itertools.count())
        self.add_class("u2-screen")
        self.on_msg(self._answer)

    def play(self, clips: Mapping[str, Preview]) -> None:
        """Play ``clips``, by title, instead of those before."""
        keys = [next(self._keys) for _ in clips]
        self._data = {key: clip.data for key, clip in zip(keys, clips.values(), strict=True)}
        self.clips = [
            {"key": key, "title": title, "type": clip.type, "size": len(clip.data)}
            for key, (title, clip) in zip(keys, clips.items(), strict=True)
        ]

    def _answer(self, _: object, message: dict, buffers: list) -> None:
        key, start = message["key"], message["start"]
        piece = self._data.get(key, b"")[start : start + _PIECE]
        self.send({"key": key, "start": start}, buffers=[piece])
