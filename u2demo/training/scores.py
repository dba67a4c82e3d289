"""(net, samples) -> answers and their scores: how well a net finds what the masks say."""

import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import nn

from u2demo.inference.predict import predict_mask
from u2demo.masks.mask import Mask, to_8_bits
from u2demo.training.draw import shown
from u2demo.training.samples import Sample


class Score(NamedTuple):
    """How close a mask is to the truth, or the means of several.

    ``iou`` is the intersection of both, cut at one half, over their union: 1 is the best, and 1 if
    both are empty. ``error`` is the mean of |mask - truth|.
    """

    iou: float
    error: float


class Answer(NamedTuple):
    """What a net finds in a sample: its score, and the mask as a PNG file."""

    score: Score
    png: bytes

    def mask(self) -> Mask:
        """Return the mask in 8 bits, as (H, W) float32, 0 to 1."""
        return np.asarray(Image.open(io.BytesIO(self.png)), np.float32) / np.float32(255)


def score(mask: Mask, truth: Mask) -> Score:
    """Return how close ``mask`` is to ``truth``, both (H, W) float32 from 0 to 1."""
    found, true = mask > 0.5, truth > 0.5
    either = np.count_nonzero(found | true)
    iou = np.count_nonzero(found & true) / either if either else 1.0
    return Score(float(iou), float(np.abs(mask - truth).mean()))


def answers(model: nn.Module, samples: Sequence[Sample]) -> Iterator[Answer]:
    """Yield what ``predict_mask`` finds in each sample's photo; ``model`` is for inference."""
    for sample in samples:
        mask = predict_mask(model, shown(sample))
        file = io.BytesIO()
        Image.fromarray(to_8_bits(mask)).save(file, "PNG")
        yield Answer(score(mask, sample.truth()), file.getvalue())


def mean(several: Sequence[Answer]) -> Score:
    """Return the mean scores, NaN of none."""
    if not several:
        return Score(float("nan"), float("nan"))
    return Score(
        float(np.mean([answer.score.iou for answer in several])),
        float(np.mean([answer.score.error for answer in several])),
    )
