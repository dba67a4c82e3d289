"""quality -> views: how often, and how, the net looks at a photo.

Views and levels were chosen on 260 development photos, so what they give is to be measured on
others, with benchmarks/accuracy.py. Eight views that differ in size, shape and direction at once
gave what sixteen do, five most of it. Where two that differ in shape and both directions agree, and
a zoom too, the others changed no score for the worse by more than .0003, on any half of either set;
a laxer limit, chosen on one half, cost boundary F on the other. Quarter turns, parts of the photo
or of the zoomed part, borders around it, gray, blurred, lighter and darker ones gave nothing, nor
did second zooms, on what was left unsure or on a second subject, medians, means of logits, votes on
specks, the net's side maps, or a conditional random field on colors. A small view more of unsure
photos that are not zoomed on gave .001 to .004 on ECSSD, some two standard errors.
"""

from collections.abc import Mapping
from typing import NamedTuple

SIZE = 320  # the authors ask to keep the networks' input at 320x320 (U-2-Net, README)
_STEP = 16  # pixels; sides of a view are multiples, so that the net's coarse levels fit them
_STRETCH = 3.0  # most that a view is wider than high, or the reverse


class View(NamedTuple):
    """One look at a photo; by default as in training, squeezed to a square.

    The authors' training turns half of the photos upside down (U-2-Net, data_loader.py): the net
    knows them as well as upright ones.
    """

    upside_down: bool = False
    mirrored: bool = False
    aspect: float = 0.0  # from 0, a square, to 1, the photo's own proportions; same area
    side: int = SIZE  # pixels, of a square of that area
    in_doubt: bool = False  # only if the others do not agree on what the photo shows
    zoomed: bool = False  # only around what the views before have found, if that is small


class Recipe(NamedTuple):
    """Views whose maps are averaged, and the levels of the mean that become 0 and 1.

    Levels are parts of how salient the photo's subject is, see ``inference``. What is below
    ``haze``, of the new ones, becomes fainter.
    """

    views: tuple[View, ...]
    black: float
    white: float
    haze: float = 0.0
    refined: bool = False  # edges drawn again at the photo's full size, see edges.refine_mask


QUALITIES: Mapping[str, Recipe] = {
    "fast": Recipe((View(),), black=0.01, white=0.9, haze=0.4),
    "best": Recipe(
        (
            View(upside_down=True),
            View(aspect=0.5, mirrored=True),
            View(in_doubt=True),
            View(in_doubt=True, mirrored=True),
            View(in_doubt=True, aspect=0.5),
            View(in_doubt=True, aspect=1.0, upside_down=True),
            View(in_doubt=True, side=256, mirrored=True),
            View(zoomed=True),
        ),
        black=0.2,
        white=0.65,
        refined=True,
    ),
}


def check_quality(quality: str) -> None:
    """Raise ``ValueError`` unless ``quality`` is one of ``QUALITIES``."""
    if quality not in QUALITIES:
        raise ValueError(f"no quality {quality!r}; choose {' or '.join(QUALITIES)}")


def view_size(view: View, proportion: float) -> tuple[int, int]:
    """Return the width and height that a photo ``proportion`` times as wide as high is shown at."""
    stretch = min(max(proportion, 1 / _STRETCH), _STRETCH) ** (view.aspect / 2)
    width, height = view.side * stretch, view.side / stretch
    return round(width / _STEP) * _STEP, round(height / _STEP) * _STEP
