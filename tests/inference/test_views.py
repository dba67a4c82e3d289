"""How often the net looks at a photo, and what its looks come to."""

import numpy as np
import pytest
import torch
from bright import Bright
from own_nets import SMALL, Mine, in_turn, square
from PIL import Image, ImageDraw, ImageOps

import u2demo as u2
from u2demo.inference.predict import network_input
from u2demo.inference.recipes import QUALITIES, View
from u2demo.inference.views import add_up
from u2demo.nets.checkpoints import Input

MIDDLE = np.s_[18, 30]  # of the disc's photo
WHOLE = (0.0, 0.0, 1.0, 1.0)


def average(model, image, *shown):
    """The weighted mean of the views ``shown`` of ``image`` as it is, without levels."""
    return add_up(model, [image], shown)[0].mean()[0, 0].numpy()


def test_best_looks_twice_and_closer_at_a_photo_that_all_views_agree_on(disc):
    net = Bright()
    u2.predict_mask(net, ImageOps.invert(disc), quality="best")
    assert net.looks == 3


def test_best_looks_at_a_photo_in_doubt_as_often_as_its_recipe_says(disc):
    levels = [0.9, 0.5] * 4
    net = Mine(in_turn(*(square(level, place=SMALL) for level in levels)))
    u2.predict_mask(net, disc, quality="best")
    assert len(net.seen) == len(QUALITIES["best"].views) == 8


@pytest.mark.parametrize(("level", "looks"), [(0.2, 2), (0.8, 8)])
def test_best_looks_twice_at_a_page_on_which_nothing_at_all_stands_out(disc, level, looks):
    net = Mine(in_turn(*(square(level if n % 2 else 0.0, place=SMALL) for n in range(8))))
    u2.predict_mask(net, disc, quality="best")
    assert len(net.seen) == looks


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


def test_a_view_that_recognizes_the_subject_outvotes_one_that_hesitates(disc):
    assert mean_of_two_looks(disc, 0.9, 0.3) > 0.8


@pytest.mark.parametrize("levels", [(0.4, 0.0), (0.0, 0.0)])
def test_where_all_views_hesitate_none_outvotes_the_others(disc, levels):
    assert mean_of_two_looks(disc, *levels) == pytest.approx(sum(levels) / 2)


def mean_of_two_looks(image, *levels):
    """The mean in the middle of a square that the net gives one of ``levels`` at each look."""
    net = Mine(in_turn(*(square(level) for level in levels)))
    return average(net, image, View(), View(mirrored=True))[MIDDLE]


@pytest.mark.parametrize(
    ("levels", "looks"),
    [((0.9, 0.9), 2), ((0.0, 0.0), 2), ((0.9, 0.3, 0.85, 0.85), 4)],  # 0.85: the mean of two
)
def test_views_for_photos_in_doubt_are_shown_where_those_before_disagree(disc, levels, looks):
    sure = View(), View(mirrored=True)
    recipe = *sure, View(in_doubt=True), View(in_doubt=True, mirrored=True)
    net = Mine(in_turn(*(square(level) for level in levels)))
    assert add_up(net, [disc], recipe)[0].shown == set(recipe[:looks])


@pytest.mark.parametrize(("level", "looks"), [(0.9, 1), (0.6, 2), (0.2, 2), (0.1, 1)])
def test_after_a_single_view_those_in_doubt_are_shown_if_it_has_no_clear_subject(
    disc, level, looks
):
    recipe = View(), View(in_doubt=True, mirrored=True), View(in_doubt=True, upside_down=True)
    photo = add_up(Mine(square(level)), [disc], recipe)[0]
    assert photo.shown == set(recipe[:looks]), "two that agree settle it"


@pytest.mark.parametrize(("level", "others"), [(1.0, set()), (0.2, {View(in_doubt=True)})])
def test_a_zoom_that_disagrees_brings_in_the_views_in_doubt(disc, level, others):
    recipe = View(), View(zoomed=True), View(in_doubt=True)
    closer = square(level, place=(1 / 8, 1 / 8, 7 / 8, 7 / 8))  # the square with its margin
    net = Mine(in_turn(square(1.0, place=SMALL), closer, square(1.0, place=SMALL)))
    photo = disc.resize((60, 60))
    assert add_up(net, [photo], recipe)[0].shown == {View(), View(zoomed=True)} | others


def test_photos_of_different_shapes_keep_their_own_maps(disc):
    """At this aspect the two are shown at different sizes, so in two batches."""
    bright = Mine(lambda batch: (batch.mean(1, keepdim=True).sigmoid(),))
    photos = [disc, disc.resize((40, 60)), disc]
    views = (View(aspect=1.0),)
    together = [photo.mean() for photo in add_up(bright, photos, views)]
    assert [len(batch) for batch in bright.seen] == [2, 1]
    for photo, mean in zip(photos, together, strict=True):
        torch.testing.assert_close(mean, add_up(bright, [photo], views)[0].mean())


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
    plain = average(model, image, View())
    zoomed = average(model, image, View(), View(zoomed=True))
    row, column = 1220 * plain.shape[0] // 2400, 1620 * plain.shape[1] // 3200
    hole = np.s_[row - 7 : row + 8, column - 7 : column + 8]
    assert zoomed[hole].mean() < plain[hole].mean()


@pytest.mark.parametrize("size", [(2560, 320), (320, 2560)])
def test_a_panorama_is_not_made_lower_than_what_the_net_sees(size):
    """Stripes one pixel wide along it would be gray in a copy that is made smaller first."""
    pixels = np.zeros((*size[::-1], 3), np.uint8)
    if size[0] > size[1]:
        pixels[::2] = 255
    else:
        pixels[:, ::2] = 255
    image, net = Image.fromarray(pixels), Mine()
    u2.predict_mask(net, image)
    np.testing.assert_allclose(net.seen[0], network_input(image), atol=1e-5)


def test_the_copy_of_a_strip_that_is_mostly_length_stays_small():
    (strip,) = add_up(Bright(), [Image.new("RGB", (20_000, 330))], [View()])
    assert max(strip.canvas.size) <= 16 * 320
    (photo,) = add_up(Bright(), [Image.new("RGB", (4000, 3000))], [View()])
    assert photo.canvas.size == (1000, 750)


def test_every_view_sees_the_whole_photo_unless_it_zooms(disc):
    net = Mine(square(0.5, place=WHOLE))
    add_up(net, [disc], [View(), View(aspect=1.0)])
    assert [tuple(batch.shape[2:]) for batch in net.seen] == [(320, 320), (256, 384)]


def test_a_net_that_never_saw_a_photo_upside_down_is_shown_none(disc):
    """IS-Net was trained on mirrored photos only; people stand on their heads for nothing."""
    top = ImageOps.pad(disc, (60, 80), centering=(0, 1)).crop((0, 0, 60, 50))
    levels = [0.9, 0.3] * 4
    nets = [
        Mine(in_turn(*(square(level) for level in levels)), wants=Input(upside_down=known))
        for known in (True, False)
    ]
    for net in nets:
        u2.predict_mask(net, top, quality="best")
    first, upright = (net.seen[0] for net in nets)
    assert torch.equal(first.flip(2), upright) and not torch.equal(first, upright)
    assert not any(torch.equal(upright, other) for other in nets[1].seen[1:])
