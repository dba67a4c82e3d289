"""image -> tensor: a photo as a net wants it."""

from numbers import Integral

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from u2demo.images.rgb import as_rgb
from u2demo.nets.checkpoints import Input

Crop = tuple[float, float, float, float]  # left, top, right, bottom in pixels

_DEFAULT = Input()
_GAP = 2.0  # at least this many pixels become one by sampling; more are averaged first


def input_of(model: nn.Module) -> Input:
    """Return how the net wants its photos: ``model.input``, or ``Input()`` if it has none.

    Raises:
        TypeError: ``model.input`` is a tuple, list or dict, but not an ``Input``.
        ValueError: no photo can be made like that, because a number is missing or 0.
    """
    wanted = getattr(model, "input", _DEFAULT)
    if isinstance(wanted, Input):
        _check(wanted)
        return wanted
    if isinstance(wanted, tuple | list | dict):
        raise TypeError(
            f"model.input is {wanted!r}, expected an Input(side, mean, std, by_maximum) from"
            " u2demo.nets.checkpoints"
        )
    return _DEFAULT  # a layer or a method that happens to have this name


def _check(wanted: Input) -> None:
    side, mean, std = wanted[:3]
    has_side = isinstance(side, Integral) and side >= 1
    if not has_side or not np.shape(mean) == np.shape(std) == (3,) or not all(std):
        raise ValueError(
            f"model.input is {wanted!r}, expected a side in whole pixels and, for mean and std,"
            " three numbers each, those of std not 0"
        )


def to_tensor(
    image: Image.Image,
    wanted: Input = _DEFAULT,
    *,
    size: tuple[int, int] | None = None,
    crop: Crop | None = None,
) -> Tensor:  # (1, 3, height, width), float32
    """Return the photo, or its part ``crop``, as a net with the input ``wanted`` sees it.

    It is squeezed to ``size``, (width, height), by default the net's own square, by Lanczos's
    filter: the nets find a little more with it than with the authors' bilinear sampling, and fine
    texture does not turn into patterns (docs/experiments.md).
    """
    size = size or (wanted.side, wanted.side)
    seen = as_rgb(image).resize(size, Image.Resampling.LANCZOS, crop, reducing_gap=_GAP)
    return normalize(pixels(seen), wanted)


def normalize(batch: Tensor, wanted: Input) -> Tensor:
    """Return one photo's values, (1, 3, height, width) from 0 to 255, as a net wants them."""
    white = batch.max().clamp(min=1) if wanted.by_maximum else 255  # a black photo stays black
    mean = torch.tensor(wanted.mean, dtype=torch.float32, device="cpu")[:, None, None]
    std = torch.tensor(wanted.std, dtype=torch.float32, device="cpu")[:, None, None]
    return (batch / white - mean) / std


def pixels(image: Image.Image) -> Tensor:  # (1, bands, height, width), 0 to 255
    """Return the values of ``image``, unscaled, in float32."""
    values = np.atleast_3d(np.asarray(image, np.float32))
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]
