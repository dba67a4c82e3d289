"""U²-Net as two tables, and the nested U that it shares with IS-Net.

Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", Pattern
Recognition 106 (2020), Table 1. Attribute names are the published checkpoints' schema
(``stage1.rebnconvin.conv_s1.weight`` …), so that an official file loads with ``strict=True``.
"""

import torch
from torch import Tensor, nn

from u2demo.nets.blocks import Block, ResidualUBlock, enlarge, halve

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


class NestedU(nn.ModuleDict):
    """Residual U-blocks as the stages of a larger U, and a side map from each of its levels."""

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

    def side_maps(self, x: Tensor) -> list[Tensor]:
        """Return a map of logits (B, 1, h, w) from each level, each half the size of the last."""
        skips = []
        for name in self.down:
            x = self[name](halve(x) if skips else x)
            skips.append(x)
        levels = [skips.pop()]
        for name in self.up:
            skip = skips.pop()
            levels.append(self[name](enlarge(levels[-1], skip), skip))
        return [self[name](level) for name, level in zip(self.sides, levels[::-1], strict=True)]


class U2Net(NestedU):
    """The nested U, and a seventh map that fuses the maps of its six levels."""

    def __init__(self, encoder: tuple[Block, ...], decoder: tuple[Block, ...]):
        super().__init__(encoder, decoder)
        self["outconv"] = nn.Conv2d(len(encoder), 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return seven maps (B, 1, H, W) in [0, 1]: the fused one, then levels 1 (finest) to 6.

        ``x`` is (B, 3, H, W): RGB over the photo's maximum, minus ImageNet's mean, over its std.
        """
        return tuple(torch.sigmoid(logits) for logits in self.logits(x))

    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the seven maps before their sigmoid, as training wants them."""
        first, *coarser = self.side_maps(x)
        sides = [first, *(enlarge(side, first) for side in coarser)]
        fused = self["outconv"](torch.cat(sides, 1))
        return fused, *sides
