"""What this computer can compute with: CPU, NVIDIA's GPUs, Apple's."""

import torch


def devices() -> list[str]:
    """Return the devices that PyTorch can use here, the fastest first."""
    found = ["cpu"]
    if torch.backends.mps.is_available():
        found.insert(0, "mps")
    if torch.cuda.is_available():
        found.insert(0, "cuda")
    return found


def check_device(device: str) -> str:
    """Return ``device``, or raise ``ValueError`` with those that there are."""
    try:
        torch.empty(1, device=device).cpu()  # "meta" is a device that gives nothing back
    except Exception as error:  # of a type that depends on the device
        raise ValueError(
            f"no device {device!r} on this computer; choose from {', '.join(devices())}"
        ) from error
    return device


def describe_device() -> str:
    """Return the fastest device for people, with the name of the GPU if it is one."""
    names = {"cpu": "cpu", "mps": "mps (Apple GPU)"}
    fastest = devices()[0]
    if fastest == "cuda":
        return f"cuda ({torch.cuda.get_device_name()})"
    return names[fastest]


def torch_version() -> str:
    """Return the version of PyTorch and the kind of its build: ``2.9.0+cu128``."""
    return str(torch.__version__)
