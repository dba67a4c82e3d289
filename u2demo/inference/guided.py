"""(coarse map, photo) -> map: a coarse map made to follow the edges of its photo."""

import torch
import torch.nn.functional as F
from torch import Tensor

_WINDOW = 200  # windows along the longer side
_SAMPLES = 512  # about how many samples along it tell what a window holds
_FLAT = 3e-4  # variance below which a window of the photo counts as flat, of 1


def follow_edges(saliency: Tensor, photo: Tensor) -> Tensor:
    """Return the map as a local linear function of the photo: He et al., 2010, eq. 5-8.

    Both are (1, 1, H, W) in [0, 1]; the answer may leave that range a little. The functions are
    found on a smaller copy of large ones, as in He and Sun, "Fast Guided Filter" (2015).
    """
    step = max(1, round(max(photo.shape) / _SAMPLES))
    small = [F.avg_pool2d(x, step, ceil_mode=True) if step > 1 else x for x in (saliency, photo)]
    slope, offset = _local_lines(*small)
    if step > 1:
        lines = torch.cat([slope, offset], 1)
        lines = F.interpolate(lines, photo.shape[2:], mode="bilinear")
        slope, offset = lines.split(1, 1)
    return slope * photo + offset


def _local_lines(saliency: Tensor, photo: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means of the slopes and offsets of all windows that hold a pixel."""
    radius = max(1, round(max(photo.shape) / _WINDOW))

    def total(x: Tensor) -> Tensor:
        padded = F.pad(x, [radius] * 4)
        return _sums(_sums(padded, 2 * radius + 1, axis=2), 2 * radius + 1, axis=3)

    def mean(x: Tensor) -> Tensor:
        return total(x) / pixels

    pixels = total(torch.ones_like(photo))  # fewer in a window at the border
    mean_photo, mean_saliency = mean(photo), mean(saliency)
    variance = mean(photo * photo) - mean_photo**2
    slope = (mean(photo * saliency) - mean_photo * mean_saliency) / (variance + _FLAT)
    return mean(slope), mean(mean_saliency - slope * mean_photo)


def _sums(x: Tensor, count: int, axis: int) -> Tensor:
    """Return the sums of ``count`` neighbors, made from those of half as many.

    That is as exact as ``F.avg_pool2d`` and four times faster.
    """
    if count == 1:
        return x
    size = x.shape[axis] - count + 1
    halves = _sums(x, count // 2, axis)
    sums = halves.narrow(axis, 0, size) + halves.narrow(axis, count // 2, size)
    return sums.add_(x.narrow(axis, count - 1, size)) if count % 2 else sums
