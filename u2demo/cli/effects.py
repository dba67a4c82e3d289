"""options -> effects: what is to be made of each photo and clip."""

import argparse
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

from u2demo.effects import EFFECTS
from u2demo.effects.effect import Effect
from u2demo.runs.checksums import file_checksum
from u2demo.video.clip import Clip
from u2demo.video.moving import BeforeClip

# Which effects an option is for.
_FOR = {
    "background": ("background", "canvas"),
    "canvas": ("canvas",),
    "margin": ("crop", "canvas"),
    "shadow": ("canvas",),
}


def chosen_effects(options: argparse.Namespace) -> Mapping[str, Effect]:
    """Return the effects that ``options``, as from ``parse``, ask for, by name.

    Without --effects it is canvas if its size is given, background if that is, else cutout.

    Raises:
        ValueError: an option is given that none of these effects uses.
    """
    usual = "background" if options.background else "cutout"
    if options.canvas:
        usual = "canvas"
    given = {
        "background": _given(background=options.background),
        "canvas": _canvas(options),
        "crop": _given(margin=options.margin),
    }
    names = options.effects or [usual]
    _check_use(options, names)
    effects = {}
    for name in names:
        values = given.get(name)
        effects[name] = partial(EFFECTS[name], **values) if values else EFFECTS[name]
    if "background" in effects and isinstance(options.background, Clip):
        content = file_checksum(options.background.path)
        effects["background"] = BeforeClip(options.background, content)
    return effects


def _check_use(options: argparse.Namespace, names: Sequence[str]) -> None:
    for option, users in _FOR.items():
        if getattr(options, option) is not None and not set(users) & set(names):
            raise ValueError(
                f"--{option} is for {' and '.join(users)}, and none of the effects here"
                f" ({', '.join(names)}) uses it; leave it out, or add --effects {users[0]}"
            )


def _canvas(options: argparse.Namespace) -> dict[str, object]:
    """Return what is said of a canvas; a clip stands still behind it."""
    background = options.background
    if isinstance(background, Clip):
        background = background.at(Fraction(0)).image
    said = _given(
        size=options.canvas, margin=options.margin, background=background, shadow=options.shadow
    )
    if options.canvas == "auto":
        said["size"] = None  # which ``place_on_canvas`` takes for a square
    return said


def _given(**values: object) -> dict[str, object]:
    """Return the options that a person has given."""
    return {name: value for name, value in values.items() if value is not None}
