"""A net of your own: taught, scored on what it has not seen, saved, and gone on with."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from failing_disk import FailingDisk
from pupils import FAST, SIDE, disc, lesson, open_school

import u2demo as u2
from u2demo.nets.architectures import ARCHITECTURES, build_model
from u2demo.nets.checkpoints import Input
from u2demo.training import course
from u2demo.training.fit import Fit
from u2demo.training.samples import make_sample
from u2demo.training.scores import Score

HERE = Path(__file__).parent


def same(first, second):
    """Return whether two weights files hold the same, bit for bit."""
    one, other = (torch.load(path, weights_only=True) for path in (first, second))
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def taught(tmp_path_factory, weights):
    """What ``fine_tune`` was told, and what came back, once for all that is said of it."""
    with pytest.MonkeyPatch.context() as patch:
        school = open_school(tmp_path_factory.mktemp("taught"), patch, weights)
        yield school, u2.fine_tune(**school)


def test_a_net_that_was_taught_finds_more_on_photos_that_it_was_not_taught(taught):
    told, trained = taught
    report = trained.report
    assert report.after.iou > max(0.9, report.before.iou + 0.1)
    assert len(report.rows) == 5 and report.taught == 7, "five photos are held out at least"
    assert trained.file == told["results"]
    assert [check.step for check in trained.history][-1] <= FAST["steps"]
    best = max(check.iou for check in trained.history)
    assert report.after.iou > best - 0.012, "no check was clearly better than the one kept"
    photo = u2.open_image(told["photos"] / "disc0.png")
    again = u2.load_model(weights=trained.file, device="cpu")
    np.testing.assert_array_equal(
        u2.predict_mask(trained.model, photo), u2.predict_mask(again, photo)
    )


def test_a_net_that_was_taught_has_the_layout_of_the_one_before(taught):
    told, trained = taught
    state = torch.load(trained.file, weights_only=True)
    start = torch.load(told["weights"], weights_only=True)
    assert list(state) == list(start)
    for key, value in state.items():
        assert value.shape == start[key].shape and value.dtype == start[key].dtype
        assert value.is_contiguous() and not value.requires_grad


def test_a_file_beside_the_net_says_where_it_comes_from(taught):
    told, trained = taught
    data = trained.file.read_bytes()
    facts = json.loads(trained.file.with_suffix(".json").read_text("utf-8"))
    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    weights = told["weights"].read_bytes()
    assert facts["from"] == {"weights": "tiny.pth", "sha256": hashlib.sha256(weights).hexdigest()}
    assert facts["photos"] == 12 and len(facts["photos held out"]) == 5
    assert facts["after"]["iou"] == trained.report.after.iou
    assert facts["settings"]["seed"] == 0


def test_the_table_names_the_worst_photos_first_and_the_figure_shows_them(taught):
    _, trained = taught
    report = trained.report
    ious = [row.after.score.iou for row in report.rows]
    assert ious == sorted(ious)
    assert report.rows[0].sample.name in report.table().splitlines()[1]
    assert report.summary().startswith("Better: IoU ")
    assert len(report.figure(1).axes) == 4, "photo, truth, before, after"


def test_the_old_net_stays_unless_the_new_one_is_better(school, monkeypatch):
    monkeypatch.setattr(course, "is_better", lambda new, old: False)
    trained = u2.fine_tune(**school | {"steps": 8})
    assert trained.file is None and not school["results"].exists()
    assert not trained.report.is_better and "old net" in trained.report.summary()
    assert trained.report.after == trained.report.before
    photo = u2.open_image(school["photos"] / "disc0.png")
    old = u2.load_model(weights=school["weights"], device="cpu")
    np.testing.assert_array_equal(
        u2.predict_mask(trained.model, photo), u2.predict_mask(old, photo)
    )


def test_a_gain_too_small_to_be_shown_is_none():
    old = Score(iou=0.9918, error=0.01)
    assert not course.is_better(Score(iou=0.9922, error=0.01), old)
    assert course.is_better(Score(iou=0.9930, error=0.01), old)


def test_the_same_call_gives_the_same_net_and_another_seed_another(school, tmp_path):
    files = [tmp_path / f"{name}.pth" for name in ("one", "two", "three")]
    for file, seed in zip(files, (0, 0, 1), strict=True):
        u2.fine_tune(**school | {"results": file, "seed": seed, "steps": 12})
    assert same(files[0], files[1])
    assert not same(files[0], files[2])


def test_it_ends_when_the_held_out_photos_stop_getting_better(school, monkeypatch):
    monkeypatch.setattr(course, "_PATIENCE", 2)
    monkeypatch.setattr(course, "is_better", lambda new, old: False)
    trained = u2.fine_tune(**school | {"steps": 120})
    assert len(trained.history) == 2, "of twelve checks"


def test_with_few_photos_each_is_held_out_once(school, tmp_path):
    photos, masks = lesson(tmp_path / "few", 3)
    trained = u2.fine_tune(**school | {"photos": photos, "masks": masks})
    report = trained.report
    assert report.leaves_one_out and report.taught == 3
    assert sorted(row.sample.name for row in report.rows) == ["disc0.png", "disc1.png", "disc2.png"]
    assert report.after.iou > report.before.iou
    assert "had not seen it" in report.summary()


def test_one_photo_is_too_few(school, tmp_path):
    photos, masks = lesson(tmp_path / "one", 1)
    with pytest.raises(ValueError, match=r"1 photo is too few: expected two"):
        u2.fine_tune(**school | {"photos": photos, "masks": masks})


def test_copies_of_a_photo_are_all_on_one_side(tmp_path):
    pictures = [disc(number % 10) for number in range(20)]
    samples = [make_sample(f"{n}.png", *pair, SIDE) for n, pair in enumerate(pictures)]
    (only,) = course.split(samples)
    taught = {samples[place].key for place in only.taught}
    assert taught.isdisjoint(samples[place].key for place in only.held_out)
    assert len(only.held_out) == 5 and len(only.taught) == 10


def test_a_photo_in_two_sizes_is_on_one_side():
    pairs = [disc(number, (96, 80)) for number in range(10)]
    copies = [tuple(picture.resize((48, 40)) for picture in pair) for pair in pairs]
    samples = [make_sample(f"{n}.png", *pair, 128) for n, pair in enumerate(pairs + copies)]
    (only,) = course.split(samples)
    assert {place % 10 for place in only.taught}.isdisjoint(n % 10 for n in only.held_out)
    assert len(only.held_out) == 5 and len(only.taught) == 10


def test_frames_of_a_clip_are_taught_rather_than_held_out():
    photo, mask = disc(0)
    frames = [(photo.point(lambda level, n=n: level + n), mask) for n in range(30)]
    pairs = [disc(number) for number in range(1, 21)] + frames
    samples = [make_sample(f"{n}.png", *pair, SIDE) for n, pair in enumerate(pairs)]
    (only,) = course.split(samples)
    assert len(only.held_out) == 5 and max(only.held_out) < 20
    assert len(only.taught) == 45


def test_photos_that_all_look_alike_are_held_out_as_if_they_did_not():
    photo, mask = disc(0)
    frames = [(photo.point(lambda level, n=n: level + n), mask) for n in range(12)]
    samples = [make_sample(f"{n}.png", *pair, SIDE) for n, pair in enumerate(frames)]
    (only,) = course.split(samples)
    assert len(only.held_out) == 5 and len(only.taught) == 7


# Nothing is lost


@pytest.fixture
def at_every_step(monkeypatch):
    """Save the training after each step, as after a minute."""
    monkeypatch.setattr(course, "_SAVED_EVERY", -1.0)


@pytest.mark.parametrize(
    ("count", "at"),
    [
        (12, 13),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in ((12, 1), (3, 1), (3, 13))),
    ],
)
def test_a_training_that_was_interrupted_goes_on_to_the_same_net(
    school, tmp_path, at_every_step, count, at
):
    photos, masks = lesson(tmp_path / "some", count)
    school |= {"photos": photos, "masks": masks, "steps": 16}
    u2.fine_tune(**school | {"results": tmp_path / "whole.pth"})
    seen = []

    def interrupt(progress):
        if progress.loss is not None:
            seen.append(progress.done)
        if len(seen) == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        u2.fine_tune(**school, report=interrupt)
    again = []
    u2.fine_tune(**school, report=lambda progress: again.append(progress))
    assert same(tmp_path / "whole.pth", school["results"])
    assert not any(progress.doing.startswith("scoring") for progress in again)
    assert sorted(path.suffix for path in tmp_path.glob("mine*")) == [".json", ".pth"]


def test_ctrl_c_keeps_the_best_so_far(school):
    def interrupt(progress):
        if progress.done == 20 and progress.loss is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        u2.fine_tune(**school, report=interrupt)
    facts = json.loads(school["results"].with_suffix(".json").read_text("utf-8"))
    assert facts["after"]["iou"] > facts["before"]["iou"] and facts["steps"] <= 20
    u2.load_model(weights=school["results"])


SCRIPT = """
import sys
from pathlib import Path
import pytest
sys.path.insert(0, {here!r})
from pupils import FAST, look_once, publish
import u2demo as u2
from u2demo.training import course
course._SAVED_EVERY = -1.0
folder = Path({folder!r})
with pytest.MonkeyPatch.context() as patch:
    publish(patch)
    look_once(patch)
    u2.fine_tune(folder / "photos", folder / "masks", weights={weights!r},
                 keep=folder / "other" / "photos", results=folder / "mine.pth", gate=False, **FAST,
                 report=lambda progress: print(progress.doing, progress.done, flush=True))
"""


def test_a_training_that_was_killed_goes_on_to_the_same_net(school, tmp_path, weights, taught):
    code = SCRIPT.format(here=str(HERE), folder=str(tmp_path), weights=str(weights))
    killed = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in killed.stdout:
        if line.startswith("learning 9"):
            killed.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            break
    killed.communicate()
    assert killed.returncode, "it was not done yet"
    again = []
    u2.fine_tune(**school, report=again.append)
    first = next(progress for progress in again if progress.doing == "learning")
    assert first.done >= 9, "no step is done again that was saved"
    _, undisturbed = taught
    assert same(undisturbed.file, school["results"])


def test_a_checkpoint_of_other_photos_or_options_is_not_gone_on_with(school, at_every_step):
    def interrupt(progress):
        if progress.done == 3 and progress.loss is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        u2.fine_tune(**school, report=interrupt)
    with pytest.raises(ValueError, match=r"mine\.unfinished\.pth belongs to another training"):
        u2.fine_tune(**school | {"seed": 5})
    (school["results"].parent / "mine.unfinished.pth").write_bytes(b"PK\3\4 damaged")
    with pytest.raises(ValueError, match=r"mine\.unfinished\.pth is damaged"):
        u2.fine_tune(**school)


def test_a_folder_in_the_place_of_the_checkpoint_is_named(school):
    (school["results"].parent / "mine.unfinished.pth").mkdir()
    with pytest.raises(ValueError, match=r"mine\.unfinished\.pth is a folder; move it, or choose"):
        u2.fine_tune(**school)


def test_a_full_disk_ends_with_a_sentence_and_leaves_whole_files(school, at_every_step):
    school |= {"steps": 12}
    folder = school["results"].parent
    with (
        FailingDisk(folder, fail_at=30, for_good=True),
        pytest.raises(OSError, match="the disk is full; make room"),
    ):
        u2.fine_tune(**school)
    assert not list(folder.glob(".*.part"))
    u2.fine_tune(**school)
    u2.load_model(weights=school["results"])


def test_a_training_whose_first_save_fails_can_be_begun_again(school, monkeypatch):
    """By then there is a better net: without a training to go on with, it would be in the way."""
    monkeypatch.setattr(course, "_APART", 12)
    school |= {"steps": 16}
    folder = school["results"].parent
    with FailingDisk(folder, fail_at=4) as disk, pytest.raises(OSError, match="the disk is full"):
        u2.fine_tune(**school)
    assert disk.operations[3].startswith("write .u2demo-"), "the training so far"
    assert not list(folder.glob("mine*"))
    assert u2.fine_tune(**school).file == school["results"]


def test_a_loss_that_is_no_number_ends_with_a_sentence_and_keeps_the_best(school, monkeypatch):
    step = Fit.step

    def run_away(fit):
        if fit.done == 20:
            with torch.no_grad():
                next(fit.net.parameters()).fill_(float("nan"))
        return step(fit)

    monkeypatch.setattr(Fit, "step", run_away)
    with pytest.raises(
        ValueError, match=r"step 21 is nan.* learning rate below 0.01.* best net so far is in"
    ):
        u2.fine_tune(**school)
    u2.load_model(weights=school["results"])


def test_two_trainings_do_not_write_one_net(school):
    def second(progress):
        if progress.done == 1 and progress.doing == "learning":
            with pytest.raises(ValueError, match="another run is writing"):
                u2.fine_tune(**school)

    u2.fine_tune(**school | {"steps": 4}, report=second)


def test_the_host_is_left_alone(school):
    torch.manual_seed(3)
    before = torch.get_rng_state(), torch.get_num_threads(), np.random.get_state()[1].tolist()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        u2.fine_tune(**school | {"steps": 4})
        assert torch.is_inference_mode_enabled() and torch.is_autocast_enabled("cpu")
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (torch.get_num_threads(), np.random.get_state()[1].tolist())


def test_what_the_host_has_set_changes_nothing(school, tmp_path):
    short = school | {"steps": 12}
    u2.fine_tune(**short)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        u2.fine_tune(**short | {"results": tmp_path / "other.pth"})
    assert same(school["results"], tmp_path / "other.pth")


# The published nets


def test_training_as_usual_would_destroy_the_packaged_net_and_freezing_does_not(samples):
    """Its normalizations are folded away: what is left are identities."""
    from u2demo.inference.preprocess import to_tensor
    from u2demo.training.fit import freeze_norms

    photo = to_tensor(samples["cat.jpeg"], size=(96, 96))
    net = u2.load_model(device="cpu", trainable=True)
    with torch.no_grad():
        published = u2.load_model(device="cpu")(photo)[0]
        right = freeze_norms(net)(photo)[0]
        naive = net.train()(photo)[0]
    assert (right - published).abs().max() < 1e-3
    assert (naive - published).abs().mean() > 0.05
    trained = [name for name, weight in net.named_parameters() if weight.requires_grad]
    assert trained and not any("bn_s1" in name for name in trained)


@pytest.mark.parametrize("name", ["u2netp", "isnet"])
def test_every_architecture_is_taught_by_the_same_call(name, tmp_path, monkeypatch):
    # Photos are looked at in 64x64 pixels: at its own 1024x1024, IS-Net takes seconds for each.
    small = ARCHITECTURES[name]._replace(input=Input(side=64))
    monkeypatch.setitem(ARCHITECTURES, name, small)
    monkeypatch.setattr(course, "is_better", lambda new, old: True)
    photos, masks = lesson(tmp_path, 10)
    keep, _ = lesson(tmp_path / "keep", 1, start=50)
    torch.save(build_model(name).state_dict(), tmp_path / "start.pth")
    trained = u2.fine_tune(
        photos, masks, weights=tmp_path / "start.pth", keep=keep, steps=1, batch=1, side=32,
        device="cpu", gate=False, results=tmp_path / "mine.pth",
    )  # fmt: skip
    assert len(trained.history) == 1
    u2.load_model(weights=trained.file, device="cpu")
