"""Photos of the package -> clips of which every pixel's truth is known."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import nn

import u2demo as u2

SIZE = (427, 240)
COUNT = 24
SUBJECTS = ("cat.jpeg", "astronaut.jpg", "rocket.jpg")
SHIFT = 3  # pixels a frame; the subject goes to the right, the background to the left
TURN, GROWTH = 0.6, 0.004  # degrees, and share of its size, a frame
FLICKER = 0.06  # share by which the exposure changes, up and down
NOISE = 6.0  # gray levels of 255, standard deviation


class Truth(NamedTuple):
    """The frames of a clip, and where its subject is: (frames, H, W)."""

    frames: list[Image.Image]
    subject: NDArray[np.bool_]


def synthetic_clips(model: nn.Module) -> Iterator[tuple[str, Truth]]:
    """Yield name and truth of each clip: a sample's subject moves over a moving background.

    The subject turns, grows and goes to the right while the picture pans; the exposure flickers,
    and each frame has noise of its own.
    """
    for seed, name in enumerate(SUBJECTS):
        photo = u2.sample_images()[name]
        cutout = u2.remove_background(photo, u2.predict_mask(model, photo, quality="best"))
        cutout = cutout.crop(cutout.getbbox())
        cutout.thumbnail((SIZE[0] // 2, SIZE[1] * 3 // 4))
        generator = np.random.default_rng(seed)
        scene = background(generator)
        made = [frame(cutout, scene, number, generator) for number in range(COUNT)]
        yield name, Truth([image for image, _ in made], np.stack([true for _, true in made]))


def background(generator: np.random.Generator) -> Image.Image:
    """Return a soft colored texture in which nothing stands out, wide enough to pan over."""
    width, height = SIZE[0] + SHIFT * COUNT, SIZE[1]
    coarse = generator.integers(60, 190, (height // 24, width // 24, 3)).astype(np.uint8)
    soft = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    fine = generator.normal(0, 40, (height, width, 3))
    textured = (np.asarray(soft) + fine).clip(0, 255).astype(np.uint8)
    return Image.fromarray(textured).filter(ImageFilter.GaussianBlur(2))


def frame(
    cutout: Image.Image, scene: Image.Image, number: int, generator: np.random.Generator
) -> tuple[Image.Image, NDArray[np.bool_]]:
    """Return the frame of that number, and where the subject is in it."""
    scale = 1 + GROWTH * number
    size = round(cutout.width * scale), round(cutout.height * scale)
    turned = cutout.resize(size).rotate(TURN * number, Image.Resampling.BICUBIC, expand=True)
    layer = Image.new("RGBA", SIZE)
    place = SIZE[0] // 8 + SHIFT * number, (SIZE[1] - turned.height) // 2
    layer.paste(turned, place)
    picture = scene.crop((SHIFT * number, 0, SHIFT * number + SIZE[0], SIZE[1])).convert("RGBA")
    picture.alpha_composite(layer)
    exposure = 1 + FLICKER * (-1) ** number
    values = np.asarray(picture.convert("RGB")) * exposure
    values = values + generator.normal(0, NOISE, values.shape)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)), np.asarray(layer)[..., 3] > 128
