"""Score masks of see-through subjects: how much of them is lost, made solid, or stays between.

    python benchmarks/glass.py DATASET... [--methods rembg fast best] [--most N]

A data set is a folder with ``images/`` and ``masks/`` that pair by stem. Needs
``pip install -e ".[accuracy]"``, and ``rembg[cpu]`` for the method of that name.

Each photo's subject becomes glass in front of the next photo, out of focus: 40 % opaque, with a
solid rim of 2 % of its longer side, as bottles and glasses have. What shows through glass looks to
a network like a ghost beside the subject; what decides ghosts may take the glass as well.

lost      share of the glass, in percent, where the mask is below 0.1: it is gone from a cut-out.
solid     share where it is above 0.9: the old background shows in it.
mean      mean of the mask on the glass; 0.4 would be right.
IoU       of the whole subject, glass counted as subject, and the mask cut at 0.5.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from accuracy import METHODS, Method, Truth, find_pairs, iou
from PIL import Image, ImageFilter, ImageOps
from scipy.ndimage import distance_transform_edt
from tqdm import tqdm

import u2demo as u2

OPAQUE = 0.4
RIM = 0.02  # of the subject's longer side
BLUR = 0.03  # standard deviation, of the photo's longer side
LEAST = 0.01  # of the photo: with less glass than that it is left out
SIDE = 640  # pixels


class Scene(NamedTuple):
    """A photo with a subject of glass, where the subject is, and where it is see-through."""

    image: Image.Image
    subject: Truth
    glass: Truth


def main() -> None:
    """Print one table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="+", type=Path, metavar="DATASET",
                        help="folder with images/ and masks/ that pair by stem")  # fmt: skip
    parser.add_argument("--methods", nargs="+", default=["rembg", "fast", "best"],
                        choices=list(METHODS))  # fmt: skip
    parser.add_argument("--most", type=int, help="number of photos to stop after")
    options = parser.parse_args()
    model = u2.load_model()
    for dataset in options.datasets:
        scenes = made_of_glass(find_pairs(dataset)[: options.most])
        print(f"\n{dataset.name}, {len(scenes)} photos")
        print(f"{'':10}{'lost':>7}{'solid':>7}{'mean':>7}{'IoU':>7}")
        for name in options.methods:
            method = METHODS[name](model)
            rows = [measure(method, scene) for scene in tqdm(scenes, desc=name, leave=False)]
            lost, solid, mean, overlap = np.mean(rows, axis=0)
            print(f"{name:10}{100 * lost:7.1f}{100 * solid:7.1f}{mean:7.3f}{overlap:7.3f}")


def made_of_glass(pairs: list[tuple[Path, Path]]) -> list[Scene]:
    """Return each photo whose subject is wide enough, as glass before the next photo."""
    scenes = []
    for (photo, truth), (behind, _) in zip(pairs, pairs[1:] + pairs[:1], strict=True):
        image = u2.open_image(photo)
        image.thumbnail((SIDE, SIDE))
        subject = np.asarray(Image.open(truth).convert("L").resize(image.size)) > 128
        box = u2.bounding_box(subject.astype(np.float32))
        if box is None:
            continue
        glass = distance_transform_edt(subject) > RIM * max(box.size)
        if glass.mean() < LEAST:
            continue
        alpha = np.where(glass, OPAQUE, subject) * 255
        shown = ImageOps.fit(u2.open_image(behind), image.size)
        shown = shown.filter(ImageFilter.GaussianBlur(BLUR * max(image.size)))
        image.paste(shown, mask=Image.fromarray((255 - alpha).astype(np.uint8)))
        scenes.append(Scene(image, subject, glass))
    return scenes


def measure(method: Method, scene: Scene) -> tuple[float, float, float, float]:
    """Return the scores of one photo: lost, solid, mean, IoU."""
    mask = method(scene.image).mask
    there = mask[scene.glass]
    overlap = iou(mask > 0.5, scene.subject)
    return (there < 0.1).mean(), (there > 0.9).mean(), there.mean(), overlap


if __name__ == "__main__":
    main()
