"""Make the packaged clip from the sample photos: python tools/make_clip.py.

The astronaut comes into a picture of a launch; she goes one way, the camera the other.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageFilter

import u2demo as u2
from u2demo.video.clip import Clip, Frame
from u2demo.video.write import write_clip

CLIP = Path(__file__).parents[1] / "u2demo" / "data" / "samples" / "launch.mp4"
SIZE = (400, 300)
FRAMES, RATE = 18, 12
HEIGHT, HIDDEN = 330, 32  # of the astronaut, in pixels, and how many are below the picture
PLACES = (-92, -40)  # of her left side, at the start and at the end; the photo cuts off that arm
BOB = 8  # pixels that she sways
ZOOM = (1.5, 1.3)  # how far the launch is enlarged, at the start and at the end
START = 70  # pixels of the launch that are right of the picture at the start
BLUR = 3  # pixels; the camera looks at her


def between(start: float, end: float, share: float) -> float:
    """Return the value at ``share`` of the way, slow at both ends."""
    return start + (end - start) * share * share * (3 - 2 * share)


def behind(launch: Image.Image, share: float) -> Image.Image:
    """Return the launch as the camera sees it: moving to the left, and away."""
    zoom = between(*ZOOM, share)
    wide, high = launch.width / zoom, launch.width / zoom * SIZE[1] / SIZE[0]
    left = between(launch.width - wide - START, 0, share)
    top = between(launch.height - high, launch.height - high - 12, share)
    box = (left, top, left + wide, top + high)
    seen = launch.resize(SIZE, Image.Resampling.LANCZOS, box)
    return seen.filter(ImageFilter.GaussianBlur(BLUR))


def frames() -> Iterator[Frame]:
    """Yield the clip's frames."""
    photos = u2.sample_images()
    model = u2.load_model()
    mask = u2.predict_mask(model, photos["astronaut.jpg"], quality="best")
    cutout = u2.remove_background(photos["astronaut.jpg"], mask)
    cutout = cutout.crop((0, 0, cutout.width, cutout.height - 50))
    astronaut = cutout.resize(
        (round(cutout.width * HEIGHT / cutout.height), HEIGHT), Image.Resampling.LANCZOS
    )
    for number in range(FRAMES):
        share = number / (FRAMES - 1)
        picture = behind(photos["rocket.jpg"], share)
        left = round(between(*PLACES, share))
        top = SIZE[1] - HEIGHT + HIDDEN + round(between(BOB, 0, abs(2 * share - 1)))
        picture.paste(astronaut, (left, top), astronaut)
        yield Frame(Fraction(number, RATE), picture)


if __name__ == "__main__":
    like = Clip(
        path=CLIP,
        size=SIZE,
        duration=Fraction(FRAMES, RATE),
        rate=Fraction(RATE),
        alpha=False,
        audio=False,
        frames=FRAMES,
        left_out=(),
        about={"title": "An astronaut before a launch"},
        decode=lambda: iter(()),
    )
    write_clip(CLIP, frames(), like=like)
