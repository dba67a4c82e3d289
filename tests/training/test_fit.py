"""Step by step: what a net has become, and in how many bits it learns."""

import itertools

import pytest
import torch
from bright import Bright
from pupils import ROWS, SIDE, disc, tiny

import u2demo as u2
from u2demo.cli.train import TrainingLines
from u2demo.nets.checkpoints import Input
from u2demo.nets.u2net import U2Net
from u2demo.training import fit
from u2demo.training.course import MIXES, Course
from u2demo.training.samples import make_sample
from u2demo.training.scores import mean
from u2demo.training.teach import Start, plan_of


def discs(count, side=SIDE):
    return [make_sample(str(number), *disc(number), side) for number in range(count)]


def test_a_net_that_was_taught_lies_between_the_old_one_and_the_new():
    old = dict(tiny().named_parameters())
    learning = fit.Fit(tiny(), discs(4), [], fit.Settings(3, rate=0.01, side=SIDE))
    for _ in range(3):
        learning.step()
    new = dict(learning.taught(1).named_parameters())
    for name, value in learning.taught(0.6).named_parameters():
        torch.testing.assert_close(value, old[name] + 0.6 * (new[name] - old[name]))
    assert any(not torch.equal(new[name], old[name]) for name in old)


class BrightOnTheLeft(Bright):
    """A net that finds what is bright in the left part of a photo, this share of its width."""

    def __init__(self, share, mix):
        super().__init__()
        self.share, self.mix = share, torch.nn.Parameter(torch.tensor(mix))

    def forward(self, photos):
        is_left = torch.linspace(0, 1, photos.shape[3]) <= self.share
        return [each * is_left for each in super().forward(photos)]


@pytest.mark.parametrize(
    ("shares", "kept"), [((1, 1, 1), 0.3), ((0.5, 1, 1), 0.6), ((0.4, 0.6, 1), 1)]
)
def test_the_net_nearest_to_the_old_one_is_kept_unless_another_is_clearly_better(
    shares, kept, monkeypatch
):
    """The nearer, the less is forgotten; where masks are like nothing known, it is not enough."""
    nets = {mix: BrightOnTheLeft(share, mix) for share, mix in zip(shares, MIXES, strict=True)}
    monkeypatch.setattr(fit.Fit, "taught", lambda self, mix: nets[mix])
    course = Course(tiny(), discs(12), [], fit.Settings(4, side=SIDE))
    for _ in course.run():
        pass
    assert mean(course.before).iou < 0.5 < 0.8 < mean(course.after).iou
    assert float(course.best["mix"]) == pytest.approx(kept)


def test_the_packaged_net_learns_in_16_bits_what_it_learns_in_32(monkeypatch):
    """Two of its units have biases for which 16 bits have too few digits."""
    samples = discs(4, 64)

    def loss(half):
        monkeypatch.setattr(fit, "fast_half", lambda device: half)
        net = u2.load_model(device="cpu", trainable=True)
        return fit.Fit(net, samples, [], fit.Settings(1, batch=2, side=64)).step()

    # Without the care for them, the loss is 4 % off.
    assert loss(torch.bfloat16) == pytest.approx(loss(None), rel=0.012)


def test_a_device_whose_16_bits_are_broken_learns_in_32(monkeypatch):
    class BrokenInHalf(U2Net):
        def logits(self, x):
            nan = torch.nan if torch.is_autocast_enabled("cpu") else 1.0
            return [each * nan for each in super().logits(x)]

    def loss(kind):
        net = kind(*ROWS)
        net.load_state_dict(tiny().state_dict())
        net.input = Input(side=SIDE)
        return fit.Fit(net, samples, [], fit.Settings(1, side=SIDE)).step()

    samples = discs(4)
    monkeypatch.setattr(fit, "fast_half", lambda device: None)
    exact = loss(U2Net)
    monkeypatch.setattr(fit, "fast_half", lambda device: torch.bfloat16)
    assert loss(BrokenInHalf) == exact


@pytest.mark.parametrize(("is_native", "half"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_learns_in_the_16_bits_that_it_was_built_for(is_native, half, monkeypatch):
    def supports(including_emulation=True):  # PyTorch's default counts what is slow
        return is_native or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supports)
    assert fit.half_precision(torch.device("cuda")) is half


def test_stop_ends_the_scoring_of_the_old_net_too():
    """Of a hundred photos held out it takes a minute, and the new net would be scored as well."""
    course = Course(tiny(), discs(12), [], fit.Settings(4, side=SIDE))
    seen = []
    for progress in course.run():
        seen.append((progress.doing, progress.done))
        course.stop()
    assert seen == [("scoring the old net", 1)]
    assert not course.is_compared and course.best is None


@pytest.mark.parametrize("count", [3, 12], ids=["each held out once", "some held out"])
def test_a_training_that_is_stopped_again_and_again_gives_the_same_net(count, monkeypatch):
    monkeypatch.setattr("u2demo.training.course.is_better", lambda *_: True)

    def taught(*, stops):
        course = Course(tiny(), discs(count), [], fit.Settings(6, rate=0.01, side=SIDE))
        while not course.is_complete:
            for number, _ in enumerate(course.run(), start=1):
                if stops and number % 3 == 0:
                    course.stop()
        return course

    once, often = taught(stops=False), taught(stops=True)
    assert [answer.score for answer in often.after] == [answer.score for answer in once.after]
    assert once.best.keys() == often.best.keys()
    assert all(torch.equal(once.best[name], often.best[name]) for name in once.best)


def test_a_training_goes_on_where_the_net_answers_in_other_digits():
    """As on another GPU: answers that shall stay follow from the weights, and need not be equal."""
    photo, mask = disc(0)
    other = mask.point(lambda level: level * 254 // 255)

    def plan(mask, *, is_soft):
        sample = make_sample("a", photo, mask, SIDE, is_soft=is_soft)
        return plan_of(Start(tiny(), "tiny", "0"), discs(2), [sample], fit.Settings(4))

    assert plan(mask, is_soft=True) == plan(other, is_soft=True)
    assert plan(mask, is_soft=False) != plan(other, is_soft=False)


def test_a_net_whose_last_step_is_done_is_compared_though_stop_was_pressed():
    course = Course(tiny(), discs(3), [], fit.Settings(2, side=SIDE))
    for progress in course.run():
        if progress.doing == "learning, net 4 of 4" and progress.done == progress.total:
            course.stop()
    assert course.is_compared


def test_the_time_left_is_that_of_all_nets_that_are_taught():
    """With nine photos there are ten, and the first one's own time would be a tenth of it."""
    minutes, lines = itertools.count(step=60), []
    shown = TrainingLines(lines.append, lambda: next(minutes))
    for progress in Course(tiny(), discs(2), [], fit.Settings(5, side=SIDE)).run():
        shown.report(progress)
    nets = [line for line in lines if line.startswith("learning") and ", 4 of 5" in line]
    left = [line.rpartition(", ")[2] for line in nets]
    assert left == ["11 min left", "6 min left", "1 min left"]
