"""IS-Net: U²-Net's blocks at half the photo's resolution, for photos of 1024×1024 pixels.

Qin et al., "Highly Accurate Dichotomous Image Segmentation", ECCV 2022; the layout is that of
``ISNetDIS`` in https://github.com/xuebinqin/DIS (IS-Net/models/isnet.py), so that an official file
loads with ``strict=True``. The ground-truth encoder that its training needs is not included.
"""

import torch
from torch import Tensor, nn

from u2demo.nets.blocks import Block, enlarge
from u2demo.nets.u2net import U2NET, NestedU

ISNET = ((Block(7, 64, 32, 64), *U2NET[0][1:]), U2NET[1])


class ISNet(NestedU):
    """The nested U behind a convolution that halves the photo; its first map is the answer."""

    def __init__(self, encoder: tuple[Block, ...], decoder: tuple[Block, ...]):
        super().__init__(encoder, decoder)
        self["conv_in"] = nn.Conv2d(3, encoder[0].inputs, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return six maps (B, 1, H, W) in [0, 1], from levels 1 (finest, the answer) to 6.

        ``x`` is (B, 3, H, W): RGB over 255, minus 0.5.
        """
        return tuple(torch.sigmoid(logits) for logits in self.logits(x))

    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the six maps before their sigmoid, as training wants them."""
        sides = self.side_maps(self["conv_in"](x))
        return tuple(enlarge(side, x) for side in sides)
