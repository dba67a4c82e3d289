"""Fixtures: a photo that is easy to check by eye, and a net that is real or quick."""

import numpy as np
import pytest
from bright import Bright
from PIL import Image, ImageDraw


@pytest.fixture
def net(request, model):
    return {"real": model, "quick": Bright()}[request.param]


@pytest.fixture
def disc():
    """A 60×40 photo: a dark disc of radius 9 at (38, 18) on a bright, slightly uneven ground."""
    noise = np.random.default_rng(0).integers(-6, 7, (40, 60, 3))
    image = Image.new("RGB", (60, 40), (200, 210, 190))
    ImageDraw.Draw(image).ellipse((29, 9, 47, 27), fill=(160, 30, 40))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
