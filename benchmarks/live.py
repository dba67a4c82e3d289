"""What a live picture costs the kernel: a small JPEG in, a mask as a PNG out."""

import io
import math
from collections.abc import Callable, Iterator
from itertools import count

import u2demo as u2
from u2demo.notebook.live.masks import LiveFrame, live_masks, mask_as_png

SIZE = (480, 270)  # pixels, (width, height), of the frames that the page sends
RATE = 10  # frames per second


def contenders() -> dict[str, Callable[[], bytes]]:
    """Return what makes the next mask, for each side of the square that the net gets."""
    model = u2.load_model(device="cpu")
    sides = {"the net's own, 320 px": 320, "live on a CPU, 224 px": None}
    masks = {name: live_masks(model, frames(), side=side) for name, side in sides.items()}
    return {name: _next(each) for name, each in masks.items()}


def frames() -> Iterator[LiveFrame]:
    """Yield frames without end: the view wanders over a packaged photo."""
    photo = u2.sample_images()["astronaut.jpg"].resize((560, 560))
    room = photo.width - SIZE[0]
    for number in count():
        left = round(room / 2 * (1 + math.sin(number / RATE)))
        frame = photo.crop((left, 60, left + SIZE[0], 60 + SIZE[1]))
        file = io.BytesIO()
        frame.save(file, "JPEG", quality=80)
        yield LiveFrame(number, number / RATE, file.getvalue())


def _next(masks: Iterator) -> Callable[[], bytes]:
    return lambda: mask_as_png(next(masks).mask)
