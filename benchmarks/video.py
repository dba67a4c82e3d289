"""Score the masks of clips against ground truth: how right they are, and how steady.

    python benchmarks/video.py CLIPS... [--methods alone steady ... rembg] [--half A|B]
    python benchmarks/video.py --synthetic

Each folder CLIPS holds folders with ``images/`` and ``masks/`` that pair by stem, one a clip; DAVIS
(Perazzi et al., CVPR 2016) can be had in this form and is no part of this project. ``--synthetic``
makes clips of the package's photos, see synthetic.py. Needs ``pip install -e
".[accuracy,portrait]"``, and ``rembg[cpu]`` for the method of that name.

Sm, max F, MAE, IoU  as in benchmarks/accuracy.py, averaged over the frames of a clip, then over
          clips; max F is of precision and recall averaged like that.
dtSSD     100 sqrt(mean((da - dg)^2)), where da and dg are the changes of mask and truth from one
          frame to the next; averaged over frames, as Robust Video Matting has it
          (evaluation/evaluate_lr.py), then over clips. Lower is steadier.
jitter    mean of |dA - dG|, where A and G are the areas of mask and truth, in % of the mean G.
passes    how often the net looks at a frame.

``alone`` is ``predict_mask`` for each frame. The others are ``video.steady`` with one level for a
shot: ``steady`` as in ``process_video``, ``median`` the same without OpenCV, ``causal`` as for a
camera, ``best`` with that quality.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
from accuracy import (
    count_passes,
    f_measure,
    find_pairs,
    half_of,
    iou,
    precision_recall,
    rembg,
)
from numpy.typing import NDArray
from PIL import Image
from synthetic import Truth, synthetic_clips
from torch import nn
from tqdm import tqdm

import u2demo as u2
from u2demo.inference.clips import certainty, finish, look
from u2demo.inference.predict import predict_masks
from u2demo.inference.recipes import CLIP_QUALITIES
from u2demo.masks.mask import Mask
from u2demo.video.find import TYPICAL
from u2demo.video.steady import steady

Method = Callable[[list[Image.Image]], Iterable[Mask]]  # the frames of a clip -> their masks

COLUMNS = ("Sm", "max F", "MAE", "IoU", "dtSSD", "jitter", "passes", "ms")


def main() -> None:
    """Print one table for each folder of clips."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="CLIPS",
                        help="folder of clips, each with images/ and masks/")  # fmt: skip
    parser.add_argument("--synthetic", action="store_true", help="clips made of the samples")
    parser.add_argument("--methods", nargs="+", default=["alone", "steady"], choices=list(METHODS))
    parser.add_argument("--weights", default="u2netp", help="name of the network, see load_model")
    parser.add_argument("--half", choices=["A", "B"], help="only every other clip, from 1st or 2nd")
    options = parser.parse_args()
    if not options.folders and not options.synthetic:
        parser.error("name a folder of clips, or --synthetic")
    model = u2.load_model(options.weights)
    sets = {folder.name: clips_in(folder, options.half) for folder in options.folders}
    if options.synthetic:
        sets["synthetic"] = [lambda clip=clip: clip for _, clip in synthetic_clips(model)]
    passes = count_passes(model)
    for title, clips in sets.items():
        print(f"\n{title}, {len(clips)} clips")
        print(f"{'':12}", *(f"{column:>7}" for column in COLUMNS))
        for name in options.methods:
            print_row(name, *measure(METHODS[name](model), clips, passes, name))


def clips_in(folder: Path, half: str | None) -> list[Callable[[], Truth]]:
    """Return what opens each clip of a folder, or each clip of one half of them."""
    clips = half_of(sorted(path.parent for path in folder.glob("*/images")), half)
    if not clips:
        raise SystemExit(f"{folder}: no clips, expected folders that hold images/ and masks/")
    return [partial(open_clip, clip) for clip in clips]


def open_clip(clip: Path) -> Truth:
    """Return the frames of a clip on disk, and where its subject is."""
    pairs = find_pairs(clip)
    masks = [np.asarray(Image.open(mask).convert("L")) > 128 for _, mask in pairs]
    return Truth([u2.open_image(photo) for photo, _ in pairs], np.stack(masks))


def print_row(name: str, scores: NDArray[np.float64], *costs: float) -> None:
    """Print shares to four places, the rest to one or two."""
    shares, (dtssd, jitter) = scores[:4], scores[4:]
    cells = [f"{x:7.4f}" for x in shares] + [f"{x:7.2f}" for x in (dtssd, jitter)]
    print(f"{name:12}", *cells, *(f"{x:7.1f}" for x in costs), flush=True)


def measure(
    method: Method, clips: list[Callable[[], Truth]], passes: list[int], name: str
) -> tuple[NDArray[np.float64], float, float]:
    """Return the scores, and the mean number of looks and of milliseconds for a frame."""
    rows, curves, count, seconds = [], [], 0, 0.0
    passes.clear()
    for opened in tqdm(clips, desc=name, leave=False):
        frames, truth = opened()
        start = time.perf_counter()
        masks = np.stack(list(method(frames)))
        seconds += time.perf_counter() - start
        count += len(frames)
        right, curve = score_frames(masks, truth)
        rows.append([*right, dtssd(masks, truth), jitter(masks, truth)])
        curves.append(curve)
    sm, mae, overlap, *rest = np.mean(rows, axis=0)
    best_f = f_measure(*np.mean(curves, axis=0)).max()
    shown = sum(passes) / count or np.nan  # rembg runs its own session
    return np.array([sm, best_f, mae, overlap, *rest]), shown, 1000 * seconds / count


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
        error, overlap = np.abs(saliency - true).mean(), iou(saliency > 0.5, true)
        rows.append((Smeasure().cal_sm(saliency, true), error, overlap))
    return np.mean(rows, axis=0), np.mean(curves, axis=0)


def dtssd(masks: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Return the dtSSD of a clip, defined at the top of this file; arrays are (frames, H, W)."""
    wrong = np.diff(masks, axis=0) - np.diff(truth.astype(np.float32), axis=0)
    return float(100 * np.sqrt((wrong**2).mean(axis=(1, 2))).mean())


def jitter(masks: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Return the area jitter of a clip in percent, defined at the top of this file."""
    areas, true = (frames.sum(axis=(1, 2), dtype=float) for frames in (masks, truth))
    return float(100 * np.abs(np.diff(areas) - np.diff(true)).mean() / true.mean())


def each_alone(model: nn.Module) -> Method:
    """Return ``predict_masks``."""
    return partial(predict_masks, model)


def steadied(
    model: nn.Module, *, quality: str = "fast", motion: bool = True, ahead: int = 12
) -> Method:
    """Return what ``look``, ``steady`` and ``finish`` make of frames, with one level for a shot."""

    def predict(frames: list[Image.Image]) -> list[Mask]:
        looks = look(model, frames, quality=quality)
        settled = list(steady(looks, motion=motion, ahead=ahead, fine=CLIP_QUALITIES[quality].fine))
        certainties: dict[int, list[float]] = {}
        for one in settled:
            certainties.setdefault(one.shot, []).append(certainty(one.found))
        levels = {shot: float(np.quantile(own, TYPICAL)) for shot, own in certainties.items()}
        return [
            finish(frame, one.found, certainty=levels[one.shot], quality=quality)
            for frame, one in zip(frames, settled, strict=True)
        ]

    return predict


def rembg_alone(model: nn.Module) -> Method:
    """Return rembg's prediction for each frame."""
    return partial(map, rembg(model))


METHODS: dict[str, Callable[[nn.Module], Method]] = {
    "alone": each_alone,
    "steady": steadied,
    "median": partial(steadied, motion=False),
    "causal": partial(steadied, ahead=0),
    "best": partial(steadied, quality="best"),
    "rembg": rembg_alone,
}


if __name__ == "__main__":
    main()
