"""The parts of a nested U: a convolution unit, a residual U-block, and the ways between levels.

Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", Pattern
Recognition 106 (2020), Fig. 2. Attribute names are the published checkpoints' schema
(``rebnconvin.conv_s1.weight`` …), so that an official file loads with ``strict=True``.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from u2demo.nets.device import is_recorded

_LARGE = 100_000  # values; with fewer, several steps take longer than one


class Block(NamedTuple):
    """One residual U-block (RSU): a small U-Net of ``depth`` levels."""

    depth: int
    inputs: int  # channels, like the next two
    middle: int
    outputs: int
    dilated: bool = False  # dilates its convolutions at full resolution instead of pooling


class ConvUnit(nn.Module):
    """3×3 convolution over all parts, batch normalization, ReLU; keeps height and width."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1):
        super().__init__()
        self.conv_s1 = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(outputs)

    def forward(self, *parts: Tensor) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        return F.relu(self.bn_s1(self.conv_s1(torch.cat(parts, 1))), inplace=True)


class ResidualUBlock(nn.ModuleDict):
    """A U-Net of convolution units whose input convolution is added to its output."""

    def __init__(self, block: Block):
        super().__init__()
        depth, inputs, middle, outputs, dilated = block
        self.down = [f"rebnconv{level}" for level in range(1, depth + 1)]
        self.up = [f"rebnconv{level}d" for level in range(depth - 1, 0, -1)]
        self.pooled = set() if dilated else set(self.down[1:-1])

        self["rebnconvin"] = ConvUnit(inputs, outputs)
        for level, name in enumerate(self.down):
            dilation = 2 if name == self.down[-1] else 1
            if dilated:
                dilation = 2**level
            self[name] = ConvUnit(middle if level else outputs, middle, dilation)
        for level, name in zip(range(depth - 2, -1, -1), self.up, strict=True):
            dilation = 2**level if dilated else 1
            self[name] = ConvUnit(2 * middle, middle if level else outputs, dilation)

    def forward(self, *parts: Tensor) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        residual = x = self["rebnconvin"](*parts)
        skips = []
        for name in self.down:
            x = self[name](halve(x) if name in self.pooled else x)
            skips.append(x)  # (B, middle, H / 2^pools, W / 2^pools)
        skips.pop()
        for name in self.up:
            skip = skips.pop()
            x = self[name](enlarge(x, skip), skip)
        if torch.is_grad_enabled():
            return residual + x
        return residual.add_(x.to(residual.dtype))  # saves a large buffer


# On a CPU, outside training, even sizes are halved and doubled by operations on whole slices. In 16
# bits that is two to three times as fast as PyTorch's own functions, which take any size.


def halve(x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, ⌈H/2⌉, ⌈W/2⌉)
    """Return the maximum of each 2×2 pixels."""
    if not _is_for_slices(x) or x.shape[2] % 2 or x.shape[3] % 2:
        return F.max_pool2d(x, 2, stride=2, ceil_mode=True)
    rows = torch.maximum(x[:, :, ::2], x[:, :, 1::2])
    return torch.maximum(rows[..., ::2], rows[..., 1::2])


def enlarge(x: Tensor, like: Tensor) -> Tensor:  # (B, C, h, w) -> (B, C, H, W) of ``like``
    """Return ``x`` bilinearly enlarged; pixels are areas (align_corners False)."""
    height, width = like.shape[2:]
    if x.shape[2:] == like.shape[2:]:
        return x
    if _is_for_slices(x) and (height, width) == (2 * x.shape[2], 2 * x.shape[3]):
        return _double(_double(x, 3), 2)  # the larger step along whole rows
    return F.interpolate(x, (height, width), mode="bilinear", align_corners=False)


def _is_for_slices(x: Tensor) -> bool:
    return not is_recorded() and x.numel() >= _LARGE and x.device.type == "cpu"


def _double(x: Tensor, axis: int) -> Tensor:
    """Return ``x`` with each neighboring pair mixed 3:1 and 1:3, and its ends unchanged."""
    size = x.shape[axis]
    shape = [2 * n if i == axis else n for i, n in enumerate(x.shape)]
    double = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    double.narrow(axis, 0, 1).copy_(x.narrow(axis, 0, 1))
    double.narrow(axis, 2 * size - 1, 1).copy_(x.narrow(axis, size - 1, 1))
    pairs = double.narrow(axis, 1, 2 * size - 2).unflatten(axis, (size - 1, 2))
    before, after = x.narrow(axis, 0, size - 1), x.narrow(axis, 1, size - 1)
    for place, weight in enumerate((0.25, 0.75)):
        torch.lerp(before, after, weight, out=pairs.select(axis + 1, place))
    return double
