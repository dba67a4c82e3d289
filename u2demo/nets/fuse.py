"""net -> net: the same answer in less time.

Batch normalization goes into the convolutions before it, and each of them becomes one step of
oneDNN, PyTorch's library for convolutions on a CPU, with what follows it. ``torch.autocast`` says
in which type a unit computes, as for any net.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.compiler import is_compiling
from torch.nn.utils.fusion import fuse_conv_bn_eval

from u2demo.nets.u2net import ConvUnit, U2Net

_SMALL = 2 * 2**20  # bytes; to put parts of so few together costs less than a step more


def fold_in_place(model: U2Net) -> None:
    """Fold every batch normalization of ``model`` into its convolution.

    Same maps (to 1e-4), 112 layers fewer; for inference only. Weights are not to be changed
    afterwards: on a CPU what is computed with is a copy of them, in an order of oneDNN's own.
    """
    for stage in (*model.down, *model.up):
        for name, unit in model[stage].items():
            model[stage][name] = _FoldedUnit(unit)
    for name in model.sides:
        model[name] = _FoldedSide(model[name])
    model.eval().requires_grad_(False)


class _FoldedUnit(nn.Module):
    """What a ``ConvUnit`` computes, when nobody wants to train it."""

    def __init__(self, unit: ConvUnit):
        super().__init__()
        self.conv_s1 = fuse_conv_bn_eval(unit.conv_s1.eval(), unit.bn_s1.eval())
        # A half has too few digits for small differences on top of a great offset. u2netp has two
        # such units; alone they made nine tenths of the error of bfloat16.
        self.exact = bool(self.conv_s1.bias.abs().max() > 128)
        conv = self.conv_s1
        self._options = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self._prepared: dict[tuple[torch.dtype, int], tuple[list[Tensor], Tensor]] = {}

    def forward(self, *parts: Tensor) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        device, dtype = parts[0].device.type, self.conv_s1.weight.dtype
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
            if self.exact:
                with torch.autocast(device, enabled=False):
                    return self(*(part.float() for part in parts))
        if device == "cpu" and not is_compiling() and _has_fused_steps(dtype):
            return self._in_few_steps([p if p.dtype == dtype else p.to(dtype) for p in parts])
        return F.relu_(self.conv_s1(torch.cat(parts, 1)))

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_prepared": {}}  # oneDNN's own tensors cannot be copied

    def _in_few_steps(self, parts: list[Tensor]) -> Tensor:
        """Return the same by oneDNN's own steps, as ``torch.compile`` would take them.

        ReLU is applied while the last part is convolved and added to the others, so that large
        parts need not be put together.
        """
        if len(parts) > 1 and sum(part.nbytes for part in parts) < _SMALL:
            parts = [torch.cat(parts, 1)]
        weights, bias = self._prepare(parts)
        steps, options = torch.ops.mkldnn, self._options
        first = (parts[0], weights[0], bias, *options)
        if len(parts) == 1:
            return steps._convolution_pointwise(*first, "relu", [], "")
        total = steps._convolution_pointwise(*first, "none", [], "")
        second = (parts[1], weights[1], None, *options)
        return steps._convolution_pointwise_.binary(total, *second, "add", 1, "relu", [], None)

    def _prepare(self, parts: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Return the weights for each part in the order that oneDNN likes best, and the bias."""
        key = parts[0].dtype, len(parts)
        if key not in self._prepared:
            weight, bias = (p.to(parts[0].dtype) for p in (self.conv_s1.weight, self.conv_s1.bias))
            shares = weight.split([part.shape[1] for part in parts], 1)
            reorder = torch.ops.mkldnn._reorder_convolution_weight
            weights = [
                reorder(share.contiguous(), *self._options, list(part.shape))
                for share, part in zip(shares, parts, strict=True)
            ]
            self._prepared[key] = weights, bias
        return self._prepared[key]


@cache
def _has_fused_steps(dtype: torch.dtype) -> bool:
    """Return whether this PyTorch has oneDNN, and that takes ``dtype`` on this processor."""
    steps = torch.ops.mkldnn
    if not torch.backends.mkldnn.is_available() or not hasattr(steps, "_convolution_pointwise_"):
        return False
    halves = {
        torch.bfloat16: "_is_mkldnn_bf16_supported",
        torch.float16: "_is_mkldnn_fp16_supported",
    }
    if dtype in halves:
        return hasattr(steps, halves[dtype]) and getattr(steps, halves[dtype])()
    return dtype == torch.float32


class _FoldedSide(nn.Module):
    """A 3×3 convolution to a single channel: nine 1×1 ones, then the sum of each one's shift.

    Kernels for 3×3 work on 16 channels at a time. Here 15 would be thrown away, and are cheap only
    where few channels come in.
    """

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.taps = nn.Conv2d(conv.in_channels, 9, 1, bias=False)
        self.taps.weight = nn.Parameter(conv.weight[0].flatten(1).T[:, :, None, None].contiguous())
        self.shifts = nn.Conv2d(9, 1, 3, padding=1)
        self.shifts.weight = nn.Parameter(torch.eye(9).view(1, 9, 3, 3))
        self.shifts.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, 1, H, W)
        return self.shifts(self.taps(x))
