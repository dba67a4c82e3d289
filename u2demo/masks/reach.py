"""(stroke, colors, net's map, mask) -> reach: which pixels a stroke means besides those under it.

All is computed on a small grid over the photo, with numbers in shares of its longer side:

1. How likely does a pixel belong to the stroke? A logistic function of how far away it is, straight
   and along colors that do not change; of how its color and its value in the net's map compare with
   the stroke's, and with those of earlier strokes that say the same (allies) or not (rivals); of
   the mask, and whether its color is common where the mask agrees with the stroke. A small brush
   means a small thing.
2. A random walk makes pixels of one surface agree: Grady, "Random Walks for Image Segmentation",
   IEEE TPAMI 28 (2006), with the probabilities of step 1 as priors (Grady, CVPR 2005).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from u2demo.masks.mask import Mask
from u2demo.masks.strokes import Stroke, draw_strokes

Plane = NDArray[np.float32]  # (h, w)
_Pixels = NDArray[np.bool_]  # (h, w)

# Of the logistic function: fitted to 216 development photos, clicked as in benchmarks/strokes.py.
_WEIGHTS = {
    "root of distance": -3.692, "brush": 1.508, "mask": 0.692, "mask, large brush": -0.344,
    "map": 0.597, "map, kept": 0.462, "map, large brush": -0.307, "color": 1.747,
    "common color": 0.193, "near": 5.469, "way": 1.06, "rival's color": -0.799,
    "near a rival": -1.975, "an ally": 0.365, "more like an ally": 0.244,
    "nearer to an ally": 0.959,
}  # fmt: skip
_OFFSET = -0.512
_BRUSH, _SMALLEST = 0.012, 0.6  # radius of an ordinary brush; of any, in pixels of the grid
_BINS = (10, 14, 14)  # kinds of lightness, a and b in which colors are counted
_DARKEST, _RANGE = (0.0, -0.6, -0.6), (1.0, 1.2, 1.2)
_PALE = 1e-3  # a mean difference below it is noise
_LIMIT = 7.0  # of the log odds in the net's map
_STEP = 0.2  # what a pixel's way costs besides the change of color, as a share of the longer side
_DIAGONAL = 1.4
_COLORS, _MAPS = 150.0, 4.0  # how strongly a change of color, and of map, parts pixels
_LEAST = 1e-3  # tie of two pixels, however different
_PRIOR = 0.12  # weight of step 1 in step 2, for a pixel that is neither sure nor unsure
# The same for pixels that the mask has as the stroke says, by ``keep``. Beside what is erased they
# follow their neighbors, so that the subject's edge stays; beside what is kept it may grow.
_AGREED = {True: 0.12, False: 0.002}
_AROUND = 3.0  # half the pixels around what changes in which the edge of the change may lie
_FIXED = 1e3  # weight of strokes themselves
_ROUNDS, _DONE = 60, 1e-6  # of conjugate gradients, at most; and what ends them sooner
_XYZ = np.float32(  # linear sRGB -> XYZ over that of white: IEC 61966-2-1
    [
        [0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505],
        [0.2126, 0.7152, 0.0722],
        [0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089],
    ]
)


class Grid(NamedTuple):
    """What does not change from stroke to stroke. ``scale``: pixels of the grid per photo's."""

    colors: Plane  # (h, w, 3), CIE Lab / 100
    smooth: Plane  # the same, blurred by a pixel or two
    kinds: NDArray[np.intp]  # the number of each blurred color in a coarse table
    odds: Plane  # log odds of the net's map, over 4
    ties: tuple[Plane, Plane, Plane, Plane]  # to the pixel below, right, and on both diagonals
    scale: float


def make_grid(rgb: Plane, blurred: Plane, found: Mask, scale: float) -> Grid:
    """Return the grid for a small photo, (h, w, 3) in [0, 1], a blurred copy, and the net's map."""
    colors = _lab(rgb)
    inside = found.clip(1e-6, 1 - 1e-6)
    odds = (np.log(inside / (1 - inside)).clip(-_LIMIT, _LIMIT) / 4).astype(np.float32)
    smooth = _lab(blurred)
    return Grid(colors, smooth, _kinds(smooth), odds, _ties(colors, odds), scale)


def reach(grid: Grid, mask: Mask, stroke: Stroke, earlier: Sequence[Stroke]) -> Plane:
    """Return how much each pixel of the grid belongs to ``stroke``: (h, w) in [0, 1].

    ``mask`` is the mask so far, on the grid; strokes before, ``earlier``, stay what they are.
    """
    size = mask.shape[::-1]
    under = draw_strokes([stroke], size, scale=grid.scale) != 0
    if not under.any():
        return np.zeros(mask.shape, np.float32)
    allies = _parts(grid, [other for other in earlier if other.keep == stroke.keep], under)
    rivals = _parts(grid, [other for other in earlier if other.keep != stroke.keep], under)
    agreed = (mask > 0.5) == stroke.keep
    evidence = _evidence(grid, mask, stroke, under, allies, rivals)
    likely = _likely(evidence)
    prior = np.where(agreed & (likely > 0.5), 1, likely).astype(np.float32)
    sure = _PRIOR * (0.3 + 2 * np.abs(likely - 0.5))
    weight = np.where(agreed, _AGREED[bool(stroke.keep)], sure).astype(np.float32)
    weight[under], prior[under] = _FIXED, 1
    for rival in rivals:
        weight[rival], prior[rival] = _FIXED, 0
    belongs = _walk(grid.ties, weight, prior).clip(0, 1)
    changed = _joined(under | (~agreed & (belongs > 0.5)), under)
    # Elsewhere only edges of the mask would be moved a little.
    return belongs * (_AROUND - _distance(changed) / 2).clip(0, 1)


def _parts(grid: Grid, strokes: Iterable[Stroke], under: _Pixels) -> list[_Pixels]:
    """Return the pixels of each stroke that are not ``under`` the new one."""
    size = under.shape[::-1]
    drawn = (draw_strokes([stroke], size, scale=grid.scale) != 0 for stroke in strokes)
    parts = (pixels & ~under for pixels in drawn)
    return [part for part in parts if part.any()]


def _joined(pixels: _Pixels, start: _Pixels) -> _Pixels:
    """Return those of ``pixels`` that are joined to ``start``; a gap of two is no gap."""
    passable = _spread(pixels)
    joined = start
    while True:
        more = _spread(joined) & passable
        if np.array_equal(more, joined):
            return joined & pixels
        joined = more


def _spread(pixels: _Pixels) -> _Pixels:
    """Return the pixels, and all that touch one of them."""
    rows = pixels.copy()
    rows[1:] |= pixels[:-1]
    rows[:-1] |= pixels[1:]
    both = rows.copy()
    both[:, 1:] |= rows[:, :-1]
    both[:, :-1] |= rows[:, 1:]
    return both


def _likely(evidence: dict[str, Plane]) -> Plane:
    """Return how likely each pixel belongs to the stroke, judged by itself."""
    odds = _OFFSET + sum(_WEIGHTS[name] * evidence[name] for name in evidence)
    return 1 / (1 + np.exp(-odds))


def _evidence(
    grid: Grid,
    mask: Mask,
    stroke: Stroke,
    under: _Pixels,
    allies: list[_Pixels],
    rivals: list[_Pixels],
) -> dict[str, Plane]:
    """Return what speaks for or against each pixel, by the names of ``_WEIGHTS``."""
    longer = max(mask.shape)
    radius = max(stroke.radius * grid.scale, _SMALLEST) / longer
    brush = np.log(radius / _BRUSH)
    distance = _distance(under) / longer
    color, way = _differences(grid, [under])
    # In shares of the mean, a pale photo is like a vivid one.
    usual = max(float(color.mean()), _PALE), max(float(way.mean()), _PALE)
    color, way = color / usual[0], way / usual[1]
    inside = (mask if stroke.keep else 1 - mask).clip(0.01, 0.99)
    agreeing = np.log(inside / (1 - inside))
    above = grid.odds - grid.odds[under].mean()
    if not stroke.keep:
        above = -above
    evidence = {
        "root of distance": np.sqrt(distance),
        "brush": brush,
        "mask": agreeing,
        "mask, large brush": agreeing * brush,
        "map": above,
        "map, kept": above * stroke.keep,
        "map, large brush": above * brush,
        "color": np.exp(-2 * color),
        "common color": _common(grid.kinds, inside > 0.5),
        "near": np.exp(-3 * way),
        "way": way,
    }
    if rivals:
        rivals_color, rivals_way = _differences(grid, rivals)
        evidence["rival's color"] = np.exp(-2 * rivals_color / usual[0])
        evidence["near a rival"] = np.exp(-3 * rivals_way / usual[1])
    if allies:
        allies_color, allies_way = _differences(grid, allies)
        evidence["an ally"] = np.ones_like(color)
        evidence["more like an ally"] = color - allies_color / usual[0]
        evidence["nearer to an ally"] = way - allies_way / usual[1]
    return evidence


def _kinds(colors: Plane) -> NDArray[np.intp]:
    """Return the number of each color's kind, (h, w), for colors as in ``Grid``."""
    steps = ((colors - np.float32(_DARKEST)) / np.float32(_RANGE) * _BINS).astype(int)
    return np.ravel_multi_index(tuple(np.moveaxis(steps, 2, 0)), _BINS, mode="clip")


def _common(kinds: NDArray[np.intp], agreed: _Pixels) -> Plane:
    """Return how much more common each pixel's color is among ``agreed`` pixels: a log ratio."""
    count = math.prod(_BINS)
    here = np.bincount(kinds[agreed], minlength=count) + 0.5
    there = np.bincount(kinds[~agreed], minlength=count) + 0.5
    ratio = (here / here.sum()) / (there / there.sum())
    return np.log(ratio).astype(np.float32)[kinds]


def _differences(grid: Grid, parts: list[_Pixels]) -> tuple[Plane, Plane]:
    """Return how far each pixel is from the nearest of ``parts``: in color, and by its way."""
    colors = [np.linalg.norm(grid.smooth - grid.colors[part].mean(0), axis=2) for part in parts]
    return np.min(colors, 0), np.sqrt(_geodesic_distance(grid.colors, np.any(parts, 0)))


def _distance(under: _Pixels) -> Plane:
    """Return each pixel's distance to the middle of the nearest one under the stroke, in pixels."""
    from_rows = _nearest(under)
    places = np.arange(under.shape[1], dtype=np.float32)
    # Of each column's nearest pixel, then the nearest of all columns: exact, and in no more memory.
    return np.sqrt(
        np.stack([(from_rows + (places - place) ** 2).min(1) for place in places], axis=1)
    )


def _nearest(under: _Pixels) -> Plane:
    """Return the squared distance to the nearest such pixel of the same column."""
    far = np.float32(sum(under.shape))
    distance = np.where(under, 0, far).astype(np.float32)
    for row in range(1, len(distance)):
        np.minimum(distance[row], distance[row - 1] + 1, out=distance[row])
    for row in range(len(distance) - 2, -1, -1):
        np.minimum(distance[row], distance[row + 1] + 1, out=distance[row])
    return distance**2


def _geodesic_distance(values: Plane, start: _Pixels) -> Plane:
    """Return each pixel's least sum of changes of ``values`` (h, w, c) on a way from ``start``.

    Four sweeps over the grid find it for ways that do not wind: Toivanen, "New geodesic distance
    transforms for gray-scale images", Pattern Recognition Letters 17 (1996).
    """
    step = np.float32(_STEP / max(start.shape))
    below, right, falling, rising = _pairs(values, lambda one, other: np.abs(one - other).sum(2))
    below, right = below + step, right + step
    falling, rising = falling + _DIAGONAL * step, rising + _DIAGONAL * step
    cost = np.where(start, 0, 1e3).astype(np.float32)
    for row in range(1, len(cost)):
        last, this = cost[row - 1], cost[row]
        np.minimum(this, last + below[row - 1], out=this)
        np.minimum(this[1:], last[:-1] + falling[row - 1], out=this[1:])
        np.minimum(this[:-1], last[1:] + rising[row - 1], out=this[:-1])
    for row in range(len(cost) - 2, -1, -1):
        last, this = cost[row + 1], cost[row]
        np.minimum(this, last + below[row], out=this)
        np.minimum(this[:-1], last[1:] + falling[row], out=this[:-1])
        np.minimum(this[1:], last[:-1] + rising[row], out=this[1:])
    for column in range(1, cost.shape[1]):
        np.minimum(cost[:, column], cost[:, column - 1] + right[:, column - 1], out=cost[:, column])
    for column in range(cost.shape[1] - 2, -1, -1):
        np.minimum(cost[:, column], cost[:, column + 1] + right[:, column], out=cost[:, column])
    return cost


def _pairs(values: Plane, compare: Callable[[Plane, Plane], Plane]) -> tuple[Plane, ...]:
    """Return each pixel compared with the one below, right, below right, and above right."""
    return (
        compare(values[:-1], values[1:]),
        compare(values[:, :-1], values[:, 1:]),
        compare(values[:-1, :-1], values[1:, 1:]),
        compare(values[:-1, 1:], values[1:, :-1]),
    )


def _ties(colors: Plane, odds: Plane) -> tuple[Plane, ...]:
    """Return how strongly neighbors are tied: the less, the more they differ."""
    both = np.concatenate([colors * np.sqrt(_COLORS), odds[..., None] * np.sqrt(_MAPS)], 2)

    def tie(one: Plane, other: Plane) -> Plane:
        return np.exp(-((one - other) ** 2).sum(2)) + np.float32(_LEAST)

    below, right, falling, rising = _pairs(both.astype(np.float32), tie)
    return below, right, falling / _DIAGONAL, rising / _DIAGONAL


def _walk(ties: tuple[Plane, ...], weight: Plane, prior: Plane) -> Plane:
    """Return x that minimizes the sum of tie (x - x')² over neighbors and weight (x - prior)².

    Conjugate gradients, preconditioned by the diagonal, from the prior on.
    """
    diagonal = weight + _sum_of_neighbors(ties, np.ones_like(weight))
    x = prior.copy()
    residual = weight * prior - (diagonal * x - _sum_of_neighbors(ties, x))
    preconditioned = residual / diagonal
    direction, error = preconditioned, float((residual * preconditioned).sum())
    for _ in range(_ROUNDS):
        if error < _DONE:
            break
        product = diagonal * direction - _sum_of_neighbors(ties, direction)
        step = error / float((direction * product).sum())
        x += step * direction
        residual -= step * product
        preconditioned = residual / diagonal
        before, error = error, float((residual * preconditioned).sum())
        direction = preconditioned + error / before * direction
    return x


def _sum_of_neighbors(ties: tuple[Plane, ...], x: Plane) -> Plane:
    """Return the sum of each pixel's neighbors, weighted by their ties."""
    below, right, falling, rising = ties
    total = np.zeros_like(x)
    total[:-1] += below * x[1:]
    total[1:] += below * x[:-1]
    total[:, :-1] += right * x[:, 1:]
    total[:, 1:] += right * x[:, :-1]
    total[:-1, :-1] += falling * x[1:, 1:]
    total[1:, 1:] += falling * x[:-1, :-1]
    total[:-1, 1:] += rising * x[1:, :-1]
    total[1:, :-1] += rising * x[:-1, 1:]
    return total


def _lab(rgb: Plane) -> Plane:
    """Return sRGB, (h, w, 3) in [0, 1], as CIE L*a*b* (CIE 15:2004, white D65), over 100."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _XYZ.T
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(root, 2, 0)
    return np.stack([1.16 * y - 0.16, 5 * (x - y), 2 * (y - z)], 2).astype(np.float32)
