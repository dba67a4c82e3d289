"""taught net -> a weights file in the authors' layout, and beside it where it comes from."""

import hashlib
import io
import json
from pathlib import Path

import torch
from torch import Tensor

from u2demo.machine.disk import advise, write_new_file
from u2demo.nets.store import file_sha256
from u2demo.training.files import facts_file, unfinished_file

_FORMAT = "u2demo taught net 1"


def check_name(net: Path) -> None:
    """Raise ``ValueError`` unless a net can be saved there without replacing a file.

    A net of u2demo counts, too, unless it is that of a training that was stopped and may go on.
    """
    if net.suffix.lower() not in (".pth", ".pt"):
        raise ValueError(f"{net} is not a name for a weights file, expected one such as mine.pth")
    if not net.absolute().parent.is_dir():
        raise ValueError(
            f"{net.parent} is not a folder, expected one for {net.name}; make it first"
        )
    if unfinished_file(net).exists() and is_taught(net):
        return
    for file in (net, facts_file(net)):
        if file.exists():
            raise ValueError(f"{file} is there already; choose another name, or move it away")


def is_taught(net: Path) -> bool:
    """Return whether a net is what the file beside it says: taught by u2demo, not changed since."""
    try:
        facts = json.loads(facts_file(net).read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
            return False
        return not net.exists() or file_sha256(net) in (facts.get("sha256"), facts.get("replaces"))
    except (OSError, ValueError):
        return False


def save_net(net: Path, state: dict[str, Tensor], facts: dict[str, object]) -> None:
    """Write the weights and, beside them, ``facts``; a net of ``is_taught`` may be replaced.

    Raises:
        ValueError: something else has appeared there.
        OSError: the disk refuses it.
    """
    ours = is_taught(net)
    if ours and net.exists():
        facts = {"replaces": file_sha256(net), **facts}
    data, text = encode_net(state, facts)
    for file, content in ((facts_file(net), text), (net, data)):  # facts first: they know both nets
        try:
            with advise(net.absolute().parent):
                write_new_file(file, content, may_replace=lambda _: ours)
        except FileExistsError as error:
            raise ValueError(
                f"{file} has appeared during the training, and stays; move it away, and the same"
                " call goes on from where it last saved"
            ) from error


def encode_net(state: dict[str, Tensor], facts: dict[str, object]) -> tuple[bytes, bytes]:
    """Return a weights file, and the JSON file beside it that says where it comes from.

    The keys, their order, shapes and types are those of the authors' files.
    """
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    file = io.BytesIO()
    torch.save(plain, file)
    data = file.getvalue()
    said = {"format": _FORMAT, "sha256": hashlib.sha256(data).hexdigest(), **facts}
    return data, (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()
