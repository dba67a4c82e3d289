"""Measure ``refine_mask`` and ``clean_colors`` on drawn subjects whose alpha and colors are known.

    python benchmarks/edges.py [--width 4000] [--masks net|blurred]

Shapes, spokes, hair, fur and an outline out of focus, filled with one packaged photo, are laid
over another. The mask to refine is what u2netp predicts for that picture (net), or the true alpha
shrunk to 320 pixels, blurred and enlarged again (blurred). ``pymatting`` is compared if installed.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import u2demo as u2
from u2demo.effects.colors import clean_colors
from u2demo.masks.edges import refine_mask
from u2demo.masks.levels import SURE_BACKGROUND, SURE_SUBJECT
from u2demo.masks.mask import Mask

# Parts of the packaged photos, (left, top, width, height) as shares of their size.
FILLS = {
    "cat": ("cat.jpeg", (0.2, 0.13, 0.6, 0.7)),
    "suit": ("astronaut.jpg", (0.12, 0.35, 0.5, 0.4)),
    "cup": ("coffee.png", (0.23, 0.15, 0.5, 0.55)),
    "face": ("astronaut.jpg", (0.3, 0.04, 0.27, 0.2)),
}
GROUNDS = {
    "sky": ("rocket.jpg", (0.52, 0, 0.43, 0.48)),
    "wood": ("coffee.png", (0, 0, 0.3, 0.33)),
    "fur": ("cat.jpeg", (0, 0.6, 0.26, 0.3)),
    "stage": ("rocket.jpg", (0, 0.14, 0.39, 0.44)),
}


class Scene(NamedTuple):
    """A composite I = aF + (1 - a)B, and what it was made from."""

    name: str
    image: Image.Image
    alpha: Mask
    subject: np.ndarray  # F: (H, W, 3) uint8


def draw_shape(draw: ImageDraw.ImageDraw, w: int, h: int, rng: np.random.Generator) -> None:
    """Draw a toothed blob with a hole."""
    t = np.linspace(0, 2 * np.pi, 400)
    radius = (
        0.3 * h * (1 + 0.18 * np.sin(3 * t) + 0.08 * np.sin(7 * t) + 0.04 * np.sign(np.sin(16 * t)))
    )
    outline = np.stack([w / 2 + 1.1 * radius * np.cos(t), h / 2 + radius * np.sin(t)], 1)
    draw.polygon([tuple(point) for point in outline], fill=255)
    draw.ellipse([0.47 * w, 0.4 * h, 0.56 * w, 0.52 * h], fill=0)


def draw_spokes(draw: ImageDraw.ImageDraw, w: int, h: int, rng: np.random.Generator) -> None:
    """Draw a disc on a foot with bars from 0.4 % to 1.8 % of the height around it."""
    draw.ellipse([0.36 * w, 0.3 * h, 0.64 * w, 0.72 * h], fill=255)
    draw.rectangle([0.46 * w, 0.7 * h, 0.54 * w, 0.9 * h], fill=255)
    for k in range(14):
        x, y = np.cos(0.449 * k + 0.1) * h, np.sin(0.449 * k + 0.1) * h
        ends = [w / 2 + 0.2 * x, h / 2 + 0.2 * y, w / 2 + 0.42 * x, h / 2 + 0.42 * y]
        draw.line(ends, fill=255, width=int(h * (0.004 + 0.0035 * (k % 5))))


def draw_hair(draw: ImageDraw.ImageDraw, w: int, h: int, rng: np.random.Generator) -> None:
    """Draw a head on shoulders with 900 loose strands."""
    draw.ellipse([0.37 * w, 0.18 * h, 0.63 * w, 0.68 * h], fill=255)
    draw.rectangle([0.44 * w, 0.6 * h, 0.56 * w, h], fill=255)
    draw.polygon(
        [(0.25 * w, h), (0.35 * w, 0.78 * h), (0.65 * w, 0.78 * h), (0.75 * w, h)], fill=255
    )
    for _ in range(900):
        angle = rng.uniform(-1.05 * np.pi, 0.05 * np.pi)
        root = (w * (0.5 + 0.125 * np.cos(angle)), h * (0.43 + 0.245 * np.sin(angle)))
        length, width = h * abs(rng.normal(0.03, 0.035)), rng.uniform(2, 6) * h / 4500
        _strand(draw, rng, root, angle + rng.normal(0, 0.45), length, width, 0.22)


def draw_fur(draw: ImageDraw.ImageDraw, w: int, h: int, rng: np.random.Generator) -> None:
    """Draw a ball with 4000 short hairs."""
    draw.ellipse([0.28 * w, 0.25 * h, 0.72 * w, 0.8 * h], fill=255)
    for angle in rng.uniform(0, 2 * np.pi, 4000):
        root = (w * (0.5 + 0.218 * np.cos(angle)), h * (0.525 + 0.273 * np.sin(angle)))
        length, width = h * rng.uniform(0.01, 0.035), rng.uniform(3, 8) * h / 4500
        _strand(draw, rng, root, angle + rng.normal(0.5, 0.3), length, width, 0.08)


# Name, drawing, blur of its outline in thousandths of the height, subject, ground.
SCENES = [
    ("shape", draw_shape, 0.3, "cat", "sky"),
    ("shape", draw_shape, 0.3, "cup", "stage"),
    ("spokes", draw_spokes, 0.3, "suit", "fur"),
    ("spokes", draw_spokes, 0.3, "face", "wood"),
    ("hair", draw_hair, 0.27, "suit", "sky"),
    ("hair", draw_hair, 0.27, "face", "stage"),
    ("fur", draw_fur, 0.27, "face", "wood"),
    ("fur", draw_fur, 0.27, "cat", "sky"),
    ("defocus", draw_shape, 3.5, "cup", "stage"),
    ("defocus", draw_shape, 3.5, "suit", "fur"),
]


def make_scenes(width: int) -> Iterator[Scene]:
    """Yield the scenes of ``SCENES``, 4:3, the same ones every time."""
    size = (width, width * 3 // 4)
    for seed, (name, draw, blur, fill, ground) in enumerate(SCENES):
        rng = np.random.default_rng(seed)
        canvas = Image.new("L", (2 * size[0], 2 * size[1]))
        draw(ImageDraw.Draw(canvas), *canvas.size, rng)
        outline = canvas.reduce(2).filter(ImageFilter.GaussianBlur(blur * size[1] / 1000))
        alpha = np.asarray(outline, np.float32) / 255
        subject, behind = _texture(*FILLS[fill], size, rng), _texture(*GROUNDS[ground], size, rng)
        image = alpha[..., None] * subject + (1 - alpha[..., None]) * behind
        yield Scene(f"{name}: {fill} on {ground}", _picture(image), alpha, subject.astype(np.uint8))


def blur_mask(alpha: Mask) -> Mask:
    """Return ``alpha`` after shrinking to 320x320, a blur of 1.5 pixels there, and enlarging."""
    small = Image.fromarray(alpha).resize((320, 320), Image.Resampling.BOX)
    small = Image.fromarray(np.rint(np.asarray(small) * 255).astype(np.uint8))
    small = np.asarray(small.filter(ImageFilter.GaussianBlur(1.5)), np.float32) / 255
    return np.asarray(Image.fromarray(small).resize(alpha.shape[::-1], Image.Resampling.BILINEAR))


def mask_errors(mask: Mask, alpha: Mask, band: np.ndarray) -> np.ndarray:
    """Return SAD / 1000, the same within ``band``, and how far outlines lie apart in pixels.

    The last is the area between the two outlines at 0.5 for each pixel of the true one.
    """
    error, true = np.abs(mask - alpha), alpha > 0.5
    length = (true[:, 1:] != true[:, :-1]).sum() + (true[1:] != true[:-1]).sum()
    apart = ((mask > 0.5) != true).sum() / length
    return np.array([error.sum(dtype=float) / 1000, error[band].sum(dtype=float) / 1000, apart])


def color_error(pixels: np.ndarray, scene: Scene) -> float:
    """Return the mean error, of 255, that shows in the soft band on any new background."""
    soft = (scene.alpha > 0) & (scene.alpha < 1)
    difference = np.abs(pixels[soft].astype(np.float32) - scene.subject[soft])
    return float((scene.alpha[soft][:, None] * difference).mean())


def timed(function: Callable[[], object]) -> tuple[object, float, float]:
    """Return the result, the milliseconds of the best of three calls, and NumPy's peak in MB."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    result = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, 1000 * min(seconds), peak / 1e6


def compare_masks(scene: Scene, mask: Mask) -> np.ndarray:
    """Print a row on ``refine_mask``; return the errors, plain over refined."""
    refined, ms, megabytes = timed(lambda: refine_mask(scene.image, mask))
    band = (mask > SURE_BACKGROUND) & (mask < SURE_SUBJECT)
    plain, fine = mask_errors(mask, scene.alpha, band), mask_errors(refined, scene.alpha, band)
    columns = "".join(f"{a:9.1f} > {b:6.1f}" for a, b in zip(plain, fine, strict=True))
    print(f"{scene.name:22}{columns}{ms:8.0f} ms {megabytes:5.0f} MB", flush=True)
    return np.array([plain, fine])


def compare_colors(scene: Scene) -> list[float]:
    """Print a row on ``clean_colors``; return the errors."""
    photo = np.asarray(scene.image)
    clean, ms, megabytes = timed(lambda: clean_colors(scene.image, scene.alpha))
    errors = [color_error(scene.alpha[..., None] * photo, scene), color_error(photo, scene)]
    errors += [color_error(np.asarray(clean), scene), *_pymatting_error(scene)]
    columns = "".join(f"{error:14.2f}" for error in errors)
    print(f"{scene.name:22}{columns}{ms:8.0f} ms {megabytes:5.0f} MB", flush=True)
    return errors


def _pymatting_error(scene: Scene) -> list[float]:
    try:
        from pymatting import estimate_foreground_ml
    except ImportError:
        return []
    colors = estimate_foreground_ml(np.asarray(scene.image) / 255, scene.alpha.astype(float))
    return [color_error(np.rint(colors * 255), scene)]


def _texture(name: str, part: tuple, size: tuple[int, int], rng) -> np.ndarray:
    """Return part of a packaged photo at ``size``, with its own fine detail and sensor noise."""
    photo = u2.sample_images()[name]
    left, top, width, height = np.multiply(part, photo.size * 2)
    photo = photo.crop((int(left), int(top), int(left + width), int(top + height)))
    large = np.asarray(photo.resize(size, Image.Resampling.LANCZOS), np.float32)
    grey = np.asarray(photo.convert("L"), np.float32)
    detail = grey - np.asarray(photo.convert("L").filter(ImageFilter.GaussianBlur(6)), np.float32)
    detail = np.pad(detail, [(0, n) for n in detail.shape], "reflect")
    repeats = [-(-n // m) for n, m in zip(size[::-1], detail.shape, strict=True)]
    detail = np.tile(detail, repeats)[: size[1], : size[0], None]
    noise = rng.normal(0, 2.5, (size[1], size[0], 3)).astype(np.float32)
    return (large + 0.6 * detail + noise).clip(0, 255)


def _strand(draw: ImageDraw.ImageDraw, rng, root, angle, length, width, curl) -> None:
    (x, y), steps = root, 14
    for step in range(steps):
        angle += rng.normal(0, curl)
        start = (x, y)
        x, y = x + np.cos(angle) * length / steps, y + np.sin(angle) * length / steps
        draw.line([start, (x, y)], fill=255, width=max(1, round(width * (1 - 0.6 * step / steps))))


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def main() -> None:
    """Print both tables and the average gain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=3000)
    parser.add_argument("--masks", choices=["net", "blurred"], default="blurred")
    options = parser.parse_args()
    model = u2.load_model() if options.masks == "net" else None
    print(f"refine_mask, {options.masks} masks, plain > refined\n{'':22}{'SAD/1000':>18}", end="")
    print(f"{'in the band':>18}{'outline, px':>18}{'time':>11}{'peak':>9}")
    errors = []
    for scene in make_scenes(options.width):
        mask = u2.predict_mask(model, scene.image) if model else blur_mask(scene.alpha)
        errors.append(compare_masks(scene, mask))
    plain, fine = np.moveaxis(errors, 1, 0)
    gains = "".join(f"{gain:17.0%} " for gain in (1 - fine / plain).mean(0))
    print(f"{'mean gain':22}{gains}")
    print(
        f"\nclean_colors, true alpha, error of 255\n{'':22}{'premultiplied':>14}{'plain':>14}",
        end="",
    )
    print(f"{'clean':>14}   (pymatting)")
    means = np.mean([compare_colors(scene) for scene in make_scenes(options.width)], 0)
    print(f"{'mean':22}" + "".join(f"{mean:14.2f}" for mean in means))


if __name__ == "__main__":
    main()
