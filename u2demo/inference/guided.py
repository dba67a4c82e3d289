"""(coarse map, photo) -> map that follows the photo's edges."""

import torch
import torch.nn.functional as F
from torch import Tensor

# Numbers along the longer side, for each pixel of the net's input: its map has no finer edges.
_WINDOWS = 0.625  # 200 for 320
_SAMPLES = 1.6  # 512 for 320: about how many pixels windows are computed from
_FLAT = 3e-4  # variance, of values in [0, 1], below which a window of the photo counts as flat


def follow_edges(saliency: Tensor, photo: Tensor, *, side: int = 320) -> Tensor:
    """Return the map as a local linear function of the photo: He et al., 2010, eq. 5-8.

    Both are (1, 1, H, W) in [0, 1]; the result may leave that range slightly. ``side`` is the side
    of the net's input. For large photos the functions are found on a smaller copy, as in He and
    Sun, "Fast Guided Filter" (2015).
    """
    step = max(1, round(max(photo.shape) / (_SAMPLES * side)))
    small_saliency, small_photo = saliency, photo
    if step > 1:
        small_saliency = F.avg_pool2d(saliency, step, ceil_mode=True)
        small_photo = F.avg_pool2d(photo, step, ceil_mode=True)
    radius = max(1, round(max(small_photo.shape) / (_WINDOWS * side)))
    slope, offset = _local_lines(small_saliency, small_photo, radius)
    if step > 1:
        slope = F.interpolate(slope, photo.shape[2:], mode="bilinear")
        offset = F.interpolate(offset, photo.shape[2:], mode="bilinear")
    return slope * photo + offset


def _local_lines(saliency: Tensor, photo: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Return, for each pixel, the mean slope and mean offset of all windows that hold it."""

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
    """Return the sums of ``count`` neighbors, built from sums of half as many.

    That is as exact as ``F.avg_pool2d``, and four times as fast.
    """
    if count == 1:
        return x
    size = x.shape[axis] - count + 1
    halves = _sums(x, count // 2, axis)
    sums = halves.narrow(axis, 0, size) + halves.narrow(axis, count // 2, size)
    return sums.add_(x.narrow(axis, count - 1, size)) if count % 2 else sums
