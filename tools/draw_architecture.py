"""Draw U²-Net from the model's own tables.

python tools/draw_architecture.py > u2demo/data/drawings/u2netp.svg
"""

import sys
from collections.abc import Iterator
from html import escape

from u2demo.nets.blocks import Block
from u2demo.nets.u2net import U2NET, U2NETP

SIDE = 320  # pixels of the input that the sizes in the drawing are for
WIDTH, ROW, BOX = 900, 76, (210, 44)
TABLES = {"u2net": U2NET, "u2netp": U2NETP}
LEFT, RIGHT = 60, 440  # of the encoder's and the decoder's boxes
INK, ENCODER, DECODER, MAP = "#24292f", "#cfe3ff", "#ffe2c4", "#d8f3dc"


def drawing(name: str) -> Iterator[str]:
    """Yield the lines of an SVG picture of one architecture."""
    encoder, decoder = TABLES[name]
    levels = len(encoder)
    height = levels * ROW + 90
    yield from begin(
        WIDTH,
        height,
        f"{name}: an encoder of {levels} stages, each half as large as the one before; a decoder "
        f"of {levels - 1}, each with what the encoder saw at its level; {levels} side maps, one a "
        "level; and their weighted sum, the saliency map.",
    )
    yield text(LEFT, 26, f"{name}: encoder", weight="bold")
    yield text(RIGHT, 26, "decoder", weight="bold")
    yield text(720, 26, "side maps", weight="bold")
    for level, block in enumerate(encoder):
        yield from stage(LEFT, level, f"stage{level + 1}", block, ENCODER)
        if level:
            yield arrow(LEFT + 105, middle(level - 1) + 22, LEFT + 105, middle(level) - 22)
            yield text(LEFT + 113, middle(level) - 33, "pool ÷2", size=11)
    for level, block in zip(range(levels - 2, -1, -1), decoder, strict=True):
        yield from stage(RIGHT, level, f"stage{level + 1}d", block, DECODER)
        yield arrow(LEFT + BOX[0], middle(level), RIGHT, middle(level))
        yield text(LEFT + BOX[0] + 60, middle(level) - 6, "concatenate", size=11)
        below = middle(level + 1) - (22 if level < levels - 2 else 0)
        yield arrow(RIGHT + 105, below, RIGHT + 105, middle(level) + 22)
    yield text(RIGHT + 113, middle(levels - 2) + 38, "upsample ×2", size=11)
    for level in range(levels):
        start = RIGHT if level < levels - 1 else LEFT
        yield arrow(start + BOX[0], middle(level), 720, middle(level))
        yield box(720, middle(level), 120, f"side{level + 1}", "3×3 → 1", MAP)
        yield arrow(840, middle(level), 866, middle(level), head=False)
    last = levels * ROW + 40
    yield arrow(866, middle(0), 866, last + 14, head=False)
    yield arrow(866, last + 14, 742, last + 14)
    yield box(442, last + 14, 300, "outconv 1×1 over six maps", "sigmoid → saliency map", MAP)
    yield "</svg>"


def begin(width: int, height: int, words: str) -> Iterator[str]:
    """Yield the first lines of a picture; ``words`` are for those who do not see it."""
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(words)}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="14">'
    )
    yield f'<rect width="{width}" height="{height}" fill="white"/>'


def stage(x: int, level: int, name: str, block: Block, fill: str) -> Iterator[str]:
    """Yield a box for one residual U-block."""
    kind = "dilated" if block.dilated else f"{block.depth} levels"
    side = -(-SIDE // 2**level)
    first = f"{name}  RSU-{block.depth}{'F' if block.dilated else ''}  {side}×{side}"
    second = f"{block.inputs} → ({block.middle}) → {block.outputs} channels, {kind}"
    yield box(x, middle(level), BOX[0], first, second, fill)


def middle(level: int) -> int:
    """Return the y of a level's boxes."""
    return 44 + level * ROW + BOX[1] // 2


def box(x: int, y: int, width: int, first: str, second: str, fill: str) -> str:
    """Return a rounded box around two lines of text, ``y`` being its middle."""
    return (
        f'<rect x="{x}" y="{y - 22}" width="{width}" height="44" rx="7" fill="{fill}" '
        f'stroke="{INK}"/>'
        + text(x + width // 2, y - 3, first, anchor="middle", size=13)
        + text(x + width // 2, y + 14, second, anchor="middle", size=10.5)
    )


def text(x: int, y: int, words: str, *, anchor="start", size=14.0, weight="normal") -> str:
    """Return one line of text."""
    return (
        f'<text x="{x}" y="{y}" fill="{INK}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


def arrow(x1: int, y1: int, x2: int, y2: int, *, head: bool = True) -> str:
    """Return a line, with a head that points along its last direction."""
    line = f'<path d="M{x1} {y1} L{x2} {y2}" stroke="{INK}" fill="none"/>'
    if not head:
        return line
    turn = 0 if y1 == y2 and x2 > x1 else 180 if y1 == y2 else 90 if y2 > y1 else -90
    tip = f'<path d="M0 0 L-8 -4 L-8 4 Z" transform="translate({x2} {y2}) rotate({turn})"/>'
    return line + tip


if __name__ == "__main__":
    print("\n".join(drawing(sys.argv[1] if len(sys.argv) > 1 else "u2netp")))
