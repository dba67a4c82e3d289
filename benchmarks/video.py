"""Score the masks of clips against ground truth: how right they are, and how steady.

    python benchmarks/video.py CLIPS... [--methods alone steady median best rembg] [--half A|B]

Each folder CLIPS holds folders with ``images/`` and ``masks/`` that pair by stem, one a clip; DAVIS
(Perazzi et al., CVPR 2016) can be had in this form and is no part of this project. Needs
``pip install -e ".[accuracy,portrait]"``, and ``rembg[cpu]`` for the method of that name.

Sm, max F, MAE, IoU  as in benchmarks/accuracy.py, averaged over the frames of a clip, then over
          clips; max F is of precision and recall averaged like that.
dtSSD     100 sqrt(mean((da - dg)^2)), where da and dg are the changes of mask and truth from one
          frame to the next; averaged over frames, as Robust Video Matting has it
          (evaluation/evaluate_lr.py), then over clips. Lower is steadier.
jitter    mean of |dA - dG|, where A and G are the areas of mask and truth, in % of the mean G.
passes    how often the net looks at a frame.

``alone`` is ``predict_mask`` for each frame; ``steady`` is ``video.steady``, ``median`` the same
without OpenCV; ``best`` is ``predict_mask`` with that quality, for each frame.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
from accuracy import f_measure, find_pairs, precision_recall, rembg
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from tqdm import tqdm

import u2demo as u2
from u2demo.inference.clips import finish, look, salience
from u2demo.masks.mask import Mask
from u2demo.video.steady import steady

Method = Callable[[list[Image.Image]], Iterable[Mask]]  # the frames of a clip -> their masks

COLUMNS = ("Sm", "max F", "MAE", "IoU", "dtSSD", "jitter", "passes", "ms")


def main() -> None:
    """Print one table for each folder of clips."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="CLIPS",
                        help="folder of clips, each with images/ and masks/")  # fmt: skip
    parser.add_argument("--methods", nargs="+", default=["alone", "steady"], choices=list(METHODS))
    parser.add_argument("--weights", default="u2netp", help="name of the network, see load_model")
    parser.add_argument("--half", choices=["A", "B"], help="only every other clip, from 1st or 2nd")
    options = parser.parse_args()
    model = u2.load_model(options.weights)
    passes: list[int] = []
    model.register_forward_pre_hook(lambda module, inputs: passes.append(len(inputs[0])))
    for folder in options.folders:
        clips = sorted(path.parent for path in folder.glob("*/images"))
        clips = clips[{"A": 0, "B": 1}[options.half] :: 2] if options.half else clips
        if not clips:
            raise SystemExit(f"{folder}: no clips, expected folders that hold images/ and masks/")
        print(f"\n{folder.name}, {len(clips)} clips")
        print(f"{'':12}", *(f"{column:>7}" for column in COLUMNS))
        for name in options.methods:
            print_row(name, *measure(METHODS[name](model), clips, passes, name))


def print_row(name: str, scores: NDArray[np.float64], *costs: float) -> None:
    """Print shares to four places, the rest to one or two."""
    shares, (dtssd, jitter) = scores[:4], scores[4:]
    cells = [f"{x:7.4f}" for x in shares] + [f"{x:7.2f}" for x in (dtssd, jitter)]
    print(f"{name:12}", *cells, *(f"{x:7.1f}" for x in costs), flush=True)


def measure(
    method: Method, clips: list[Path], passes: list[int], name: str
) -> tuple[NDArray[np.float64], float, float]:
    """Return the scores, and the mean number of looks and of milliseconds for a frame."""
    rows, curves, count, seconds = [], [], 0, 0.0
    passes.clear()
    for clip in tqdm(clips, desc=name, leave=False):
        pairs = find_pairs(clip)
        frames = [u2.open_image(photo) for photo, _ in pairs]
        truth = np.stack([np.asarray(Image.open(mask).convert("L")) > 128 for _, mask in pairs])
        start = time.perf_counter()
        masks = np.stack(list(method(frames)))
        seconds += time.perf_counter() - start
        count += len(frames)
        right, curve = score_frames(masks, truth)
        rows.append([*right, dtssd(masks, truth), jitter(masks, truth)])
        curves.append(curve)
    sm, mae, iou, *rest = np.mean(rows, axis=0)
    best_f = f_measure(*np.mean(curves, axis=0)).max()
    shown = sum(passes) / count or np.nan  # rembg runs its own session
    return np.array([sm, best_f, mae, iou, *rest]), shown, 1000 * seconds / count


def score_frames(
    masks: NDArray[np.float32], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return S-measure, MAE and IoU, and precision and recall, averaged over a clip's frames.

    Masks are divided by their maximum and rounded to 8 bits first, as in accuracy.py.
    """
    from py_sod_metrics import Smeasure

    rows, curves = [], []
    for mask, true in zip(masks, truth, strict=True):
        saliency = mask / max(mask.max(), 1e-6)
        curves.append(precision_recall(saliency, true))
        saliency = np.rint(saliency * 255) / 255.0
        subject = saliency > 0.5
        union = (subject | true).sum()
        iou = (subject & true).sum() / union if union else 1.0
        rows.append((Smeasure().cal_sm(saliency, true), np.abs(saliency - true).mean(), iou))
    return np.mean(rows, axis=0), np.mean(curves, axis=0)


def dtssd(masks: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Return the dtSSD of a clip, defined at the top of this file; arrays are (frames, H, W)."""
    wrong = np.diff(masks, axis=0) - np.diff(truth.astype(np.float32), axis=0)
    return float(100 * np.sqrt((wrong**2).mean(axis=(1, 2))).mean())


def jitter(masks: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Return the area jitter of a clip in percent, defined at the top of this file."""
    areas, true = (frames.sum(axis=(1, 2), dtype=float) for frames in (masks, truth))
    return float(100 * np.abs(np.diff(areas) - np.diff(true)).mean() / true.mean())


def each_alone(model: nn.Module, *, quality: str) -> Method:
    """Return ``predict_masks``."""
    return lambda frames: u2.predict_masks(model, frames, quality=quality)


def steadied(model: nn.Module, *, motion: bool, ahead: int = 12) -> Method:
    """Return what ``steady`` makes of one look at each frame, with one level for a shot."""

    def predict(frames: list[Image.Image]) -> list[Mask]:
        settled = list(steady(look(model, frames), motion=motion, ahead=ahead))
        return [
            finish(frame, one.found, salience=salience(one.found))
            for frame, one in zip(frames, settled, strict=True)
        ]

    return predict


def rembg_alone(model: nn.Module) -> Method:
    """Return rembg's prediction for each frame."""
    return partial(map, rembg(model))


METHODS: dict[str, Callable[[nn.Module], Method]] = {
    "alone": partial(each_alone, quality="fast"),
    "steady": partial(steadied, motion=True),
    "median": partial(steadied, motion=False),
    "best": partial(each_alone, quality="best"),
    "rembg": rembg_alone,
}


if __name__ == "__main__":
    main()
