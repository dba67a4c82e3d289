"""(net, samples) -> nothing, or the likely mistake: what would make a training useless.

The net's own answers, before it has learned anything, tell masks that are inverted or belong to
other photos. And what cannot be learned from one pair cannot be learned from a hundred.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps
from torch import nn

from u2demo.images.read import open_image
from u2demo.inference.preprocess import input_of, normalize
from u2demo.masks.box import box_around
from u2demo.masks.mask import Mask
from u2demo.training.draw import whole
from u2demo.training.fit import as_for_training, freeze_norms
from u2demo.training.losses import structure_loss
from u2demo.training.pairs import Found
from u2demo.training.samples import Sample, is_mask
from u2demo.training.scores import score

ASKED = 100  # samples that are looked at, at most
_SMALL = 64  # pixels; the side at which masks of different photos are compared
_WHITE_BORDER = 0.5  # share of a photo's border that inverted masks have white
_WELL = 0.5  # IoU above which the net has found the same thing
_THE_SAME = 0.7  # IoU above which a mask is that of what the net has found
_BETTER = 0.3  # by how much it then fits better than the photo's own
_NEAR = 100  # samples before and after a photo, whose masks could be its own
_FEWEST = 2  # such photos; one may be chance
_LINE = 0.03  # what thin lines are still above at that side
_SIDE = 160  # pixels, at most, at which one pair is learned
STEPS = 30
_RATE = 3e-4
_LEARNED = 0.2  # of the way from the IoU of an all white answer to 1, at least, after the steps
_ADVICE = (
    "if the pairs are right, leave this check out: gate=False, --no-gate, or the box on the page"
)


def check_folders(found: Found, refused: Mapping[str, str]) -> None:
    """Raise ``ValueError`` if photos and masks look swapped, or most masks are of no use.

    ``refused`` says which pairs cannot be used, and why.
    """
    tried = [pair for pair in found.pairs if pair.mask not in (None, pair.photo)]
    useless = [pair for pair in tried if pair.name in refused]
    if len(useless) <= len(tried) / 2:
        return
    asked = tried[:ASKED]
    swapped = [pair for pair in asked if _is_file_of_mask(pair.photo)]
    if len(swapped) > len(asked) / 2 and not all(_is_file_of_mask(pair.mask) for pair in asked):
        raise ValueError(
            "the folders look swapped: masks are where photos should be, and photos where masks"
            " should be; expected first the folder of photos, then that of masks"
        )
    if len(useless) == len(tried):
        return  # there is nothing to teach, which the caller says
    name, why = useless[0].name, refused[useless[0].name]
    raise ValueError(
        f"{len(useless)} of {len(tried)} masks cannot be used; {name}: {why}. If the others are"
        " right, take out these photos, and the same call teaches the others"
    )


def check_masks(answers: Mapping[int, Mask], samples: Sequence[Sample]) -> None:
    """Raise ``ValueError`` if masks are empty, or boxes, or look inverted, or not those of photos.

    ``answers`` are what the net finds in some of the samples, by place.
    """
    truths = [samples[place].truth() for place in answers]
    subjects = [truth > 0.5 for truth in truths if (truth > 0.5).any()]
    if not subjects:
        raise ValueError(f"all masks are black, expected the subjects in white; {_ADVICE}")
    boxes = sum(map(_is_box, subjects))
    if boxes > len(subjects) / 2:
        raise ValueError(
            f"{boxes} of {len(truths)} masks are boxes, expected the subjects' shapes; {_ADVICE}"
        )
    pairs = list(zip(answers.values(), truths, strict=True))
    own = np.mean([score(answer, truth).iou for answer, truth in pairs])
    inverted = np.mean([score(answer, 1 - truth).iou for answer, truth in pairs])
    white = np.mean([_border(truth).mean() for truth in truths])
    if inverted > max(own, _WELL) and white > _WHITE_BORDER:
        raise ValueError(
            f"the masks look inverted: what the net finds is black in them (IoU {inverted:.2f},"
            f" otherwise {own:.2f}); expected the subject in white; {_ADVICE}"
        )
    _check_owners(answers, samples)


def overfit(net: nn.Module, sample: Sample) -> Iterator[int]:
    """Teach a copy of ``net`` this one sample; yield the number of each step.

    Raises:
        ValueError: it cannot even learn that.
    """
    pupil = freeze_norms(copy.deepcopy(net))
    wanted, device = input_of(net), next(net.parameters()).device
    layers = whole(sample, min(_SIDE, wanted.side))
    photo = normalize(layers[None, :3], wanted).to(device)
    truth = (layers[None, 3:] / 255).to(device)
    hard = torch.ones(1, dtype=torch.float32, device=device)
    weights = [weight for weight in pupil.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=_RATE)
    white = float((truth > 0.5).float().mean())  # the IoU of an all white answer
    learned = white + _LEARNED * (1 - white)
    for step in range(STEPS + 1):
        with as_for_training(device):
            logits = pupil.logits(photo)
            iou = _iou(logits[0], truth)
            if iou >= learned:
                return
            loss = structure_loss(logits, truth, hard)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, 5.0)
            optimizer.step()
        yield step
    raise ValueError(
        f"the net cannot learn even the one pair {sample.name}: after {STEPS} steps it still finds"
        f" something else (IoU {iou:.2f}); expected a mask of this photo; {_ADVICE}"
    )


def to_be_overfitted(answers: Mapping[int, Mask], samples: Sequence[Sample]) -> Sample:
    """Return the sample that the net finds neither best nor worst, of those with a subject.

    ``answers`` are what the net finds in some of the samples, by place.
    """
    scored = [
        (score(answer, samples[place].truth()).iou, place)
        for place, answer in answers.items()
        if (samples[place].truth() > 0.5).any()
    ]
    _, middle = sorted(scored)[len(scored) // 2]
    return samples[middle]


def _check_owners(answers: Mapping[int, Mask], samples: Sequence[Sample]) -> None:
    """Raise ``ValueError`` if masks are those of other photos, or were changed on their way.

    A net may well find something else than the masks show: that is why it is taught. But that is
    hardly ever what the mask of another photo shows, or its own mirrored, and never of two photos
    the other way around.
    """

    @cache
    def mask_of(place: int) -> Mask:
        return _shrunk(samples[place].truth())

    doubted = 0
    misplaced: dict[int, int | str] = {}  # by photo: whose mask fits, or its own after what change
    for place, answer in answers.items():
        found = _shrunk(answer)
        own = score(found, mask_of(place)).iou
        if own > _WELL or not (found > 0.5).any():  # what is empty fits any black mask
            continue
        doubted += 1
        fits = {how: score(found, change(mask_of(place))).iou for how, change in _CHANGES.items()}
        for near in range(max(0, place - _NEAR), min(len(samples), place + _NEAR + 1)):
            fits[near] = score(found, mask_of(near)).iou
        best = max(fits, key=fits.get)
        if fits[best] > max(own + _BETTER, _THE_SAME):
            misplaced[place] = best
    swapped = [place for place, owner in misplaced.items() if misplaced.get(owner) == place]
    if swapped or (len(misplaced) >= _FEWEST and len(misplaced) > doubted / 2):
        place = (swapped or list(misplaced))[0]
        owner = misplaced[place]
        mask = f"its mask {owner}" if owner in _CHANGES else f"the mask of {samples[owner].name}"
        raise ValueError(
            f"masks do not fit their photos: what the net finds in {samples[place].name} is"
            f" {mask}, and the like in {len(misplaced)} of {len(answers)} photos; expected a mask"
            " with its photo's name, drawn on the photo upright, its subject filled with white;"
            f" {_ADVICE}"
        )


def _is_box(subject: NDArray[np.bool_]) -> bool:
    box = box_around(subject)
    return bool(subject[box.top : box.bottom, box.left : box.right].all())


def _inverted(mask: Mask) -> Mask:
    """Return the mask inverted, if it is white all around as inverted ones are, else as it is."""
    return 1 - mask if _border(mask).mean() > _WHITE_BORDER else mask


def _filled(mask: Mask) -> Mask:
    """Return the mask with what its lines enclose."""
    lines = Image.fromarray(np.uint8(mask > _LINE))
    around = ImageOps.expand(lines, 1)
    ImageDraw.floodfill(around, (0, 0), 2)
    return (np.asarray(around)[1:-1, 1:-1] != 2).astype(np.float32)


# What may have happened to a mask on its way.
_CHANGES: dict[str, Callable[[Mask], Mask]] = {
    "upside down": lambda mask: mask[::-1, ::-1],  # drawn on a photo that EXIF turns
    "flipped": lambda mask: mask[::-1],  # by a renderer that begins with the lowest row
    "mirrored": lambda mask: mask[:, ::-1],
    "inverted": _inverted,
    "filled": _filled,
}


def _shrunk(mask: Mask) -> Mask:
    picture = Image.fromarray(mask).resize((_SMALL, _SMALL), Image.Resampling.BOX)
    return np.asarray(picture)


def _border(truth: Mask) -> Mask:
    return np.concatenate([truth[0], truth[-1], truth[:, 0], truth[:, -1]])


def _iou(logits: torch.Tensor, truth: torch.Tensor) -> float:
    found, true = logits > 0, truth > 0.5
    return float((found & true).sum() / (found | true).sum().clamp(min=1))


def _is_file_of_mask(path: Path) -> bool:
    try:
        return is_mask(open_image(path))
    except (OSError, ValueError):
        return False
