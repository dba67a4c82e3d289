"""Frames of a camera become masks, each before the next frame is asked for."""

import io
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from live_camera import SIZE, frame, square, truth
from PIL import Image

from u2demo.notebook.live import masks
from u2demo.notebook.live.masks import box_in_shares, live_masks, mask_as_png


def overlap(mask, other):
    return (mask & other).sum() / (mask | other).sum()


def test_the_mask_of_a_frame_comes_before_the_next_frame_is_asked_for(net):
    asked = []

    def frames():
        for number in count():
            asked.append(number)
            yield frame(number)

    found = live_masks(net, frames())
    for number in range(3):
        assert next(found).number == number
        assert asked == list(range(number + 1))


def test_masks_follow_a_square_that_moves(net):
    for found in live_masks(net, map(frame, range(6))):
        assert found.mask.shape == SIZE[::-1] and found.mask.dtype == np.float32
        assert overlap(found.mask > 0.5, truth(found.number)) > 0.8, found.number


def test_what_was_seen_more_than_a_second_ago_changes_no_mask(net):
    before = [frame(0, left=4), frame(1, left=5)]
    after = frame(2, left=30)._replace(time=10.0)
    *_, later = live_masks(net, [*before, after])
    (alone,) = live_masks(net, [after])
    assert (later.mask == alone.mask).all()


def test_a_page_whose_clock_begins_anew_begins_a_new_take(net):
    *_, later = live_masks(net, [frame(9, left=4), frame(0, left=30)])
    (alone,) = live_masks(net, [frame(0, left=30)])
    assert (later.mask == alone.mask).all()


@pytest.mark.parametrize(("seconds", "is_one_take"), [(0.0, False), (5.0, True)])
def test_a_net_that_needs_more_than_a_second_ends_no_take(net, monkeypatch, seconds, is_one_take):
    clock = SimpleNamespace(perf_counter=count(step=seconds).__next__)
    monkeypatch.setattr(masks, "time", clock)
    first, second = frame(0), frame(1)._replace(time=5.0)
    *_, later = live_masks(net, [first, second])
    (alone,) = live_masks(net, [second])
    assert (later.mask == alone.mask).all() != is_one_take


def test_on_a_cpu_the_net_gets_a_smaller_square(net):
    seen = []
    net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[2:]))
    list(live_masks(net, [frame(0)]))
    assert seen == [(45, 45)]


def test_an_empty_picture_has_no_subject_and_no_box(net):
    (found,) = live_masks(net, [frame(0, picture=Image.new("RGB", SIZE))])
    assert found.mask.max() < 0.5 and box_in_shares(found.mask) is None


def test_a_page_draws_with_the_alpha_of_a_white_picture():
    mask = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    picture = Image.open(io.BytesIO(mask_as_png(mask)))
    white, alpha = picture.split()
    assert picture.mode == "LA" and white.getextrema() == (255, 255)
    assert abs(np.asarray(alpha) / 255 - mask).max() <= 0.5 / 255 + 1e-6


def test_a_box_is_in_shares_of_the_sides():
    mask = np.zeros((10, 20), np.float32)
    mask[2:5, 4:10] = 1
    assert box_in_shares(mask) == [0.2, 0.2, 0.5, 0.5]


def test_the_square_of_the_tests_is_where_they_say():
    assert (np.asarray(square(3).convert("L")) > 128).sum() == truth(3).sum()
