"""name -> trained net: get a checkpoint, check that it fits its network, load it.

A checkpoint is a PyTorch file, zip or legacy, that holds the authors' state dict and nothing else.
It is read without running any code it may contain, and every value in it is accounted for.
"""

import warnings
import zlib
from pathlib import Path

import torch
from torch import Tensor, nn

from u2demo.machine.memory import keep_freed_memory
from u2demo.nets import cache
from u2demo.nets.checkpoints import CHECKPOINTS, Checkpoint, WeightsError
from u2demo.nets.fuse import fold_in_place
from u2demo.nets.scan import refusal
from u2demo.nets.threads import use_threads
from u2demo.nets.u2net import ARCHITECTURES, U2Net, build_model

# Files from before PyTorch 0.4.1 lack this counter (the published u2net.pth holds no integers at
# all, says its host's pickle scan). Only training reads it.
_COUNTER = ".num_batches_tracked"
# Far above what folding makes of trained weights (u2netp: 1,361), far below what overflows.
_HUGE = 1e9


def load_model(
    name: str = "u2netp", *, device: str | None = None, weights: str | Path | None = None
) -> U2Net:
    """Return a trained net, ready for inference.

    Of several processes, each loads a net of its own, or they are forked from one that has loaded
    a net and not used it yet: once it has predicted, its forks would wait for its threads for ever.

    Args:
        name: "u2netp", "u2net", "u2net_human_seg" or "u2net_portrait". All but the first are
            downloaded when first used.
        device: "cpu", "cuda" or "mps"; by default the fastest there is.
        weights: a file to load instead of ``name``; its architecture shows in its shapes.

    Raises:
        ValueError: no weights have that name, or this computer has no such device.
        WeightsError: the weights cannot be had, are damaged, or fit no network.
    """
    device = _check_device(device or _devices()[0])
    path = fetch_weights(name) if weights is None else Path(weights).expanduser()
    architecture = CHECKPOINTS[name].architecture if weights is None else None
    if device == "cpu":
        keep_freed_memory()
    # Convolutions of few channels run faster on (B, H, W, C) in memory, on CPUs and NVIDIA's GPUs.
    layout = torch.preserve_format if device == "mps" else torch.channels_last
    with use_threads(1):  # more would gain no time, and be missing in a process forked from this
        return _load(path, architecture).to(device, memory_format=layout)


def fingerprint(model: nn.Module) -> str:
    """Return eight characters that differ between nets with different weights."""
    checksum = 0
    for parameter in model.state_dict().values():
        checksum = zlib.crc32(parameter.float().cpu().numpy().tobytes(), checksum)
    return f"{checksum:08x}"


def fetch_weights(
    name: str, *, offline: bool | None = None, progress: cache.Progress | None = None
) -> Path:
    """Return the verified file of a checkpoint, downloading it if this machine has none.

    It lies in ``$U2DEMO_HOME``, else in the user's cache folder, else in a temporary one. With
    ``offline``, or ``U2DEMO_OFFLINE=1`` in the environment, nothing is downloaded. ``progress``
    gets the number of bytes that are here, now and then; by default a bar is drawn. Raises
    ``WeightsError`` with what each source answered and how to put the file in place by hand.
    """
    checkpoint = _checkpoint(name)
    check = check_for(checkpoint)
    return cache.fetch(checkpoint, check=check, offline=offline, progress=progress)


def check_for(checkpoint: Checkpoint) -> cache.Check:
    """Return what raises ``WeightsError`` unless a file fits the checkpoint's architecture."""

    def check(path: Path) -> None:
        _fitting_state(path, checkpoint.architecture)

    return check


def _checkpoint(name: str) -> Checkpoint:
    if name not in CHECKPOINTS:
        known = ", ".join(CHECKPOINTS)
        raise ValueError(f"no weights named {name!r}; choose from {known}, or pass weights=FILE")
    return CHECKPOINTS[name]


def _load(path: Path, architecture: str | None) -> U2Net:
    architecture, state = _fitting_state(path, architecture)
    with torch.device("meta"):  # no random values that are overwritten at once
        model = build_model(architecture)
    model.load_state_dict(state, strict=True, assign=True)
    fold_in_place(model)
    if not all(weight.abs().max() < _HUGE for weight in model.parameters()):
        raise WeightsError(f"{path}: its weights are damaged, some are too large to compute with")
    return model


@use_threads(1)
def _fitting_state(path: Path, architecture: str | None) -> tuple[str, dict[str, Tensor]]:
    """Return the state dict in ``path`` and the architecture it fits, the closest one if None."""
    state = _read(path)
    schemas = {name: _schema(name) for name in ([architecture] if architecture else ARCHITECTURES)}
    faults = {name: _misfits(state, schema) for name, schema in schemas.items()}
    closest = min(faults, key=lambda name: len(faults[name]))
    if found := faults[closest] or _absurd(state):
        shown = "; ".join(found[:5]) + ("; ..." if len(found) > 5 else "")
        raise WeightsError(f"{path} does not fit {closest} in {len(found)} places: {shown}")
    counters = schemas[closest].keys() - state.keys()
    return closest, {**state, **dict.fromkeys(counters, torch.tensor(0))}


def _schema(architecture: str) -> dict[str, Tensor]:
    with torch.device("meta"):  # shapes only
        return build_model(architecture).state_dict()


def _misfits(state: dict[str, Tensor], schema: dict[str, Tensor]) -> list[str]:
    """Return one phrase for each entry that is missing, unknown, or not of its shape and type."""
    faults = [f"{key} is missing" for key in schema if key not in state and _COUNTER not in key]
    faults += [f"{_shown(key)} is unknown" for key in state if key not in schema]
    for key, value in state.items():
        expected = schema.get(key, value)
        if value.shape != expected.shape:
            faults.append(f"{key} is {tuple(value.shape)} instead of {tuple(expected.shape)}")
        elif value.dtype != expected.dtype:
            faults.append(f"{key} is {value.dtype} instead of {expected.dtype}")
    return faults


def _shown(key: object) -> str:
    return str(key).encode("unicode_escape").decode()[:80]  # what a terminal can bear


def _absurd(state: dict[str, Tensor]) -> list[str]:
    """Return one phrase for each entry whose values no training can have led to."""
    # One NaN or infinity shows in the sum, which takes a tenth of the time of looking at each.
    sums = {key: value.sum(dtype=torch.float64) for key, value in state.items()}
    faults = [f"{key} holds NaN or infinity" for key, total in sums.items() if not total.isfinite()]
    variances = ((key, value) for key, value in state.items() if key.endswith("running_var"))
    return faults + [f"{key} holds negative variances" for key, var in variances if var.min() < 0]


def _read(path: Path) -> dict[str, Tensor]:
    """Return the state dict in a file, whatever shapes it has."""
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters raises
            reason = refusal(path)
            state = None if reason else torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception:  # the reader of a damaged file may fail in any other way
        reason = _damage(path)
    if reason:
        raise WeightsError(f"{path} {reason}") from None
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path} holds a {type(state).__name__}, expected a state dict")
    if strangers := [key for key, value in state.items() if not _is_plain(value)]:
        raise WeightsError(
            f"{path} holds {strangers[0]!r:.80}, which is no tensor; save model.state_dict() alone"
        )
    return state


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta


def _damage(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(1) == b"<":
            return "is a web page, saved in place of the weights; download the file itself."
    return "is damaged or no PyTorch weights file; download or save it again."


def _devices() -> list[str]:
    """Return what can compute here, the fastest first."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(device for device in has if has[device]), "cpu"]


def _check_device(device: str) -> str:
    try:
        torch.empty(1, device=device).cpu()  # "meta" is a device that gives nothing back
    except Exception as error:  # of a type that depends on the device
        raise ValueError(
            f"no device {device!r} on this computer; choose from {', '.join(_devices())}"
        ) from error
    return device
