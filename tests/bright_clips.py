"""Clips of a bright square that moves, whose masks are easy to check by eye."""

import numpy as np
import torch
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.nets.checkpoints import Input

SIDE = 16


class Dark(Bright):
    """A net that finds what is bright, and nothing in the dark. It counts its ``looks``."""

    input = Input(side=64, mean=(0.5, 0.5, 0.5), std=(0.1, 0.1, 0.1), by_maximum=False)

    def forward(self, photos):
        self.looks += len(photos)
        return [torch.sigmoid(2 * self.gain * photos.mean(1, keepdim=True))] * 7


def frames_of(path):
    """Return the frames of a clip on disk."""
    return list(u2.open_video(path))


def names(folder):
    """Return the names of what is in a folder, hidden or not, but the manifest."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("manifest"))


def square(left, *, top=16, size=(64, 48)):
    """Return a dark picture of a bright square."""
    picture = Image.new("RGB", size, (16, 16, 16))
    picture.paste((235, 235, 235), (left, top, left + SIDE, top + SIDE))
    return picture


def moving(count, *, step=2, **options):
    """Return pictures of a square that moves to the right."""
    return [square(8 + step * number, **options) for number in range(count)]


def bright_share(picture):
    """Return the share of a picture that is bright."""
    return float((np.asarray(picture.convert("L")) > 128).mean())


def write(path, pictures, *, rate=25):
    """Write pictures as H.264 to ``path``, and return it."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_image(picture)))
        out.mux(stream.encode())
    return path


def animate(path, pictures, **options):
    """Write pictures as an animation to ``path``, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = pictures
    first.save(path, save_all=True, append_images=others, **options)
    return path
