"""What a photo's own pixels do to a soft edge, and to its colors."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from u2demo.effects import colors
from u2demo.effects.colors import clean_colors
from u2demo.machine.cores import on_cores
from u2demo.masks import edges
from u2demo.masks.edges import refine_in_place, refine_mask
from u2demo.masks.levels import SURE_BACKGROUND, SURE_SUBJECT, Levels

SIZE = (1200, 900)


@pytest.fixture(scope="module")
def scene():
    """A textured disc with spikes on a textured ground: photo, true alpha, true subject.

    Colors drift from left to right and from top to bottom, so that only nearby ones will do.
    """
    noise = np.random.default_rng(0).normal(0, 6, (2, SIZE[1], SIZE[0], 3))
    drift = np.linspace(0, 60, SIZE[0])[None, :, None] * np.array((1, -1, 0))
    drift = drift + np.linspace(0, 60, SIZE[1])[:, None, None] * np.array((0, 1, 1))
    subject = np.clip((150, 100, 40) + drift + noise[0], 0, 255)
    ground = np.clip((30, 100, 150) + drift + noise[1], 0, 255)
    shape = Image.new("L", SIZE)
    draw = ImageDraw.Draw(shape)
    draw.ellipse((350, 200, 850, 700), fill=255)
    for x in range(380, 840, 40):
        draw.line((x, 450, x + 30, 100), fill=255, width=6)
    alpha = np.asarray(shape.filter(ImageFilter.GaussianBlur(1)), np.float32) / 255
    photo = alpha[..., None] * subject + (1 - alpha[..., None]) * ground
    return Image.fromarray(np.rint(photo).astype(np.uint8)), alpha, subject


@pytest.fixture(scope="module")
def blurry(scene):
    """What is left of the true alpha after 320 pixels and back."""
    small = Image.fromarray(scene[1]).resize((320, 320), Image.Resampling.BOX)
    small = Image.fromarray(np.rint(np.asarray(small) * 255).astype(np.uint8))
    small = np.asarray(small.filter(ImageFilter.GaussianBlur(1.5)), np.float32) / 255
    return np.asarray(Image.fromarray(small).resize(SIZE, Image.Resampling.BILINEAR))


def error(mask, alpha):
    return np.abs(mask - alpha).sum()


def test_refined_mask_is_closer_to_the_truth(scene, blurry):
    image, alpha, _ = scene
    refined = refine_mask(image, blurry)
    assert error(refined, alpha) < 0.5 * error(blurry, alpha)
    assert ((refined > 0.5) != (alpha > 0.5)).sum() < 0.4 * ((blurry > 0.5) != (alpha > 0.5)).sum()


def test_refining_keeps_what_the_net_is_sure_of(scene, blurry):
    refined = refine_mask(scene[0], blurry)
    sure = (blurry <= SURE_BACKGROUND) | (blurry >= SURE_SUBJECT)
    assert np.array_equal(refined[sure], blurry[sure])
    assert refined.dtype == np.float32
    assert refined.min() >= 0
    assert refined.max() <= 1


def test_a_mask_some_pixels_off_is_mended_better_before_levels_than_after(scene, blurry):
    image, alpha, _ = scene
    off = np.roll(blurry, 6, axis=1)
    mended = off.copy()
    refine_in_place(image, mended, levels=Levels(0.2, 0.65))
    after = refine_mask(image, Levels(0.2, 0.65).apply(off))
    assert error(mended, alpha) < 0.85 * error(after, alpha)
    assert not mended[off <= SURE_BACKGROUND].any()
    assert (mended[off >= SURE_SUBJECT] == 1).all()


def test_levels_are_all_that_changes_in_a_small_photo():
    mask = np.random.default_rng(0).random((64, 96), np.float32)
    levels = Levels(0.2, 0.65)
    expected = levels.apply(mask)
    refine_in_place(Image.effect_noise((96, 64), 80).convert("RGB"), mask, levels=levels)
    np.testing.assert_array_equal(mask, expected)


def test_tiles_leave_no_seams(scene, blurry, monkeypatch):
    image, alpha, _ = scene
    refined, clean = refine_mask(image, blurry), np.asarray(clean_colors(image, alpha), int)
    monkeypatch.setattr(edges, "_TILE", max(SIZE))
    monkeypatch.setattr(colors, "_TILE", max(SIZE))
    assert np.abs(refined - refine_mask(image, blurry)).max() < 1e-4
    assert np.abs(clean - np.asarray(clean_colors(image, alpha))).max() <= 2


@pytest.mark.parametrize("function", [refine_mask, clean_colors])
def test_memory_stays_below_eight_bytes_a_pixel(function):
    size = (3000, 2400)
    image = Image.effect_noise(size, 60).convert("RGB")
    mask = np.asarray(Image.radial_gradient("L").resize(size), np.float32) / 255
    tracemalloc.start()
    with on_cores(2):  # each needs room for a tile
        function(image, mask)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * mask.size


@pytest.mark.parametrize("function", [refine_mask, clean_colors])
def test_deep_samples_are_scaled_not_clipped(function):
    grey = Image.radial_gradient("L").resize((700, 700))
    mask = np.asarray(Image.linear_gradient("L").resize(grey.size), np.float32) / 255
    deep = Image.fromarray(np.asarray(grey) * np.uint16(257))
    assert np.array_equal(function(deep, mask), function(grey, mask))


def test_where_colors_say_nothing_the_mask_stays(blurry):
    grey = Image.new("RGB", SIZE, (128, 128, 128))
    assert np.abs(refine_mask(grey, blurry) - blurry).max() < 0.01


def test_refining_leaves_a_small_photo_alone():
    mask = np.random.default_rng(0).random((640, 960), np.float32)
    image = Image.effect_noise((960, 640), 80).convert("RGB")
    assert np.array_equal(refine_mask(image, mask), mask)


def test_a_photo_is_large_or_small_beside_what_the_net_saw(scene, blurry):
    """900 rows show more than a net of 320 has seen, and no more than one of 512."""
    for side, changed in [(320, True), (512, False)]:
        mask = blurry.copy()
        refine_in_place(scene[0], mask, side=side)
        assert np.array_equal(mask, blurry) != changed


def test_clean_colors_are_closer_to_the_subjects(scene):
    image, alpha, subject = scene
    soft = (alpha > 0.5 / 255) & (alpha < 254.5 / 255)
    shown = alpha[soft][:, None]  # how much of the color is seen on a new background

    def color_error(colors):
        return (shown * np.abs(colors - subject[soft])).mean()

    photo = np.asarray(image, np.float32)[soft]
    clean = np.asarray(clean_colors(image, alpha), np.float32)[soft]
    assert color_error(clean) < 0.5 * color_error(photo)
    assert color_error(clean) < 0.5 * color_error(photo * shown)


def test_clean_colors_keep_opaque_pixels_byte_for_byte(scene):
    image, alpha, _ = scene
    same = np.asarray(clean_colors(image, alpha)) == np.asarray(image)
    assert same[np.rint(alpha * 255) == 255].all()


@pytest.mark.parametrize("function", [refine_mask, clean_colors])
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (4000, 1), (33, 65), (641, 479)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, None])
def test_any_size_and_any_mask_gives_a_clean_result(function, size, value):
    width, height = size
    mask = np.random.default_rng(0).random((height, width), np.float32)
    if value is not None:
        mask[:] = value
    result = np.asarray(function(Image.new("RGB", size, (9, 99, 199)), mask), np.float32)
    assert result.shape[:2] == (height, width)
    assert np.isfinite(result).all()
    if function is clean_colors:
        assert np.abs(result - (9, 99, 199)).max() <= 1
    elif value is not None:
        assert np.array_equal(result, mask)


@pytest.mark.parametrize("function", [refine_mask, clean_colors])
def test_a_mask_of_another_photo_is_refused(function):
    with pytest.raises(ValueError, match="20x10"):
        function(Image.new("RGB", (10, 20)), np.zeros((10, 20), np.float32))


@pytest.mark.parametrize("function", [refine_mask, clean_colors])
def test_arguments_stay_as_they_were(function, scene, blurry):
    image, mask = scene[0].copy(), blurry.copy()
    function(image, mask)
    assert image.tobytes() == scene[0].tobytes()
    assert np.array_equal(mask, blurry)


@pytest.mark.parametrize(("low", "high", "tells"), [(0.0, 1.0, True), (0.45, 0.55, False)])
def test_colors_are_learned_from_what_is_sure_alone(low, high, tells):
    bright = np.indices((32, 32)).sum(0) % 2
    photo = np.stack([0.3 + 0.4 * bright] * 3).astype(np.float32)
    alpha = (low + (high - low) * bright).astype(np.float32)
    distance = edges._discriminant(photo, alpha, 8)[4]
    assert (distance > 100).all() if tells else (distance < 0.3).all()
