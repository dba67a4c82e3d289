"""Score corrections: how much of a mask is right after each click of a robot person.

    python benchmarks/strokes.py DATASET... [--methods discs grabcut ours] [--half A|B] [--most N]

A data set is a folder with ``images/`` and ``masks/`` that pair by stem. Needs
``pip install -e ".[accuracy,portrait]"`` (SciPy, OpenCV).

The robot begins with the mask of quality "best". It looks for the largest wrong region, clicks in
its middle (largest distance to its border), looks at the new mask, and clicks again, up to five
times. Photos are reduced to 400 pixels along the longer side. The brush has a radius of 1.2 % of
that, or of half the distance to the region's border if that is more, up to 3.6 %. A photo without
a wrong pixel stays as it is.

IoU       of mask and truth cut at 0.5, averaged over photos: before, and after each click.
>= .90    share of photos with an IoU of at least 0.90.
lower     share of clicks after which the IoU is lower than before.
ms        a click, without the first of each photo, which prepares.

``discs`` paints what is clicked and nothing else. ``grabcut`` is OpenCV's, three iterations from
the first mask, with all clicks as certain. ``ours`` is ``correct_mask``.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from accuracy import Truth, find_pairs, half_of, iou
from PIL import Image
from scipy import ndimage
from torch import nn
from tqdm import tqdm

import u2demo as u2
from u2demo.inference.correct import Corrector
from u2demo.masks.mask import Mask
from u2demo.masks.strokes import draw_strokes

Answer = Callable[[list[u2.Stroke]], Mask]  # all strokes so far -> the corrected mask
Method = Callable[[nn.Module, Image.Image, Mask], Answer]

SIDE = 400  # pixels
CLICKS = 5
BRUSH, LARGEST = 0.012, 0.036  # radius, as a share of the longer side
GOOD = 0.9


class Game(NamedTuple):
    """What became of one photo: the IoU before and after each click, and seconds a click."""

    scores: list[float]
    seconds: list[float]


def main() -> None:
    """Print one table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="+", type=Path, metavar="DATASET",
                        help="folder with images/ and masks/ that pair by stem")  # fmt: skip
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--weights", default="u2netp", help="name of the network, see load_model")
    parser.add_argument("--half", choices=["A", "B"], help="only every other pair, from 1st or 2nd")
    parser.add_argument("--most", type=int, help="number of photos to stop after")
    options = parser.parse_args()
    model = u2.load_model(options.weights)
    for dataset in options.datasets:
        pairs = half_of(find_pairs(dataset), options.half)[: options.most]
        games: dict[str, list[Game]] = {name: [] for name in options.methods}
        for photo, truth in tqdm(pairs, desc=dataset.name, leave=False):
            image, right = opened(photo, truth)
            mask = u2.predict_mask(model, image, quality="best")
            for name in options.methods:
                games[name].append(play(METHODS[name](model, image, mask), mask, right))
        clicks = " ".join(f"{number:5}" for number in range(CLICKS + 1))
        print(f"\n{dataset.name}, {len(pairs)} photos")
        print(f"{'IoU after':10} {clicks}  >= .90 {clicks}   lower     ms")
        for name in options.methods:
            print_row(name, games[name])


def print_row(name: str, games: list[Game]) -> None:
    """Print the scores of a method over all photos."""
    scores = np.array([game.scores for game in games])
    means, good = scores.mean(0), (scores >= GOOD).mean(0)
    lower = (np.diff(scores) < 0).mean()
    seconds = [second for game in games for second in game.seconds[1:]]
    cells = (" ".join(f"{value:5.3f}" for value in row) for row in (means, good))
    print(f"{name:10} {'         '.join(cells)}   {lower:5.3f} {1000 * np.mean(seconds):6.0f}")


def opened(photo: Path, truth: Path) -> tuple[Image.Image, Truth]:
    """Return a photo and its truth, at most ``SIDE`` pixels long."""
    image = u2.open_image(photo)
    scale = min(1, SIDE / max(image.size))
    size = tuple(max(1, round(scale * side)) for side in image.size)
    right = Image.open(truth).convert("L").resize(size, Image.Resampling.BOX)
    return image.resize(size, Image.Resampling.LANCZOS), np.asarray(right) > 128


def play(answer: Answer, mask: Mask, right: Truth) -> Game:
    """Return the game of the robot with a method."""
    strokes, scores, seconds = [], [iou(mask > 0.5, right)], []
    for _ in range(CLICKS):
        stroke = click(mask, right)
        if stroke is not None:
            strokes.append(stroke)
            start = time.perf_counter()
            mask = answer(strokes)
            seconds.append(time.perf_counter() - start)
        scores.append(iou(mask > 0.5, right))
    return Game(scores, seconds)


def click(mask: Mask, right: Truth) -> u2.Stroke | None:
    """Return the robot's next click, None if no pixel is wrong."""
    regions = []
    for keep, wrong in ((True, right & ~(mask > 0.5)), (False, ~right & (mask > 0.5))):
        numbers, count = ndimage.label(wrong)
        if count:
            sizes = np.bincount(numbers.ravel())[1:]
            regions.append((int(sizes.max()), keep, numbers == sizes.argmax() + 1))
    if not regions:
        return None
    _, keep, region = max(regions, key=lambda one: one[:2])
    inside = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    longer = max(right.shape)
    radius = min(max(BRUSH * longer, inside[y, x] / 2), LARGEST * longer)
    return u2.Stroke([(float(x) + 0.5, float(y) + 0.5)], float(radius), keep)


def discs(model: nn.Module, image: Image.Image, mask: Mask) -> Answer:
    """Return a method that paints what is clicked."""

    def answer(strokes: list[u2.Stroke]) -> Mask:
        said = draw_strokes(strokes, image.size)
        return np.where(said, said > 0, mask).astype(np.float32)

    return answer


def grabcut(model: nn.Module, image: Image.Image, mask: Mask) -> Answer:
    """Return OpenCV's GrabCut (Rother et al., SIGGRAPH 2004)."""
    import cv2

    bgr = np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])

    def answer(strokes: list[u2.Stroke]) -> Mask:
        labels = np.where(mask > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        said = draw_strokes(strokes, image.size)
        labels[said > 0], labels[said < 0] = cv2.GC_FGD, cv2.GC_BGD
        try:
            cv2.setRNGSeed(0)
            cv2.grabCut(bgr, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 3,
                        cv2.GC_INIT_WITH_MASK)  # fmt: skip
        except cv2.error:  # nothing is subject, or nothing background
            return discs(model, image, mask)(strokes)
        return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)

    return answer


def ours(model: nn.Module, image: Image.Image, mask: Mask) -> Answer:
    """Return ``correct_mask``, which keeps what it has prepared."""
    return Corrector(model, image, mask).mask


METHODS: dict[str, Method] = {"discs": discs, "grabcut": grabcut, "ours": ours}


if __name__ == "__main__":
    main()
