"""A net so small that it learns in seconds, and photos of discs for it to learn."""

import numpy as np
import torch
from PIL import Image

from u2demo.inference.recipes import QUALITIES
from u2demo.nets.architectures import ARCHITECTURES, Architecture
from u2demo.nets.blocks import Block
from u2demo.nets.checkpoints import Input
from u2demo.nets.u2net import U2Net
from u2demo.training.fit import Fit, Settings
from u2demo.training.pairs import find_pairs
from u2demo.training.reading import read_samples
from u2demo.training.samples import make_sample

SIDE = 32
ROWS = (
    (Block(3, 3, 4, 8), Block(2, 8, 4, 8, True)),
    (Block(3, 16, 4, 8),),
)
# A rate at which so small a net learns fast.
FAST = {"steps": 24, "batch": 4, "side": SIDE, "rate": 0.01, "device": "cpu"}


def tiny():
    """Return the small net with random weights, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = U2Net(*ROWS)
    net.input = Input(side=SIDE)
    return net


def publish(monkeypatch):
    """Let ``load_model`` know the small net."""
    monkeypatch.setitem(ARCHITECTURES, "tiny", Architecture(lambda: U2Net(*ROWS), Input(side=SIDE)))


def look_once(monkeypatch):
    """Score nets by one look at a photo: most have learned too little to show a clear subject."""
    monkeypatch.setitem(QUALITIES, "fast", QUALITIES["fast"]._replace(if_unclear=None))


def open_school(folder, patch, weights):
    """Return what ``fine_tune`` needs: twelve pairs of discs, and the weights of the small net."""
    photos, masks = lesson(folder)
    keep, _ = lesson(folder / "other", 2, start=50)
    publish(patch)
    return {"photos": photos, "masks": masks, "weights": weights, "keep": keep,
            "results": folder / "mine.pth", "gate": False} | FAST  # fmt: skip


def half_taught():
    """Return the weights of a small net that finds most discs, not well."""
    samples = [make_sample(str(number), *disc(number), SIDE) for number in range(100, 116)]
    fit = Fit(tiny(), samples, [], Settings(20, rate=0.03, side=SIDE))
    for _ in range(20):
        fit.step()
    return fit.ema.state_dict()


def disc(seed, size=(48, 40)):
    """Return a photo of a bright disc before noise, and its mask as a picture."""
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[: size[1], : size[0]]
    at = dice.uniform(0.3, 0.7, 2) * size
    inside = np.hypot(x - at[0], y - at[1]) < dice.uniform(6, 10)
    pixels = dice.integers(0, 120, (*inside.shape, 3), np.uint8)
    pixels[inside] = dice.integers(180, 256, 3)
    return Image.fromarray(pixels), Image.fromarray(np.uint8(255 * inside))


def lesson(folder, count=12, *, start=0):
    """Write pairs into ``folder``/photos and masks; return both."""
    photos, masks = folder / "photos", folder / "masks"
    for each in (photos, masks):
        each.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        photo, mask = disc(number)
        photo.save(photos / f"disc{number}.png")
        mask.save(masks / f"disc{number}.png")
    return photos, masks


def read(photos, masks, net):
    """Return the samples of two folders, and who was left out and why."""
    steps = read_samples(find_pairs(photos, masks), net)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
