"""Score masks against ground truth, as the salient object detection literature does.

    python benchmarks/accuracy.py DATASET... [--methods fast best reference rembg] [--half A|B]

A data set is a folder with ``images/`` and ``masks/`` that pair by stem. ECSSD, SOD, DUTS-TE and
others come in this form; none is part of this project. Needs ``pip install -e ".[accuracy]"``, and
``rembg[cpu]`` for the method of that name (rembg's own steps around the same weights).

max F     max over 255 thresholds of F with beta^2 = 0.3, of precision and recall averaged over the
          data set first: the authors' protocol (Binary-Segmentation-Evaluation-Tool, measures.py).
          Averaging F of each photo instead gives lower numbers (SOD: 0.797 where this gives 0.848).
MAE       mean of |map - mask|.
wF, Sm    weighted F (Margolin et al., beta 1) and S-measure (Fan et al., alpha 0.5), PySODMetrics.
rbF       relaxed boundary F: a boundary is the pixels that a 3x3 erosion removes from the map, or
          from the mask, cut at 0.5. Precision is the share of the map's boundary within 3 pixels
          (Euclidean) of the mask's, recall the reverse; F with beta^2 = 0.3, averaged over photos.
          The authors never released theirs: compare with their figures loosely.
IoU       of map and mask cut at 0.5, averaged over photos.
ghosts    share of the photo, in percent, where the map lies between 0.1 and 0.9 and no edge of the
          mask is near: more than 1 % of the photo's longer side, and 3 pixels, away.
good, bad share of the good masks (IoU of 0.7 or more) and of the bad ones (below 0.5), in percent,
          that ``has_clear_subject`` calls unclear.

For all but these two, maps are divided by their maximum and rounded to 8 bits first, as the authors
do. *slow* is how many times as long as the first method a photo takes, at most, for nine of ten.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from tqdm import tqdm

import u2demo as u2
from u2demo.images.find import find_images
from u2demo.inference.predict import Prediction, predict
from u2demo.inference.preprocess import normalize
from u2demo.masks.mask import Mask, has_clear_subject
from u2demo.nets.checkpoints import Input

Method = Callable[[Image.Image], Prediction]
Truth = NDArray[np.bool_]

COLUMNS = ("max F", "MAE", "wF", "Sm", "rbF", "IoU")
MORE = ("ghosts", "good", "bad", "passes", "ms", "slow")
# Tables 3 and 4 of the paper (figures/quan_1.png and quan_2.png of xuebinqin/U-2-Net).
PAPER = {
    "ecssd": {
        "paper's u2netp": (0.943, 0.041, 0.885, 0.918, 0.808),
        "paper's u2net": (0.951, 0.033, 0.910, 0.928, 0.836),
    },
    "sod": {
        "paper's u2netp": (0.841, 0.124, 0.697, 0.759, 0.559),
        "paper's u2net": (0.861, 0.108, 0.748, 0.786, 0.613),
    },
    "hku-is": {
        "paper's u2netp": (0.928, 0.037, 0.867, 0.908, 0.794),
        "paper's u2net": (0.935, 0.031, 0.890, 0.916, 0.812),
    },
    "duts-te": {
        "paper's u2netp": (0.852, 0.054, 0.763, 0.847, 0.723),
        "paper's u2net": (0.873, 0.044, 0.804, 0.861, 0.765),
    },
    "dut-omron": {
        "paper's u2netp": (0.813, 0.060, 0.731, 0.837, 0.676),
        "paper's u2net": (0.823, 0.054, 0.757, 0.847, 0.702),
    },
    "pascal-s": {
        "paper's u2netp": (0.849, 0.086, 0.768, 0.831, 0.627),
        "paper's u2net": (0.859, 0.074, 0.797, 0.844, 0.657),
    },
}
BETA2 = 0.3  # weight of precision in F
NEAR = 3  # pixels
SOFT = 0.01  # of the longer side: how far from its true edge a mask may be half transparent
GOOD, BAD = 0.7, 0.5  # IoU


class Row(NamedTuple):
    """What became of one photo."""

    scores: tuple[float, ...]  # all of COLUMNS but the first
    curve: NDArray[np.float64]  # precision and recall
    ghosts: float
    clear: bool
    seconds: float


def main() -> None:
    """Print one table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="+", type=Path, metavar="DATASET",
                        help="folder with images/ and masks/ that pair by stem")  # fmt: skip
    parser.add_argument("--methods", nargs="+", default=["fast", "best", "reference"],
                        choices=list(METHODS))  # fmt: skip
    parser.add_argument("--weights", default="u2netp", help="name of the network, see load_model")
    parser.add_argument("--half", choices=["A", "B"], help="only every other pair, from 1st or 2nd")
    options = parser.parse_args()
    model = u2.load_model(options.weights)
    passes = count_passes(model)
    for dataset in options.datasets:
        pairs = half_of(find_pairs(dataset), options.half)
        title = f"{dataset.name}, half {options.half}" if options.half else dataset.name
        print(f"\n{title}, {len(pairs)} photos")
        print(f"{'':15}", *(f"{column:>6}" for column in (*COLUMNS, *MORE)))
        first: list[Row] = []
        for name in options.methods:
            rows = measure(METHODS[name](model), pairs, passes, name)
            first = first or rows
            looks = sum(passes) / len(rows) or np.nan  # rembg runs a session of its own
            print_row(name, summed_up(rows), *costs(rows, looks, first))
        for name, row in PAPER.get(dataset.name.lower(), {}).items():
            print_row(name, row)


def print_row(name: str, scores: tuple[float, ...], *more: float) -> None:
    """Print scores to four places, the paper's to its three, what ``costs`` says to one."""
    places = 4 if more else 3
    print(f"{name:15}", *(f"{x:6.{places}f}" for x in scores), *(f"{x:6.1f}" for x in more))


def summed_up(rows: list[Row]) -> tuple[float, ...]:
    """Return the scores of ``COLUMNS`` over all photos."""
    best_f = f_measure(*np.mean([row.curve for row in rows], axis=0)).max()
    return (best_f, *np.mean([row.scores for row in rows], axis=0))


def costs(rows: list[Row], looks: float, first: list[Row]) -> tuple[float, ...]:
    """Return the columns ``MORE``; ``first`` are the rows of the first method."""
    overlaps = np.array([row.scores[-1] for row in rows])
    unclear = np.array([not row.clear for row in rows])
    seconds = np.array([row.seconds for row in rows])
    slower = seconds / [row.seconds for row in first]
    return (
        100 * float(np.mean([row.ghosts for row in rows])),
        _percent(unclear[overlaps >= GOOD]),
        _percent(unclear[overlaps < BAD]),
        looks,
        1000 * float(seconds.mean()),
        float(np.quantile(slower, 0.9)),
    )


def _percent(flags: Truth) -> float:
    return 100 * float(flags.mean()) if flags.size else np.nan


def find_pairs(dataset: Path) -> list[tuple[Path, Path]]:
    """Return photo and mask for each stem; a photo without a mask is an error."""
    masks = {path.stem: path for path in find_images(dataset / "masks")}
    photos = find_images(dataset / "images")
    lonely = [path.name for path in photos if path.stem not in masks]
    if lonely or not photos:
        raise SystemExit(f"{dataset}: no mask for {', '.join(lonely[:3]) or 'any photo'}")
    return [(photo, masks[photo.stem]) for photo in photos]


def half_of(items: list, half: str | None) -> list:
    """Return every other item, from the first ("A") or the second ("B"), or all if None."""
    return items[{"A": 0, "B": 1}[half] :: 2] if half else items


def measure(
    method: Method, pairs: list[tuple[Path, Path]], passes: list[int], name: str
) -> list[Row]:
    """Return a row for each photo; ``passes`` then holds how often the network looked."""
    rows = []
    passes.clear()
    for photo, truth in tqdm(pairs, desc=name, leave=False):
        image, mask = u2.open_image(photo), np.asarray(Image.open(truth).convert("L")) > 128
        start = time.perf_counter()
        found = method(image)
        seconds = time.perf_counter() - start
        seen = _resized(found.mask, mask.shape)
        saliency = seen / max(seen.max(), 1e-6)
        rows.append(
            Row(
                score(np.rint(saliency * 255) / 255.0, mask),
                precision_recall(saliency, mask),
                ghosts(seen, mask),
                has_clear_subject(found.mask, confidence=found.confidence),
                seconds,
            )
        )
    return rows


def _resized(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return the mask at the size of its truth: some data sets have photos of another size."""
    return np.asarray(Image.fromarray(mask).resize(shape[::-1], Image.Resampling.BILINEAR))


def ghosts(saliency: Mask, mask: Truth) -> float:
    """Return the share of the photo that is half transparent where no edge is."""
    from scipy.ndimage import distance_transform_edt

    near = max(NEAR, SOFT * max(mask.shape))
    apart = np.maximum(distance_transform_edt(mask), distance_transform_edt(~mask)) > near
    return float(((saliency > 0.1) & (saliency < 0.9) & apart).mean())


def score(saliency: NDArray[np.float64], mask: Truth) -> tuple[float, ...]:
    """Return MAE, weighted F, S-measure, relaxed boundary F and IoU of one photo."""
    from py_sod_metrics import Smeasure, WeightedFmeasure

    subject = saliency > 0.5
    return (
        np.abs(saliency - mask).mean(),
        WeightedFmeasure().cal_wfm(saliency, mask) if mask.any() else 0.0,
        Smeasure().cal_sm(saliency, mask),
        boundary_f(subject, mask),
        iou(subject, mask),
    )


def iou(subject: Truth, mask: Truth) -> float:
    """Return the intersection of both over their union, 1 if both are empty."""
    union = (subject | mask).sum()
    return float((subject & mask).sum() / union) if union else 1.0


def precision_recall(saliency: NDArray[np.floating], mask: Truth) -> NDArray[np.float64]:
    """Return precision and recall at 255 thresholds from high to low, shape (2, 255)."""
    found, wrong = (
        np.histogram(saliency[where] * 255, 255, (0, 255))[0][::-1].cumsum()
        for where in (mask, ~mask)
    )
    return np.stack([found / np.maximum(found + wrong, 1), found / max(mask.sum(), 1)])


def f_measure(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F with ``BETA2``, 0 where both are 0."""
    weighted = np.maximum(BETA2 * precision + recall, 1e-12)
    return (1 + BETA2) * precision * recall / weighted


def boundary_f(subject: Truth, mask: Truth) -> float:
    """Return the relaxed boundary F defined at the top of this file."""
    ours, true = _boundary(subject), _boundary(mask)
    precision = _share_near(ours, true)
    recall = _share_near(true, ours)
    return float(f_measure(np.float64(precision), np.float64(recall)))


def _boundary(region: Truth) -> Truth:
    """Return the pixels of ``region`` that touch a pixel outside it, or the frame."""
    from scipy.ndimage import binary_erosion

    return region & ~binary_erosion(region, np.ones((3, 3)))


def _share_near(points: Truth, others: Truth) -> float:
    from scipy.ndimage import distance_transform_edt

    if not points.any() or not others.any():
        return 0.0
    return float((distance_transform_edt(~others)[points] <= NEAR).mean())


def reference(model: nn.Module) -> Method:
    """Return the authors' pipeline (u2net_test.py) in float32, under their scikit-image 0.14.

    Bilinear sampling to 320x320 without anti-aliasing, min-max, 8 bits cut off, bilinear back.
    """
    device = next(model.parameters()).device

    @torch.inference_mode()
    def look(image: Image.Image) -> Prediction:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
        pixels = F.interpolate(pixels, (320, 320), mode="bilinear", align_corners=False)
        batch = normalize(pixels, Input()).to(device)
        saliency = model(batch)[0][0, 0].float().cpu().numpy()
        spread = max(float(np.ptp(saliency)), 1e-6)
        levels = ((saliency - saliency.min()) / spread * 255).astype(np.uint8)
        large = Image.fromarray(levels).resize(image.size, Image.Resampling.BILINEAR)
        return Prediction(np.asarray(large, np.float32) / 255, float(saliency.max()))

    return look


def rembg(model: nn.Module) -> Method:
    """Return rembg's own prediction with its u2netp, which holds the same weights."""
    from rembg import new_session, remove

    session = new_session("u2netp", providers=["CPUExecutionProvider"])

    def look(image: Image.Image) -> Prediction:
        shown = remove(image, session=session, only_mask=True)
        return Prediction(np.asarray(shown, np.float32) / 255, 1.0)

    return look


def _ours(quality: str) -> Callable[[nn.Module], Method]:
    return lambda model: lambda image: next(predict(model, [image], quality=quality))


METHODS: dict[str, Callable[[nn.Module], Method]] = {
    "reference": reference,
    "fast": _ours("fast"),
    "best": _ours("best"),
    "rembg": rembg,
}


def count_passes(model: nn.Module) -> list[int]:
    """Return a list to which the size of every batch that the model is shown will be added."""
    passes: list[int] = []
    model.register_forward_pre_hook(lambda module, inputs: passes.append(len(inputs[0])))
    return passes


if __name__ == "__main__":
    main()
