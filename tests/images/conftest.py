"""The picture that several tests of this room turn, store and read."""

import pytest
from PIL import Image

RED, BLUE = (254, 0, 0), (0, 0, 254)


@pytest.fixture
def two_tone():
    """A 40×24 picture, red on the left and blue on the right."""
    picture = Image.new("RGB", (40, 24), RED)
    picture.paste(BLUE, (20, 0, 40, 24))
    return picture
