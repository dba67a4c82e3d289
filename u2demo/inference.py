"""(net, image) -> mask: the only place where images and masks are tensors."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from u2demo.masks import Mask

SIZE = 320  # the authors ask to keep the networks' input at 320x320 (U-2-Net, README)
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet, as in training (data_loader.py)
_STD = np.array([0.229, 0.224, 0.225], np.float32)


def predict_mask(model: nn.Module, image: Image.Image, *, quality: str = "fast") -> Mask:
    """Return how much each pixel of ``image`` belongs to the subject: (H, W) float32 in [0, 1]."""
    return next(predict_masks(model, [image], quality=quality))


def predict_masks(
    model: nn.Module, images: Iterable[Image.Image], *, quality: str = "fast"
) -> Iterator[Mask]:
    """Yield the mask of each image in turn, see ``predict_mask``."""
    if quality not in ("fast", "best"):
        raise ValueError(f"no quality {quality!r}; choose fast or best")
    for image in images:
        yield _to_mask(_run(model, _to_tensor(image)), image.size)


def predict_raw(model: nn.Module, image: Image.Image, *, side: int) -> Mask:
    """Return the net's own map of the photo squeezed to a square: (side, side) float32, [0, 1]."""
    return _run(model, _to_tensor(image, side))[0, 0].numpy()


def network_input(image: Image.Image) -> NDArray[np.float32]:
    """Return ``image`` as the net sees it, shape (1, 3, SIZE, SIZE): squeezed and normalized."""
    return _to_tensor(image).numpy()


@torch.inference_mode()
def predict_maps(model: nn.Module, image: Image.Image) -> NDArray[np.float32]:
    """Return the net's seven maps, shape (7, SIZE, SIZE): the fused one, then fine to coarse."""
    maps = model(_to_tensor(image).to(next(model.parameters()).device))
    return torch.cat(maps)[:, 0].float().cpu().numpy()


@contextmanager
def share_cores(workers: int) -> Iterator[None]:
    """Give each of ``workers`` threads that run a net its share of the processor's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fingerprint(model: nn.Module) -> str:
    """Return eight characters that differ between nets with different weights."""
    checksum = 0
    for parameter in model.state_dict().values():
        checksum = zlib.crc32(parameter.float().cpu().numpy().tobytes(), checksum)
    return f"{checksum:08x}"


def _to_tensor(image: Image.Image, side: int = SIZE) -> Tensor:  # (1, 3, side, side)
    image = image if image.mode == "RGB" else image.convert("RGB")
    small = image.resize((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    pixels = np.asarray(small, np.float32)
    pixels = (pixels / max(pixels.max(), 1.0) - _MEAN) / _STD
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


@torch.inference_mode()
def _run(model: nn.Module, batch: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, 1, H, W)
    device = next(model.parameters()).device
    half = _fast_half(device.type)
    with torch.autocast(device.type, half) if half else nullcontext():
        return model(batch.to(device))[0].float().cpu()


@cache
def _fast_half(device: str) -> torch.dtype | None:
    """Return the 16-bit type that ``device`` is much faster with than with float32, if any."""
    if device == "cuda":
        return torch.float16
    processor = getattr(torch.cpu, "get_capabilities", dict)()  # PyTorch 2.11 and later know
    native = processor.get("avx512_bf16") or processor.get("amx_bf16")
    return torch.bfloat16 if device == "cpu" and native else None


@torch.inference_mode()
def _to_mask(saliency: Tensor, size: tuple[int, int]) -> Mask:
    mask = F.interpolate(saliency, size[::-1], mode="bilinear", antialias=True)
    return mask[0, 0].clamp_(0, 1).numpy()
