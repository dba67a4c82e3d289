"""pieces of a file that a page sends -> a file where a person keeps results."""

import io
import re
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from u2demo.machine.disk import advise, at_free_name, write_new_file
from u2demo.notebook.drive import note_saved, save_to_drive
from u2demo.notebook.environment import PageError
from u2demo.notebook.saving import results_folder

_NAMES = re.compile(r"live [0-9-]{10} [0-9-]{8}\.(png|webm|mp4)")  # what the page calls its files


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
            return {**answer, "text": self._keep(_checked(message["name"]), data)}
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
        saved = save_to_drive([file]) / name
    return note_saved(saved)


def _checked(name: str) -> str:
    if not _NAMES.fullmatch(name):
        expected = "live, date and time, and .png, .webm or .mp4"
        raise ValueError(f"not a name that the live page gives: {name!r:.60}; expected {expected}")
    return name
