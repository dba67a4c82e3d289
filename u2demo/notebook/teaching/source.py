"""what a person chooses -> samples: folders, uploads, photos of the app, pairs to practice on."""

import os
import tempfile
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from u2demo.machine.names import numbered, safe_name
from u2demo.masks.mask import to_8_bits
from u2demo.notebook.environment import PageError
from u2demo.notebook.photo import Photo
from u2demo.notebook.photo_picker import Files

if TYPE_CHECKING:
    from torch import nn

    from u2demo.training.course import Progress
    from u2demo.training.samples import Sample

    Reading = Generator[Progress, None, tuple[list[Sample], dict[str, str]]]
    Read = Callable[[nn.Module], Reading]


@dataclass(frozen=True)
class Source:
    """Where pairs come from: ``title`` says it on the page, ``read`` makes samples for a net.

    Pairs to practice on are known to be right, and few steps at a high rate are enough for them.
    """

    title: str
    read: "Read"
    is_practice: bool = False


def from_folders(photos: Path, masks: Path) -> Source:
    """Return the pairs of two folders, or of one that is both."""

    def read(net: "nn.Module") -> "Reading":
        from u2demo.training.pairs import find_pairs  # a room with torch: the page comes first
        from u2demo.training.reading import read_samples  # loads torch

        return (yield from read_samples(find_pairs(photos, masks), net))

    return Source(f"from {photos} and {masks}" if photos != masks else f"from {photos}", read)


def from_uploads(files: Files) -> Source:
    """Return the pairs among uploaded files, by name; they lie in a folder that nobody is shown."""

    def read(net: "nn.Module") -> "Reading":
        with tempfile.TemporaryDirectory(prefix="u2demo-") as hidden:
            folder = Path(hidden)
            for name, data in files:
                free = next(
                    free for free in numbered(safe_name(name)) if not (folder / free).exists()
                )
                (folder / free).write_bytes(data)
            try:
                samples, left_out = yield from from_folders(folder, folder).read(net)
            except ValueError as error:
                raise ValueError(_without(folder, str(error))) from error
            return samples, {name: _without(folder, why) for name, why in left_out.items()}

    return Source(f"from {len(files)} uploaded files", read)


def _without(folder: Path, said: str) -> str:
    """Return what is ``said`` of files in a folder that nobody is shown."""
    return said.replace(f"{folder}{os.sep}", "").replace(str(folder), "what you uploaded")


def from_photos(photos: Iterable[Photo]) -> Source:
    """Return photos of the app with their masks, as a person has corrected or left them."""
    listed = tuple(photos)

    def read(net: "nn.Module") -> "Reading":
        if not listed:
            raise PageError(
                "The app has no photos with masks yet. Add some, and run this cell again when they"
                " are in its gallery."
            )
        pairs = ((p.name, p.open_image(), to_8_bits(p.unpack_mask())) for p in listed)
        named = ((name, image, Image.fromarray(mask)) for name, image, mask in pairs)
        return (yield from _samples(net, named, len(listed)))

    return Source("from the app, as corrected there", read)


def practice() -> Source:
    """Return the pairs to practice on, which are made of the packaged photos."""

    def read(net: "nn.Module") -> "Reading":
        from u2demo.training.fit import for_inference  # loads torch: the page comes first
        from u2demo.training.practice import COUNT, practice_pairs  # loads torch

        pairs = practice_pairs(for_inference(net))
        named = ((f"{number + 1}.png", *pair) for number, pair in enumerate(pairs))
        return (yield from _samples(net, named, COUNT))

    title = "to practice on: the cup alone is meant, whatever is beside it"
    return Source(title, read, is_practice=True)


def _samples(
    net: "nn.Module", named: Iterable[tuple[str, Image.Image, Image.Image]], total: int
) -> "Reading":
    from u2demo.inference.preprocess import input_of  # loads torch: the page comes first
    from u2demo.training.course import Progress  # loads torch
    from u2demo.training.samples import make_sample  # loads torch

    samples, left_out = [], {}
    for name, photo, mask in named:
        try:
            samples.append(make_sample(name, photo, mask, input_of(net).side))
        except ValueError as error:
            left_out[name] = str(error)
        yield Progress("reading", len(samples) + len(left_out), total)
    if not samples:
        name, why = next(iter(left_out.items()))
        raise ValueError(f"none of {total} pairs can be used; {name}: {why}")
    return samples, left_out
