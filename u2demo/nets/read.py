"""weights file -> state dict, or why it must not be read.

A checkpoint is a PyTorch file, zip or legacy, that holds the authors' state dict and nothing else.
With ``weights_only``, PyTorch runs no code from it, but unpacks what is compressed and allocates
what the file requests: 35 bytes were enough for 10 GB. A state dict needs so few instructions that
everything else can be refused first, without reading a single tensor.
"""

import mmap
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from u2demo.machine.names import printable
from u2demo.nets.checkpoints import WeightsError

LARGEST = 2**30  # bytes; the full network with all that training needs has half as many
_LONGEST = 1_000_000  # pickle instructions; the full network's are 30,000
_HARMLESS = re.compile(
    r"collections OrderedDict|torch (?!Typed|Untyped)\w+Storage|torch\._utils _rebuild_(tensor|"
    r"tensor_v2|parameter)"
)
_LEGACY_PICKLES = 5  # before the numbers: magic number, protocol, system, tensors, storages
# Files older than PyTorch 0.4.1 lack this counter, such as the published u2net.pth. Only training
# reads it.
_COUNTER = ".num_batches_tracked"


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the state dict in a file: plain tensors on the CPU, of any shapes.

    Raises:
        WeightsError: there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise WeightsError(f"there is no weights file at {path}")
    reason = _refusal(path)
    state = None
    if reason is None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except OSError:
            raise
        except Exception:  # the reader of a damaged file may fail in any other way
            reason = _damage(path)
    if reason is not None:
        raise WeightsError(f"{path} {reason}")
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path} holds a {type(state).__name__}, expected a state dict")
    for key, value in state.items():
        if not _is_plain(value):
            raise WeightsError(
                f"{path} holds {key!r:.80}, which is not a tensor; save model.state_dict() alone"
            )
    if _claimed_bytes(state) > path.stat().st_size:  # PyTorch before 2.8 does not look
        raise WeightsError(f"{path} is damaged: it claims to hold more than its own size.")
    return state


def _claimed_bytes(state: dict[str, Tensor]) -> int:
    """Return how many bytes the tensors have, those that several share counted once."""
    storages = {}
    for value in state.values():
        storage = value.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def misfits(state: dict[str, Tensor], schema: dict[str, Tensor]) -> list[str]:
    """Return a phrase for each entry that is missing, unknown, or of the wrong shape or type."""
    faults = [f"{key} is missing" for key in missing(state, schema)]
    faults += [f"{printable(key)[:80]} is unknown" for key in state if key not in schema]
    for key, value in state.items():
        expected = schema.get(key, value)
        if value.shape != expected.shape:
            faults.append(f"{key} is {tuple(value.shape)} instead of {tuple(expected.shape)}")
        elif value.dtype != expected.dtype:
            faults.append(f"{key} is {value.dtype} instead of {expected.dtype}")
    return faults


def missing(state: dict[str, Tensor], schema: dict[str, Tensor]) -> list[str]:
    """Return the keys that ``state`` lacks, except for the counters that old files lack."""
    return [key for key in schema if key not in state and not key.endswith(_COUNTER)]


def absurd(state: dict[str, Tensor]) -> list[str]:
    """Return a phrase for each entry with values that no training produces."""
    # A NaN or infinity shows in the sum, which takes a tenth of the time of checking every value.
    sums = {key: value.sum(dtype=torch.float64) for key, value in state.items()}
    faults = [f"{key} holds NaN or infinity" for key, total in sums.items() if not total.isfinite()]
    variances = ((key, value) for key, value in state.items() if key.endswith("running_var"))
    return faults + [f"{key} holds negative variances" for key, var in variances if var.min() < 0]


def in_float32(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return ``state`` in float32 if all its fractions are of another precision, else itself."""
    kinds = {value.dtype for value in state.values() if value.is_floating_point()}
    if len(kinds) != 1 or kinds == {torch.float32}:
        return state
    return {
        key: value.float() if value.is_floating_point() else value for key, value in state.items()
    }


def with_counters(state: dict[str, Tensor], schema: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return ``state`` with the counters that old files lack, at 0."""
    counters = [key for key in schema if key not in state and key.endswith(_COUNTER)]
    return {**state, **{key: torch.zeros((), dtype=torch.int64, device="cpu") for key in counters}}


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta


def _damage(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(1) == b"<":
            return "is a web page, saved in place of the weights; download the file itself."
    return "is damaged or not a PyTorch weights file; download or save it again."


# What is refused before PyTorch reads it


def _refusal(path: Path) -> str | None:
    """Return what is wrong with a file, as a phrase that follows its name, or None.

    None does not mean that it can be read; PyTorch decides that.
    """
    size = path.stat().st_size
    if size > LARGEST:
        return f"has {size:,} bytes, more than any net here; save model.state_dict() alone."
    with path.open("rb") as file:
        try:
            is_zip = file.read(4) == b"PK\3\4"
            return _refusal_of_zip(file, size) if is_zip else _refusal_of_legacy(file)
        except Exception:  # a damaged file makes readers fail in any way; PyTorch will fail, too
            return None


def _refusal_of_zip(file: BinaryIO, size: int) -> str | None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename.rpartition("/")[2] for member in members]
        if "constants.pkl" in names:
            return "is a TorchScript program; save model.state_dict() instead."
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            return "is compressed, which PyTorch never does; save it again."
        if sum(member.file_size for member in members) > size:
            return "is damaged: it claims to hold more than its own size."
        for member, name in zip(members, names, strict=True):
            if name == "data.pkl":
                with archive.open(member) as pickle:
                    return _refusal_of_pickle(pickle)
    return None


def _refusal_of_legacy(file: BinaryIO) -> str | None:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pickles:
        for _ in range(_LEGACY_PICKLES):
            reason = _refusal_of_pickle(pickles)
            if reason:
                return reason
    return None


def _refusal_of_pickle(pickle: BinaryIO | mmap.mmap) -> str | None:
    for count, name in enumerate(_names(pickle)):
        if count > _LONGEST:
            return "is damaged or not a PyTorch weights file: it never ends."
        if name.startswith("torch._") and not _HARMLESS.fullmatch(name):
            return f"holds more than plain tensors ({name}); save model.state_dict() alone."
        if name and not _HARMLESS.fullmatch(name):
            return (
                f"is refused: reading it would run code ({name.replace(' ', '.')}). Weights are "
                "numbers only; if the file is yours, save model.state_dict(); otherwise, do not "
                "trust it."
            )
    return None


def _names(pickle: BinaryIO | mmap.mmap) -> Iterator[str]:
    """Yield the class or function that each instruction asks for, "" if it asks for none."""
    for instruction, argument, _ in pickletools.genops(pickle):
        yield argument if instruction.name in ("GLOBAL", "INST") else ""
