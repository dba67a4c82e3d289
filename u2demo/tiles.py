"""box -> the tiles in it, on all cores: what is done to a large photo needs no large buffers."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from u2demo.masks import Box

_TILE = 512  # pixels


def on_tiles(work: Callable[[Box], object], area: Box) -> None:
    """Call ``work`` with each tile of ``area``, several at a time."""
    left, top, right, bottom = area
    corners = product(range(top, bottom, _TILE), range(left, right, _TILE))
    tiles = [Box(x, y, min(x + _TILE, right), min(y + _TILE, bottom)) for y, x in corners]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, tiles))  # the list raises what a tile raised
