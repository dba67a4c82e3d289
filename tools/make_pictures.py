"""Make the README's picture of results from the sample photos: python tools/make_pictures.py."""

from functools import partial
from pathlib import Path

from PIL import Image, ImageOps

import u2demo as u2
from u2demo.figures import checkerboard

DOCS = Path(__file__).parents[1] / "docs"
TILE, GAP = (240, 180), 8
EFFECTS = {
    "mask": u2.EFFECTS["mask"],
    "cutout": u2.remove_background,
    "background": partial(u2.replace_background, background="#8ecae6"),
    "boxes": partial(u2.draw_box, per_object=True, width=4),
    "highlight": u2.highlight,
}


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


if __name__ == "__main__":
    results = u2.process(u2.load_model(), u2.sample_images().items(), effects=EFFECTS)
    rows = [[result.image, *result.pictures.values()] for result in results]
    sheet(rows).save(DOCS / "results.jpg", quality=88)
