"""packaged photos -> pairs to practice on: one subject among others, and a mask of it alone."""

from collections.abc import Iterator

import numpy as np
from PIL import Image
from torch import nn

from u2demo.effects.cutout import remove_background
from u2demo.images.read import sample_images
from u2demo.inference.predict import predict_mask
from u2demo.masks.box import bounding_box

COUNT = 12
MEANT = "coffee.png"  # the subject that is meant; the net knows no reason to prefer it
_OTHERS = ("cat.jpeg", "rocket.jpg")
_SIZE = 400, 300  # pixels
_HEIGHTS = 0.45, 0.75  # of the picture's height
_SHADES = 2, 3  # rows and columns of colors that run into one another


def practice_pairs(net: nn.Module, count: int = COUNT) -> Iterator[tuple[Image.Image, Image.Image]]:
    """Yield pictures of the cup beside something else, and masks, L, of the cup alone.

    ``net`` is one for inference, which finds both; the packaged photos are cut out with it. The
    pictures are always the same.
    """
    photos = sample_images()
    subjects = {name: _cut_out(net, photos[name]) for name in (MEANT, *_OTHERS)}
    for number in range(count):
        dice = np.random.default_rng(number)
        other = subjects[_OTHERS[number % len(_OTHERS)]]
        picture, mask = _background(dice), Image.new("L", _SIZE)
        sides = [0, 1] if dice.random() < 0.5 else [1, 0]
        _put(other, picture, sides[0], dice)
        place, cup = _put(subjects[MEANT], picture, sides[1], dice)
        mask.paste(cup.getchannel("A"), place)
        yield picture, mask


def _cut_out(net: nn.Module, photo: Image.Image) -> Image.Image:
    mask = predict_mask(net, photo)
    return remove_background(photo, mask).crop(bounding_box(mask))


def _background(dice: np.random.Generator) -> Image.Image:
    colors = dice.integers(40, 240, (*_SHADES, 3), np.uint8)
    return Image.fromarray(colors).resize(_SIZE, Image.Resampling.BICUBIC)


def _put(
    subject: Image.Image, picture: Image.Image, half: int, dice: np.random.Generator
) -> tuple[tuple[int, int], Image.Image]:
    """Put a subject into the left (0) or right (1) half; return its place, and it at its size."""
    width, height = _SIZE
    room = width // 2
    scale = min(dice.uniform(*_HEIGHTS) * height / subject.height, 0.9 * room / subject.width)
    small = subject.resize((round(scale * subject.width), round(scale * subject.height)))
    left = half * room + int(dice.integers(room - small.width))
    place = left, int(dice.integers(height - small.height))
    picture.paste(small, place, small)
    return place, small
