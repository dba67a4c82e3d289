"""What a live picture costs the kernel: a small JPEG in, a mask as a PNG out."""

import io
import math
import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import u2demo as u2
from u2demo.notebook.live.beside import PATIENCE
from u2demo.notebook.live.masks import LiveFrame, live_masks, mask_as_png

SIZE = (480, 270)  # pixels, (width, height), of the frames that the page sends
LEAD = 5  # masks before the clock starts
# name -> (side of the square that the net gets, seconds that a mask may wait for the net)
WAYS = {
    "every frame, 320 px": (320, math.inf),
    "every frame, 224 px": (224, math.inf),
    "every frame, 160 px": (160, math.inf),
    "as the live page does": (None, PATIENCE),
}


class Cost(NamedTuple):
    """What one mask took on average, in seconds: by the clock, and of all cores."""

    wall: float
    cpu: float


def costs(masks: int, cores: int) -> dict[str, Cost]:
    """Return what a mask costs each way, on average over ``masks``; the net has ``cores``."""
    model = u2.load_model(device="cpu")
    measured = {}
    for name, (side, patience) in WAYS.items():
        made = live_masks(model, frames(), side=side, cores=cores, patience=patience)
        pictures = (mask_as_png(each.mask) for each in made)
        measured[name] = _cost(pictures, masks)
        made.close()
    return measured


def frames() -> Iterator[LiveFrame]:
    """Yield frames without end, as soon as they are asked for: the view wanders over a photo."""
    photo = u2.sample_images()["astronaut.jpg"].resize((560, 560))
    room = photo.width - SIZE[0]
    begun = time.monotonic()
    number = 0
    while True:
        now = time.monotonic() - begun
        left = round(room / 2 * (1 + math.sin(now)))
        frame = photo.crop((left, 60, left + SIZE[0], 60 + SIZE[1]))
        file = io.BytesIO()
        frame.save(file, "JPEG", quality=80)
        yield LiveFrame(number, now, file.getvalue())
        number += 1


def _cost(pictures: Iterator[bytes], count: int) -> Cost:
    for _ in islice(pictures, LEAD):
        pass
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in islice(pictures, count):
        pass
    return Cost((time.perf_counter() - wall) / count, (time.process_time() - cpu) / count)
