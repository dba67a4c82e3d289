"""image -> tensor: a photo as the net expects it."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from u2demo.images.rgb import as_rgb
from u2demo.inference.recipes import SIZE

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]  # ImageNet's, as in data_loader.py
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]

Crop = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def to_tensor(
    image: Image.Image, size: tuple[int, int] = (SIZE, SIZE), crop: Crop | None = None
) -> Tensor:  # (1, 3, height, width)
    """Return what the net expects: RGB over the photo's maximum, minus the mean, over the std.

    Sampled bilinearly as the authors do; what is more than halved is averaged over areas, which
    is the same at a half and keeps fine texture from turning into patterns.
    """
    image = as_rgb(image)
    crop = crop or (0, 0, *image.size)
    have = round(crop[2] - crop[0]), round(crop[3] - crop[1])
    near = [want if n > 2 * want else max(1, n) for n, want in zip(have, size, strict=True)]
    batch = pixels(image.resize(near, Image.Resampling.BOX, crop, reducing_gap=2.0))
    batch = F.interpolate(batch, size[::-1], mode="bilinear", align_corners=False)
    batch /= batch.max().clamp(min=1)  # a black photo stays black
    return (batch - MEAN) / STD


def pixels(image: Image.Image) -> Tensor:  # (1, bands, height, width), 0 to 255
    """Return the values of ``image`` as they are, in float32."""
    values = np.atleast_3d(np.asarray(image, np.float32))
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]
