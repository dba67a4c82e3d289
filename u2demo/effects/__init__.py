"""(image, mask) -> image: what to do with a photo once its subject is known.

An effect returns a new image and leaves its arguments alone; all but ``crop`` and ``canvas`` keep
the size. Anything but an image raises ``TypeError``; a mask that is not valid, or does not fit its
image, raises ``ValueError``. An empty mask, in which nothing stands out, is a result, not an error.
Images of any mode are read as ``open_image`` reads them. What is transparent in the photo is at
least as transparent in its picture, unless that has a new background.

To add an effect, write a function of an image and a mask in the file where it belongs, put
``on_photo`` above it, and add a line to ``EFFECTS``: the command line then offers it.

The photo's color profile is kept in ``info["icc_profile"]``. Pillow writes it into PNG and WebP by
itself, and into JPEG with ``picture.save(file, icc_profile=picture.info.get("icc_profile"))``.
"""

from collections.abc import Mapping
from functools import partial

from u2demo.effects.background import blur_background, replace_background
from u2demo.effects.boxes import crop, draw_box
from u2demo.effects.canvas import put_on_canvas
from u2demo.effects.cutout import remove_background, show_mask
from u2demo.effects.effect import Effect
from u2demo.effects.light import draw_outline, highlight

EFFECTS: Mapping[str, Effect] = {
    "cutout": remove_background,
    "background": partial(replace_background, background="white"),
    "blur": blur_background,
    "highlight": highlight,
    "outline": draw_outline,
    "box": draw_box,
    "boxes": partial(draw_box, per_object=True),
    "crop": crop,
    "canvas": put_on_canvas,
    "mask": show_mask,
}
DEFAULT_EFFECTS = {name: EFFECTS[name] for name in ("cutout", "box", "highlight")}
