"""A camera for tests: a white square that moves over a dark room with a red post at its left."""

import io

import numpy as np
from PIL import Image

from u2demo.notebook.live.masks import LiveFrame

SIZE = (96, 64)  # pixels, (width, height)
SIDE = 24  # of the square
ROOM = (20, 30, 40)
POST = (110, 20, 20)
TOP = 20
STEP = 2  # pixels from frame to frame


def left_of(number):
    """Return where the square begins in a frame."""
    return 8 + STEP * number


def square(number, *, left=None):
    """Return a frame, as an image."""
    picture = Image.new("RGB", SIZE, ROOM)
    picture.paste(POST, (0, 0, 4, SIZE[1]))
    left = left_of(number) if left is None else left
    picture.paste("white", (left, TOP, left + SIDE, TOP + SIDE))
    return picture


def truth(number):
    """Return where the square is in a frame, (H, W) bool."""
    mask = np.zeros(SIZE[::-1], bool)
    mask[TOP : TOP + SIDE, left_of(number) : left_of(number) + SIDE] = True
    return mask


def jpeg(picture):
    """Return ``picture`` as the page sends it."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    return file.getvalue()


def write_film(path, *, frames=30, scale=4):
    """Write what Chromium shows as its camera: the square, ``scale`` times as large."""
    size = tuple(scale * side for side in SIZE)
    pictures = (square(number).resize(size, Image.Resampling.NEAREST) for number in range(frames))
    write_pictures(path, pictures, size)


def write_pictures(path, pictures, size):
    """Write a film of 30 pictures a second.

    A film of its own format, YUV4MPEG2: an MJPEG would be black (Chromium 115 and later).
    """
    width, height = size
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            light, *colors = picture.convert("YCbCr").split()
            film.write(b"FRAME\n" + light.tobytes())
            for color in colors:
                film.write(color.resize((width // 2, height // 2)).tobytes())


def frame(number, *, left=None, picture=None):
    """Return a frame as it arrives, ten a second."""
    return LiveFrame(number, number / 10, jpeg(picture or square(number, left=left)))
