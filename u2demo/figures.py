"""{title: image or mask} -> figure: pictures side by side, enlarged parts, bars, drawings.

All figures say in words what they show: as alternative text for those who do not see them.
"""

import base64
import io
import re
import textwrap
from collections.abc import Mapping
from html import escape, unescape
from importlib import resources

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from u2demo.images.rgb import as_photo
from u2demo.machine.numbers import check_number
from u2demo.masks.box import Box
from u2demo.masks.mask import Mask, check_mask

_LONGEST_SIDE = 640  # pixels of a picture as shown; a full photo takes seconds to draw
_WIDEST = 24.0  # inches; a page shrinks wider figures until their titles are unreadable
_PAGE = 10.0  # inches; about what a page shrinks wider figures to
_PANEL = 0.5, 10.0  # least and greatest width of a panel, in heights; titles need some room
_POINTS, _LETTERS, _LINE = 12.0, 9.0, 0.2  # a title's size, letters per inch, inches per line
_SQUARE = 12  # pixels of a checkerboard's squares
_COLORS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2")


class Titled(Figure):
    """A figure that a notebook shows by itself, with ``alt``, its alternative text.

    It does not come from pyplot, which would choose a window system for the whole process, make
    the figure the current one, and let a notebook show it twice.
    """

    alt = ""

    def _repr_png_(self) -> bytes:  # IPython asks for it where pyplot has not been set up
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()

    def _repr_html_(self) -> str:  # PNG alone would be shown without alternative text
        return _html("png", self._repr_png_(), self.alt)


class Drawing:
    """An SVG drawing, ``svg``, that a notebook shows by itself; its label is ``alt``."""

    def __init__(self, svg: str):
        self.svg = svg
        label = re.search(r'aria-label="([^"]*)"', svg)
        self.alt = unescape(label[1]) if label else ""

    def _repr_html_(self) -> str:
        return _html("svg+xml", self.svg.encode(), self.alt)


def drawing(name: str) -> Drawing:
    """Return a packaged drawing: "u2netp", the network; "chain" or "portrait", what flows to what.

    Raises:
        FileNotFoundError: there is no such drawing.
    """
    file = resources.files("u2demo") / "data" / "drawings" / f"{name}.svg"
    return Drawing(file.read_text("utf-8"))


def image_row(
    pictures: Mapping[str, Image.Image | Mask], *, height: float = 3.0, alt: str | None = None
) -> Figure:
    """Return a figure, ``height`` inches high, of titled pictures in a row; no need to close it.

    A row wider than 24 inches is made lower. Long titles are wrapped, and make it higher.
    Transparent images lie on a checkerboard; masks are gray, from black for 0 to white for 1.
    ``alt`` is the alternative text for screen readers; the default lists the titles.

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
    width = scale * sum(ratios)
    shrunk = max(1.0, width / _PAGE)  # by the page; titles are as much larger
    titles = [
        _wrap(_printable(title), scale * ratio / shrunk)
        for title, ratio in zip(panels, ratios, strict=True)
    ]
    more = max(title.count("\n") for title in titles) * _LINE * shrunk
    figure = Titled(figsize=(width, max(scale, min(height, 1)) + more), layout="constrained")
    figure.alt = _printable(alt or f"Side by side: {', '.join(map(str, pictures))}")
    grid = figure.subplots(1, len(panels), squeeze=False, width_ratios=ratios)
    for axes, title, panel in zip(grid[0], titles, panels.values(), strict=True):
        axes.imshow(panel, cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, parse_math=False, fontsize=_POINTS * shrunk)
        axes.set_anchor("N")  # or the layout leaves too little room for titles of many lines
        axes.axis("off")
    return figure


def close_up(
    pictures: Mapping[str, Image.Image | Mask], box: Box, *, height: int = 300
) -> dict[str, Image.Image | Mask]:
    """Return the part ``box`` of each picture, ``height`` pixels high: its pixels are squares.

    Raises:
        ValueError: ``box`` has no pixels.
    """
    if box.right <= box.left or box.bottom <= box.top:
        raise ValueError(f"the box is {tuple(box)}, expected one with pixels")
    size = (round(height * box.width / box.height), height)
    parts = {}
    for title, picture in pictures.items():
        is_mask = isinstance(picture, np.ndarray)
        image = Image.fromarray(picture.astype(np.float32)) if is_mask else picture
        part = image.crop(box).resize(size, Image.Resampling.NEAREST)
        parts[title] = np.asarray(part) if is_mask else part
    return parts


def where_most(values: Mask, *, share: float = 0.1) -> Box:
    """Return the square in which ``values`` are highest in sum, to look at it in a ``close_up``.

    Its side is ``share`` of the shorter side of ``values``, (H, W), and at least a pixel.
    """
    height, width = values.shape
    side = max(1, round(share * min(height, width)))
    sums = np.pad(np.cumsum(np.cumsum(values, 0, dtype=np.float64), 1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = (int(place) for place in np.unravel_index(inside.argmax(), inside.shape))
    return Box(left, top, left + side, top + side)


def bars(groups: Mapping[str, Mapping[str, float]], *, unit: str) -> Figure:
    """Return a bar chart of {group: {label: value}}: a row for each label, a bar for each group.

    Raises:
        ValueError: there is no group, or the groups' labels differ.
    """
    if not groups or len({tuple(values) for values in groups.values()}) != 1:
        raise ValueError("expected groups that all have the same labels")
    labels = list(next(iter(groups.values())))
    rows = np.arange(len(labels))
    thick = 0.8 / len(groups)
    figure = Titled(figsize=(8, 0.6 + 0.28 * len(labels) * len(groups)), layout="constrained")
    axes = figure.subplots()
    said = []
    for number, (group, values) in enumerate(groups.items()):
        color = _COLORS[number % len(_COLORS)]
        drawn = axes.barh(rows + number * thick, values.values(), thick, color=color, label=group)
        axes.bar_label(drawn, fmt=f"%.0f {unit}", padding=3)
        said.append(f"{group}: " + ", ".join(f"{k} {v:.0f} {unit}" for k, v in values.items()))
    figure.alt = f"Bars. {'; '.join(said)}"
    axes.set_yticks(rows + thick * (len(groups) - 1) / 2, labels)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(unit)
    axes.legend(frameon=False)
    return figure


def _checkerboard(size: tuple[int, int]) -> Image.Image:
    """Return a checkerboard, RGB, light gray and white, as usually shown behind transparency."""
    columns, rows = (np.arange(side) // _SQUARE for side in size)
    board = np.where((rows[:, None] + columns) % 2, 255, 225).astype(np.uint8)
    return Image.fromarray(board).convert("RGB")


def _html(kind: str, data: bytes, alt: str) -> str:
    coded = base64.b64encode(data).decode()
    return (
        f'<img alt="{escape(alt)}" style="max-width: 100%; height: auto"'
        f' src="data:image/{kind};base64,{coded}">'
    )


def _printable(title: object) -> str:
    return str(title).encode(errors="backslashreplace").decode()  # not every file name is Unicode


def _wrap(title: str, inches: float) -> str:
    return textwrap.fill(title, max(6, int(_LETTERS * inches)), max_lines=4, placeholder="…")


def _panel(picture: Image.Image | Mask) -> np.ndarray:
    """Return what imshow draws: (H, W, 3) uint8 for an image, (H, W) float32 for a mask."""
    if not isinstance(picture, Image.Image | np.ndarray):
        raise TypeError(f"expected an image or a mask to show, not {type(picture).__name__}")
    if isinstance(picture, np.ndarray):
        # uint8 / 255 is float64; it shows as well.
        mask = picture.astype(np.float32) if picture.dtype.kind == "f" else picture
        check_mask(mask)
        if not mask.size:
            raise ValueError(f"the mask is {mask.shape}, expected one with pixels")
        step = -(-max(mask.shape) // _LONGEST_SIDE)
        return mask[::step, ::step]
    small = as_photo(picture).copy()
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    small = small.convert("RGBA")
    board = _checkerboard(small.size)
    board.paste(small, mask=small)
    return np.asarray(board)
