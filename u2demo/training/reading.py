"""(net, folders) -> samples: what is to be learned, what is to stay, and a look for mistakes."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

from PIL import Image
from torch import nn

from u2demo.images.find import find_images
from u2demo.images.read import open_image, sample_images
from u2demo.images.rgb import as_rgb
from u2demo.inference.correct import predict_corrected
from u2demo.inference.predict import predict_mask
from u2demo.inference.preprocess import input_of
from u2demo.machine.cores import in_parallel
from u2demo.masks.corrections import Corrections
from u2demo.masks.mask import Mask, to_8_bits
from u2demo.training.course import Progress
from u2demo.training.fit import for_inference
from u2demo.training.gate import (
    ASKED,
    STEPS,
    check_folders,
    check_masks,
    overfit,
    to_be_overfitted,
)
from u2demo.training.pairs import Found, Pair
from u2demo.training.samples import Sample, make_sample, open_pair
from u2demo.training.scores import answers

_READERS = 2  # photos that are read at a time
_KEPT = 200  # other photos whose answers are to stay, at most


def read_samples(
    found: Found, net: nn.Module
) -> Generator[Progress, None, tuple[list[Sample], dict[str, str]]]:
    """Return the samples of pairs, and by name why others are left out; yield after each.

    Raises:
        ValueError: there are none, or the folders look swapped.
    """
    refused: dict[str, str] = {}
    samples: list[Sample] = []
    side, look = input_of(net).side, _looking(for_inference(net))

    def read(pair: Pair) -> Sample | str:
        try:
            return open_pair(pair, side, look)
        except (OSError, ValueError) as error:
            return _why(error, pair.photo)

    for pair, sample in zip(found.pairs, in_parallel(read, found.pairs, _READERS), strict=True):
        if isinstance(sample, str):
            refused[pair.name] = sample
        else:
            samples.append(sample)
        yield Progress("reading", len(samples) + len(refused), len(found.pairs))
    check_folders(found, refused)
    if not samples:
        name, why = next(iter(refused.items()))
        raise ValueError(f"none of {len(refused)} pairs can be used; {name}: {why}")
    return samples, {**found.left_out, **refused}


def check_samples(net: nn.Module, samples: Sequence[Sample]) -> Iterator[Progress]:
    """Look for mistakes in samples; yield after each step.

    Raises:
        ValueError: there is one; the text says which.
    """
    asked = range(0, len(samples), math.ceil(len(samples) / ASKED))  # of all subfolders
    found: dict[int, Mask] = {}
    model = for_inference(net)
    for place, answer in zip(asked, answers(model, [samples[at] for at in asked]), strict=True):
        found[place] = answer.mask()
        yield Progress("checking", len(found), len(asked))
    check_masks(found, samples)
    for step in overfit(net, to_be_overfitted(found, samples)):
        yield Progress("learning one pair", step, STEPS)


def read_kept(
    net: nn.Module,
    taught: Sequence[Sample],
    photos: Mapping[str, Image.Image | Path] | None = None,
) -> Generator[Progress, None, tuple[list[Sample], dict[str, str]]]:
    """Return photos with the net's own answers, for these to stay; yield after each.

    ``photos`` are those of ``find_kept``, or else the packaged ones, but not those in ``taught``:
    these are to be answered otherwise. Also return by name why others are left out.

    Raises:
        ValueError: all of ``photos`` are.
    """
    given = sample_images() if photos is None else photos
    model, side = for_inference(net), input_of(net).side
    keys = {sample.key for sample in taught}
    samples: list[Sample] = []
    left_out: dict[str, str] = {}
    for name, photo in given.items():
        try:
            sample = _as_found(model, name, photo, side)
        except (OSError, ValueError) as error:
            left_out[name] = _why(error, photo)
        else:
            if sample.key in keys:
                left_out[name] = "is one of the photos to teach, expected others to keep"
            else:
                samples.append(sample)
        yield Progress("looking at the photos to keep", len(samples) + len(left_out), len(given))
    if photos is not None and not samples:
        name, why = next(iter(left_out.items()))
        raise ValueError(f"no photo to keep can be used; {name}: {why}")
    return samples, left_out


def find_kept(keep: Path) -> dict[str, Path]:
    """Return by name the photos in a folder for which answers are to stay, 200 at most.

    Raises:
        ValueError: it is not a folder, or holds no photos.
    """
    if not keep.is_dir():
        raise ValueError(f"{keep} is not a folder, expected a folder of photos to keep")
    photos = find_images(keep)
    if not photos:
        raise ValueError(f"{keep} holds no photos, expected some for which answers are to stay")
    return {path.relative_to(keep).as_posix(): path for path in photos[:_KEPT]}


def _as_found(model: nn.Module, name: str, photo: Image.Image | Path, side: int) -> Sample:
    """Return the sample of a photo with what the net finds in it, at its best, as its mask."""
    image = as_rgb(open_image(photo) if isinstance(photo, Path) else photo)
    small = image.copy()
    small.thumbnail((side * 2, side * 2))
    answer = to_8_bits(predict_mask(model, small, quality="best"))
    return make_sample(name, image, Image.fromarray(answer), side, is_soft=True)


def _why(error: Exception, photo: object) -> str:
    """Return what an error says of a photo, as a phrase that follows the photo's name."""
    return str(error).removeprefix(f"{photo}: ")


def _looking(model: nn.Module) -> Callable[[Image.Image, Corrections], Mask]:
    def look(image: Image.Image, said: Corrections) -> Mask:
        return next(predict_corrected(model, [image], [said], quality="best")).mask

    return look
