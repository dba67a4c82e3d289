"""What PyTorch computes with on this computer, for people."""

import torch


def torch_version() -> str:
    """Return the version of PyTorch and the kind of its build: ``2.9.0+cu128``."""
    return str(torch.__version__)


def describe_device() -> str:
    """Return the fastest device that PyTorch can use, and the name of the GPU if it is one."""
    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name()})"
    if torch.backends.mps.is_available():
        return "mps (Apple GPU)"
    return "cpu"
