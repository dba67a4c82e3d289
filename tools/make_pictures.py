"""Make results.jpg, best.jpg and clicks.jpg in docs/ from the samples: tools/make_pictures.py."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torch import nn

import u2demo as u2
from u2demo.figures import checkerboard
from u2demo.masks.strokes import draw_strokes

DOCS = Path(__file__).parents[1] / "docs"
TILE, GAP = (240, 180), 8
EFFECTS = {
    "mask": u2.EFFECTS["mask"],
    "cutout": u2.remove_background,
    "background": partial(u2.replace_background, background="#8ecae6"),
    "boxes": partial(u2.draw_box, per_object=True, width=4),
    "highlight": u2.highlight,
}
# Where the qualities differ, two samples a row: the top left corner of a tile-sized part.
PARTS = [
    {"rocket.jpg": (240, 230), "coffee.png": (60, 20)},
    {"astronaut.jpg": (0, 120), "cat.jpeg": (0, 120)},
]

CLICKS = [u2.Stroke([(214, 144)], 19, keep=False), u2.Stroke([(538, 139)], 19, keep=False)]


def tile(picture: Image.Image) -> Image.Image:
    """Return the picture as a tile, transparent parts on a checkerboard."""
    small = ImageOps.fit(picture.convert("RGBA"), TILE, centering=(0.5, 0.2))
    board = checkerboard(TILE, square=9)
    board.paste(small, mask=small)
    return board


def sheet(rows: list[list[Image.Image]]) -> Image.Image:
    """Return rows of tiles as one picture."""
    width, height = TILE[0] + GAP, TILE[1] + GAP
    page = Image.new("RGB", (len(rows[0]) * width - GAP, len(rows) * height - GAP), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            page.paste(tile(picture), (x * width, y * height))
    return page


def compare_qualities(model: nn.Module, name: str, corner: tuple[int, int]) -> list[Image.Image]:
    """Return a part of a photo: as it is, cut out with quality "fast", and with "best"."""
    image, (left, top) = u2.sample_images()[name], corner
    masks = (u2.predict_mask(model, image, quality=quality) for quality in ("fast", "best"))
    pictures = image, *(u2.remove_background(image, mask) for mask in masks)
    return [picture.crop((left, top, left + TILE[0], top + TILE[1])) for picture in pictures]


def correct(model: nn.Module) -> list[Image.Image]:
    """Return the cows with two clicks, and cut out before, after the first, and after both."""
    image = u2.sample_images()["cows.jpg"]
    found = u2.predict_mask(model, image)
    masks = [u2.correct_mask(model, image, found, CLICKS[:count]) for count in range(3)]
    under = (draw_strokes(CLICKS, image.size) != 0).astype(np.float32)
    marked = u2.highlight(image, under, color="red", strength=0.9)
    return [marked, *(u2.remove_background(image, mask) for mask in masks)]


if __name__ == "__main__":
    model = u2.load_model()
    sheet([correct(model)]).save(DOCS / "clicks.jpg", quality=88)
    results = u2.process(model, u2.sample_images().items(), effects=EFFECTS)
    rows = [[result.image, *result.pictures.values()] for result in results]
    sheet(rows).save(DOCS / "results.jpg", quality=88)
    rows = [
        [tile for part in row.items() for tile in compare_qualities(model, *part)] for row in PARTS
    ]
    sheet(rows).save(DOCS / "best.jpg", quality=88)
