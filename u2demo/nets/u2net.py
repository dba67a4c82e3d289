"""name -> untrained net: U²-Net as two tables.

Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", Pattern
Recognition 106 (2020), Fig. 2 and Table 1. Attribute names are the published checkpoints' schema
(``stage1.rebnconvin.conv_s1.weight`` …), so that an official file loads with ``strict=True``.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from u2demo.nets.resampling import enlarge, halve


class Block(NamedTuple):
    """One residual U-block (RSU): a small U-Net of ``depth`` levels."""

    depth: int
    inputs: int  # channels, as the next two
    middle: int
    outputs: int
    dilated: bool = False  # widens its view by dilation, at full resolution, instead of pooling


# Six encoder blocks going down, five decoder blocks coming back up.
U2NET = (
    (Block(7, 3, 32, 64), Block(6, 64, 32, 128), Block(5, 128, 64, 256),
     Block(4, 256, 128, 512), Block(4, 512, 256, 512, True), Block(4, 512, 256, 512, True)),
    (Block(4, 1024, 256, 512, True), Block(4, 1024, 128, 256), Block(5, 512, 64, 128),
     Block(6, 256, 32, 64), Block(7, 128, 16, 64)),
)  # fmt: skip
U2NETP = (
    (Block(7, 3, 16, 64), Block(6, 64, 16, 64), Block(5, 64, 16, 64),
     Block(4, 64, 16, 64), Block(4, 64, 16, 64, True), Block(4, 64, 16, 64, True)),
    (Block(4, 128, 16, 64, True), Block(4, 128, 16, 64), Block(5, 128, 16, 64),
     Block(6, 128, 16, 64), Block(7, 128, 16, 64)),
)  # fmt: skip
ARCHITECTURES = {"u2netp": U2NETP, "u2net": U2NET}


class ConvUnit(nn.Module):
    """3×3 convolution over all parts, batch normalization, ReLU; height and width stay."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1):
        super().__init__()
        self.conv_s1 = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(outputs)

    def forward(self, *parts: Tensor) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        return F.relu(self.bn_s1(self.conv_s1(torch.cat(parts, 1))), inplace=True)


class ResidualUBlock(nn.ModuleDict):
    """A U-Net of conv units whose input convolution is added to its output."""

    def __init__(self, block: Block):
        super().__init__()
        depth, inputs, middle, outputs, dilated = block
        self.down = [f"rebnconv{level}" for level in range(1, depth + 1)]
        self.up = [f"rebnconv{level}d" for level in range(depth - 1, 0, -1)]
        self.pooled = set() if dilated else set(self.down[1:-1])

        self["rebnconvin"] = ConvUnit(inputs, outputs)
        for level, name in enumerate(self.down):
            dilation = 2**level if dilated else 2 if name == self.down[-1] else 1
            self[name] = ConvUnit(middle if level else outputs, middle, dilation)
        for level, name in zip(range(depth - 2, -1, -1), self.up, strict=True):
            self[name] = ConvUnit(2 * middle, middle if level else outputs, 2 ** (level * dilated))

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
        return residual.add_(x.to(residual.dtype))  # a large buffer less


class U2Net(nn.ModuleDict):
    """The nested U: residual U-blocks as the stages of a larger U, and a map from each level."""

    def __init__(self, encoder: tuple[Block, ...], decoder: tuple[Block, ...]):
        super().__init__()
        levels = len(encoder)
        self.down = [f"stage{level}" for level in range(1, levels + 1)]
        self.up = [f"stage{level}d" for level in range(levels - 1, 0, -1)]
        self.sides = [f"side{level}" for level in range(1, levels + 1)]

        for name, block in zip((*self.down, *self.up), (*encoder, *decoder), strict=True):
            self[name] = ResidualUBlock(block)
        for name, block in zip(self.sides, (*decoder[::-1], encoder[-1]), strict=True):
            self[name] = nn.Conv2d(block.outputs, 1, 3, padding=1)
        self["outconv"] = nn.Conv2d(levels, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return seven maps (B, 1, H, W) in [0, 1]: the fused one, then levels 1 (finest) to 6.

        ``x`` is (B, 3, H, W): RGB over the photo's maximum, minus ImageNet's mean, over its std.
        """
        skips = []
        for name in self.down:
            x = self[name](halve(x) if skips else x)
            skips.append(x)
        levels = [skips.pop()]
        for name in self.up:
            skip = skips.pop()
            levels.append(self[name](enlarge(levels[-1], skip), skip))
        sides = [self[name](level) for name, level in zip(self.sides, levels[::-1], strict=True)]
        sides = [enlarge(side, sides[0]) for side in sides]
        fused = self["outconv"](torch.cat(sides, 1))
        return tuple(torch.sigmoid(logits) for logits in (fused, *sides))


def build_model(name: str) -> U2Net:
    """Return an untrained net; ``name`` is a key of ``ARCHITECTURES``."""
    if name not in ARCHITECTURES:
        raise ValueError(f"no architecture {name!r}; choose from {', '.join(ARCHITECTURES)}")
    return U2Net(*ARCHITECTURES[name])
