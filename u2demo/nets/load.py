"""name -> trained net: get a checkpoint, check that it fits its network, load it."""

import zlib
from pathlib import Path

import torch
from torch import Tensor, nn

from u2demo.machine.names import expand_home
from u2demo.machine.paths import as_path
from u2demo.nets import store
from u2demo.nets.architectures import ARCHITECTURES, build_model
from u2demo.nets.checkpoints import CHECKPOINTS, Checkpoint, WeightsError
from u2demo.nets.device import check_device, devices
from u2demo.nets.fuse import fuse
from u2demo.nets.read import absurd, in_float32, misfits, missing, read_state, with_counters
from u2demo.nets.threads import use_threads

# Far above what fusing makes of trained weights (u2netp: 1,361), far below what overflows.
_HUGE = 1e9


def load_model(
    name: str = "u2netp",
    *,
    device: str | None = None,
    weights: str | Path | None = None,
    trainable: bool = False,
) -> nn.Module:
    """Return a trained net: photos (B, 3, H, W) in, a tuple of maps (B, 1, H, W) in [0, 1] out.

    The first map is the answer. ``model.input`` says how the net wants its photos (``Input``: side
    of the square, mean, standard deviation); ``predict_mask`` reads it. The net is in float32 and
    ready for inference: in evaluation mode, without gradients, and fused (see ``fuse``).

    If several processes predict, load a net in each, or fork them from a process that has loaded
    one. Those forked from a process that has predicted compute with one thread each.

    Args:
        name: a key of ``CHECKPOINTS``: "u2netp", "u2net", "u2net_human_seg", "u2net_portrait" or
            "isnet". All but the first are downloaded when first used.
        device: "cpu", "cuda" or "mps"; by default the fastest available.
        weights: a file to load instead of ``name``. Its shapes tell the architecture, and
            ``model.input`` is that of the architecture.
        trainable: return the net as its authors trained it, to train it further: in training mode,
            with gradients, and with batch normalization in layers of its own. ``weights`` takes the
            ``model.state_dict()`` of such a net; call ``model.eval()`` before predicting with it.

    Raises:
        ValueError: unknown ``name``, or a device that this computer lacks.
        WeightsError: the weights cannot be downloaded, are damaged, or fit no network.
    """
    device = check_device(devices()[0] if device is None else device)
    if weights is None:
        checkpoint = _checkpoint(name)
        path, architectures = fetch_weights(name), [checkpoint.architecture]
    else:
        checkpoint = None
        path, architectures = expand_home(as_path("weights", weights)), list(ARCHITECTURES)
    # On CPUs and NVIDIA GPUs, convolutions of few channels run faster with (B, H, W, C) in memory.
    layout = torch.preserve_format if device == "mps" else torch.channels_last
    # More threads would save no time, and a process forked from this one would lack them. The
    # caller may be in inference mode, whose tensors cannot be trained or watched for changes.
    with use_threads(1), torch.inference_mode(False):
        architecture, model = _fitting_model(path, architectures)
        fused = fuse(model)
        if not all(weight.abs().max() < _HUGE for weight in fused.parameters()):
            raise WeightsError(
                f"{path}: its weights are damaged, some are too large to compute with"
            )
        chosen = _untied(model) if trainable else fused
        chosen.input = checkpoint.input if checkpoint else ARCHITECTURES[architecture].input
        return chosen.to(device, memory_format=layout)


def fingerprint(model: nn.Module) -> str:
    """Return eight characters that differ between nets with different weights."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"expected a net, as from load_model, not {type(model).__name__}")
    checksum = 0
    for parameter in model.state_dict().values():
        checksum = zlib.crc32(parameter.float().cpu().numpy().tobytes(), checksum)
    return f"{checksum:08x}"


def fetch_weights(name: str, *, progress: store.Progress | None = None) -> Path:
    """Return the verified file of a checkpoint, downloading it if this machine has none.

    It is stored in ``$U2DEMO_HOME``, else in the user's cache folder, else in a temporary one. With
    ``U2DEMO_OFFLINE=1`` in the environment nothing is downloaded. ``progress`` is called with the
    bytes received so far, about ten times a second, and may raise ``download.Stopped``; by default
    a bar is drawn.

    Raises:
        ValueError: unknown ``name``.
        WeightsError: no source has the file; the text says what each one answered, and how to put
            the file in place by hand.
    """
    checkpoint = _checkpoint(name)
    return store.fetch(checkpoint, check=check_for(checkpoint), progress=progress)


def check_for(checkpoint: Checkpoint) -> store.Check:
    """Return a check that raises ``WeightsError`` unless a file fits the architecture."""

    def check(path: Path) -> None:
        with use_threads(1):
            _fitting_model(path, [checkpoint.architecture])

    return check


def _checkpoint(name: str) -> Checkpoint:
    if not isinstance(name, str) or name not in CHECKPOINTS:
        known = ", ".join(CHECKPOINTS)
        raise ValueError(
            f"no weights named {name!r:.80}; choose from {known}, or pass weights=FILE"
        )
    return CHECKPOINTS[name]


def _fitting_model(path: Path, architectures: list[str]) -> tuple[str, nn.Module]:
    """Return which of ``architectures`` the weights in ``path`` fit, and the net with them."""
    state = in_float32(read_state(path))
    nets = {name: _without_weights(name) for name in architectures}
    schemas = {name: net.state_dict() for name, net in nets.items()}
    faults = {name: misfits(state, schema) for name, schema in schemas.items()}
    closest = min(faults, key=lambda name: len(faults[name]))
    found = faults[closest] or absurd(state)
    if found:
        count = "1 mismatch" if len(found) == 1 else f"{len(found)} mismatches"
        shown = "; ".join(found[:5]) + ("; ..." if len(found) > 5 else "")
        advice = _advice(state, schemas[closest])
        raise WeightsError(f"{path} does not fit {closest} ({count}): {shown}{advice}")
    state = with_counters(state, schemas[closest])
    nets[closest].load_state_dict(state, strict=True, assign=True)
    return closest, nets[closest]


def _untied(model: nn.Module) -> nn.Module:
    """Give each tensor of ``model`` its own memory: a file may hold one tensor for several."""
    state = {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    return model


def _without_weights(architecture: str) -> nn.Module:
    with torch.device("meta"):  # shapes only: no random values that are overwritten at once
        return build_model(architecture)


def _advice(state: dict[str, Tensor], schema: dict[str, Tensor]) -> str:
    """Return what to do about a file that was saved from a wrapped or fused net, "" for others."""
    if all(str(key).startswith("module.") for key in state):
        return ". It comes from a net in DataParallel; save model.module.state_dict() instead"
    norms = {key for key in schema if key.endswith("running_mean")}
    if not norms <= set(missing(state, schema)) or schema.keys().isdisjoint(state):
        return ""
    return (
        ". It may come from a net whose batch normalization is folded into its convolutions, such "
        "as that of load_model; save load_model(..., trainable=True).state_dict() instead"
    )
