"""What the net is shown, and what it is told about its answers."""

import numpy as np
import torch
from PIL import Image
from pupils import disc

from u2demo.training.draw import draw, whole
from u2demo.training.losses import structure_loss
from u2demo.training.samples import make_sample

SIDE = 48


def halves(*, is_soft=False):
    """Return a sample whose upper half is red, and the subject, with a soft border."""
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[:30, :, 0] = 255
    mask = np.zeros((60, 80), np.uint8)
    mask[:30] = 255
    mask[30:34] = 128
    return make_sample("a", Image.fromarray(pixels), Image.fromarray(mask), SIDE, is_soft=is_soft)


def drawn(count, sample, others=()):
    return [draw(sample, others, SIDE, np.random.default_rng([7, n])) for n in range(count)]


def test_a_draw_follows_from_its_dice_alone():
    first, again = (draw(halves(), [], SIDE, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert len({float(each.sum()) for each in drawn(6, halves())}) == 6


def test_masks_travel_with_their_photos_stay_soft_and_keep_their_scale():
    for layers in drawn(12, halves()):
        mask = layers[3]
        assert layers.shape == (4, SIDE, SIDE) and layers.dtype == torch.float32
        assert layers.min() >= 0 and mask.max() > 250
        assert ((mask > 20) & (mask < 235)).any(), "a soft border is not cut"


def test_nothing_is_turned_upside_down():
    for layers in drawn(12, halves()):
        assert layers[3, :10].mean() > 200 and layers[3, -10:].mean() < 60


def test_another_background_comes_without_the_color_of_the_old_one():
    photo, mask = disc(1)
    photo.putalpha(mask)
    hidden = np.array(photo)
    hidden[hidden[..., 3] == 0] = (0, 255, 0, 0)
    bare = make_sample("b", Image.fromarray(hidden), mask, SIDE)
    assert bare.is_cutout
    layers = whole(bare, SIDE)
    behind = layers[:3, layers[3] < 5]
    assert (behind[1] > 200).float().mean() < 0.5, "the green is gone"


def green_disc(*, is_soft):
    """Return a photo, all black but for its subject, which is green."""
    mask = disc(2)[1]
    photo = Image.new("RGB", mask.size)
    photo.paste((0, 255, 0), (0, 0), mask)
    return make_sample("green", photo, mask, SIDE, is_soft=is_soft)


def test_what_else_stands_out_in_photos_to_keep_is_shown_behind_a_subject_and_is_not_the_subject():
    photo, mask = disc(1)
    photo.putalpha(mask)
    bare = make_sample("b", Image.composite(photo, Image.new("RGBA", photo.size), mask), mask, SIDE)
    assert bare.is_cutout

    def shows_green(other):
        layers = torch.stack(drawn(12, bare, [other]))
        green = (layers[:, 1] > 100) & (layers[:, 0] < 60) & (layers[:, 2] < 60)
        return bool((green & (layers[:, 3] < 5)).any())

    assert shows_green(green_disc(is_soft=True))
    assert not shows_green(green_disc(is_soft=False)), "one to learn lends only what is beside it"


def test_the_loss_is_least_for_the_right_answer_and_more_at_edges():
    truth = torch.zeros(1, 1, 32, 32)
    truth[..., 8:24, 8:24] = 1
    right, hard = (truth * 2 - 1) * 20, torch.ones(1)
    assert structure_loss([right] * 7, truth, hard) < 1e-3
    near, far = right.clone(), right.clone()
    near[..., 7, 10:20] *= -1
    far[..., 0, 10:20] *= -1
    assert structure_loss([near], truth, hard) > structure_loss([far], truth, hard) > 1e-3


def test_a_soft_answer_of_a_net_is_best_answered_by_itself():
    truth = torch.full((1, 1, 16, 16), 0.3)
    losses = [
        float(structure_loss([torch.full_like(truth, share).logit()], truth, torch.zeros(1)))
        for share in (0.1, 0.3, 0.6)
    ]
    assert min(losses) == losses[1]
