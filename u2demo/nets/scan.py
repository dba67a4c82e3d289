"""weights file -> why it must not be read, if there is a reason.

PyTorch reads a file without running code from it (``weights_only``), but it also unpacks what is
compressed and allocates what is asked for: 35 bytes were enough for 10 GB. What makes up a state
dict is so little that everything else can be turned away first, without reading a single tensor.
"""

import mmap
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_LARGEST = 2**30  # bytes; the full network with all that training needs has half as many
_LONGEST = 1_000_000  # pickle instructions; the full network's are 30,000
_HARMLESS = re.compile(
    r"collections OrderedDict|torch (?!Typed|Untyped)\w+Storage|torch\._utils _rebuild_(tensor|"
    r"tensor_v2|parameter)"
)
_LEGACY_PICKLES = 5  # before the numbers: magic number, protocol, system, tensors, storages


def refusal(path: Path) -> str | None:
    """Return what is wrong with a weights file, to be read on from its name; None if nothing is.

    None does not mean that it can be read: that is for PyTorch to say.
    """
    size = path.stat().st_size
    if size > _LARGEST:
        return f"has {size:,} bytes, more than any U²-Net; save model.state_dict() alone."
    with path.open("rb") as file:
        try:
            is_zip = file.read(4) == b"PK\3\4"
            return _refusal_of_zip(file, size) if is_zip else _refusal_of_legacy(file)
        except Exception:  # a damaged file makes the readers fail in any way; so it will PyTorch
            return None


def _refusal_of_zip(file: BinaryIO, size: int) -> str | None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename.rpartition("/")[2] for member in members]
        if "constants.pkl" in names:
            return "is a TorchScript program; save model.state_dict() instead."
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            return "is compressed, as PyTorch never does it; save it again."
        if sum(member.file_size for member in members) > size:
            return "is damaged: it claims to hold more than its own size."
        for member, name in zip(members, names, strict=True):
            if name == "data.pkl":
                with archive.open(member) as pickle:
                    return _refusal_of_pickle(pickle)
    return None


def _refusal_of_legacy(file: BinaryIO) -> str | None:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pickles:
        found = (_refusal_of_pickle(pickles) for _ in range(_LEGACY_PICKLES))
        return next(filter(None, found), None)


def _refusal_of_pickle(pickle: BinaryIO | mmap.mmap) -> str | None:
    for count, name in enumerate(_names(pickle)):
        if count > _LONGEST:
            return "is damaged or no PyTorch weights file: it never comes to an end."
        if name.startswith("torch._") and not _HARMLESS.fullmatch(name):
            return f"holds more than plain tensors ({name}); save model.state_dict() alone."
        if name and not _HARMLESS.fullmatch(name):
            return (
                f"is refused: reading it would run code ({name.replace(' ', '.')}). Weights are "
                "numbers only; if the file is yours, save model.state_dict(), else do not trust it."
            )
    return None


def _names(pickle: BinaryIO | mmap.mmap) -> Iterator[str]:
    """Yield for each instruction the class or function it asks for, "" for none."""
    for instruction, argument, _ in pickletools.genops(pickle):
        yield argument if instruction.name in ("GLOBAL", "INST") else ""
