"""What a mask is, how often the net looks, and what it is shown."""

import copy
import tracemalloc
from itertools import count

import numpy as np
import pytest
import torch
from bright import Bright
from PIL import Image, ImageDraw, ImageOps

import u2demo as u2
from u2demo.inference import predict, views
from u2demo.inference.recipes import QUALITIES, SIZE, Recipe, View, view_size

QUALITY = pytest.mark.parametrize("quality", list(QUALITIES))
# Where one look of the real net shows what it does to a claim, more of a quick one show the rest.
QUICK_AT_BEST = pytest.mark.parametrize(
    ("quality", "net"), [("fast", "real"), ("best", "quick")], indirect=["net"]
)


@pytest.fixture
def net(request, model):
    return {"real": model, "quick": Bright()}[request.param]


@pytest.fixture
def disc():
    """A 60×40 photo: a dark disc of radius 9 at (38, 18) on a bright, slightly uneven ground."""
    noise = np.random.default_rng(0).integers(-6, 7, (40, 60, 3))
    image = Image.new("RGB", (60, 40), (200, 210, 190))
    ImageDraw.Draw(image).ellipse((29, 9, 47, 27), fill=(160, 30, 40))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


@QUALITY
def test_a_mask_is_as_large_as_its_photo_float32_and_within_0_and_1(model, disc, quality):
    mask = u2.predict_mask(model, disc, quality=quality)
    assert mask.shape == (40, 60) and mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1


@QUALITY
def test_the_subject_is_found_where_it_is(model, disc, quality):
    box = u2.bounding_box(u2.predict_mask(model, disc, quality=quality))
    np.testing.assert_allclose(box, (29, 9, 48, 28), atol=2)


@QUICK_AT_BEST
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 700), (700, 1), (17, 5)])
def test_tiny_and_extreme_photos_have_a_mask(net, size, quality):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    mask = u2.predict_mask(net, Image.fromarray(noise), quality=quality)
    assert mask.shape == size[::-1] and np.isfinite(mask).all()


def test_a_map_that_is_below_zero_where_it_is_looked_at_has_no_subject():
    recipe = QUALITIES["fast"]
    saliency = torch.full((1, 1, 4, 4), -0.001)
    saliency[..., 1, 1] = 0.5
    assert predict._set_levels(saliency, recipe).isfinite().all()


class NotANumberInHalf(Bright):
    """A net that, as any on some GPUs, computes nothing in 16 bits."""

    def forward(self, x):
        nan = torch.nan if torch.is_autocast_enabled("cpu") else 1.0
        return [answer * nan for answer in super().forward(x)]


def test_a_processor_that_fails_at_16_bits_computes_in_32(disc, monkeypatch):
    exact = u2.predict_mask(Bright(), disc)
    monkeypatch.setattr(views, "_fast_half", lambda device: torch.bfloat16)
    np.testing.assert_array_equal(u2.predict_mask(NotANumberInHalf(), disc), exact)


def test_each_device_computes_in_the_type_it_is_fast_with(monkeypatch):
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False}, raising=False
    )
    types = [views._fast_half.__wrapped__(device) for device in ("cuda", "mps", "cpu")]
    assert types == [torch.float16, None, None]


@QUALITY
@pytest.mark.parametrize("color", ["black", "white", "gray", "red"])
def test_an_even_photo_has_no_subject(model, color, quality):
    assert u2.predict_mask(model, Image.new("RGB", (64, 48), color), quality=quality).max() < 0.2


def test_a_photo_in_another_mode_is_looked_at_in_rgb(model, disc):
    grey = disc.convert("L")
    np.testing.assert_array_equal(
        u2.predict_mask(model, grey), u2.predict_mask(model, grey.convert("RGB"))
    )


@pytest.mark.parametrize("samples", [np.uint16(257), np.int32(257), np.float32(1 / 255)])
def test_deep_samples_are_scaled_as_open_image_scales_them(model, disc, samples):
    grey = disc.convert("L")
    deep = Image.fromarray(np.asarray(grey) * samples)
    assert deep.mode in ("I;16", "I", "F")
    np.testing.assert_array_equal(u2.predict_mask(model, deep), u2.predict_mask(model, grey))


def test_a_file_name_is_no_image(model):
    with pytest.raises(TypeError, match="expected an image, as from open_image, not str"):
        u2.predict_mask(model, "cat.jpg")


def test_masks_come_in_the_order_of_their_photos(model, disc):
    photos = [disc, ImageOps.mirror(disc), Image.new("RGB", (30, 20))]
    masks = list(u2.predict_masks(model, photos))
    for photo, mask in zip(photos, masks, strict=True):
        np.testing.assert_array_equal(mask, u2.predict_mask(model, photo))


def test_a_photo_is_taken_only_when_its_mask_is_asked_for(model, disc):
    taken = []
    masks = u2.predict_masks(model, (taken.append(number) or disc for number in count()))
    assert not taken
    next(masks)
    assert taken == [0]


@QUICK_AT_BEST
def test_photos_looked_at_together_get_the_masks_they_get_alone(net, disc, monkeypatch, quality):
    disc = ImageOps.invert(disc)  # bright, and small enough to be zoomed on
    photos = [disc, ImageOps.mirror(disc), disc.resize((44, 50)), Image.new("RGB", (30, 20)), disc]
    alone = list(u2.predict_masks(net, photos, quality=quality))
    batches = []
    run = views.run
    monkeypatch.setattr(
        views, "run", lambda net, batch: batches.append(len(batch)) or run(net, batch)
    )
    monkeypatch.setattr(predict, "_AT_ONCE", {"cpu": 3})
    together = list(u2.predict_masks(net, iter(photos), quality=quality))
    assert batches[0] == 3 and max(batches) == 3
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=0.03)  # what is below 0.02 becomes 0


def test_an_unknown_quality_is_refused_before_any_photo_is_taken(model):
    with pytest.raises(ValueError, match=r"no quality 'finest'; choose fast or best"):
        u2.predict_masks(model, [], quality="finest")


@QUICK_AT_BEST
def test_photo_and_net_stay_as_they_were(net, disc, quality):
    weights = copy.deepcopy(net.state_dict())
    before = disc.tobytes(), net.training
    u2.predict_mask(net, disc, quality=quality)
    assert (disc.tobytes(), net.training) == before
    assert all(torch.equal(weights[name], kept) for name, kept in net.state_dict().items())


@QUICK_AT_BEST
def test_the_same_photo_gets_the_same_mask(net, disc, quality):
    first, second = (u2.predict_mask(net, disc, quality=quality) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_best_looks_twice_and_closer_at_a_photo_that_all_views_agree_on(disc, monkeypatch):
    assert count_looks(ImageOps.invert(disc), monkeypatch) == 3


def test_best_looks_at_a_photo_in_doubt_as_often_as_its_recipe_says(disc, monkeypatch):
    monkeypatch.setattr(views, "_DOUBT", 0)
    assert count_looks(ImageOps.invert(disc), monkeypatch) == len(QUALITIES["best"].views) == 8


def count_looks(image, monkeypatch):
    """How often the net sees the photo at best."""
    looks = []
    run = views.run
    monkeypatch.setattr(views, "run", lambda net, batch: looks.append(1) or run(net, batch))
    u2.predict_mask(Bright(), image, quality="best")
    return len(looks)


def average(model, image, *shown):
    """The weighted mean of the views ``shown`` of ``image`` as it is, without levels."""
    return views.add_up(model, [image], shown)[0].mean()[0, 0].numpy()


@pytest.mark.parametrize(
    ("view", "turn"),
    [(View(upside_down=True), ImageOps.flip), (View(mirrored=True), ImageOps.mirror)],
)
def test_a_turned_view_is_turned_back(model, disc, view, turn):
    turned = turn(Image.fromarray(average(model, turn(disc), View())))
    np.testing.assert_allclose(average(model, disc, view), turned, atol=1e-4)


def test_a_view_and_its_mirror_image_together_do_not_know_left_from_right(model, disc):
    shown = View(), View(mirrored=True)
    there = average(model, disc, *shown)
    back = average(model, ImageOps.mirror(disc), *shown)[:, ::-1]
    np.testing.assert_allclose(there, back, atol=1e-4)


def test_a_view_that_recognizes_the_subject_outvotes_one_that_hesitates(disc, monkeypatch):
    assert mean_of_two_looks(disc, monkeypatch, 0.9, 0.3) > 0.8


@pytest.mark.parametrize("levels", [(0.4, 0.0), (0.0, 0.0)])
def test_where_all_views_hesitate_none_outvotes_the_others(disc, monkeypatch, levels):
    mean = mean_of_two_looks(disc, monkeypatch, *levels)
    assert mean == pytest.approx(sum(levels) / 2)


def mean_of_two_looks(image, monkeypatch, *levels):
    """The mean in the middle of a square that the net gives one of ``levels`` in each view."""
    square = torch.zeros(1, 1, image.height, image.width)
    square[..., 9:28, 29:48] = 1
    looks = iter([levels[0] * square, levels[1] * square.flip(3)])
    monkeypatch.setattr(views, "run", lambda net, batch: next(looks))
    return average(None, image, View(), View(mirrored=True))[18, 38]


@pytest.mark.parametrize(
    ("levels", "looks"),
    [((0.9, 0.9), 2), ((0.0, 0.0), 2), ((0.9, 0.3, 0.85, 0.85), 4)],  # 0.85: the mean of two
)
def test_views_for_photos_in_doubt_are_shown_where_those_before_disagree(
    disc, monkeypatch, levels, looks
):
    sure = View(), View(mirrored=True)
    recipe = *sure, View(in_doubt=True), View(in_doubt=True, mirrored=True)
    assert shown_of(recipe, disc, monkeypatch, *levels) == set(recipe[:looks])


@pytest.mark.parametrize(("level", "others"), [(1.0, set()), (0.2, {View(in_doubt=True)})])
def test_a_zoom_that_disagrees_brings_in_the_views_left_out(disc, monkeypatch, level, others):
    recipe = View(), View(in_doubt=True), View(zoomed=True)
    closer = torch.zeros(1, 1, 28, 28)  # the square with its margin
    closer[..., 4:24, 4:24] = level
    shown = shown_of(recipe, disc, monkeypatch, 1.0, closer, 1.0)
    assert shown == {View(), View(zoomed=True)} | others


def shown_of(recipe, image, monkeypatch, *found):
    """The views shown of a photo in which the net finds a square, or the map itself, in turn."""
    square = torch.zeros(1, 1, image.height, image.width)
    square[..., 10:30, 20:40] = 1
    looks = iter([one if isinstance(one, torch.Tensor) else one * square for one in found])
    monkeypatch.setattr(views, "run", lambda net, batch: next(looks))
    return views.add_up(None, [image], recipe)[0].shown


def test_a_zoomed_view_counts_only_around_the_subject(model, disc):
    plain, zoomed = average(model, disc, View()), average(model, disc, View(), View(zoomed=True))
    far = np.s_[:, :20]
    np.testing.assert_array_equal(zoomed[far], plain[far])
    assert not np.array_equal(zoomed[9:28, 29:48], plain[9:28, 29:48])


def test_a_subject_that_fills_the_photo_is_not_zoomed_on(model, disc):
    close = disc.crop((26, 6, 50, 30))
    shown = View(), View(zoomed=True)
    np.testing.assert_array_equal(average(model, close, *shown), average(model, close, View()))


def test_zooming_in_resolves_a_small_subject_of_a_large_photo(model):
    """A ring whose hole is narrower than what is left of it in 320×320 pixels."""
    image = Image.new("RGB", (3200, 2400), (200, 210, 190))
    ImageDraw.Draw(image).ellipse((1500, 1100, 1740, 1340), outline=(160, 30, 40), width=70)
    hole = np.s_[1190:1250, 1590:1650]
    fast, zoomed = (
        next(predict._predict_in_batches(model, iter([image]), Recipe(shown, 0, 1))).mask
        for shown in [(View(),), (View(), View(zoomed=True))]
    )
    assert zoomed[hole].mean() < fast[hole].mean()


def test_best_holds_one_mask_of_a_large_photo_not_two():
    image = Image.new("RGB", (3000, 2400), (40, 50, 60))
    ImageDraw.Draw(image).ellipse((800, 600, 1900, 1700), fill=(250, 240, 230))
    tracemalloc.start()
    mask = u2.predict_mask(Bright(), image, quality="best")
    peak = tracemalloc.get_traced_memory()[1]  # of NumPy; the mask itself is PyTorch's
    tracemalloc.stop()
    assert peak < mask.nbytes
    assert mask.mean() == pytest.approx(np.pi * 550**2 / mask.size, rel=0.02)


@pytest.mark.parametrize("level", [0.5, 0.7, 1.0])
@QUALITY
def test_a_subject_is_solid_however_salient_the_net_finds_it(level, quality):
    saliency = torch.zeros(1, 1, 40, 60)
    saliency[..., 10:30, 10:30] = level
    mask = predict._set_levels(saliency, QUALITIES[quality])
    assert mask[..., 10:30, 10:30].min() == 1 and mask[..., 30:, :].max() == 0


@QUALITY
def test_what_the_net_hardly_finds_stays_faint(quality):
    masks = [
        predict._set_levels(torch.full((1, 1, 40, 60), level), QUALITIES[quality]).max()
        for level in (0.0, 0.1, 0.2, 0.3)
    ]
    assert masks[0] == 0 and masks == sorted(masks) and masks[-1] < 0.5


@QUALITY
def test_no_veil_is_left_over_the_background(quality):
    saliency = torch.full((1, 1, 40, 60), 0.01)
    saliency[..., 10:30, 10:30] = 0.98
    assert predict._set_levels(saliency, QUALITIES[quality]).unique().tolist() == [0, 1]


def test_haze_beside_a_sure_subject_clears_and_a_hesitant_one_keeps_its_half_tones():
    def faintest(subject):
        saliency = torch.full((1, 1, 40, 60), 0.15 * subject)
        saliency[..., 10:30, 10:30] = subject
        return float(predict._set_levels(saliency, QUALITIES["fast"]).min())

    assert faintest(1.0) < 0.11 < 0.15 < faintest(0.5)


@pytest.mark.parametrize("side", [256, SIZE])
@pytest.mark.parametrize("proportion", [1e-4, 0.5, 1, 1.5, 1e4])
@pytest.mark.parametrize("aspect", [0.0, 0.5, 1.0])
def test_a_view_has_about_as_many_pixels_whatever_its_shape(proportion, aspect, side):
    width, height = view_size(View(aspect=aspect, side=side), proportion)
    assert width % 16 == height % 16 == 0
    assert width * height == pytest.approx(side**2, rel=0.06)
    assert (width > height) == (proportion > 1 and aspect > 0)


@pytest.mark.parametrize("size", [(640, 640), (481, 321), (320, 320), (200, 639)])
def test_the_net_sees_what_the_authors_sampling_gives_up_to_a_half(size):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    sampled = sample_bilinearly(pixels, SIZE)
    expected = (sampled / sampled.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    seen = predict.network_input(Image.fromarray(pixels))[0].transpose(1, 2, 0)
    np.testing.assert_allclose(seen, expected, atol=1e-3)


def sample_bilinearly(pixels, side):
    """What scikit-image's resize(order=1, anti_aliasing=False) gives away from the border."""
    for axis in (0, 1):
        n = pixels.shape[axis]
        at = ((np.arange(side) + 0.5) * n / side - 0.5).clip(0, n - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, n - 1)
        part = (at - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        pixels = np.take(pixels, low, axis) * (1 - part) + np.take(pixels, high, axis) * part
    return pixels


def test_fine_texture_of_a_large_photo_is_averaged_not_sampled():
    stripes = np.zeros((1600, 1600, 3), np.uint8)
    stripes[:, ::2] = 250
    stripes[0, 0] = 250
    seen = predict.network_input(Image.fromarray(stripes))[0]
    assert np.ptp(seen[:, 2:], axis=(1, 2)).max() < 0.02


class Mine(torch.nn.Module):
    """A net of somebody's own, without a single weight."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer(x)


@QUALITY
def test_a_net_of_your_own_needs_no_weights_only_a_map_from_0_to_1(disc, quality):
    dark = Mine(lambda x: ((x.mean(1, keepdim=True) < 0).float(),))
    box = u2.bounding_box(u2.predict_mask(dark, disc, quality=quality))
    np.testing.assert_allclose(box, (29, 9, 48, 28), atol=2)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda x: x[:, :1].sigmoid(), "Tensor'>, expected a tuple"),
        (lambda x: (x.sigmoid(),), r"\(1, 3, 320, 320\) first, expected a tuple"),
        (lambda x: {"out": x}, "dict'>, expected a tuple"),
        (lambda x: (10 * x[:, :1],), "expected 0 to 1; add a sigmoid"),
    ],
)
def test_a_net_that_answers_otherwise_is_told_what_is_expected(disc, answer, reason):
    with pytest.raises(ValueError, match=reason):
        u2.predict_mask(Mine(answer), disc)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(ValueError, match=f"the image is {size[0]}x{size[1]}, expected one with"):
        u2.predict_mask(Bright(), Image.new("RGB", size))


def test_what_is_no_net_is_said_to_be_none(disc):
    with pytest.raises(TypeError, match="expected a net, as from load_model, not str"):
        u2.predict_mask("u2netp", disc)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_a_net_in_another_type_computes_in_it(model, dtype):
    batch = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    saliency = views.run(copy.deepcopy(model).to(dtype), batch)
    torch.testing.assert_close(saliency, views.run(model, batch), atol=0.03, rtol=0)
