"""Draw what becomes of a photo, as a chain of boxes.

python tools/draw_chain.py NAME > u2demo/data/drawings/NAME.svg, for chain and portrait.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

from draw_architecture import DECODER, ENCODER, INK, MAP, arrow, begin, text

WIDTH, TOP, HIGH, GAP = 900, 22, 92, 34
PLAIN = "#f1f3f5"


class Link(NamedTuple):
    """A thing, what it is made of, and the function that makes it from the one before."""

    thing: str
    made_of: str
    made_by: str
    fill: str


CHAINS = {
    "chain": (
        Link("photo", "RGB, any size", "open_image", PLAIN),
        Link("input", "3 × 320 × 320", "network_input", ENCODER),
        Link("seven maps", "7 × 320 × 320", "predict_maps", DECODER),
        Link("mask", "photo's size, 0 to 1", "predict_mask", MAP),
        Link("cut-out", "RGB and alpha", "remove_background", PLAIN),
    ),
    "portrait": (
        Link("photo", "of a face, any size", "open_image", PLAIN),
        Link("frame", "RGB, 512 × 512", "frame_portrait", ENCODER),
        Link("lines", "a line or not, 0 to 1", "u2net_portrait", DECODER),
        Link("drawing", "black ink on paper", "draw_lines", MAP),
        Link("blend", "ink over blur", "blend_drawing", PLAIN),
    ),
}


def chain(links: tuple[Link, ...]) -> Iterator[str]:
    """Yield the lines of an SVG picture."""
    height = TOP + HIGH + 22
    told = (f"{link.thing} ({link.made_of}), made by {link.made_by}" for link in links)
    yield from begin(WIDTH, height, "A chain: " + "; ".join(told) + ".")
    wide = (WIDTH - 2 * TOP - GAP * (len(links) - 1)) // len(links)
    for number, link in enumerate(links):
        left = TOP + number * (wide + GAP)
        middle = left + wide // 2
        yield (
            f'<rect x="{left}" y="{TOP}" width="{wide}" height="{HIGH}" rx="7" '
            f'fill="{link.fill}" stroke="{INK}"/>'
        )
        yield text(middle, TOP + 30, link.thing, anchor="middle", size=16, weight="bold")
        yield text(middle, TOP + 52, link.made_of, anchor="middle", size=11.5)
        yield text(middle, TOP + 76, link.made_by, anchor="middle", size=12)
        if number:
            yield arrow(left - GAP, TOP + HIGH // 2, left, TOP + HIGH // 2)
    yield "</svg>"


if __name__ == "__main__":
    print("\n".join(chain(CHAINS[sys.argv[1]])))
