"""mask -> mask without ghosts: a half transparent patch that is no edge is decided either way.

A net that hesitates over a flag behind a shoulder, or over the dark side of a face, gives it a
value in between. In a cut-out that is a ghost of the background, or a hole that shows the new one.
"""

import torch.nn.functional as F
from torch import Tensor

_GRID = 400  # about how many pixels along the longer side are looked at
_AROUND = 3  # pixels of that grid, in each direction, in which an edge would show
_EDGE = 0.7  # change of the mask around a pixel from which on it is an edge, and stays as it is
_OUT, _IN = 0.3, 0.5  # values that become 0 and 1 on a patch; below half: nets find too little
_HESITANT, _SURE = 0.6, 0.9  # certainty at which patches stay, and at which all are decided


def settle(mask: Tensor, certainty: float) -> Tensor:  # (1, 1, H, W) -> (1, 1, H, W)
    """Return the mask with wide half transparent patches decided.

    Where it changes steeply, as along edges and in hair, it stays nearly as it is; the ends of a
    wide blur become steeper. ``certainty``, from 0 to 1, is the net's of its subject and says how
    much is decided: nothing where the net hesitates all over, lest the mask look surer than it is.
    """
    sure = min(max((certainty - _HESITANT) / (_SURE - _HESITANT), 0.0), 1.0)
    step = max(1, round(max(mask.shape) / _GRID))
    change = _change(F.avg_pool2d(mask, step, ceil_mode=True) if step > 1 else mask)
    share = sure * (1 - change / _EDGE).clamp(min=0)
    if step > 1:
        share = F.interpolate(share, mask.shape[2:], mode="bilinear")
    decided = ((mask - _OUT) / (_IN - _OUT)).clamp(0, 1)
    return mask + share * (decided - mask)


def _change(mask: Tensor) -> Tensor:
    """Return the largest less the smallest value around each pixel."""
    return _largest(mask) + _largest(-mask)


def _largest(x: Tensor) -> Tensor:
    side = 2 * _AROUND + 1
    rows = F.max_pool2d(x, (side, 1), stride=1, padding=(_AROUND, 0))
    return F.max_pool2d(rows, (1, side), stride=1, padding=(0, _AROUND))
