"""The app for clips, pressed from Python: the same callbacks that a page calls."""

import asyncio
import io
import re
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from bright import Bright
from live_app import (
    caption,
    find,
    find_in,
    from_page,
    part,
    press,
    progress,
    said,
    said_of_saving,
    send,
    spot,
    text_of,
    tile_names,
    tiles,
    until,
    visible,
)
from PIL import Image

import u2demo as u2
from u2demo.notebook import Clips
from u2demo.notebook.jobs import aside
from u2demo.video.clip import Clip, Frame
from u2demo.video.write import write_clip

av = pytest.importorskip("av")


def make_clip(path, count=6):
    """Write a clip in which a white square goes to the right."""
    return write_pictures(path, [spot((64, 48), left=5 * number) for number in range(count)])


def write_pictures(path, pictures, rate=10):
    """Write a clip of these pictures of 64x48 pixels."""
    count = len(pictures)
    like = Clip(
        path, (64, 48), Fraction(count, rate), Fraction(rate), alpha=False, audio=False,
        frames=count, left_out=(), about={}, decode=lambda: iter(()),
    )  # fmt: skip
    frames = (Frame(Fraction(number, rate), each) for number, each in enumerate(pictures))
    write_clip(path, frames, like=like)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("own") / "dog.mp4")


@pytest.fixture(autouse=True)
def temporary(monkeypatch, results, tmp_path):
    """The folder of temporary files, so that what stays there is seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def app(bright, clip, no_loop):
    app = Clips(bright)
    app.run(clip)
    yield app
    app.close()


def picture(app, number):
    return Image.open(io.BytesIO(tiles(app)[number].children[0].value))


def below(app):
    """Return the line below the clip that was made, None if there is none."""
    player = [each for each in visible(app.page) if "u2-player" in each._dom_classes]
    return text_of(player[0].children[1].value) if player else None


def about(app):
    return text_of(part(app, "u2-clip").value)


def results(tmp_path):
    return sorted(path.name for path in (tmp_path / "results").iterdir())


def test_three_frames_are_there_before_all_are_looked_at(app, bright):
    assert tile_names(app) == ["0.0 s", "0.2 s", "0.5 s"]
    assert bright.looks == 3 and below(app) is None
    assert about(app) == "dog.mp4, 64 × 48, 0.6 s, 10 frames/s, no sound"


def test_shown_again_it_keeps_the_clip_that_was_chosen(app):
    app.show()
    assert "dog.mp4" in about(app)


def test_an_effect_redraws_them_without_another_look(app, bright):
    assert picture(app, 0).mode == "RGBA"
    press(app, "Box")
    assert [picture(app, number).mode for number in range(3)] == ["RGB"] * 3
    assert bright.looks == 3


def test_a_clip_has_its_sound_times_and_frames_and_lies_nowhere_yet(app, tmp_path):
    press(app, "Make the clip")
    assert re.fullmatch(r"dog_cutout\.webm, [1-9]\d* kB", below(app)) and said(app) == ""
    assert not (tmp_path / "results").exists()
    press(app, "Save to results/")
    made = list(u2.open_video(tmp_path / "results" / "dog_cutout.webm"))
    assert [float(frame.time) for frame in made] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    alphas = [np.asarray(frame.image.getchannel("A")) for frame in made]
    assert all(alpha[20, 5 * n + 10] > 245 for n, alpha in enumerate(alphas))
    assert all(alpha[40, 60] < 10 for alpha in alphas)


def test_another_effect_makes_another_clip_from_the_same_looks(app, bright, tmp_path):
    press(app, "Make the clip")
    looks = bright.looks
    press(app, "Blur")
    assert below(app) == "Changed since. Make the clip again."
    press(app, "Make the clip")
    assert below(app).startswith("dog_blur.mp4")
    assert bright.looks == looks


def test_what_is_made_already_is_saved_without_making_it_again(app, monkeypatch, tmp_path):
    press(app, "Make the clip")
    monkeypatch.setattr("u2demo.notebook.clips.making.writing", None)
    press(app, "Save to results/")
    assert results(tmp_path) == ["dog_cutout.webm"]


def test_a_clip_is_saved_again_only_if_it_is_another_or_gone(app, tmp_path):
    press(app, "Save to results/")
    press(app, "Save to results/")
    assert results(tmp_path) == ["dog_cutout.webm"]
    assert "nothing has changed" in said_of_saving(app)
    (tmp_path / "results" / "dog_cutout.webm").unlink()
    press(app, "Save to results/")
    assert results(tmp_path) == ["dog_cutout.webm"]
    find(app, "Less / more").value = 0.4
    press(app, "Save to results/")
    assert results(tmp_path) == ["dog_cutout (2).webm", "dog_cutout.webm"]


def test_a_crop_has_one_size(app, tmp_path):
    press(app, "Crop")
    press(app, "Save to results/")
    assert u2.open_video(tmp_path / "results" / "dog_crop.mp4").size[0] > 40


def test_a_crop_is_as_long_as_an_animation_of_its_own_size_may_be(app, monkeypatch, tmp_path):
    monkeypatch.setattr("u2demo.video.animate._MOST_PIXELS", 6 * 64 * 48 - 1)
    press(app, "Crop")
    find(app, "Format").label = "GIF"
    press(app, "Save to results/")
    assert results(tmp_path) == ["dog_crop.gif"]


def test_another_clip_may_go_on_behind_the_subject(app, tmp_path):
    grays = [Image.new("RGB", (64, 48), (0, 0, 40 * number)) for number in range(6)]
    waves = write_pictures(tmp_path / "waves.mp4", grays)
    press(app, "Clip behind")
    behind = part(app, "u2-behind")
    assert "launch.mp4" in text_of(behind.children[0].value)
    find_in(behind, "or a path").value = str(waves)
    assert "waves.mp4" in text_of(behind.children[0].value) and said(app) == ""
    press(app, "Make the clip")
    assert below(app).startswith("dog_behind.mp4, ")
    press(app, "Save to results/")
    made = list(u2.open_video(tmp_path / "results" / "dog_behind.mp4"))
    blues = [np.asarray(frame.image)[4, 60, 2] for frame in made]
    assert np.allclose(blues, [0, 40, 80, 120, 160, 200], atol=12)


def test_a_clip_behind_that_cannot_be_read_is_named_and_the_one_before_stays(app, tmp_path):
    press(app, "Clip behind")
    behind = part(app, "u2-behind")
    find_in(behind, "or a path").value = str(tmp_path / "none.mp4")
    assert text_of(said(app)) == "none.mp4: there is no such file"
    assert "launch.mp4" in text_of(behind.children[0].value)


def test_damage_of_the_clip_behind_is_said_with_the_clip_that_it_is_behind(app, tmp_path):
    waves = tmp_path / "waves.gif"
    first, *others = (spot((64, 48), left=5 * number) for number in range(4))
    first.save(waves, save_all=True, append_images=others, duration=50)
    waves.write_bytes(waves.read_bytes()[:-20])
    press(app, "Clip behind")
    find_in(part(app, "u2-behind"), "or a path").value = str(waves)
    press(app, "Make the clip")
    assert text_of(said(app)) == (
        "waves.gif: damaged or cut off; its last frame could not be read; the background repeats "
        "the rest"
    )
    press(app, "Color")
    press(app, "Make the clip")
    assert said(app) == ""


def test_on_a_canvas_the_subject_keeps_its_size(app, tmp_path):
    press(app, "Shop canvas")
    find(app, "Canvas").value = "1080 × 1350"
    press(app, "Make the clip")
    press(app, "Save to results/")
    frames = [np.asarray(f.image) for f in u2.open_video(tmp_path / "results" / "dog_canvas.mp4")]
    assert frames[0].shape == (1350, 1080, 3) and len(frames) == 6


def test_another_quality_is_another_look(app, bright):
    press(app, "Make the clip")
    looks = bright.looks
    press(app, "Best")
    assert tile_names(app) == ["0.0 s", "0.2 s", "0.5 s"]
    assert looks < bright.looks and below(app) == "Changed since. Make the clip again."


@pytest.mark.parametrize(
    ("title", "name"),
    [("GIF", "dog_box.gif"), ("MOV (ProRes 4444)", "dog_box.mov"), ("PNG frames", "dog_box")],
)
def test_other_formats_are_a_choice(title, name, app, saved, tmp_path):
    press(app, "Box")
    find(app, "Format").label = title
    press(app, "Save to results/")
    assert results(tmp_path) == [name]
    if name == "dog_box":
        assert len(list((tmp_path / "results" / name).iterdir())) == 6
        press(app, "Download")
        (archive,) = [zipfile.ZipFile(io.BytesIO(data)) for _, data in saved.values()]
        assert "dog_box/000006.png" in archive.namelist() and list(saved) == ["dog_box.zip"]


def test_a_clip_too_large_for_a_page_is_saved_in_another_way(app, saved, monkeypatch, tmp_path):
    monkeypatch.setattr("u2demo.notebook.clips.saving._MOST_SENT", 10)
    press(app, "Download")
    assert "too much for a page. Save it below." in said_of_saving(app) and not saved
    press(app, "Save to results/")
    assert results(tmp_path) == ["dog_cutout.webm"]


def test_mp4_is_refused_for_a_cut_out_before_any_look(app, bright):
    find(app, "Format").label = "MP4 (H.264)"
    assert "cannot be transparent" in text_of(part(app, "u2-saver").children[1].value)
    press(app, "Make the clip")
    assert "MP4 cannot hold transparency" in said(app)
    assert bright.looks == 3


def test_what_is_not_a_clip_is_named_and_the_clip_before_stays(app, tmp_path):
    photo = tmp_path / "photo.jpg"
    spot().save(photo)
    for path, reason in [
        (photo, "photo.jpg: a photo, not a clip. The notebook one_click.ipynb is for photos."),
        (tmp_path / "none.mp4", "none.mp4: there is no such file"),
    ]:
        app.run(path)
        assert text_of(said(app)) == reason
    assert about(app).startswith("dog.mp4") and len(tiles(app)) == 3


def test_without_pyav_the_page_says_what_to_install(app, clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    app.run(clip)
    assert text_of(said(app)) == "dog.mp4: to read clips: pip install av"


def test_a_clip_of_one_frame_shows_one(app, tmp_path):
    app.run(make_clip(tmp_path / "short.mp4", count=1))
    assert caption(app).startswith("0.0 s")
    press(app, "Make the clip")
    assert below(app).startswith("short_cutout.webm")


def test_a_path_may_be_typed_and_typed_again(app, clip, tmp_path):
    text = find(app, "or a path")
    for typed, seen in [(f' "{clip}" ', "dog.mp4"), (str(tmp_path / "none.mp4"), "dog.mp4")]:
        text.value = typed
        assert about(app).startswith(seen) and text.value == ""
    assert "none.mp4: there is no such file" in said(app)


def test_an_upload_is_a_file_that_is_deleted_with_the_next_clip(app, clip, temporary):
    data = clip.read_bytes()
    press(app, "Make the clip")
    send(app, "Choose a clip", [("own.mp4", data)])
    assert about(app).startswith("own.mp4")
    assert [path.name for path in temporary.rglob("*.mp4")] == ["own.mp4"]
    send(app, "Choose a clip", [("letter.mp4", b"no clip"), ("../next.mp4", data)][:1])
    assert "letter.mp4: not a clip" in said(app) and about(app).startswith("own.mp4")
    send(app, "Choose a clip", [("../next.mp4", data)])
    assert [path.name for path in temporary.rglob("*.mp4")] == ["next.mp4"]
    app.close()
    assert list(temporary.iterdir()) == []


def test_an_upload_that_is_canceled_or_broken_off_leaves_no_file(app, temporary):
    picker = find(app, "Choose a clip")
    before = set(temporary.iterdir())
    for end in [{"batch": "a", "cancel": True}, {"batch": "b", "index": 0, "name": "next.mp4"}]:
        from_page(picker, {"batch": "a", "index": 0, "name": "own.mp4"}, [b"half"])
        assert len(set(temporary.iterdir()) - before) == 1
        from_page(picker, end, [b"half"])
    from_page(picker, {"batch": "b", "index": 0, "drop": True})
    assert set(temporary.iterdir()) == before


def test_an_upload_that_the_page_no_longer_sends_is_deleted_on_closing(app, temporary):
    from_page(find(app, "Choose a clip"), {"batch": "a", "index": 0, "name": "own.mp4"}, [b"half"])
    app.close()
    assert list(temporary.iterdir()) == []


def test_a_full_disk_is_told_to_the_page_that_sends(app, monkeypatch, temporary):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    picker, answers = find(app, "Choose a clip"), []
    monkeypatch.setattr(picker, "send", answers.append)
    monkeypatch.setattr("u2demo.notebook.clips.source.Source.append", refuse)
    before = set(temporary.iterdir())
    from_page(picker, {"batch": "a", "index": 0, "name": "own.mp4"}, [b"half"])
    assert answers[0] == {"batch": "a", "error": "No space left on device."}
    assert set(temporary.iterdir()) == before


def test_closing_deletes_all(app, temporary):
    press(app, "Make the clip")
    assert list(temporary.iterdir())
    app.close()
    assert list(temporary.iterdir()) == []


# Where it runs


def test_where_nobody_can_click_there_are_three_figures_and_the_clip(
    bright, clip, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("U2DEMO_ENV", "headless")
    shown = []
    monkeypatch.setattr("u2demo.notebook.clips.headless.display", shown.append)
    Clips(bright).show(clip)
    assert len(shown) == 3
    assert "dog_cutout.webm is in " in capsys.readouterr().out
    assert "dog_cutout.webm" in results(tmp_path)


def test_where_nobody_can_click_and_pyav_is_missing_it_is_said(bright, monkeypatch, capsys):
    monkeypatch.setenv("U2DEMO_ENV", "headless")
    monkeypatch.setitem(sys.modules, "av", None)
    Clips(bright).show()
    assert capsys.readouterr().out == "launch.mp4: to read clips: pip install av\n"


@pytest.fixture
def in_colab(colab, bright, clip, monkeypatch, tmp_path, no_loop):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    app = Clips(bright)
    app.run(clip)
    yield app
    app.close()


def test_in_colab_a_clip_comes_from_its_dialog_or_from_drive(in_colab, colab, clip, tmp_path):
    app = in_colab
    colab.uploads = [[("own.mp4", clip.read_bytes())]]
    press(app, "Choose a clip")
    assert about(app).startswith("own.mp4")
    find(app, "or a path").value = str(tmp_path / "drive" / "MyDrive" / "none.mp4")
    assert (tmp_path / "drive" / "MyDrive").is_dir(), "the Drive was mounted"
    assert "none.mp4: there is no such file" in said(app)


def test_in_colab_a_clip_plays_in_its_own_controls_and_goes_to_drive(in_colab, colab, tmp_path):
    app = in_colab
    press(app, "Save to Google Drive")
    assert "MyDrive/u2demo/" in said_of_saving(app)
    (kept,) = (tmp_path / "drive").rglob("dog_cutout.webm")
    videos = [each for each in visible(app.page) if type(each).__name__ == "Video"]
    assert [video.format for video in videos] == ["mp4", "webm"]
    press(app, "Download")
    assert [(name, data == kept.read_bytes()) for name, data in colab.downloads] == [
        ("dog_cutout.webm", True)
    ]


# While it works


class Slow(Bright):
    """A net that takes its time."""

    def forward(self, photos):
        time.sleep(0.05)
        return super().forward(photos)


def visit(steps, clip):
    """Let ``steps(app)``, a coroutine, use an app whose net is slow."""

    async def stay():
        app = Clips(Slow())
        app.run(clip)
        await until(lambda: not app.is_busy)
        await steps(app)
        app.close()

    with ThreadPoolExecutor(1) as thread:  # in this one Playwright's loop may run
        thread.submit(asyncio.run, stay()).result()


def test_stop_ends_the_work_and_leaves_nothing(clip, temporary):
    async def steps(app):
        folders = set(temporary.rglob("*"))
        press(app, "Make the clip")
        press(app, "Make the clip")
        await until(lambda: (progress(app) or [""])[0].startswith("Looking at frame 3 of 6"))
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert ">Stopped.<" in said(app)
        assert progress(app) is None and below(app) is None
        assert set(temporary.rglob("*")) == folders
        press(app, "Make the clip")
        await until(lambda: not app.is_busy)
        assert below(app).startswith("dog_cutout.webm")

    visit(steps, clip)


def test_a_clip_that_is_stopped_while_it_is_written_is_made_anew_next_time(clip, temporary):
    async def steps(app):
        press(app, "Make the clip")
        await until(lambda: not app.is_busy)
        assert len(list(temporary.rglob("dog_*"))) == 1
        press(app, "Box")
        press(app, "Make the clip")
        await until(lambda: (progress(app) or [""])[0].startswith("Making frame"))
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert below(app) is None and list(temporary.rglob("dog_*")) == []
        press(app, "Cut out")
        press(app, "Save to results/")
        await until(lambda: not app.is_busy)
        assert below(app).startswith("dog_cutout.webm")
        assert "dog_cutout.webm" in said_of_saving(app)

    visit(steps, clip)


def test_stop_ends_what_was_to_follow_too(clip):
    async def steps(app):
        press(app, "Best")
        await until(lambda: progress(app))
        press(app, "Make the clip")
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert below(app) is None and not find(app, "Make the clip").disabled

    visit(steps, clip)


def test_a_control_that_is_moved_while_the_clip_is_made_has_changed_since(clip):
    async def steps(app):
        press(app, "Make the clip")
        await until(lambda: (progress(app) or [""])[0].startswith("Looking at frame 2 of 6"))
        find(app, "Less / more").value = 0.8
        await until(lambda: not app.is_busy)
        assert below(app) == "Changed since. Make the clip again."
        press(app, "Make the clip")
        await until(lambda: not app.is_busy)
        assert below(app).startswith("dog_cutout.webm")

    visit(steps, clip)


def test_a_frame_that_is_chosen_while_others_are_looked_at_stays_on_the_stage(clip):
    async def steps(app):
        press(app, "Best")
        await until(lambda: progress(app))
        press(app, "0.5 s")
        await until(lambda: not app.is_busy)
        assert caption(app).startswith("0.5 s")

    visit(steps, clip)


def test_the_page_is_answered_while_frames_are_looked_at(clip):
    async def steps(app):
        press(app, "Make the clip")
        answers = 0
        while app.is_busy:
            press(app, "Box")
            press(app, "Cut out")
            answers += 1
            await asyncio.sleep(0.01)
        assert answers > 6 and below(app).startswith("dog_cutout.webm")

    visit(steps, clip)


def test_another_clip_ends_the_work_on_this_one(clip, tmp_path):
    other = make_clip(tmp_path / "cat.mp4", count=4)

    async def steps(app):
        press(app, "Make the clip")
        await until(lambda: (progress(app) or [""])[0].startswith("Looking at frame 2"))
        app.run(other)
        await until(lambda: not app.is_busy)
        assert about(app).startswith("cat.mp4") and below(app) is None
        assert find(app, "Make the clip").disabled is False

    visit(steps, clip)


def test_what_a_thread_makes_comes_in_order_with_its_error():
    def items():
        yield 1
        yield 2
        raise ValueError("broken")

    taken = []
    with pytest.raises(ValueError, match="broken"):
        taken.extend(filter(None, aside(items())))
    work = aside(items())
    while (item := next(work)) is None:
        pass
    assert item == 1
    work.close()


@pytest.mark.parametrize("name", ["Make the clip", "Save to results/", "Download"])
def test_a_clip_has_the_value_that_the_page_held_back(name, clip, monkeypatch, saved):
    anywidget = pytest.importorskip("anywidget")

    async def steps(app):
        (manners,) = [each for each in app.page.children if isinstance(each, anywidget.AnyWidget)]
        asked = []
        monkeypatch.setattr(manners, "send", lambda message: asked.append(message["settle"]))
        from_page(manners, {"settled": 0})
        press(app, name)
        await asyncio.sleep(0.05)
        assert asked and not app.is_busy, "the page may have more to say"
        find(app, "Less / more").value = 0.8
        from_page(manners, {"settled": asked.pop()})
        await until(lambda: below(app) and not app.is_busy)
        assert below(app).startswith("dog_cutout.webm"), "and not that it has changed since"

    visit(steps, clip)
