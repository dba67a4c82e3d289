"""Files that appear while a run goes on, pictures retouched after it: a run replaces neither."""

import json
import os
import shutil

import pytest
from bright import Bright
from PIL import Image
from small_run import EFFECTS, contents, make_photos

import u2demo as u2
from u2demo.cli.main import main

CUTOUT = {"cutout": EFFECTS["cutout"]}


@pytest.fixture
def photos(tmp_path):
    """A folder of three photos."""
    return make_photos(tmp_path / "photos")


def run(photos, out, effects=CUTOUT, **options):
    """Return the records by stem."""
    records = u2.process_folder(Bright(), photos, out, effects=effects, **options)
    return {record.stem: record for record in records}


def put_mine_at(path, *, during):
    """Return an effect: a person saves a file at ``path`` while the photo ``during`` is in work."""
    with Image.open(during) as photo:
        photo.load()

    def effect(image, mask):
        if image.tobytes() == photo.tobytes():
            path.write_text("mine")
        return image.copy()

    return effect


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_appears_during_a_run_stays(overwrite, photos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    mine = out / "photo0_copy.jpg"
    effects = {"copy": put_mine_at(mine, during=photos / "photo0.png")}
    records = run(photos, out, effects, overwrite=overwrite)
    assert mine.read_text() == "mine"
    assert (out / "photo0_copy (2).jpg").is_file()
    assert "photo0_copy (2).jpg" in records["photo0"].files
    assert records["photo0"].renamed == {"photo0_copy.jpg": "photo0_copy (2).jpg"}


@pytest.mark.parametrize("again", [{"quality": "best"}, {"overwrite": True}])
def test_a_retouched_picture_stays_and_its_successor_gets_a_number(again, photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    before = contents(out)
    (out / "photo0_cutout.png").write_bytes(before["photo0_cutout.png"] + b"retouched")
    for _ in range(2):  # the numbered one is replaced as long as nobody changes it
        records = run(photos, out, **{**again, "overwrite": True})
        assert records["photo0"].renamed == {"photo0_cutout.png": "photo0_cutout (2).png"}
        assert records["photo1"].renamed == {}
        after = contents(out)
        assert after.keys() == before.keys() | {"photo0_cutout (2).png"}
        assert after["photo0_cutout.png"] == before["photo0_cutout.png"] + b"retouched"


def test_overwrite_replaces_what_nobody_has_changed_since(photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    before = contents(out)
    for file in out.rglob("*.png"):
        os.utime(file, (0, 0))  # a copy from a backup: the same picture
    assert {record.status for record in run(photos, out, overwrite=True).values()} == {"done"}
    assert contents(out) == before
    assert all(file.stat().st_mtime > 0 for file in out.rglob("*.png"))


def test_pictures_of_a_manifest_that_does_not_say_how_they_were_written_stay(photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    before = contents(out)
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    for line in lines:
        for name in ("written", "writing", "renamed"):
            line.pop(name, None)
    (out / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert {record.status for record in run(photos, out).values()} == {"skipped"}
    run(photos, out, overwrite=True)
    after = contents(out)
    assert before.items() <= after.items()
    assert len(after) == 2 * len(before)


@pytest.mark.usefixtures("bright_loaded")
def test_the_command_line_says_which_file_stayed_and_what_the_new_picture_is_called(
    photos, tmp_path, capsys
):
    out = tmp_path / "out"
    command = [str(photos), "-o", str(out)]
    assert main(command) == 0
    assert "stays" not in capsys.readouterr().out
    (out / "photo1_cutout.png").write_bytes(b"mine")
    assert main([*command, "--overwrite"]) == 0
    assert (out / "photo1_cutout.png").read_bytes() == b"mine"
    said = capsys.readouterr().out
    assert "3 photos: 3 done" in said
    assert "photo1_cutout.png stays as it is" in said and "photo1_cutout (2).png" in said


def kill(photos, out):
    """Leave in ``out`` what a run leaves that dies just before it notes its only photo as done."""

    def look(record):
        lines = (out / "manifest.jsonl").read_text().splitlines(keepends=True)
        started.extend(line for line in lines if json.loads(line)["status"] == "started")

    started = []
    run(photos, out, EFFECTS, report=look)
    (out / "manifest.csv").unlink()
    (out / "manifest.jsonl").write_text("".join(started))


def test_a_run_that_goes_on_after_a_kill_tells_its_pictures_from_files_of_yours(tmp_path):
    photo, out = make_photos(tmp_path / "photo", 1), tmp_path / "out"
    kill(photo, out)
    expected = contents(out)
    (out / "pets" / "photo0_box.jpg").write_bytes(b"mine")
    run(photo, out, EFFECTS)
    expected["pets/photo0_box (2).jpg"] = expected["pets/photo0_box.jpg"]
    assert contents(out) == expected | {"pets/photo0_box.jpg": b"mine"}


def test_pictures_of_a_killed_run_are_replaced_when_other_settings_follow(tmp_path):
    photo, out = make_photos(tmp_path / "photo", 1), tmp_path / "out"
    kill(photo, out)
    for folder in (out, tmp_path / "undisturbed"):
        run(photo, folder, {"cutout": EFFECTS["box"], "box": EFFECTS["cutout"]})
    made = contents(out)
    assert contents(tmp_path / "undisturbed").items() <= made.items()
    assert not [name for name in made if "(2)" in name]


def test_results_can_be_copied_to_another_disk_and_overwritten_there(photos, tmp_path):
    run(photos, tmp_path / "out")
    copied = shutil.copytree(tmp_path / "out", tmp_path / "copied", copy_function=shutil.copyfile)
    before = contents(copied)
    run(photos, copied, overwrite=True)
    assert contents(copied) == before


def test_a_disk_without_hard_links_replaces_nothing_either(photos, tmp_path, monkeypatch):
    def refuse(*paths):
        raise PermissionError("no links on this disk")

    monkeypatch.setattr(os, "link", refuse)
    out = tmp_path / "out"
    out.mkdir()
    mine = out / "photo0_copy.jpg"
    run(photos, out, {"copy": put_mine_at(mine, during=photos / "photo0.png")})
    assert mine.read_text() == "mine"
    assert contents(out).keys() == {
        "photo0_copy.jpg",
        "photo0_copy (2).jpg",
        "photo1_copy.jpg",
        "pets/photo2_copy.jpg",
    }
