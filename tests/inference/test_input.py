"""What a net is shown, and what it may answer."""

import numpy as np
import pytest
import torch
from own_nets import Mine
from PIL import Image

import u2demo as u2
from u2demo.inference.predict import network_input, predict_maps, predict_raw
from u2demo.inference.preprocess import to_tensor
from u2demo.inference.recipes import QUALITIES, View, view_size
from u2demo.nets.checkpoints import Input

QUALITY = pytest.mark.parametrize("quality", list(QUALITIES))
OTHER = Input(64, (0.5,) * 3, (1,) * 3, by_maximum=False)
COLOR = (50, 100, 25)


@pytest.fixture
def photo():
    return Image.new("RGB", (90, 60), COLOR)


def test_a_net_sees_photos_as_its_input_says(photo):
    net = Mine(wants=OTHER)
    u2.predict_mask(net, photo)
    expected = torch.tensor(COLOR)[:, None, None] / 255 - 0.5
    torch.testing.assert_close(net.seen[0], expected.expand(1, 3, 64, 64))


def test_a_net_without_an_input_sees_photos_as_u2net_does(photo):
    net = Mine()
    u2.predict_mask(net, photo)
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    expected = (torch.tensor(COLOR)[:, None, None] / 100 - mean) / std  # the photo's maximum
    torch.testing.assert_close(net.seen[0], expected.expand(1, 3, 320, 320))


def test_a_photo_is_divided_by_its_maximum_only_for_a_net_that_wants_it(photo):
    dark = photo.point(lambda value: value // 2)
    for by_maximum, alike in [(True, True), (False, False)]:
        wanted = OTHER._replace(by_maximum=by_maximum)
        bright, dim = (network_input(shown, wanted) for shown in (photo, dark))
        assert np.allclose(bright, dim, atol=0.01) == alike


def test_a_black_photo_stays_black():
    net = Mine(wants=OTHER._replace(by_maximum=True))
    u2.predict_mask(net, Image.new("RGB", (9, 9)))
    assert (net.seen[0] == -0.5).all()


def test_best_looks_with_views_of_about_the_nets_own_side(disc):
    disagreeing = iter([0.9, 0.1] * 8)
    net = Mine(lambda x: (torch.full_like(x[:, :1], next(disagreeing)),), wants=OTHER)
    u2.predict_mask(net, disc, quality="best")
    sizes = [tuple(batch.shape[2:]) for batch in net.seen]
    assert sizes[0] == (64, 64) and (48, 48) in sizes  # 0.8 of 64, in steps of 16
    assert all(side % 16 == 0 for size in sizes for side in size)
    assert all(0.5 < height * width / 64**2 < 1.3 for height, width in sizes)


@QUALITY
def test_a_net_of_a_large_input_is_shown_the_photos_own_detail(quality):
    """IS-Net's is 1024; a photo must not be made smaller than that only to be enlarged again."""
    pixels = np.zeros((600, 1300, 3), np.uint8)
    pixels[::2] = 255
    wants = Input(512, (0.0,) * 3, (1.0,) * 3, by_maximum=False)
    net, photo = Mine(wants=wants), Image.fromarray(pixels)
    u2.predict_mask(net, photo, quality=quality)
    height, width = net.seen[0].shape[2:]
    seen = to_tensor(photo, wants, size=(width, height))
    upright = net.seen[0].flip(2) if quality == "best" else net.seen[0]
    np.testing.assert_allclose(upright, seen, atol=1e-5)
    assert seen.std() > 0.005  # it is 0 if two rows become one first


def test_a_net_of_1024_finds_its_subject_in_a_small_photo(disc):
    dark = Mine(
        lambda batch: ((batch[:, 1:2] < 0).float(),), wants=OTHER._replace(side=1024)
    )  # fmt: skip
    box = u2.bounding_box(u2.predict_mask(dark, disc))
    assert dark.seen[0].shape == (1, 3, 1024, 1024)
    np.testing.assert_allclose(box, (29, 9, 48, 28), atol=1)


@pytest.mark.parametrize("wants", [(64, 64), {"side": 64}, [64]])
def test_an_input_of_another_kind_is_refused(photo, wants):
    with pytest.raises(TypeError, match=r"model\.input is .*64.*, expected an Input"):
        u2.predict_mask(Mine(wants=wants), photo)


@pytest.mark.parametrize(
    "wrong",
    [{"side": 0}, {"side": 64.0}, {"side": (64, 64)}, {"mean": (0.5,)}, {"std": (1, 1, 0)}],
)
def test_an_input_by_which_no_photo_can_be_made_is_named(wrong, photo):
    with pytest.raises(ValueError, match=r"model\.input is .*, expected a side in whole pixels"):
        u2.predict_mask(Mine(wants=OTHER._replace(**wrong)), photo)


def test_a_layer_called_input_is_not_taken_for_one(photo):
    net = Mine(wants=torch.nn.Identity())
    u2.predict_mask(net, photo)
    assert net.seen[0].shape == (1, 3, 320, 320)


def test_the_steps_of_the_tutorial_show_what_the_net_wants(photo):
    net = Mine(lambda x: [torch.full_like(x[:, :1], level) for level in (0.1, 0.2)], wants=OTHER)
    maps = predict_maps(net, photo)
    assert maps.shape == (2, 64, 64) and maps[:, 0, 0] == pytest.approx([0.1, 0.2])
    np.testing.assert_array_equal(network_input(photo, net.input), net.seen[0])
    assert predict_raw(net, photo).shape == (64, 64)
    assert predict_raw(net, photo, side=32).shape == (32, 32)


@pytest.mark.parametrize("scale", [0.8, 1.0])
@pytest.mark.parametrize("side", [320, 1024])
@pytest.mark.parametrize("proportion", [1e-4, 0.5, 1, 1.5, 1e4])
@pytest.mark.parametrize("aspect", [0.0, 0.5, 1.0])
def test_a_view_has_about_as_many_pixels_whatever_its_shape(proportion, aspect, side, scale):
    width, height = view_size(View(aspect=aspect, scale=scale), side, proportion)
    assert width % 16 == height % 16 == 0
    assert width * height == pytest.approx((scale * side) ** 2, rel=0.06)
    assert (width > height) == (proportion > 1 and aspect > 0)


@pytest.mark.parametrize("side", [1, 9, 300, 518])
def test_a_square_view_has_exactly_the_side_that_the_net_asks_for(side):
    assert view_size(View(), side, 1.5) == (side, side)
    assert min(view_size(View(aspect=1.0, scale=0.8), side, 1.5)) >= 16


@pytest.mark.parametrize("size", [(640, 640), (481, 321), (320, 320), (90, 60)])
def test_the_net_sees_its_photo_squeezed_by_lanczos_filter(size):
    photo = Image.effect_noise(size, 80).convert("RGB")
    squeezed = np.asarray(photo.resize((320, 320), Image.Resampling.LANCZOS), np.float32)
    expected = (squeezed / squeezed.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    seen = network_input(photo)[0].transpose(1, 2, 0)
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_fine_texture_of_a_large_photo_is_averaged_not_sampled():
    stripes = np.zeros((1600, 1600, 3), np.uint8)
    stripes[:, ::2] = 250
    stripes[0, 0] = 250
    seen = network_input(Image.fromarray(stripes))[0]
    assert np.ptp(seen[:, 2:], axis=(1, 2)).max() < 0.02


@QUALITY
def test_a_net_of_your_own_needs_no_weights_only_a_map_from_0_to_1(disc, quality):
    dark = Mine(lambda x: ((x.mean(1, keepdim=True) < 0).float(),))
    box = u2.bounding_box(u2.predict_mask(dark, disc, quality=quality))
    np.testing.assert_allclose(box, (29, 9, 48, 28), atol=2)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda x: x[:, :1].sigmoid(), "returned Tensor; expected a tuple whose first element"),
        (
            lambda x: (x.sigmoid(),),
            r"a tuple that begins with a tensor of shape \(1, 3, 320, 320\)",
        ),
        (lambda x: {"out": x}, "returned dict; expected a tuple"),
        (lambda x: (), "returned tuple; expected a tuple whose first element is the map"),
        (lambda x: (10 * x[:, :1],), "expected 0 to 1; add a sigmoid"),
    ],
)
def test_a_net_with_another_answer_raises_what_is_expected(disc, answer, reason):
    with pytest.raises(ValueError, match=reason):
        u2.predict_mask(Mine(answer), disc)
