"""all of a training <-> one file, whole at any time."""

import io
from pathlib import Path

import torch

from u2demo.machine.disk import advise, discard, write_file
from u2demo.training.files import unfinished_file

_FORMAT = "u2demo training 1"


class Checkpoint:
    """The file beside a net to come that holds its training so far.

    ``plan`` says of which training it is: the same weights, photos, masks and settings.
    """

    def __init__(self, results: Path, plan: str):
        self.path = unfinished_file(results)
        self._plan = plan

    def load(self) -> dict | None:
        """Return the training so far, None if there is none.

        Raises:
            ValueError: the file is that of another training, damaged, or a folder.
        """
        if not self.path.exists():
            return None
        if self.path.is_dir():
            raise ValueError(
                f"{self.path} is a folder; move it, or choose another name for the net"
            )
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            is_one = saved["format"] == _FORMAT
        except OSError:
            raise
        except Exception as error:  # the reader of a damaged file may fail in any way
            raise ValueError(
                f"{self.path} is damaged, or not a u2demo training file; delete it, or choose"
                " another name for the net"
            ) from error
        if not is_one or saved["plan"] != self._plan:
            raise ValueError(
                f"{self.path} belongs to another training: the weights, photos, masks or options"
                " were different; delete it to start anew, or choose another name for the net"
            )
        return saved["state"]

    def save(self, state: dict) -> None:
        """Write a state of tensors, numbers, text, lists and dicts.

        Raises:
            OSError: the disk refuses it; what was saved before stays.
        """
        file = io.BytesIO()
        torch.save({"format": _FORMAT, "plan": self._plan, "state": state}, file)
        with advise(self.path.parent, "; the same call goes on from where it last could save"):
            write_file(self.path, file.getvalue(), durable=True)

    def discard(self) -> None:
        """Delete the file: the training is complete."""
        discard(self.path)
