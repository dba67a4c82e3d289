"""net -> net: the same answer in less time.

Batch normalisation goes into the convolutions before it. What is left of a unit touches little
memory and bears ``torch.autocast``: at 320×320 memory costs as much as arithmetic.
"""

import ctypes
import sys

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from u2demo.model import ConvUnit, U2Net

_LARGE = 32 * 2**20  # bytes, above which glibc returns a buffer to the system at once
_KEPT = 256 * 2**20  # bytes of freed memory that glibc may keep
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def fold_batch_norm(model: U2Net) -> U2Net:
    """Return ``model`` with every batch normalisation folded into its convolution.

    Same maps (to 1e-4), 112 layers fewer; for inference only. The argument itself is changed.
    """
    for stage in (*model.down, *model.up):
        for name, unit in model[stage].items():
            model[stage][name] = _FoldedUnit(unit)
    return model.eval().requires_grad_(False)


def keep_freed_memory() -> None:
    """Let glibc keep a net's buffers from one photo to the next, up to ``_KEPT``.

    It would return them to the system, which clears them page by page when they are asked for
    again: a tenth of a net's time. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


class _FoldedUnit(nn.Module):
    """What a ``ConvUnit`` computes, when nobody wants to train it."""

    def __init__(self, unit: ConvUnit):
        super().__init__()
        self.conv_s1 = fuse_conv_bn_eval(unit.conv_s1.eval(), unit.bn_s1.eval())
        # A half has too few digits for small differences on top of a great offset. u2netp has two
        # such units; alone they made nine tenths of the error of bfloat16.
        self.exact = bool(self.conv_s1.bias.abs().max() > 128)

    def forward(self, *parts: Tensor) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        if self.exact and any(part.dtype != torch.float32 for part in parts):
            with torch.autocast(parts[0].device.type, enabled=False):
                return self(*(part.float() for part in parts))
        return _convolve_relu(self.conv_s1, parts)


def _convolve_relu(conv: nn.Conv2d, parts: tuple[Tensor, ...]) -> Tensor:
    """Return ``relu(conv(torch.cat(parts, 1)))``, part by part where that saves a large buffer."""
    if len(parts) == 2 and sum(part.nbytes for part in parts) > _LARGE:
        return _relu(_sum_of_parts(conv, *parts))
    x = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
    if _has_one_step(x):
        options = (conv.padding, conv.stride, conv.dilation, conv.groups)
        return torch.ops.mkldnn._convolution_pointwise(
            x, conv.weight, conv.bias, *options, "relu", [], ""
        )
    return _relu(conv(x))


def _sum_of_parts(conv: nn.Conv2d, deep: Tensor, skip: Tensor) -> Tensor:
    weights = conv.weight.split([deep.shape[1], skip.shape[1]], 1)
    options = {"padding": conv.padding, "dilation": conv.dilation}
    sum_of_deep = F.conv2d(deep, weights[0], conv.bias, **options)
    return sum_of_deep.add_(F.conv2d(skip, weights[1], **options))


def _has_one_step(x: Tensor) -> bool:
    """Return whether oneDNN can apply ReLU while it convolves, as ``torch.compile`` has it do."""
    exact = x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return x.device.type == "cpu" and exact and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def _relu(x: Tensor) -> Tensor:
    """Return ``x``, changed in place, with its negative values set to 0."""
    if x.dtype == torch.bfloat16:  # as an integer it has the same sign, and clamps 5 times faster
        x.view(torch.int16).clamp_min_(0)
        return x
    return F.relu_(x)
