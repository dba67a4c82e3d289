"""Pictures of four colored quarters, which show how they were turned."""

import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(size=(64, 48)):
    """Return a picture: red and green above, blue and white below."""
    picture = Image.new("RGB", size)
    for number, color in enumerate((RED, GREEN, BLUE, WHITE)):
        left, top = number % 2 * size[0] // 2, number // 2 * size[1] // 2
        picture.paste(color, (left, top, left + (size[0] + 1) // 2, top + (size[1] + 1) // 2))
    return picture


def moving(count, size=(64, 48)):
    """Return pictures that differ, for some formats make one of two that do not."""
    pictures = [quarters(size) for _ in range(count)]
    for number, picture in enumerate(pictures):
        picture.paste((0, 0, 0), (20 + 4 * number, 20, 24 + 4 * number, 28))
    return pictures


def corners(picture):
    """Return the colors near the corners of a picture, in the order of ``quarters``."""
    width, height = picture.size
    places = [(5, 5), (width - 6, 5), (5, height - 6), (width - 6, height - 6)]
    return [picture.getpixel(place) for place in places]


def are_near(colors, others, tolerance=12):
    """Return whether all values differ by at most ``tolerance``."""
    differences = np.abs(np.array(colors, int) - np.array(others, int))
    return differences.max() <= tolerance
