"""pieces of a file that a page sends -> a file where a person keeps results."""

import io
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from u2demo.machine.disk import advise, at_free_name, write_new_file
from u2demo.notebook.drive import save_to_drive
from u2demo.notebook.environment import PageError
from u2demo.notebook.saving import results_folder

_SUFFIXES = ("jpg", "png", "webm", "mp4")  # what the page makes


class LiveFiles:
    """Files that arrive piece by piece, several at a time; ``keep`` saves each and says where."""

    def __init__(self, keep: Callable[[str, bytes], str]):
        self._keep = keep
        self._arriving: dict[int, io.BytesIO] = {}  # by the page's number of the file

    def receive(self, message: dict, piece: bytes) -> dict:
        """Return the answer to a piece: a receipt, after the last one where the file is."""
        number = message["number"]
        if message["first"]:
            self._arriving[number] = io.BytesIO()
        self._arriving[number].write(piece)
        answer = {"kind": "piece", "number": number}
        if not message["last"]:
            return answer
        data = self._arriving.pop(number).getvalue()
        try:
            return {**answer, "text": self._keep(file_name(message["suffix"]), data)}
        except (OSError, PageError, ValueError) as error:
            return {**answer, "problem": str(error)}


def keep_in_folder(name: str, data: bytes) -> str:
    """Write a file into the folder for results, replacing none, and say where it is."""
    folder = results_folder()
    with advise(folder):
        folder.mkdir(parents=True, exist_ok=True)
        saved = at_free_name(folder / name, partial(write_new_file, data=data))
    return f"Saved: {saved.resolve()}"


def keep_in_drive(name: str, data: bytes) -> str:
    """Write a file to a person's Google Drive, and say where it is."""
    with tempfile.TemporaryDirectory(prefix="u2demo-") as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        target = save_to_drive([file])
    return f"Saved to your Google Drive: {target.relative_to(target.parents[2])}."


def file_name(suffix: str) -> str:
    """Return what a file made now is called.

    Raises:
        ValueError: the live page makes no such files.
    """
    if suffix not in _SUFFIXES:
        raise ValueError(f"unknown kind of file {suffix!r:.20}; expected {', '.join(_SUFFIXES)}")
    return time.strftime(f"live %Y-%m-%d %H-%M-%S.{suffix}")
