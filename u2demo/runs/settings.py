"""What a run does with each photo and clip, said once and passed whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from u2demo.effects import DEFAULT_EFFECTS, Effect
from u2demo.images.read import pixel_limit
from u2demo.images.write import check_format, check_metadata
from u2demo.inference.recipes import check_quality
from u2demo.masks.adjust import UNCHANGED, Edge
from u2demo.masks.box import box_in
from u2demo.pipeline import known_effects
from u2demo.runs.checksums import checksum

_STAYS, _RESUMES = "; finished pictures stay", ", and the same run resumes from there"


@dataclass(frozen=True)
class Run:
    """What a run does with each photo.

    ``effects``, ``quality``, ``format`` and ``metadata`` are those of ``process`` and ``save``.
    ``clip_format`` is the one that clips become, ``format`` is for photos only.
    With ``overwrite``, existing pictures are made again; those that were changed since are still
    kept. ``max_pixels`` is that of ``open_image``. ``within`` says where in each photo the subject
    is, as ``box_in`` reads it; photos without such a part fail. With ``corrections``, what a person
    has said in the file beside a photo is applied; a box in it goes before ``within``. ``outlines``
    are found on request, for boxes with segmentation.

    Raises:
        ValueError: unknown ``quality``, ``format`` or ``metadata``, an effect name that cannot be
            part of a file name, a limit of pixels that is not a number, or ``within`` that is not
            a part of a photo.
        TypeError: ``effects`` is not a mapping, or ``max_pixels`` not a number.
    """

    effects: Mapping[str, Effect] = field(default_factory=lambda: DEFAULT_EFFECTS)
    quality: str = "fast"
    format: str = "auto"
    overwrite: bool = False
    metadata: str = "private"
    max_pixels: int | None = None
    outlines: bool = False
    clip_format: str = "auto"
    within: str = ""
    corrections: bool = True
    edge: Edge = UNCHANGED  # what ``adjust_mask`` does to each mask

    def __post_init__(self):
        check_format(self.format)
        check_metadata(self.metadata)
        check_quality(self.quality)
        pixel_limit(self.max_pixels)  # otherwise every photo would fail
        if self.within:
            box_in(self.within, (1, 1))
        known_effects(self.effects)

    @property
    def then(self) -> str:
        """What follows when a run has to end: words for the end of a sentence."""
        return _STAYS if self.overwrite else _STAYS + _RESUMES

    def settings(self, net: str) -> str:
        """Return a checksum: when it changes, every photo is done again. ``net`` stands for it."""
        looks = [net, self.quality]
        if self.within:
            looks.append(self.within)
        if self.edge != UNCHANGED:
            looks.append(self.edge)
        return checksum(looks)

    @cached_property
    def checksums(self) -> Mapping[str, str]:
        """The checksum of each effect: when it changes, the effect's pictures are made again."""
        files = [self.format, self.metadata]
        return {name: checksum([effect, *files]) for name, effect in self.effects.items()}
