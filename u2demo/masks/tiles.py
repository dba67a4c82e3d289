"""box -> the tiles in it, on all cores: what is done to a large photo needs no large buffers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from u2demo.machine.cores import available_cores
from u2demo.masks.mask import Box


def on_tiles(work: Callable[[Box], object], area: Box, *, side: int) -> None:
    """Call ``work`` with each tile of ``area``, ``side`` pixels long, several at a time."""
    left, top, right, bottom = area
    corners = product(range(top, bottom, side), range(left, right, side))
    tiles = [Box(x, y, min(x + side, right), min(y + side, bottom)) for y, x in corners]
    with ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(work, tiles))  # the list raises what a tile raised
