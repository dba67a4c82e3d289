"""a photo that moves -> frames with their masks, for unattended runs."""

import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from IPython.display import Image as Shown
from IPython.display import display
from PIL import Image

from u2demo.effects.background import replace_background
from u2demo.images.read import open_image, sample_images
from u2demo.masks.mask import Mask
from u2demo.notebook.live.masks import LiveFrame, live_cores, live_masks
from u2demo.notebook.preview import fit, fit_mask

if TYPE_CHECKING:
    from torch import nn

_SIZE = (320, 240)  # pixels, (width, height)
_RATE = 10  # frames per second
_ROOM = 1.25  # times as large as a frame is the photo that moves behind it
_BEHIND = "#dfe8f5"


def sample_frames(count: int) -> Iterator[LiveFrame]:
    """Yield frames over a packaged photo, around which the view wanders once."""
    photo = fit(sample_images()["astronaut.jpg"], (10_000, round(_ROOM * _SIZE[0])))
    for number in range(count):
        angle = 2 * math.pi * number / count
        left = round((photo.width - _SIZE[0]) / 2 * (1 + math.sin(angle)))
        top = round((photo.height - _SIZE[1]) / 4 * (1 - math.cos(angle)))
        frame = photo.crop((left, top, left + _SIZE[0], top + _SIZE[1])).convert("RGB")
        file = io.BytesIO()
        frame.save(file, "JPEG", quality=85)
        yield LiveFrame(number, number / _RATE, file.getvalue())


def show_sample(model: "nn.Module", *, count: int = 8) -> None:
    """Display an animation: frames of a sample, each beside its picture on a new background."""
    from u2demo.nets.threads import use_threads  # loads torch: the page comes first

    frames = list(sample_frames(count))
    with use_threads(live_cores()):
        masks = [found.mask for found in live_masks(model, frames, patience=math.inf)]
    pictures = [_side_by_side(*each) for each in zip(frames, masks, strict=True)]
    file = io.BytesIO()
    first, *others = pictures
    first.save(file, "GIF", save_all=True, append_images=others, duration=1000 // _RATE, loop=0)
    display(Shown(data=file.getvalue(), format="gif"))
    print("Nobody can start a camera here, so this is a sample.")


def _side_by_side(frame: LiveFrame, mask: Mask) -> Image.Image:
    image = open_image(io.BytesIO(frame.jpeg))
    result = replace_background(image, fit_mask(mask, image.size), _BEHIND)
    both = Image.new("RGB", (2 * image.width, image.height))
    both.paste(image, (0, 0))
    both.paste(result, (image.width, 0))
    return both
