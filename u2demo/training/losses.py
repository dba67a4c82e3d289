"""(logits, truth) -> loss: how far all of a net's maps are from the mask."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_AROUND = 31  # pixels of a map of 352, for which the window was chosen
_OF = 352
_EDGES = 5.0  # how much more a pixel counts whose surroundings differ from it


def structure_loss(logits: Sequence[Tensor], truth: Tensor, hard: Tensor) -> Tensor:
    """Return the loss of a batch, the mean over its photos, summed over all maps.

    Wei et al., "F³Net: Fusion, Feedback and Focus for Salient Object Detection" (AAAI 2020), Eqs. 7
    to 9: cross entropy plus one minus IoU, both with more weight where a pixel differs from those
    around. The authors' code passes ``reduce="none"`` to the cross entropy, which PyTorch takes for
    the mean, so that it was not weighted after all; here it is.

    ``logits`` are maps (B, 1, H, W), ``truth`` is (B, 1, H, W) from 0 to 1. ``hard`` (B,) is 1 for
    masks and 0 for soft answers of a net, whose IoU with themselves would not be the best.
    """
    weight = 1 + _EDGES * (_mean_around(truth) - truth).abs()
    return torch.stack([_loss_of_map(each, truth, weight, hard) for each in logits]).sum()


def _loss_of_map(logits: Tensor, truth: Tensor, weight: Tensor, hard: Tensor) -> Tensor:
    logits = logits.float()  # sums over a map overflow in 16 bits
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    of_pixels = (weight * entropy).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    found = logits.sigmoid()
    both = (weight * found * truth).sum((1, 2, 3))
    either = (weight * (found + truth)).sum((1, 2, 3)) - both
    overlap = (both + 1) / (either + 1)
    return (of_pixels + hard * (1 - overlap)).mean()


def _mean_around(truth: Tensor) -> Tensor:
    """Return the mean of the pixels around each one; what lies outside of the photo counts not."""
    around = 2 * round(_AROUND / _OF * truth.shape[-1] / 2) + 1
    return F.avg_pool2d(truth, around, stride=1, padding=around // 2, count_include_pad=False)
