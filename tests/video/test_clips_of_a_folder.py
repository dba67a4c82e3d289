"""Clips and photos share a manifest, its promises, and their names with nobody."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from bright_clips import Dark, frames_of, moving, names
from PIL import Image
from small_run import contents

import u2demo as u2
from u2demo.runs.coco import write_coco
from u2demo.runs.listing import Listing
from u2demo.runs.records import read_records
from u2demo.runs.run import Run, process_files
from u2demo.runs.yolo import write_yolo
from u2demo.video.run import process_clips

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("small_maps")

BOX = {"box": u2.EFFECTS["box"]}


@pytest.fixture
def folder(tmp_path, make_clip):
    """A folder of a photo and two clips, one of them of the photo's name."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    moving(1)[0].save(folder / "cat.png")
    make_clip("cat.mp4", pictures=moving(4)).rename(folder / "cat.mp4")
    make_clip("dog.mp4", pictures=moving(3)).rename(folder / "sub" / "dog.mp4")
    return folder


def run(folder, out, *, model=None, report=lambda progress: None, **options):
    """Do photos, then clips, as the command line does; return all records."""
    settings = Run(**{"effects": BOX, **options})
    listing = Listing([folder])
    model = model or Dark()
    records = process_files(model, listing, out, settings)
    return [*records, *process_clips(model, listing, out, settings, report=report)]


def test_names_are_never_shared_and_stay_from_run_to_run(folder, tmp_path):
    out = tmp_path / "out"
    for status in ("done", "skipped"):
        records = run(folder, out)
        assert [record.status for record in records] == [status] * 3
        assert [record.files for record in records] == [
            ("cat_box.jpg",), ("cat_mp4_box.mp4",), ("sub/dog_box.mp4",),
        ]  # fmt: skip
    rows = list(csv.DictReader((out / "manifest.csv").open()))
    assert [row["frames"] for row in rows] == ["0", "4", "3"]
    assert rows[1]["duration"] == "0.133" and rows[1]["damage"] == ""


def test_a_clip_of_unchanged_content_is_skipped_and_another_is_done(folder, make_clip, tmp_path):
    out = tmp_path / "out"
    run(folder, out)
    os.utime(folder / "cat.mp4", (1, 1))
    assert [record.status for record in run(folder, out)] == ["skipped"] * 3
    make_clip("new.mp4", pictures=moving(5)).replace(folder / "cat.mp4")
    assert [record.status for record in run(folder, out)] == ["skipped", "done", "skipped"]
    assert len(frames_of(out / "cat_mp4_box.mp4")) == 5


def test_another_effect_or_format_is_made_and_a_changed_one_made_again(folder, tmp_path):
    clips = Listing([folder / "cat.mp4"])
    seen = []
    for settings in (
        Run(BOX),
        Run({"box": partial(u2.draw_box, color="blue")}),
        Run({"box": partial(u2.draw_box, color="blue")}),
        Run({"box": partial(u2.draw_box, color="blue")}, clip_format="webm"),
    ):
        (record,) = process_clips(Dark(), clips, tmp_path / "out", settings)
        seen.append((record.status, record.files))
    assert seen == [
        ("done", ("cat_box.mp4",)),
        ("done", ("cat_box.mp4",)),
        ("skipped", ("cat_box.mp4",)),
        ("done", ("cat_box.mp4", "cat_box.webm")),
    ]


@pytest.mark.parametrize("format", ["mp4", "png"])
def test_no_file_of_yours_is_replaced_and_a_changed_result_is_kept(format, folder, tmp_path):
    out, name = tmp_path / "out", "cat_box.mp4" if format == "mp4" else "cat_box"
    settings = Run(BOX, clip_format=format)
    clips = Listing([folder / "cat.mp4"])
    (record,) = process_clips(Dark(), clips, out, settings)
    assert record.files == (name,)
    mine = out / name if format == "mp4" else out / name / "notes.txt"
    with mine.open("ab") as file:
        file.write(b"mine")
    content = mine.read_bytes()
    (record,) = process_clips(Dark(), clips, out, replace(settings, overwrite=True))
    other = "cat_box (2).mp4" if format == "mp4" else "cat_box (2)"
    assert record.renamed == {name: other} and mine.read_bytes() == content
    (record,) = process_clips(Dark(), clips, out, replace(settings, overwrite=True))
    assert names(out) == sorted([name, other]), "the one that is ours is replaced"


def test_a_file_that_appears_while_a_clip_is_made_stays(folder, tmp_path):
    def appear(progress):
        (tmp_path / "out" / "cat_box.mp4").write_bytes(b"mine")

    clips = Listing([folder / "cat.mp4"])
    (record,) = process_clips(Dark(), clips, tmp_path / "out", Run(BOX), report=appear)
    assert record.files == ("cat_box (2).mp4",)
    assert (tmp_path / "out" / "cat_box.mp4").read_bytes() == b"mine"


def test_one_clip_that_fails_takes_no_other_with_it(folder, tmp_path):
    (folder / "bad.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(99))
    statuses = {Path(record.photo).name: record for record in run(folder, tmp_path / "out")}
    assert statuses["bad.mp4"].status == "failed"
    assert statuses["bad.mp4"].error.startswith(f"{folder / 'bad.mp4'}: damaged or cut off")
    assert [record.status for record in statuses.values()].count("done") == 3
    assert not [name for name in names(tmp_path / "out") if name.startswith(".")]


def test_results_of_clips_are_not_taken_for_photos_or_clips(folder, tmp_path):
    out = folder / "out"
    run(folder, out, clip_format="png")
    run(folder, out, clip_format="mp4")
    found = {entry.name: entry.kind for entry in Listing([folder]).entries()}
    assert {name for name in found if found[name] != "made"} == {"cat.png", "cat.mp4", "dog.mp4"}


def test_a_run_over_photos_names_the_clips_that_it_leaves_and_forgets_none(folder, tmp_path):
    out = tmp_path / "out"
    run(folder, out)
    records = u2.process_folder(Dark(), folder, out, effects=BOX)
    left = [record for record in records if record.status == "left out"]
    assert [record.error for record in left] == [
        f"{folder / name}: a clip, not a photo; process_video takes it"
        for name in ("cat.mp4", "sub/dog.mp4")
    ]
    assert [record.status for record in run(folder, out)] == ["skipped"] * 3


def test_manifests_of_earlier_versions_are_read(folder, tmp_path):
    out = tmp_path / "out"
    run(folder, out)
    journal = out / "manifest.jsonl"
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    for row in rows:
        for name in ("frames", "duration", "damage", "track"):
            del row[name]
    journal.write_text("".join(json.dumps(row) + "\n" for row in rows[:1]))
    (record,) = read_records(out)
    assert (record.frames, record.damage, record.track) == (0, "", None)
    assert [record.status for record in run(folder, out)] == ["skipped", "done", "done"]


def test_coco_has_a_box_for_each_frame_with_its_time_and_yolo_the_photos_only(folder, tmp_path):
    out = tmp_path / "out"
    run(folder, out)
    assert [record.status for record in run(folder, out, outlines=True)] == ["done"] * 3
    coco = json.loads(write_coco(read_records(out), out).read_text())
    assert [(video["id"], video["name"]) for video in coco["videos"]] == [
        (1, "cat.mp4"), (2, "sub/dog.mp4"),
    ]  # fmt: skip
    photo, *frames = coco["images"]
    assert photo["file_name"] == "cat.png" and "video_id" not in photo
    assert [(image["video_id"], image["frame_id"]) for image in frames] == [
        (1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2),
    ]  # fmt: skip
    assert frames[1]["file_name"] == "cat.mp4/000002.png"
    assert frames[1]["time"] == pytest.approx(1 / 30, abs=0.001)
    boxes = {one["image_id"]: one["bbox"] for one in coco["annotations"] if "video_id" in one}
    assert boxes.keys() == {image["id"] for image in frames}
    lefts = [boxes[image["id"]][0] for image in frames[:4]]
    assert lefts == sorted(lefts) and lefts[3] - lefts[0] in range(4, 9)
    write_yolo(read_records(out), out)
    assert {path.name for path in (out / "labels").glob("[!.]*")} == {"cat.txt", "classes.txt"}


def test_a_full_disk_is_said_in_one_sentence_and_ends_the_run(folder, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("u2demo.video.run.ClipWriter.add", fail)
    clips = Listing([folder])
    with pytest.raises(OSError, match="out: the disk is full; make room") as full:
        process_clips(Dark(), clips, tmp_path / "out", Run(BOX))
    assert "the same run resumes" in str(full.value)
    assert not [name for name in names(tmp_path / "out") if name.startswith(".")]


def test_the_same_clip_gives_the_same_webm_byte_for_byte(folder, tmp_path):
    """WebM numbers its tracks at random unless it is told not to."""
    for name in ("one", "two"):
        run(folder, tmp_path / name, effects={"cutout": u2.EFFECTS["cutout"]})
    assert "cat_mp4_cutout.webm" in names(tmp_path / "one")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def files_in(folder):
    """Return what all files hold; of H.264 its frames' times, as x264 does not repeat its bytes.

    With AVX-512, macroblock tree and B-frames, a clip of 160x120 pixels gave 20 different files in
    200 runs, all from the very same frames; without any one of these it gave one.
    """
    held: dict[str, object] = contents(folder)
    for name in held:
        if name.endswith(".mp4") and not name.startswith("."):
            held[name] = [frame.time for frame in frames_of(folder / name)]
    return held


CHILD = """
import sys
sys.path.insert(0, sys.argv[3])
from bright_clips import Dark
from u2demo.video import steady
steady._PIXELS = 64 * 48
from u2demo.effects import DEFAULT_EFFECTS
from u2demo.runs.listing import Listing
from u2demo.runs.run import Run
from u2demo.video.run import process_clips
clips = Listing([sys.argv[1]])
print("begun", flush=True)
process_clips(Dark(), clips, sys.argv[2], Run(clip_format=sys.argv[4]))
"""


def start(folder, out, format):
    """Return a process that makes the clips of a folder, once it begins to."""
    tests = Path(__file__).parents[1]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, folder, out, tests, format], stdout=subprocess.PIPE, text=True
    )
    child.stdout.readline()
    return child


@pytest.mark.parametrize("format", ["png", pytest.param("auto", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_kill_9_leaves_nothing_half_and_the_next_run_clears_up(kills, format, folder, tmp_path):
    chance = random.Random()  # a moment that cannot be repeated need not be chosen repeatably
    clips, settings = Listing([folder]), Run(clip_format=format)
    begun = time.perf_counter()
    process_clips(Dark(), clips, tmp_path / "undisturbed", settings)
    seconds = time.perf_counter() - begun
    whole, out = files_in(tmp_path / "undisturbed"), tmp_path / "out"
    for _ in range(kills):
        child = start(folder, out, format)
        time.sleep(chance.uniform(0, 1.5 * seconds))
        child.kill()
        child.communicate()
        for name, content in files_in(out).items() if out.exists() else ():
            assert name.startswith(".") or content == whole[name]
    process_clips(Dark(), clips, out, settings)
    assert files_in(out) == whole


def test_a_kill_between_the_name_of_a_folder_and_its_frames_leaves_no_empty_folder(
    folder, tmp_path, monkeypatch
):
    clips, settings = Listing([folder / "cat.mp4"]), Run(BOX, clip_format="png")

    def die(*arguments):
        (tmp_path / "out" / "cat_box").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("u2demo.machine.disk._place_folder", lambda *_, **options: die())
        process_clips(Dark(), clips, tmp_path / "out", settings)
    assert list((tmp_path / "out" / "cat_box").iterdir()) == []
    (record,) = process_clips(Dark(), clips, tmp_path / "out", settings)
    assert record.files == ("cat_box",) and names(tmp_path / "out") == ["cat_box"]


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="a matter of POSIX")
def test_ctrl_c_leaves_nothing_half(folder, tmp_path):
    def stop(progress):
        if progress.step == "writing":
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # nohup has it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            run(folder, tmp_path / "out", report=stop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert names(tmp_path / "out") == ["cat_box.jpg"]
    assert [record.status for record in run(folder, tmp_path / "out")] == [
        "skipped",
        "done",
        "done",
    ]


def test_a_folder_of_yours_with_the_name_of_a_partial_one_stays(folder, tmp_path):
    mine, left = (tmp_path / "out" / f".u2demo-{digit * 16}.part" for digit in "ab")
    for place in (mine, left):
        place.mkdir(parents=True)
        Image.new("L", (2, 2)).save(place / "000001.png")
    (mine / "notes.txt").write_text("mine")
    run(folder, tmp_path / "out")
    assert (mine / "notes.txt").exists() and not left.exists()
