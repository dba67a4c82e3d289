"""Clips on the command line: alone, among photos, as a background, and animations."""

import csv
import sys

import numpy as np
import pytest
from bright_clips import Dark, animate, bright_share, frames_of, moving, names, write
from PIL import Image

import u2demo as u2
from u2demo.cli.main import main
from u2demo.cli.sources import expand
from u2demo.cli.terminal import ClipLines
from u2demo.video.run import Progress

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("small_maps")


@pytest.fixture(autouse=True)
def dark(monkeypatch):
    """The net of these runs."""
    model = Dark()
    monkeypatch.setattr("u2demo.nets.load.load_model", lambda *_, **options: model)
    return model


@pytest.fixture
def folder(tmp_path):
    """A folder of a photo, a clip and an animation."""
    folder = tmp_path / "in"
    write(folder / "waves.mp4", moving(3))
    animate(folder / "dance.gif", moving(4), duration=[40, 80, 40, 200], loop=3, disposal=2)
    moving(1)[0].save(folder / "cat.png")
    return folder


def test_the_photos_and_clips_of_a_folder_are_done_together_and_once(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([str(folder), "-o", str(out), "--effects", "cutout,box"]) == 0
    assert names(out) == [
        "cat_box.jpg", "cat_cutout.png", "dance_box.gif", "dance_cutout.gif", "waves_box.mp4",
        "waves_cutout.webm",
    ]  # fmt: skip
    said = capsys.readouterr().out
    assert "1 photo: 1 done; 2 clips: 2 done. Pictures and manifest.csv are in" in said
    assert f"  animations are done with all their frames: {folder / 'dance.gif'};" in said
    assert "--first-frame takes the first only" in said
    assert main([str(folder), "-o", str(out), "--effects", "cutout,box"]) == 0
    assert "1 photo: 1 skipped; 2 clips: 2 skipped." in capsys.readouterr().out


def test_each_animation_that_is_done_is_named_up_to_a_number(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("u2demo.cli.summary._SHOWN", 2)
    for name in ("a.gif", "b.webp", "c.png"):
        animate(tmp_path / "in" / name, moving(2), duration=100)
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert f": {tmp_path / 'in' / 'a.gif'}, {tmp_path / 'in' / 'b.webp'} and 1 more;" in said


def test_the_times_and_the_loop_of_an_animation_survive(folder, tmp_path):
    main([str(folder / "dance.gif"), "-o", str(tmp_path / "out")])
    with Image.open(tmp_path / "out" / "dance_cutout.gif") as made:
        assert made.info["loop"] == 3
        shown = []
        for number in range(made.n_frames):
            made.seek(number)
            shown.append(made.info["duration"])
    assert shown == [40, 80, 40, 200]


def test_corrections_beside_a_clip_are_said_not_to_be_used(tmp_path, capsys):
    for name in ("dance.gif", "wave.gif"):
        animate(tmp_path / name, moving(2), duration=100)
    corrections = tmp_path / "dance.strokes.json"
    corrections.write_text("{}")
    main([str(tmp_path), "-o", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert f"not used: {corrections}, for corrections are of photos" in said
    assert said.count("not used") == 1


def test_clips_whose_results_would_go_to_a_store_are_left_out_with_the_reason(
    folder, memory_store, capsys
):
    argv = [str(folder / "cat.png"), str(folder / "dance.gif"), "-o", "memory://out"]
    assert main(argv) == 1
    said = capsys.readouterr().out
    assert "1 photo: 1 done; 1 clip: 1 left out." in said
    assert f"  left out: {folder / 'dance.gif'}: a clip; its results go into a folder" in said
    assert "animations are done" not in said


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.apng", "a.gif"])
def test_animations_become_animations_of_their_own_format(name, tmp_path):
    path = animate(tmp_path / "in" / name, moving(3), duration=100, loop=0)
    assert main([str(path), "-o", str(tmp_path / "out")]) == 0
    suffix = ".apng" if path.suffix == ".png" else path.suffix
    assert names(tmp_path / "out") == [f"a_cutout{suffix}"]
    assert [frame.time for frame in frames_of(tmp_path / "out" / f"a_cutout{suffix}")] == (
        [frame.time for frame in frames_of(path)]
    )


def test_the_first_frame_alone_is_taken_on_request(folder, tmp_path, capsys):
    main([str(folder / "dance.gif"), "-o", str(tmp_path / "out"), "--first-frame"])
    assert names(tmp_path / "out") == ["dance_cutout.png"]
    assert "left out: 3 more frames" in capsys.readouterr().out


def test_pictures_of_one_frame_are_photos(tmp_path):
    moving(1)[0].save(tmp_path / "one.gif")
    moving(1)[0].save(tmp_path / "one.webp", save_all=True)
    main([str(tmp_path), "-o", str(tmp_path / "out")])
    made = names(tmp_path / "out")
    assert len(made) == 2 and all(name.endswith("_cutout.png") for name in made)


def test_an_animation_that_is_too_long_is_told_of_webm(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("u2demo.video.animate._MOST_PIXELS", 2 * 64 * 48)
    assert main([str(folder), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "1 photo: 1 done; 2 clips: 1 done, 1 failed" in said
    assert "dance.gif: the clip is too long for an animation" in said and "choose webm" in said
    assert main([str(folder), "-o", str(tmp_path / "out"), "--format", "webm"]) == 0


def test_files_that_only_look_like_clips_get_a_sentence_and_photos_are_done(
    folder, tmp_path, capsys
):
    (folder / "notes.mov").write_text("notes")
    assert main([str(folder), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "1 photo: 1 done; 3 clips: 1 failed, 2 done" in said
    assert f"failed: {folder / 'notes.mov'}: not a clip of a known kind" in said


def test_without_pyav_each_clip_says_what_to_install_and_photos_are_done(
    folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "av", None)
    assert main([str(folder), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert f"  failed: {folder / 'waves.mp4'}: to read clips: pip install av" in said
    assert {"cat_cutout.png", "dance_cutout.gif"} <= set(names(tmp_path / "out"))


def test_a_clip_without_a_suffix_that_is_named_is_known_by_its_content(folder, tmp_path):
    (folder / "waves.mp4").rename(tmp_path / "waves")
    assert main([str(tmp_path / "waves"), "-o", str(tmp_path / "out")]) == 0
    assert names(tmp_path / "out") == ["waves_cutout.webm"]


def test_a_clip_with_the_suffix_of_a_photo_is_said_to_be_one(folder, tmp_path, capsys):
    path = (folder / "waves.mp4").rename(folder / "waves.jpg")
    assert main([str(path), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert f"{path}: a video, not a photo; give it its suffix, such as .mp4, to process it" in said


def test_a_recording_of_television_is_a_clip_and_a_program_in_typescript_is_none(tmp_path):
    write(tmp_path / "in" / "news.ts", moving(16))
    (tmp_path / "in" / "app.ts").write_text("export const one = 1;")
    for number, source in enumerate(("in", "in/news.ts")):
        out = tmp_path / f"out{number}"
        assert main([str(tmp_path / source), "-o", str(out)]) == 0
        assert names(out) == ["news_cutout.webm"]


def test_an_animation_that_failed_is_not_said_to_be_done(tmp_path, capsys):
    path = animate(tmp_path / "torn.png", moving(3), duration=80)
    path.write_bytes(path.read_bytes()[:130])
    assert main([str(path), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert f"  failed: {path}: damaged or cut off" in said and "all their frames" not in said


def test_wildcards_find_clips(folder):
    assert [path.name for path in expand([folder / "*.mp4"])] == ["waves.mp4"]
    assert len(expand([folder / "*"])) == 3


@pytest.mark.parametrize("background", ["clip", "animation", "photo", "#00c000"])
def test_a_new_background_is_seen_behind_photos_and_clips(background, folder, tmp_path):
    plain = [Image.new("RGB", (64, 48), color) for color in ("#00c000", "#00b000")]
    if background == "clip":
        background = write(tmp_path / "back" / "sea.mp4", plain)
    elif background == "animation":
        background = animate(tmp_path / "back" / "sea.gif", plain, duration=40, loop=0)
    elif background == "photo":
        background = tmp_path / "plain.png"
        plain[0].save(background)
    assert main([str(folder), "-o", str(tmp_path / "out"), "--background", str(background)]) == 0
    assert names(tmp_path / "out") == [
        "cat_background.jpg", "dance_background.gif", "waves_background.mp4",
    ]  # fmt: skip
    pictures = [u2.open_image(tmp_path / "out" / "cat_background.jpg")]
    pictures += [frame.image for frame in frames_of(tmp_path / "out" / "waves_background.mp4")]
    for picture in pictures:
        red, green, blue = picture.getpixel((60, 4))
        assert 150 < green < 210 and red < 60 and blue < 60
        assert bright_share(picture) > 0.04


def test_a_changed_background_clip_is_another_effect(folder, tmp_path, capsys):
    sea, out = tmp_path / "sea.mp4", tmp_path / "out"
    for color, said in (("#00c000", "1 done"), ("#00c000", "1 skipped"), ("#0000c0", "1 done")):
        write(sea, [Image.new("RGB", (64, 48), color)] * 2)
        main([str(folder / "waves.mp4"), "-o", str(out), "--background", str(sea)])
        assert f"1 clip: {said}." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("cat.png", ["--format", "mov"],
         "mov is a format of clips, and there are none here; for photos choose auto or webp"),
        ("waves.mp4", ["--format", "mp4"], "MP4 cannot hold transparency; choose webm"),
        (".", ["--format", "mp4", "--effects", "box,cutout"], "MP4 cannot hold transparency"),
    ],
)  # fmt: skip
def test_a_format_that_does_not_fit_is_refused_before_any_work(
    source, options, said, folder, tmp_path, capsys, dark
):
    assert main([str(folder / source), "-o", str(tmp_path / "out"), *options]) == 1
    assert said in capsys.readouterr().err
    assert dark.looks == 0 and not (tmp_path / "out").exists()


def test_a_format_of_clips_leaves_photos_as_they_are(folder, tmp_path):
    command = [str(folder), "-o", str(tmp_path / "out"), "--effects", "mask", "--format", "mp4"]
    assert main(command) == 0
    assert names(tmp_path / "out") == ["cat_mask.png", "dance_mask.mp4", "waves_mask.mp4"]


def test_boxes_of_clips_are_written_for_coco_and_not_for_yolo(folder, tmp_path, capsys):
    command = [str(folder), "-o", str(tmp_path / "out"), "--boxes", "coco,yolo"]
    assert main(command) == 0
    assert "labels in YOLO's format are for photos" in capsys.readouterr().out
    assert (tmp_path / "out" / "boxes.coco.json").read_text().count('"frame_id"') == 7


def test_damage_and_an_absent_subject_are_said_of_clips(tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 60, (40, 48, 64, 3), np.uint8)
    path = write(tmp_path / "torn.mkv", [Image.fromarray(pixels) for pixels in noise])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert main([str(path), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert f"  no clear subject: {path}" in said
    assert f"  {path}: damaged or cut off; " in said
    assert "seconds could be read; done as far as it goes\n" in said
    (row,) = csv.DictReader((tmp_path / "out" / "manifest.csv").open())
    assert row["damage"].startswith("damaged or cut off") and 0 < int(row["frames"]) < 40


def test_a_damaged_background_clip_is_a_line_without_the_place_in_the_code(tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), np.uint8)
    torn = write(tmp_path / "torn.mkv", [Image.fromarray(pixels) for pixels in noise])
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    clip = write(tmp_path / "waves.mp4", moving(30))
    assert main([str(clip), "-o", str(tmp_path / "out"), "--background", str(torn)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"u2demo: {torn}: damaged or cut off; ")
    assert line.endswith("could be read; the background repeats the rest")


def test_options_for_photos_are_refused_by_name_where_there_are_clips(folder, tmp_path, capsys):
    command = [str(folder), "-o", str(tmp_path / "out"), "--within", "0,0,9,9", "--grow", "2"]
    assert main(command) == 1
    assert capsys.readouterr().err == (
        "u2demo: clips take no --within, --grow; leave out the options or the clips\n"
    )


def test_a_log_gets_a_line_a_minute_with_frames_a_second_and_the_time_left(tmp_path, capsys):
    clock = iter([0, 0, 30, 60, 100, 121]).__next__
    lines = ClipLines(every=60, clock=clock)
    path = tmp_path / "waves.mp4"
    for share, frames, step in (
        (0, 0, "looking"), (0.25, 150, "looking"), (0.5, 300, "looking"), (0.5, 1, "writing"),
        (0.75, 211, "writing"),
    ):  # fmt: skip
        lines.report(Progress(path, share, frames, 300, step))
    assert capsys.readouterr().err.splitlines() == [
        "waves.mp4: looking, frame 300 of 300, 5.0 frames/s, 1 min left",
        "waves.mp4: writing, frame 211 of 300, 10.0 frames/s, 1 min left",
    ]
