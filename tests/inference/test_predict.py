"""What a mask is, whatever the photo and the quality."""

import copy
import tracemalloc
import warnings
from itertools import count

import numpy as np
import pytest
import torch
from bright import Bright
from own_nets import Mine, square
from PIL import Image, ImageDraw, ImageOps

import u2demo as u2
from u2demo.inference import predict, views
from u2demo.inference.predict import predict_masks
from u2demo.inference.recipes import QUALITIES
from u2demo.masks.mask import has_clear_subject
from u2demo.nets.checkpoints import Input
from u2demo.nets.device import fast_half

QUALITY = pytest.mark.parametrize("quality", list(QUALITIES))
# Where one look of the real net shows what it does to a claim, more of a quick one show the rest.
QUICK_AT_BEST = pytest.mark.parametrize(
    ("quality", "net"), [("fast", "real"), ("best", "quick")], indirect=["net"]
)


@QUALITY
def test_a_mask_is_as_large_as_its_photo_float32_within_0_and_1_and_shows_the_subject(
    model, disc, quality
):
    mask = u2.predict_mask(model, disc, quality=quality)
    assert mask.shape == (40, 60) and mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1
    np.testing.assert_allclose(u2.bounding_box(mask), (29, 9, 48, 28), atol=2)


def test_every_packaged_photo_has_a_clear_subject(model):
    for found in predict.predict(model, list(u2.sample_images().values())):
        assert has_clear_subject(found.mask, confidence=found.confidence)


@QUALITY
def test_where_nothing_is_found_there_is_no_confidence(disc, quality):
    (found,) = predict.predict(Mine(square(0.1)), [disc], quality=quality)
    assert found.confidence == 0


def test_fast_looks_once_where_that_shows_a_clear_subject(disc):
    net = Mine(square(0.95))
    u2.predict_mask(net, disc)
    assert len(net.seen) == 1


@pytest.mark.parametrize("level", [0.1, 0.6])
def test_where_one_look_shows_no_clear_subject_fast_looks_as_best_does(disc, level):
    fast, best = (
        u2.predict_mask(Mine(square(level)), disc, quality=quality) for quality in ("fast", "best")
    )
    np.testing.assert_array_equal(fast, best)


def test_of_several_photos_only_those_without_a_clear_subject_are_looked_at_again(monkeypatch):
    monkeypatch.setitem(predict._AT_ONCE, "cpu", 8)
    gray = Input(64, (0.0,) * 3, (1.0,) * 3, by_maximum=False)
    net = Mine(lambda batch: (batch[:, :1],), wants=gray)
    photos = [Image.new("L", (60, 40)) for _ in range(5)]
    for photo, brightness in zip(photos, (250, 150, 250, 150, 250), strict=True):
        photo.paste(brightness, (20, 10, 40, 30))
    together = list(predict_masks(net, photos))
    assert [len(batch) for batch in net.seen] == [5, 2, 2, 2]
    for photo, mask in zip(photos, together, strict=True):
        np.testing.assert_array_equal(mask, u2.predict_mask(net, photo))


def test_what_several_views_leave_undecided_is_less_doubtful_than_what_one_does(disc):
    net = Mine(square(0.7))
    one, several = (
        next(predict.predict(net, [disc], quality=quality)) for quality in ("fast", "best")
    )
    assert one.confidence == pytest.approx(0.7, abs=0.02)
    assert several.confidence == pytest.approx(0.835, abs=0.02)
    assert not has_clear_subject(one.mask, confidence=one.confidence)
    assert has_clear_subject(several.mask, confidence=several.confidence)


@QUALITY
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 700), (700, 1), (17, 5)])
def test_tiny_and_extreme_photos_have_a_mask(size, quality):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    mask = u2.predict_mask(Bright(), Image.fromarray(noise), quality=quality)
    assert mask.shape == size[::-1] and np.isfinite(mask).all()


def test_a_map_that_is_below_zero_where_it_is_looked_at_gives_a_finite_mask():
    photo = Image.new("L", (4, 4), 128)
    photo.putpixel((0, 0), 0)  # following edges takes the map below 0 here
    photo.putpixel((1, 1), 255)
    bright = Mine(lambda batch: ((batch.mean(1, keepdim=True) > 2).float(),))
    assert np.isfinite(u2.predict_mask(bright, photo)).all()


@pytest.mark.parametrize("color", ["black", "white", "gray", "red"])
def test_an_even_photo_has_no_subject(model, color):
    assert u2.predict_mask(model, Image.new("RGB", (64, 48), color)).max() < 0.2


def test_a_cameras_noise_is_no_subject(model):
    grain = np.random.default_rng(0).normal(128, 10, (240, 320, 3))
    photo = Image.fromarray(np.uint8(grain.clip(0, 255)))
    assert u2.predict_mask(model, photo).max() < 0.2


def test_a_photo_in_another_mode_is_looked_at_in_rgb(disc):
    grey = disc.convert("L")
    np.testing.assert_array_equal(
        u2.predict_mask(Bright(), grey), u2.predict_mask(Bright(), grey.convert("RGB"))
    )


@pytest.mark.parametrize("samples", [np.uint16(257), np.int32(257), np.float32(1 / 255)])
def test_deep_samples_are_scaled_as_open_image_scales_them(disc, samples):
    grey = disc.convert("L")
    deep = Image.fromarray(np.asarray(grey) * samples)
    assert deep.mode in ("I;16", "I", "F")
    np.testing.assert_array_equal(u2.predict_mask(Bright(), deep), u2.predict_mask(Bright(), grey))


def test_a_file_name_is_not_an_image(model):
    with pytest.raises(TypeError, match=r"expected an image, as from .*, not str"):
        u2.predict_mask(model, "cat.jpg")


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(ValueError, match=f"the image is {size[0]}x{size[1]}, expected one with"):
        u2.predict_mask(Bright(), Image.new("RGB", size))


def test_the_name_of_a_net_is_not_a_net(disc):
    with pytest.raises(TypeError, match="expected a net, as from load_model, not str"):
        u2.predict_mask("u2netp", disc)


def test_masks_come_in_the_order_of_their_photos(disc):
    photos = [disc, ImageOps.mirror(disc), Image.new("RGB", (30, 20))]
    masks = list(predict_masks(Bright(), photos))
    for photo, mask in zip(photos, masks, strict=True):
        np.testing.assert_array_equal(mask, u2.predict_mask(Bright(), photo))


def test_a_photo_is_taken_only_when_its_mask_is_asked_for(model, disc):
    taken = []

    def photos():
        for number in count():
            taken.append(number)
            yield disc

    masks = predict_masks(model, photos())
    assert not taken
    next(masks)
    assert taken == [0]


@QUICK_AT_BEST
def test_photos_looked_at_together_get_the_masks_they_get_alone(net, disc, monkeypatch, quality):
    disc = ImageOps.invert(disc)  # bright, and small enough to be zoomed on
    photos = [disc, ImageOps.mirror(disc), disc, disc.resize((44, 50)), disc.resize((30, 20))]
    alone = list(predict_masks(net, photos, quality=quality))
    batches = []
    hook = net.register_forward_pre_hook(lambda net, inputs: batches.append(len(inputs[0])))
    monkeypatch.setattr(predict, "_AT_ONCE", {"cpu": 3})
    together = list(predict_masks(net, iter(photos), quality=quality))
    hook.remove()
    assert batches[0] == 3 and max(batches) == 3
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=0.03)  # what is below 0.02 becomes 0


@pytest.mark.parametrize(("side", "photos"), [(64, 8), (320, 8), (640, 2), (1024, 1)])
def test_the_larger_a_nets_input_the_fewer_photos_it_takes_at_once(side, photos, monkeypatch):
    assert predict.at_once(Mine(wants=Input(side))) == 1  # on a CPU
    monkeypatch.setattr(predict, "_AT_ONCE", {"cpu": 8})
    assert predict.at_once(Mine(wants=Input(side))) == photos


def test_an_unknown_quality_is_refused_before_any_photo_is_taken(model):
    with pytest.raises(ValueError, match=r"unknown quality 'finest'; choose fast or best"):
        predict_masks(model, [], quality="finest")


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


@QUICK_AT_BEST
def test_predicting_leaves_the_host_as_it_was(net, disc, quality):
    def host():
        return (
            torch.get_num_threads(),
            torch.get_rng_state().tolist(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            list(warnings.filters),
            np.geterr(),
            str(np.random.get_state()),
        )

    before = host()
    u2.predict_mask(net, disc, quality=quality)
    assert host() == before


@pytest.fixture
def float64_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@QUALITY
@pytest.mark.usefixtures("float64_by_default")
def test_a_mask_is_float32_where_science_computes_in_float64(disc, quality):
    bright = Bright().float()
    mask = u2.predict_mask(bright, disc, quality=quality)
    assert mask.dtype == np.float32
    torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(mask, u2.predict_mask(bright, disc, quality=quality))


@pytest.mark.usefixtures("float64_by_default")
def test_a_net_without_weights_is_shown_float32_where_science_computes_in_float64(disc):
    net = Mine()
    u2.predict_mask(net, disc)
    assert net.seen[0].dtype == torch.float32


class NotANumberInHalf(Bright):
    """A net that, as any on some GPUs, computes nothing in 16 bits."""

    def forward(self, x):
        nan = torch.nan if torch.is_autocast_enabled("cpu") else 1.0
        return [answer * nan for answer in super().forward(x)]


def test_a_processor_that_fails_at_16_bits_computes_in_32(disc, monkeypatch):
    exact = u2.predict_mask(Bright(), disc)
    monkeypatch.setattr(views, "fast_half", lambda device: torch.bfloat16)
    np.testing.assert_array_equal(u2.predict_mask(NotANumberInHalf(), disc), exact)


def test_each_device_computes_in_the_type_it_is_fast_with(monkeypatch):
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False}, raising=False
    )
    types = [fast_half.__wrapped__(device) for device in ("cuda", "mps", "cpu")]
    assert types == [torch.float16, None, None]


def test_a_pytorch_that_does_not_know_its_processor_computes_in_32_bits(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert fast_half.__wrapped__("cpu") is None


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_a_net_in_another_type_computes_in_it(model, dtype):
    batch = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    saliency = views.run(copy.deepcopy(model).to(dtype), batch)
    torch.testing.assert_close(saliency, views.run(model, batch), atol=0.03, rtol=0)


def test_best_holds_one_mask_of_a_large_photo_not_two():
    image = Image.new("RGB", (3000, 2400), (40, 50, 60))
    ImageDraw.Draw(image).ellipse((800, 600, 1900, 1700), fill=(250, 240, 230))
    tracemalloc.start()
    mask = u2.predict_mask(Bright(), image, quality="best")
    peak = tracemalloc.get_traced_memory()[1]  # of NumPy; the mask itself is PyTorch's
    tracemalloc.stop()
    assert peak < mask.nbytes
    assert mask.mean() == pytest.approx(np.pi * 550**2 / mask.size, rel=0.02)


INSIDE, OUTSIDE = np.s_[15:25, 20:40], np.s_[:4, :]  # of the square, its edge left out


def mask_of(level, around=0.0, quality="fast"):
    """The mask of a 60×40 photo in whose middle the net finds a square."""
    photo = Image.new("RGB", (60, 40), "gray")
    return u2.predict_mask(Mine(square(level, around)), photo, quality=quality)


@QUALITY
@pytest.mark.parametrize("level", [0.5, 0.7, 1.0])
def test_a_subject_is_solid_however_salient_the_net_finds_it(level, quality):
    mask = mask_of(level, quality=quality)
    assert mask[INSIDE].min() == 1 and mask[OUTSIDE].max() == 0


@QUALITY
def test_what_the_net_hardly_finds_stays_faint(quality):
    peaks = [mask_of(level, level, quality).max() for level in (0.0, 0.1, 0.2, 0.3)]
    assert peaks[0] == 0 and peaks == sorted(peaks) and peaks[-1] < 0.5


@QUALITY
def test_no_veil_is_left_over_the_background(quality):
    mask = mask_of(0.98, 0.01, quality)
    assert mask[INSIDE].min() == 1 and mask[OUTSIDE].max() == 0


def test_haze_beside_a_sure_subject_clears():
    assert mask_of(1.0, 0.15)[OUTSIDE].max() < 0.11
