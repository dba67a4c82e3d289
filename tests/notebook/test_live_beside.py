"""A slow net looks beside the work on other frames, and what it finds is moved along."""

import threading
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from bright import Bright
from live_camera import SIZE, frame, square, truth
from PIL import Image, ImageOps

from u2demo.nets.checkpoints import Input
from u2demo.notebook.live import beside, masks
from u2demo.notebook.live.beside import Beside
from u2demo.notebook.live.masks import live_masks

LONG = 60  # seconds, in which everything here has happened even on a busy machine
NO_TIME = 0.0  # seconds; after its first looks every net is too slow for that


class Eye:
    """A look that waits at a gate, and finds the white square of ``square``."""

    def __init__(self):
        self.is_open = threading.Event()
        self.is_open.set()
        self.looks = 0

    def __call__(self, image):
        self.looks += 1
        assert self.is_open.wait(LONG)
        return (np.asarray(image.convert("L"), np.float32) > 128).astype(np.float32)


@pytest.fixture
def eye():
    eye = Eye()
    yield eye
    eye.is_open.set()


@pytest.fixture
def net(eye):
    pytest.importorskip("cv2")
    with Beside(eye, patience=NO_TIME) as net:
        while eye.looks < 2:
            net.find(square(0))
        yield net
        eye.is_open.set()  # or closing waits for it


def overlap(mask, other):
    return (mask & other).sum() / (mask | other).sum()


def where(found, size=SIZE):
    """Return where something is found, in pixels of a frame."""
    return np.asarray(Image.fromarray(found).resize(size, Image.Resampling.BILINEAR)) > 0.5


def come_back(net):
    """Wait until the net has done what it is at."""
    net._thread.submit(int).result(LONG)


def test_a_quick_net_looks_at_every_frame(eye):
    with Beside(eye, patience=LONG) as net:
        for number in range(5):
            assert (where(net.find(square(number))) == truth(number)).all()
    assert eye.looks == 5


def test_while_a_slow_net_looks_nothing_new_is_found_in_other_frames(net, eye):
    eye.is_open.clear()
    assert [net.find(square(number)) for number in range(4)] == [None] * 4
    assert eye.looks <= 3, "it looks at one frame at a time"


def test_what_a_slow_net_finds_is_moved_to_where_it_is_by_then(net):
    assert net.find(square(3)) is None
    come_back(net)
    found = net.find(square(6))
    assert overlap(where(found), truth(6)) > 0.85 > overlap(truth(3), truth(6)) + 0.2


def test_nothing_is_moved_over_a_cut(net):
    net.find(square(3))
    come_back(net)
    assert net.find(ImageOps.invert(square(3))) is None


def test_without_opencv_every_frame_is_looked_at(eye, monkeypatch):
    monkeypatch.setattr(beside, "follows_motion", lambda: False)
    with Beside(eye, patience=NO_TIME) as net:
        assert all(net.find(square(number)) is not None for number in range(5))


def test_a_failure_of_the_net_comes_with_a_frame(net, monkeypatch, eye):
    def fail(image):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(net, "_look", fail)
    net.find(square(0))
    come_back(net)
    with pytest.raises(RuntimeError, match="out of memory"):
        net.find(square(1))


def test_a_frame_that_is_looked_at_already_is_not_looked_at_twice(net, eye):
    picture = square(3)
    assert net.find(picture) is None
    assert (where(net.find_now(picture)) == truth(3)).all() and eye.looks == 3


def test_at_the_end_no_thread_is_left(eye):
    with Beside(eye) as net:
        net.find(square(0))
    assert not [each for each in threading.enumerate() if each.name.startswith("live net")]


@pytest.mark.parametrize("pause", [0.5, 0.9])
def test_frames_far_apart_are_all_looked_at(pause):
    net = Bright()
    net.input = Input(side=64)
    apart = [frame(number)._replace(time=pause * number) for number in range(6)]
    list(live_masks(net, apart, patience=NO_TIME))
    assert net.looks == 6


def test_frames_that_are_far_apart_since_masks_take_long_do_not_wait_for_the_net(monkeypatch):
    pytest.importorskip("cv2")
    monkeypatch.setattr(masks, "time", SimpleNamespace(perf_counter=count(step=0.6).__next__))
    net = Bright()
    net.input = Input(side=64)
    gate = threading.Event()

    def hold(*_: object) -> None:
        if net.looks >= 2:
            gate.wait(LONG)

    net.register_forward_pre_hook(hold)
    apart = (frame(number)._replace(time=0.6 * number) for number in range(5))
    seen = 0
    for _ in live_masks(net, apart, patience=NO_TIME):
        seen += 1
        if seen == 5:
            assert net.looks == 2
            gate.set()
    assert seen == 5


def test_masks_of_a_slow_net_follow_what_moves_and_are_right_at_once_after_a_cut():
    pytest.importorskip("cv2")
    net = Bright()
    net.input = Input(side=64)
    elsewhere = Image.new("RGB", SIZE, "#5a5a5a")
    elsewhere.paste("white", (60, 8, 90, 38))
    frames = [*map(frame, range(8)), *(frame(number, picture=elsewhere) for number in range(8, 11))]
    seen = [each.mask > 0.5 for each in live_masks(net, frames, patience=NO_TIME)]
    for number in range(8):
        assert overlap(seen[number], truth(number)) > 0.75, number
    for number in range(8, 11):
        assert overlap(seen[number], np.asarray(elsewhere.convert("L")) > 128) > 0.75, number
