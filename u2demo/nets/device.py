"""The devices this computer can compute with: CPU, NVIDIA GPUs, Apple GPUs."""

from functools import cache

import torch
from torch.compiler import is_compiling

_AUTOCAST = ("cpu", "cuda", "mps")  # PyTorch 2.6 cannot compile is_autocast_available
_LARGE = 128  # steps of bfloat16 are a whole unit from here on


def devices() -> list[str]:
    """Return the devices that PyTorch can use here, the fastest first."""
    found = ["cpu"]
    if torch.backends.mps.is_available():
        found.insert(0, "mps")
    if torch.cuda.is_available():
        found.insert(0, "cuda")
    return found


def check_device(device: str) -> str:
    """Return ``device``, or raise ``ValueError`` with the available ones if it is not usable."""
    try:
        torch.empty(1, device=device).cpu()  # "meta" is a device without values
    except Exception as error:  # its type depends on the device
        raise ValueError(
            f"no device {device!r:.80} on this computer; choose from {', '.join(devices())}"
        ) from error
    return device


def describe_device() -> str:
    """Return the fastest device in words, including the name of a CUDA GPU."""
    names = {"cpu": "cpu", "mps": "mps (Apple GPU)"}
    fastest = devices()[0]
    if fastest == "cuda":
        return f"cuda ({torch.cuda.get_device_name()})"
    return names[fastest]


@cache
def fast_half(device: str) -> torch.dtype | None:
    """Return the 16-bit type, if any, in which ``device`` is much faster than in float32."""
    if device == "cuda":
        return torch.float16
    if device != "cpu" or not hasattr(torch.cpu, "get_capabilities"):  # PyTorch 2.11 and later
        return None
    processor = torch.cpu.get_capabilities()
    native = processor.get("avx512_bf16") or processor.get("amx_bf16")
    # ONEDNN_MAX_CPU_ISA may have told oneDNN not to use it.
    return torch.bfloat16 if native and torch.ops.mkldnn._is_mkldnn_bf16_supported() else None


def needs_32_bits(bias: torch.Tensor) -> bool:
    """Return whether a convolution with such a bias, (C,), loses too much in 16 bits.

    They have too few digits for small differences on top of a large offset. u2netp has two such
    units, which alone caused nine tenths of bfloat16's error.
    """
    return bool(bias.detach().abs().max() > _LARGE)


def is_autocast_on(device: str) -> bool:
    """Return whether PyTorch computes in 16 bits here where that is enough."""
    return device in _AUTOCAST and torch.is_autocast_enabled(device)


def is_recorded() -> bool:
    """Return whether PyTorch takes down what is computed: for gradients, a compiler or a trace.

    Then a net keeps to operators that all of them know.
    """
    return torch.is_grad_enabled() or is_compiling() or torch.jit.is_tracing()


def torch_version() -> str:
    """Return the version and build of PyTorch: ``2.9.0+cu128``."""
    return str(torch.__version__)
