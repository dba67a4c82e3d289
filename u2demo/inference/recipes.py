"""quality -> views: how often, and how, the net looks at a photo.

Views were chosen on 416 photos of three kinds; docs/experiments.md says how, and what was tried.
Measure their accuracy on other photos, with benchmarks/accuracy.py.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from u2demo.masks.levels import SOLID, Levels
from u2demo.nets.checkpoints import Input

_STEP = 16  # pixels; the sides of a view are multiples of it, which suits a net's coarse levels
_STRETCH = 3.0  # a view is at most this many times as wide as high, or as high as wide


class View(NamedTuple):
    """One look at a photo; by default as in training, squeezed to a square.

    The authors' training turns half of the photos upside down (U-2-Net, data_loader.py): the net
    knows them as well as upright ones.
    """

    upside_down: bool = False
    mirrored: bool = False
    aspect: float = 0.0  # from 0, a square, to 1, the photo's own proportions; same area
    scale: float = 1.0  # length of the sides, as a share of the net's own
    in_doubt: bool = False  # only if the others disagree, or the only other shows nothing clear
    zoomed: bool = False  # only around what earlier views have found, if that is small


class Recipe(NamedTuple):
    """Views whose maps are averaged, and the levels of their mean that become 0 and 1.

    Levels are shares of the net's certainty of the subject, see ``predict``. If ``refined`` is
    given, edges are drawn again at the photo's full size (``edges.refine_mask``): its levels are
    applied last, where the photo's colors cannot tell subject from background. ``doubt`` is how
    much of what the mean leaves undecided is doubt: views that differ only a little leave some,
    too. If the mask shows no clear subject, that of the recipe ``if_unclear`` takes its place.
    """

    views: tuple[View, ...]
    levels: Levels
    refined: Levels | None = None
    doubt: float = 1.0
    if_unclear: "Recipe | None" = None


class ClipRecipe(NamedTuple):
    """Views of a clip's frames, and the levels of their mean.

    ``passes`` is how many views a frame may have on average. With ``fine``, motion is followed to
    the pixel of the maps (``video.steady``).
    """

    views: tuple[View, ...]
    levels: Levels
    passes: float
    fine: bool = False


_BEST = Recipe(
    (
        View(aspect=0.5, upside_down=True),
        View(aspect=0.5, scale=1.2, mirrored=True),
        View(zoomed=True),  # after all the others it would show less: their mean is narrower
        View(in_doubt=True),
        View(in_doubt=True, mirrored=True),
        View(in_doubt=True, upside_down=True),
        View(in_doubt=True, scale=0.8, upside_down=True),
        View(in_doubt=True, aspect=1.0, scale=0.8, upside_down=True),
    ),
    # Solid pixels stay solid, whatever their colors; colors have a say in all the rest.
    Levels(0.0, SOLID),
    refined=Levels(0.15, 0.6).below(SOLID),
    doubt=0.55,
)

QUALITIES: Mapping[str, Recipe] = {
    # Where one look has been in doubt already, all that several leave undecided is doubt.
    "fast": Recipe((View(),), Levels(0.01, SOLID, haze=0.4), if_unclear=_BEST._replace(doubt=1.0)),
    "best": _BEST,
}

# For frames of a clip, whose neighbors help: ``clips`` and docs/experiments.md have the reasons.
# Edges are not drawn again by a frame's colors: they would change from frame to frame.
CLIP_QUALITIES: Mapping[str, ClipRecipe] = {
    "fast": ClipRecipe(
        (
            View(),
            View(in_doubt=True, zoomed=True),
            View(in_doubt=True, upside_down=True),
            View(in_doubt=True, aspect=0.5, mirrored=True),
        ),
        Levels(0.1, 0.95, haze=0.4),
        passes=2.0,
    ),
    "best": ClipRecipe(
        (
            View(),
            View(zoomed=True),
            View(upside_down=True),
            View(in_doubt=True, aspect=0.5, mirrored=True),
        ),
        Levels(0.1, 0.95, haze=0.4),
        passes=2.5,
        fine=True,
    ),
}


def check_quality(quality: str) -> None:
    """Raise ``ValueError`` unless ``quality`` is one of ``QUALITIES``."""
    if not isinstance(quality, str) or quality not in QUALITIES:
        raise ValueError(f"unknown quality {quality!r:.80}; choose {' or '.join(QUALITIES)}")


def suited(views: Sequence[View], wanted: Input) -> list[View]:
    """Return the views as a net knows photos from its training.

    A net that has never seen a photo upside down is shown those views upright, each once.
    """
    if wanted.upside_down:
        return list(views)
    known: dict[View, View] = {}
    for view in views:
        upright = view._replace(upside_down=False)
        known.setdefault(upright._replace(in_doubt=False), upright)
    return list(known.values())


def view_size(view: View, side: int, proportion: float) -> tuple[int, int]:
    """Return the (width, height) at which a view is shown to a net with input ``side``.

    ``proportion`` is the photo's width divided by its height. The area stays about the same for
    every shape.
    """
    if view.aspect == 0 and view.scale == 1:
        return side, side  # the side used in training, which need not be a multiple of anything
    stretch = min(max(proportion, 1 / _STRETCH), _STRETCH) ** (view.aspect / 2)
    width = view.scale * side * stretch
    height = view.scale * side / stretch
    return _whole_steps(width), _whole_steps(height)


def _whole_steps(length: float) -> int:
    return max(1, round(length / _STEP)) * _STEP
