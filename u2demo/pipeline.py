"""(name, image) -> result: one code path for notebook, command line and library."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from u2demo.effects import DEFAULT_EFFECTS, Effect
from u2demo.inference.recipes import check_quality
from u2demo.machine.cores import in_batches
from u2demo.machine.names import safe_name
from u2demo.masks.corrections import Corrections
from u2demo.masks.mask import Mask, has_clear_subject

if TYPE_CHECKING:
    from torch import nn

    from u2demo.inference.predict import Prediction


@dataclass(frozen=True, eq=False)  # masks cannot be compared with ==
class Result:
    """The result for one photo.

    ``name`` is the photo's file name; ``pictures`` maps an effect's name to its picture; ``peak``
    is the highest probability, 0 to 1, that the net gave a pixel, 1 where a person has shown the
    subject, None if no net made the mask.
    """

    name: str
    image: Image.Image
    mask: Mask
    pictures: Mapping[str, Image.Image]
    peak: float | None = None

    @property
    def has_clear_subject(self) -> bool:
        """Whether the pictures are worth showing: False means "no clear subject"."""
        return has_clear_subject(self.mask, peak=1.0 if self.peak is None else self.peak)


def process(
    model: "nn.Module",
    photos: Iterable[tuple[str, Image.Image]],
    *,
    effects: Mapping[str, Effect] | None = None,
    quality: str = "fast",
    corrections: Mapping[str, Corrections] | None = None,
) -> Iterator[Result]:
    """Return an iterator over one ``Result`` for each (name, image), computed on demand.

    ``effects`` names the pictures to make: entries of ``EFFECTS`` or functions of your own that
    take (image, mask) and return an image. By default cutout, box and highlight. ``corrections``
    holds by name what a person has said about photos, see ``masks.corrections``.

    Raises:
        ValueError: unknown ``quality``, or an effect name that cannot be part of a file name;
            later, a photo's corrections do not fit it.
        TypeError: ``effects`` or ``corrections`` is not a mapping or, later, an effect does not
            return an image, or a value of ``corrections`` is not a ``Corrections``.
    """
    check_quality(quality)
    if isinstance(photos, Mapping):
        raise TypeError("photos are pairs of name and image, not a dict; pass its items()")
    if isinstance(photos, str | Image.Image) or not isinstance(photos, Iterable):
        kind = type(photos).__name__
        raise TypeError(f"photos is a {kind}, expected pairs of name and image: [('cat', image)]")
    if not isinstance(corrections, Mapping | None):
        kind = type(corrections).__name__
        raise TypeError(f"corrections is a {kind}, expected a dict from photo names to Corrections")
    return _process(model, photos, known_effects(effects), quality, corrections or {})


def known_effects(effects: Mapping[str, Effect] | None) -> Mapping[str, Effect]:
    """Return ``effects``, by default those of ``DEFAULT_EFFECTS``.

    Raises:
        TypeError: ``effects`` is not a mapping from names to functions.
        ValueError: an effect name cannot be part of a file name.
    """
    if effects is None:
        return DEFAULT_EFFECTS
    if not isinstance(effects, Mapping):
        raise TypeError(
            f"effects is a {type(effects).__name__}, expected names with their functions, such as"
            " {'crop': EFFECTS['crop']}"
        )
    check_names(effects)
    for name, effect in effects.items():
        if not callable(effect):
            raise TypeError(
                f"the effect {name!r} is {effect!r:.80}, expected a function of image and mask,"
                " such as EFFECTS['crop']"
            )
    return effects


def check_names(effects: Iterable[str]) -> None:
    """Raise ``ValueError`` if an effect's name cannot be part of a file name on every system.

    Raises:
        TypeError: a name is not text.
    """
    for name in effects:
        if not isinstance(name, str):
            raise TypeError(f"effect names must be text such as 'crop', not {name!r:.80}")
        if name != safe_name(name):
            raise ValueError(
                f"the effect {name!r} cannot have this name, which is part of a file name:"
                f" leave out /, \\, : and the like, such as {safe_name(name)!r}"
            )


def apply_effects(
    name: str, image: Image.Image, found: "Prediction", effects: Mapping[str, Effect]
) -> Result:
    """Return the ``Result`` for a photo and the net's prediction, ``found``.

    Raises:
        TypeError: an effect does not return an image.
    """
    pictures = {title: effect(image, found.mask) for title, effect in effects.items()}
    for title, picture in pictures.items():
        if not isinstance(picture, Image.Image):
            kind = type(picture).__name__
            raise TypeError(f"the effect {title!r} returned {kind}, expected an image")
    return Result(name, image, found.mask, pictures, found.peak)


def _pair(photo: object) -> tuple[str, Image.Image]:
    if isinstance(photo, tuple | list) and len(photo) == 2 and isinstance(photo[0], str):
        return tuple(photo)
    raise TypeError(f"a photo is {photo!r:.80}, expected a pair of its name and its image")


def _process(
    model: "nn.Module",
    photos: Iterable[tuple[str, Image.Image]],
    effects: Mapping[str, Effect],
    quality: str,
    corrections: Mapping[str, Corrections],
) -> Iterator[Result]:
    from u2demo.inference.correct import predict_corrected  # imports torch: not needed earlier
    from u2demo.inference.predict import at_once  # imports torch as well

    # A GPU looks at several photos at once.
    for batch in in_batches(map(_pair, photos), at_once(model)):
        images = [image for _, image in batch]
        said = [corrections.get(name, Corrections()) for name, _ in batch]
        predictions = predict_corrected(model, images, said, quality=quality)
        for (name, image), found in zip(batch, predictions, strict=True):
            yield apply_effects(name, image, found, effects)
