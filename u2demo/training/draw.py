"""sample -> what the net is shown: cropped, mirrored, tilted, recolored, on another background.

Every draw follows from a generator of its own, made of seed, step and place. So nothing random has
to be kept for a training that goes on, and no global generator is touched.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as transform

from u2demo.effects.colors import clean_colors
from u2demo.masks.box import Box, box_around
from u2demo.training.samples import Sample

_LEAST = 0.7  # of each side that a crop keeps
_TILT = 10.0  # degrees
_ROOM = 0.09  # of a side; what a tilted photo lacks in its corners, mirrored
_COLORS = 0.25  # how far brightness, contrast and saturation go, around 1
_HUE = 0.02  # of the circle
_GRAY = 0.05  # share of photos that become gray
_PASTED = 0.4  # share of subjects that are pasted before something else
_STRIP = 0.2  # of a side; the least that a background must have beside its own subject
_BILINEAR = v2.InterpolationMode.BILINEAR


def draw(sample: Sample, others: Sequence[Sample], side: int, dice: Generator) -> Tensor:
    """Return the sample as one of many that it could be: (4, side, side) float32, 0 to 255.

    The fourth channel is the mask: it travels with the colors, for torchvision resizes masks to the
    nearest pixel, and does not scale them. ``others`` lend their backgrounds; those whose masks are
    answers of a net are put behind the subject whole. Nothing is turned upside down.
    """
    photo, mask = sample.open()
    if sample.is_cutout or (not sample.is_soft and dice.random() < _PASTED):
        photo = _paste(photo, mask, others, dice)
    layers = torch.cat([_layers(photo), _layers(mask)])  # (4, H, W)
    layers = _tilt(layers, dice)
    layers = _crop(layers, side, dice)
    if dice.random() < 0.5:
        layers = transform.horizontal_flip(layers)
    return torch.cat([_recolor(layers[:3], dice), layers[3:]]).clamp(0, 255)


def whole(sample: Sample, side: int) -> Tensor:
    """Return the sample as it is, squeezed to a square: (4, side, side) float32, 0 to 255."""
    layers = torch.cat([_layers(shown(sample)), _layers(sample.open()[1])])
    return transform.resize(layers, [side, side], _BILINEAR, antialias=True)


def shown(sample: Sample) -> Image.Image:
    """Return the sample's photo; of a cut-out, the subject before always the same colors."""
    photo, mask = sample.open()
    if not sample.is_cutout:
        return photo
    return _paste(photo, mask, [], np.random.default_rng(int(sample.key[:8], 16)))


def _layers(picture: Image.Image) -> Tensor:
    values = np.atleast_3d(np.asarray(picture, np.float32))
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


def _tilt(layers: Tensor, dice: Generator) -> Tensor:
    angle = dice.uniform(-_TILT, _TILT)
    if dice.random() < 0.5:
        return layers
    height, width = layers.shape[1:]
    across, down = int(_ROOM * width), int(_ROOM * height)
    around = transform.pad(layers, [across, down], padding_mode="reflect")
    turned = transform.rotate(around, angle, _BILINEAR)
    return transform.crop(turned, down, across, height, width)


def _crop(layers: Tensor, side: int, dice: Generator) -> Tensor:
    """Return a part, squeezed to a square: its proportions vary, too."""
    height, width = layers.shape[1:]
    tall, wide = (max(1, round(length * dice.uniform(_LEAST, 1))) for length in (height, width))
    top, left = dice.integers(height - tall + 1), dice.integers(width - wide + 1)
    part = layers[:, top : top + tall, left : left + wide]
    if not part[3].any():  # the subject would be missed
        part = layers
    return transform.resize(part, [side, side], _BILINEAR, antialias=True)


def _recolor(colors: Tensor, dice: Generator) -> Tensor:
    colors = colors / 255
    for change in (
        transform.adjust_brightness,
        transform.adjust_contrast,
        transform.adjust_saturation,
    ):
        colors = change(colors, dice.uniform(1 - _COLORS, 1 + _COLORS))
    colors = transform.adjust_hue(colors, dice.uniform(-_HUE, _HUE))
    if dice.random() < _GRAY:
        colors = transform.rgb_to_grayscale(colors, num_output_channels=3)
    return colors * 255


# Another background


def _paste(
    photo: Image.Image, mask: Image.Image, others: Sequence[Sample], dice: Generator
) -> Image.Image:
    """Return the subject, without the color of what was behind it, before something else."""
    other = others[dice.integers(len(others))] if others else None
    behind = _background_of(other, dice) if other else None
    if behind is None:
        behind = _shades(dice)
    alpha = np.asarray(mask, np.float32) / np.float32(255)
    behind = behind.resize(photo.size, Image.Resampling.BICUBIC)
    behind.paste(clean_colors(photo, alpha), (0, 0), mask)
    return behind


def _background_of(sample: Sample, dice: Generator) -> Image.Image | None:
    """Return a part of a photo beside its subject, None if that leaves too little.

    Of a photo that is not among those to learn, return all: what stands out in it need not be what
    their masks show, and a net learns to tell the two.
    """
    photo, mask = sample.open()
    if sample.is_soft:
        return photo
    if sample.is_cutout:
        return None
    width, height = photo.size
    subject = box_around(np.asarray(mask) > 12) or Box(width, height, width, height)
    strips = [
        Box(0, 0, subject.left, height),
        Box(subject.right, 0, width, height),
        Box(0, 0, width, subject.top),
        Box(0, subject.bottom, width, height),
    ]
    wide = [
        strip
        for strip in strips
        if strip.right - strip.left >= _STRIP * width
        and strip.bottom - strip.top >= _STRIP * height
    ]
    return photo.crop(wide[dice.integers(len(wide))]) if wide else None


def _shades(dice: Generator) -> Image.Image:
    """Return four colors that run into one another."""
    return Image.fromarray(dice.integers(0, 256, (2, 2, 3), np.uint8))
