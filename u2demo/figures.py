"""{title: image or mask} -> figure: pictures side by side."""

import io
import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from u2demo.images.rgb import as_photo
from u2demo.machine.numbers import check_number
from u2demo.masks.mask import Mask, check_mask

_LONGEST_SIDE = 640  # pixels of a picture as shown; a full photo takes seconds to draw
_WIDEST = 24.0  # inches; a page shrinks wider figures until their titles are unreadable
_PANEL = 0.5, 10.0  # least and greatest width of a panel, in heights; titles need some room
_LETTERS = 9  # letters of a title per inch


class ImageRow(Figure):
    """A figure that a notebook shows by itself.

    It does not come from pyplot, which would choose a window system for the whole process, make
    the figure the current one, and let a notebook show it twice.
    """

    def _repr_png_(self) -> bytes:  # IPython asks for it where pyplot has not been set up
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def image_row(pictures: Mapping[str, Image.Image | Mask], *, height: float = 3.0) -> Figure:
    """Return a figure, ``height`` inches high, of titled pictures in a row; no need to close it.

    A row wider than 24 inches is made lower, and long titles are wrapped. Transparent images lie on
    a checkerboard; masks are gray, from black for 0 to white for 1.

    Raises:
        ValueError: ``pictures`` is empty.
        TypeError: ``pictures`` is not a mapping, or a value is neither an image nor a mask.
    """
    if not isinstance(pictures, Mapping):
        kind = type(pictures).__name__
        raise TypeError(f"expected titles with their pictures, {{'photo': image}}, not {kind}")
    if not pictures:
        raise ValueError("no pictures to show; pass a dict of title: image or mask")
    check_number("height", height, expected="0.1 to 100 inches", least=0.1, most=100)
    panels = {title: _panel(picture) for title, picture in pictures.items()}
    ratios = [float(np.clip(p.shape[1] / p.shape[0], *_PANEL)) for p in panels.values()]
    height = float(height)
    scale = min(height, _WIDEST / sum(ratios))
    size = scale * sum(ratios), max(scale, min(height, 1))
    figure = ImageRow(figsize=size, layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False, width_ratios=ratios)
    for axes, ratio, (title, panel) in zip(grid[0], ratios, panels.items(), strict=True):
        axes.imshow(panel, cmap="gray", vmin=0, vmax=1)
        axes.set_title(_wrap(_printable(title), scale * ratio), parse_math=False)
        axes.axis("off")
    return figure


def checkerboard(size: tuple[int, int], *, square: int = 12) -> Image.Image:
    """Return a checkerboard, RGB, light gray and white, as usually shown behind transparency."""
    columns, rows = (np.arange(side) // square for side in size)
    board = np.where((rows[:, None] + columns) % 2, 255, 225).astype(np.uint8)
    return Image.fromarray(board).convert("RGB")


def _printable(title: object) -> str:
    return str(title).encode(errors="backslashreplace").decode()  # not every file name is Unicode


def _wrap(title: str, inches: float) -> str:
    return textwrap.fill(title, max(6, int(_LETTERS * inches)), max_lines=3, placeholder="…")


def _panel(picture: Image.Image | Mask) -> np.ndarray:
    """Return what imshow draws: (H, W, 3) uint8 for an image, (H, W) float32 for a mask."""
    if not isinstance(picture, Image.Image | np.ndarray):
        raise TypeError(f"expected an image or a mask to show, not {type(picture).__name__}")
    if isinstance(picture, np.ndarray):
        # Divided by a number, an array of 8 bits has 64, and shows as well.
        mask = picture.astype(np.float32) if picture.dtype.kind == "f" else picture
        check_mask(mask)
        if not mask.size:
            raise ValueError(f"the mask is {mask.shape}, expected one with pixels")
        step = -(-max(mask.shape) // _LONGEST_SIDE)
        return mask[::step, ::step]
    small = as_photo(picture).copy()
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    small = small.convert("RGBA")
    board = checkerboard(small.size)
    board.paste(small, mask=small)
    return np.asarray(board)
