"""The page that teaches: pairs in, a curve, before and after, and a net out."""

import asyncio
import dataclasses
import hashlib
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from bright import Bright
from live_app import as_file, find_in, said_in, spot, text_of, until, visible
from misbehaving_server import MisbehavingServer

import u2demo as u2
from u2demo.nets import checkpoints
from u2demo.notebook import OneClick, Teach
from u2demo.notebook.teaching import lesson as lessons
from u2demo.notebook.teaching.saving import save_pair
from u2demo.notebook.teaching.source import from_folders, from_photos, from_uploads, practice
from u2demo.training.fit import Fit
from u2demo.training.teach import Start, settings_for

sys.path.append(str(Path(__file__).parents[1] / "training"))
from pupils import SIDE, disc, half_taught, lesson, tiny


@pytest.fixture(scope="module")
def weights():
    return half_taught()


@pytest.fixture
def home(monkeypatch, tmp_path):
    """The folder of weights, on a machine that has only what ships inside the package."""
    monkeypatch.setenv("U2DEMO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def teach(monkeypatch, no_loop, weights, tmp_path, home):
    """Return a page, opened on nothing yet, that teaches a small net fast."""
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "saved"))

    def load(model):
        net = tiny()
        net.load_state_dict(weights)
        return Start(net, model, "0" * 64)

    monkeypatch.setattr(Start, "load", load)
    monkeypatch.setattr("u2demo.training.reading.sample_images", lambda: {"a.png": disc(99)[0]})
    monkeypatch.setattr("u2demo.training.reading.check_samples", lambda *_: iter(()))
    usual = {"steps": 20, "rate": 0.01, "batch": 4, "side": SIDE}
    monkeypatch.setattr(
        "u2demo.training.teach.settings_for",
        lambda net, count, **chosen: settings_for(net, count, **{**usual, **chosen}),
    )
    page = Teach()
    yield page
    page.close()


def press(teach, name):
    find_in(teach.page, name).click()


def shown(teach):
    """Return the HTML on the page."""
    return "".join(getattr(each, "value", "") for each in visible(teach.page)
                   if isinstance(getattr(each, "value", ""), str))  # fmt: skip


def said(teach):
    return text_of(said_in(teach.page))


def pictures(teach, css):
    """Return how many pictures the part of the page with this class has."""
    values = [str(getattr(each, "value", "")) for each in visible(teach.page)]
    (markup,) = [value for value in values if f'class="{css}"' in value]
    return markup.count("<img")


def test_pairs_are_shown_then_taught_and_the_net_is_better(teach, tmp_path):
    teach._receive(from_folders(*lesson(tmp_path)))
    assert "12 pairs from " in shown(teach) and pictures(teach, "u2-pairs") == 12
    press(teach, "Teach")
    assert "<polyline" in shown(teach) and "<circle" in shown(teach)
    assert "loss (lower is better)" in shown(teach) and "IoU (1 is perfect)" in shown(teach)
    assert "Better: IoU " in said(teach)
    assert pictures(teach, "u2-rows") == 4 * 3, "as meant, before and after, of the worst four"
    photo, mask = disc(50)
    found = u2.predict_mask(teach.model, photo) > 0.5
    assert (found == (np.asarray(mask) > 0)).mean() > 0.95


def test_shown_again_the_page_keeps_the_pairs_that_were_chosen(teach, tmp_path):
    teach._receive(from_folders(*lesson(tmp_path)))
    teach.show()
    assert "12 pairs from " in shown(teach)


def test_the_net_is_downloaded_and_saved_with_where_it_comes_from(teach, tmp_path, saved):
    teach._receive(from_folders(*lesson(tmp_path)))
    press(teach, "Teach")
    press(teach, "Download mine.pth")
    assert set(saved) == {"mine.pth", "mine.json"}
    state = torch.load(io.BytesIO(saved["mine.pth"][1]), weights_only=True)
    assert list(state) == list(tiny().state_dict())
    press(teach, "Save to saved/")
    press(teach, "Save to saved/")
    names = sorted(path.name for path in (tmp_path / "saved").iterdir())
    assert names == ["mine (2).json", "mine (2).pth", "mine.json", "mine.pth"]


def fails(patch, teach):
    def fail(fit):
        raise ValueError("training diverged")

    patch.setattr(Fit, "step", fail)


def is_no_better(patch, teach):
    patch.setattr("u2demo.training.course.is_better", lambda *_: False)


def cannot_be_read(patch, teach):
    patch.setenv("U2DEMO_OFFLINE", "1")
    find_in(teach.page, "Start from").value = "u2net"


@pytest.mark.parametrize("end", [fails, is_no_better, cannot_be_read])
def test_a_net_can_be_saved_until_another_lesson_succeeds(end, teach, tmp_path, monkeypatch):
    teach._receive(from_folders(*lesson(tmp_path)))
    press(teach, "Teach")
    named = f"Your net was taught 12 pairs from {tmp_path}"
    assert named in text_of(shown(teach))
    press(teach, "Save to saved/")
    net, first = teach.model, (tmp_path / "saved" / "mine.pth").read_bytes()
    with monkeypatch.context() as patch:
        end(patch, teach)
        press(teach, "Teach")
    assert "Better" not in said(teach) and said(teach)
    assert named in text_of(shown(teach)) and teach.model is net
    press(teach, "Save to saved/")
    assert (tmp_path / "saved" / "mine (2).pth").read_bytes() == first
    find_in(teach.page, "Start from").value = "u2netp"
    teach._receive(from_uploads(pairs(12)))
    assert named in text_of(shown(teach)), "other pairs were read, but not taught"
    press(teach, "Teach")
    assert "taught 12 pairs from 24 uploaded files" in text_of(shown(teach))
    assert named not in text_of(shown(teach)) and teach.model is not net
    assert "Saved" not in said(teach), "the net that is shown now was not"


def test_a_net_stays_if_the_next_one_scores_worse_on_the_same_photos(teach, tmp_path):
    teach._receive(from_folders(*lesson(tmp_path)))
    press(teach, "Teach")
    best = teach.model
    find_in(teach.page, "Steps (0 = automatic)").value = 4
    press(teach, "Teach")
    assert "Better: IoU" in said(teach) and teach.model is best
    assert "The net taught before scores better on the same photos, and stays." in said(teach)
    teach._receive(from_folders(*lesson(tmp_path / "others", start=20)))
    press(teach, "Teach")
    assert "stays" not in said(teach) and teach.model is not best, "scores on others do not compare"


def test_a_net_can_be_saved_while_the_next_is_taught(teach, tmp_path):
    source, there = from_folders(*lesson(tmp_path)), []

    def read(net):
        if teach._taught:
            press(teach, "Save to saved/")
            there.append((tmp_path / "saved" / "mine.pth").is_file())
        return (yield from source.read(net))

    teach._receive(dataclasses.replace(source, read=read))
    press(teach, "Teach")
    press(teach, "Teach")
    assert there == [True]


def test_practice_pairs_begin_at_once_unless_a_net_could_be_lost(teach, tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "_PRACTICE", {})
    assert practice().is_practice
    source = dataclasses.replace(from_folders(*lesson(tmp_path)), is_practice=True)
    teach._receive(source)
    assert "IoU" in said(teach)
    teach._receive(source)
    assert said(teach) == "" and "12 pairs from" in shown(teach)


def test_a_lesson_that_begins_by_itself_cannot_be_begun_again_meanwhile(
    teach, tmp_path, monkeypatch
):
    step, rests = Fit.step, []

    def look_and_step(fit):
        rests.append(find_in(teach.page, "Teach").disabled)
        return step(fit)

    monkeypatch.setattr(lessons, "_PRACTICE", {"steps": 3})
    monkeypatch.setattr(Fit, "step", look_and_step)
    teach._receive(dataclasses.replace(from_folders(*lesson(tmp_path)), is_practice=True))
    assert rests == [True] * 3 and not find_in(teach.page, "Teach").disabled


def test_what_is_wrong_with_a_choice_is_said_once_above_the_pairs_that_are_there(teach, tmp_path):
    teach._receive(from_folders(*lesson(tmp_path)))
    press(teach, "Read folders")
    press(teach, "Read folders")
    assert said(teach) == "Type the folder of the photos first."
    assert shown(teach).index(said(teach)) < shown(teach).index("u2-pairs")


def test_a_net_and_where_it_comes_from_have_one_name(tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    saved = save_pair(tmp_path, b"net", b"facts")
    assert saved.name == "mine (2).pth" and saved.read_bytes() == b"net"
    assert saved.with_suffix(".json").read_bytes() == b"facts"
    assert (tmp_path / "mine.json").read_text() == "{}" and not (tmp_path / "mine.pth").exists()


def test_a_second_lesson_begins_anew_and_can_be_stopped_while_it_reads(teach, tmp_path):
    source, seen = from_folders(*lesson(tmp_path, 10)), []

    def read(net):
        seen.append((teach._lesson and teach._lesson.course, teach._curve.value))
        return (yield from source.read(net))

    teach._steps.value = 2
    teach._receive(dataclasses.replace(source, read=read))
    press(teach, "Teach")
    press(teach, "Teach")
    assert seen == [(None, "")] * 2, "neither the course nor the curve of the first"


def test_a_lesson_that_has_failed_begins_its_curve_anew(teach, tmp_path, monkeypatch):
    step = Fit.step

    def fail(fit):
        if fit.done == 1:
            raise ValueError("training diverged")
        return step(fit)

    teach._steps.value = 2
    teach._receive(from_folders(*lesson(tmp_path, 10)))
    with monkeypatch.context() as patch:
        patch.setattr(Fit, "step", fail)
        press(teach, "Teach")
    assert "diverged" in said(teach)
    press(teach, "Teach")
    assert "step 2 of 2" in shown(teach)


def test_stop_keeps_what_has_been_learned(teach, tmp_path, monkeypatch):
    step = Fit.step

    def stop_soon(fit):
        if fit.done == 6:
            teach._stop()
        return step(fit)

    teach._receive(from_folders(*lesson(tmp_path)))
    monkeypatch.setattr(Fit, "step", stop_soon)
    press(teach, "Teach")
    assert "IoU" in said(teach) and "step 7 of 20" in shown(teach)


def is_there(teach, name):
    return name in {getattr(each, "description", "") for each in visible(teach.page)}


def test_a_lesson_that_was_stopped_goes_on_until_it_is_complete(teach, tmp_path, monkeypatch):
    step, steps = Fit.step, []

    def stop_soon(fit):
        steps.append(fit.done)
        if len(steps) == 7:
            teach._stop()
        return step(fit)

    teach._receive(from_folders(*lesson(tmp_path)))
    monkeypatch.setattr(Fit, "step", stop_soon)
    assert not is_there(teach, "Go on"), "nothing has begun"
    press(teach, "Teach")
    assert len(steps) == 7 and is_there(teach, "Go on")
    press(teach, "Go on")
    assert steps == list(range(20)) and not is_there(teach, "Go on")
    assert "Better: IoU" in said(teach) and "step 20 of 20" in shown(teach)


def test_a_lesson_that_was_stopped_can_begin_anew_or_make_way_for_other_pairs(
    teach, tmp_path, monkeypatch
):
    step, steps = Fit.step, []

    def stop_at_once(fit):
        steps.append(fit.done)
        teach._stop()
        return step(fit)

    monkeypatch.setattr(Fit, "step", stop_at_once)
    teach._receive(from_folders(*lesson(tmp_path)))
    press(teach, "Teach")
    press(teach, "Teach")
    assert steps == [0, 0] and is_there(teach, "Go on")
    teach._receive(from_uploads(pairs(10)))
    assert not is_there(teach, "Go on")


def test_a_net_is_saved_as_it_was_scored_while_its_lesson_goes_on(teach, tmp_path, monkeypatch):
    step, kept = Fit.step, []

    def stop_and_save(fit):
        if fit.done == 7:
            teach._stop()
        kept.append(teach._taught.weights() if teach._taught else None)
        return step(fit)

    teach._receive(from_folders(*lesson(tmp_path)))
    monkeypatch.setattr(Fit, "step", stop_and_save)
    press(teach, "Teach")
    press(teach, "Go on")
    assert kept[7] is None and kept[8] and set(kept[8:]) == {kept[8]}
    assert teach._taught.weights() != kept[8]


def on_a_page(visit):
    """Let ``visit(page)``, a coroutine, use a page that has an event loop, as in a kernel."""

    async def stay():
        page = Teach()
        await visit(page)
        page.close()

    with ThreadPoolExecutor(1) as thread:  # in this one Playwright's loop may be running
        thread.submit(asyncio.run, stay()).result()


def test_stop_while_the_practice_pairs_are_read_ends_the_lesson_too(teach):
    """The lesson was asked for with the pairs: without them it had only a complaint to make."""

    async def visit(page):
        page._receive(practice())
        await until(lambda: "Beginning" in shown(page))
        press(page, "Stop")
        await until(lambda: not page.is_busy)
        assert said(page) == ""

    on_a_page(visit)


@pytest.fixture
def source_of_u2net(monkeypatch, home):
    """A server that has the small network's weights as those of u2net, and sends half at first."""
    for variable in ("U2DEMO_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    packaged = Path(checkpoints.__file__).parents[1] / "data" / "u2netp.pth"
    with MisbehavingServer(packaged.read_bytes()) as server:
        record = dataclasses.replace(
            checkpoints.CHECKPOINTS["u2net"],
            architecture="u2netp",
            bytes=len(server.body),
            sha256=hashlib.sha256(server.body).hexdigest(),
            sources=(server.url("waits"),),
        )
        monkeypatch.setitem(checkpoints.CHECKPOINTS, "u2net", record)
        yield server


def test_weights_are_fetched_in_sight(teach, tmp_path, source_of_u2net):
    async def visit(page):
        find_in(page.page, "Start from").value = "u2net"
        page._receive(from_uploads(pairs(10)))
        await until(lambda: "Fetching, 2 of 5 MB" in shown(page))
        source_of_u2net.released.set()
        await until(lambda: not page.is_busy)
        assert "10 pairs from" in shown(page) and said(page) == ""

    on_a_page(visit)


def test_stop_ends_a_download_at_once_and_keeps_what_has_arrived(teach, home, source_of_u2net):
    async def visit(page):
        find_in(page.page, "Start from").value = "u2net"
        page._receive(from_uploads(pairs(10)))
        await until(lambda: "Fetching" in shown(page))
        press(page, "Stop")
        assert (home / "u2net.pth.part").stat().st_size > 1_000_000, "nobody waited for the rest"
        await until(lambda: not page.is_busy)
        assert "Fetching" not in shown(page) and said(page) == ""
        find_in(page.page, "Start from").value = "u2netp"
        find_in(page.page, "Steps (0 = automatic)").value = 2
        press(page, "Teach")
        await until(lambda: not page.is_busy)
        assert "IoU" in said(page), "the pairs that were chosen are read now"

    on_a_page(visit)


def test_a_net_that_cannot_be_had_is_named_once(teach, tmp_path, monkeypatch):
    cannot_be_read(monkeypatch, teach)
    teach._receive(dataclasses.replace(from_folders(*lesson(tmp_path)), is_practice=True))
    assert said(teach).count("u2net is not on this machine") == 1
    assert "no pairs" not in said(teach)


def pairs(count):
    """Return uploaded photos and masks."""
    files = []
    for number in range(count):
        photo, mask = disc(number)
        files += [(f"{number}.png", as_file(photo)), (f"{number}_mask.png", as_file(mask))]
    return files


def test_the_curve_of_few_photos_is_that_of_one_net_after_the_other(teach):
    teach._steps.value = 2
    teach._receive(from_uploads(pairs(3)))
    press(teach, "Teach")
    assert "step 2 of 2" in shown(teach)


def test_a_lesson_of_few_photos_that_is_stopped_claims_no_comparison(teach, monkeypatch):
    step = Fit.step

    def stop_soon(fit):
        teach._stop()
        return step(fit)

    teach._receive(from_uploads(pairs(3)))
    monkeypatch.setattr(Fit, "step", stop_soon)
    press(teach, "Teach")
    assert "Stopped before the new net could be compared, so the old one stays." in said(teach)


def test_uploads_pair_by_name_and_others_are_named(teach):
    teach._receive(from_uploads([*pairs(3), ("alone.png", as_file(disc(9)[0]))]))
    assert "3 pairs from 7 uploaded files" in shown(teach)
    assert "alone.png: " in said(teach)


def test_a_photo_that_cannot_be_read_is_named_once(teach):
    torn = [("torn.png", b"\x89PNG\r\n"), ("torn_mask.png", as_file(disc(9)[1]))]
    teach._receive(from_uploads([*pairs(3), *torn]))
    assert "torn.png: not an image" in said(teach) and said(teach).count("torn.png") == 1


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([("notes.txt", b"no photo")], "what you uploaded holds no photos"),
        ([*pairs(2), ("torn.png", b"\x89PNG\r\n"), ("torn_mask.png", b"")], "torn.png: "),
    ],
)
def test_the_folder_that_uploads_lie_in_is_not_shown(files, why, teach):
    teach._receive(from_uploads(files))
    assert why in said(teach) and "u2demo-" not in said(teach)


def test_a_mistake_is_a_sentence_on_the_page(teach, tmp_path):
    press(teach, "Teach")
    assert "There are no pairs yet" in said(teach)
    teach._receive(from_uploads([("a.png", as_file(disc(0)[0]))]))
    assert "has neither a mask, nor corrections" in said(teach)
    press(teach, "Teach")
    assert "has neither a mask, nor corrections" in said(teach)


def test_the_look_for_mistakes_can_be_left_out(teach, tmp_path, monkeypatch):
    def doubt(*_):
        raise ValueError("the masks look inverted")
        yield

    monkeypatch.setattr("u2demo.training.reading.check_samples", doubt)
    teach._steps.value = 2
    teach._receive(from_folders(*lesson(tmp_path, 10)))
    press(teach, "Teach")
    assert "look inverted" in said(teach) and "IoU" not in said(teach)
    find_in(teach.page, "Look for mistakes first").value = False
    press(teach, "Teach")
    assert "IoU" in said(teach) and "inverted" not in said(teach)


def test_masks_beside_an_app_or_without_photos_are_not_ignored(teach):
    app = OneClick(Bright())
    with pytest.raises(ValueError, match="masks is 'm', but the app's photos have masks"):
        teach.show(app, "m")
    with pytest.raises(ValueError, match="masks is 'm', but there are no photos"):
        teach.show(masks="m")
    app.close()


def test_photos_of_the_app_are_pairs_as_they_were_corrected_there(teach):
    app = OneClick(Bright())
    app.run({"one.png": spot(), "two.png": spot(left=30)})
    teach._receive(from_photos(app.photos))
    assert "2 pairs from the app" in shown(teach)
    truth = teach._lesson.samples[0].truth()
    assert truth.shape == (32, 48) and truth[16, 16] > 0.9 and truth[4, 40] < 0.1
    app.close()


def test_an_app_without_photos_has_no_pairs_and_the_page_says_so(teach):
    teach._receive(from_photos([]))
    assert "The app has no photos with masks yet. Add some" in said(teach)
    press(teach, "Teach")
    assert "The app has no photos with masks yet. Add some" in said(teach)


def test_the_app_opens_below_with_the_net_that_was_taught(teach, tmp_path):
    teach._receive(from_folders(*lesson(tmp_path)))
    press(teach, "Teach")
    press(teach, "Try it")
    assert "cat.jpeg" in {getattr(each, "description", "") for each in visible(teach.page)}


def test_practice_pairs_mean_the_cup_alone(model):
    from u2demo.training.practice import practice_pairs
    from u2demo.training.scores import score

    picture, mask = next(practice_pairs(model, 1))
    truth = np.asarray(mask, np.float32) / 255
    assert picture.size == mask.size and 0.02 < (truth > 0.5).mean() < 0.4
    assert score(u2.predict_mask(model, picture), truth).iou < 0.8, "the net finds both"
