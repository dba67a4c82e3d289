"""Teach a net 40 photos and score it on photos that it was not taught, and on quite other ones.

    python benchmarks/teach.py PEOPLE ECSSD --keep SOD/images --work taught

PEOPLE is a data set with ``images/`` and ``masks/`` that pair by stem, see accuracy.py. Of its
photos in order of their names, 40 are taught, spread evenly, and all others scored; of ECSSD, some
are scored, again spread evenly, to see what the net has forgotten. ``--keep`` is a folder of other
photos for which the net's own answers are mixed in, without masks. None is part of this project.

The folder ``--work`` keeps the training and all scores: the same command goes on where it stopped.

IoU       of the mask of ``predict_mask`` and the truth cut at 0.5, averaged over photos.
error     mean of |mask - truth|.
"""

import argparse
import json
import resource
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from accuracy import find_pairs
from PIL import Image
from torch import nn
from tqdm import tqdm

import u2demo as u2
from u2demo.training.course import Progress
from u2demo.training.scores import score

Pairs = list[tuple[Path, Path]]


def main() -> None:
    """Teach, score, and print a table."""
    options = _parse()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    taught, rest = divide(find_pairs(options.taught), options.count)
    others = spread(find_pairs(options.others), options.scored)
    sets = {"photos like those taught": spread(rest, options.scored), "others": others}
    if not (work / "mine.pth").exists():
        teach(taught, work, options)
    nets = {"before": options.model, "after": work / "mine.pth"}
    print(f"{'':28}{'photos':>8}{'IoU before':>12}{'after':>8}{'error before':>14}{'after':>8}")
    for title, pairs in sets.items():
        means = [
            mean_score(net, pairs, work / f"{title}, {when}.json") for when, net in nets.items()
        ]
        (iou, error), (new_iou, new_error) = means
        print(f"{title:28}{len(pairs):8}{iou:12.3f}{new_iou:8.3f}{error:14.3f}{new_error:8.3f}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("taught", type=Path, metavar="PEOPLE")
    parser.add_argument("others", type=Path, metavar="ECSSD")
    parser.add_argument("--keep", type=Path, help="other photos whose answers shall stay")
    parser.add_argument("--work", type=Path, default=Path("taught"))
    parser.add_argument("--model", default="u2netp")
    parser.add_argument("--count", type=int, default=40, help="photos to teach")
    parser.add_argument("--scored", type=int, default=1000, help="photos of each set to score")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--side", type=int)
    parser.add_argument("--rate", type=float, default=1e-4)
    return parser.parse_args()


def divide(pairs: Pairs, count: int) -> tuple[Pairs, Pairs]:
    """Return ``count`` pairs, spread evenly, and the others."""
    chosen = spread(pairs, count)
    return chosen, [pair for pair in pairs if pair not in chosen]


def spread(pairs: Pairs, count: int) -> Pairs:
    """Return ``count`` pairs, spread evenly, or all if they are fewer."""
    places = np.linspace(0, len(pairs) - 1, min(count, len(pairs))).round().astype(int)
    return [pairs[place] for place in places]


def teach(pairs: Pairs, work: Path, options: argparse.Namespace) -> None:
    """Teach the net these pairs; print how long it took, and how much memory."""
    for name, files in zip(("photos", "masks"), zip(*pairs, strict=True), strict=True):
        _copy(files, work / name)
    start = time.monotonic()
    steps = 0

    def report(progress: Progress) -> None:
        nonlocal steps
        if progress.loss is not None:
            steps += 1
        if progress.check or progress.loss is None:
            print(f"{time.monotonic() - start:7.0f} s {progress}", flush=True)

    trained = u2.fine_tune(
        work / "photos", work / "masks", model=options.model, results=work / "mine.pth",
        keep=options.keep, steps=options.steps, batch=options.batch, side=options.side,
        rate=options.rate, report=report,
    )  # fmt: skip
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if torch.cuda.is_available():
        print(f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB of the GPU at most")
    print(trained.report.table())
    print(trained.report.summary())
    print(f"{steps} steps now, {steps / seconds:.2f} a second, {seconds / 60:.1f} minutes,"
          f" {peak:.1f} GB at most")  # fmt: skip
    if trained.file is None:
        raise SystemExit("the net did not get better")


def _copy(files: Sequence[Path], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in files:
        if not (folder / file.name).exists():
            shutil.copyfile(file, folder / file.name)


def mean_score(net: str | Path, pairs: Pairs, file: Path) -> tuple[float, float]:
    """Return the mean IoU and error of a net on pairs; each score is kept in ``file``."""
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    missing = [pair for pair in pairs if pair[0].name not in known]
    if missing:
        model = u2.load_model(net) if isinstance(net, str) else u2.load_model(weights=net)
        for photo, truth in tqdm(missing, desc=file.stem, leave=False):
            known[photo.name] = score_photo(model, photo, truth)
            file.write_text(json.dumps(known), encoding="utf-8")
    rows = [known[photo.name] for photo, _ in pairs]
    return tuple(np.mean(rows, axis=0))


def score_photo(model: nn.Module, photo: Path, truth: Path) -> tuple[float, float]:
    """Return the IoU and the error of what the net finds in a photo."""
    image = u2.open_image(photo)
    true = Image.open(truth).convert("L").resize(image.size, Image.Resampling.BILINEAR)
    cut = (np.asarray(true) > 128).astype(np.float32)
    return score(u2.predict_mask(model, image), cut)


if __name__ == "__main__":
    main()
