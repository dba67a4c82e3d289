"""A folder of photos: every photo accounted for, nothing overwritten, runs that resume."""

import csv
import json
import os
from pathlib import Path

import pytest
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.runs import run as runs
from u2demo.runs.listing import Listing
from u2demo.runs.manifest import Manifest
from u2demo.runs.run import Run, process_files

ONLY_CUTOUT = {"cutout": u2.EFFECTS["cutout"]}


@pytest.fixture
def net():
    """A net that is quick: what it finds does not matter here."""
    return Bright()


@pytest.fixture
def photos(tmp_path, samples):
    """A folder with two small photos, one of them in a subfolder."""
    folder = tmp_path / "photos"
    (folder / "pets").mkdir(parents=True)
    samples["cat.jpeg"].reduce(4).save(folder / "pets" / "cat.jpeg")
    samples["rocket.jpg"].reduce(4).save(folder / "rocket.png")
    return folder


def run(net, photos, results, **options):
    return u2.process_folder(net, photos, results, effects=ONLY_CUTOUT, **options)


def pictures(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*_*.*"))


def snapshot(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*_*.*")}


def test_subfolders_are_mirrored_and_the_manifest_tells_what_happened(
    model, photos, tmp_path, samples
):
    samples["rocket.jpg"].save(photos / "rocket.png")
    (photos / "broken.jpg").write_text("no photo")
    records = run(model, photos, tmp_path / "out")
    assert pictures(tmp_path / "out") == ["pets/cat_cutout.png", "rocket_cutout.png"]
    assert {record.stem: record.status for record in records} == {
        "broken": "failed",
        "pets/cat": "done",
        "rocket": "done",
    }
    rows = list(csv.DictReader((tmp_path / "out" / "manifest.csv").open()))
    lines = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    assert [row["status"] for row in rows] == [json.loads(line)["status"] for line in lines]
    assert "not an image" in rows[0]["error"]
    left, top, right, bottom = map(int, rows[2]["box"].split())
    assert 250 < left < right < 400 and top < bottom
    assert 0.005 < float(rows[2]["area"]) < 0.1
    assert 0.7 < float(rows[2]["confidence"]) <= 1


def test_a_second_run_does_only_what_is_new_or_changed(net, photos, tmp_path, samples):
    run(net, photos, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    samples["coffee.png"].save(photos / "coffee.png")
    samples["astronaut.jpg"].save(photos / "rocket.png")
    records = run(net, photos, tmp_path / "out")
    assert {record.stem: record.status for record in records} == {
        "coffee": "done",
        "pets/cat": "skipped",
        "rocket": "done",
    }
    after = snapshot(tmp_path / "out")
    untouched = [path.name for path in before if before[path] == after[path]]
    assert untouched == ["cat_cutout.png"]


@pytest.mark.parametrize("change", ["overwrite", "effects", "quality", "format", "file gone"])
def test_a_run_with_other_settings_does_everything_again(change, net, photos, tmp_path):
    run(net, photos, tmp_path / "out")
    options = {"overwrite": True} if change == "overwrite" else {}
    options |= {"quality": "best"} if change == "quality" else {}
    options |= {"format": "webp"} if change == "format" else {}
    if change == "file gone":
        (tmp_path / "out" / "rocket_cutout.png").unlink()
        (tmp_path / "out" / "pets" / "cat_cutout.png").unlink()
    effects = {"mask": u2.EFFECTS["mask"]} if change == "effects" else ONLY_CUTOUT
    records = u2.process_folder(net, photos, tmp_path / "out", effects=effects, **options)
    assert [record.status for record in records] == ["done", "done"]


def test_pictures_of_a_run_before_the_last_are_not_made_again(net, photos, tmp_path):
    run(net, photos, tmp_path / "out")
    masks = {"mask": u2.EFFECTS["mask"]}
    u2.process_folder(net, photos, tmp_path / "out", effects=masks)
    records = u2.process_folder(net, photos, tmp_path / "out", effects=masks | ONLY_CUTOUT)
    assert [record.status for record in records] == ["skipped", "skipped"]
    assert records[1].files == ("rocket_cutout.png", "rocket_mask.png")


def test_a_function_of_your_own_is_applied_again_when_it_has_changed(net, photos, tmp_path):
    def fill(color):
        return lambda image, mask: Image.new("RGB", image.size, color)

    for color, status in (("red", "done"), ("red", "skipped"), ("blue", "done")):
        effects = {"fill": fill(color)}
        _, record = u2.process_folder(net, photos, tmp_path / "out", effects=effects)
        assert record.status == status
    red, _, blue = Image.open(tmp_path / "out" / "rocket_fill.jpg").getpixel((9, 9))
    assert red < 9 and blue > 240


def test_photos_keep_their_names_wherever_they_are_seen_from(net, photos, tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    photos = photos.rename(project / "photos")
    run(net, photos, project / "out")
    made = pictures(project / "out")

    def check_that_nothing_is_new(photos, out):
        records = run(net, photos, out)
        assert [record.status for record in records] == ["skipped", "skipped"]
        assert pictures(Path(out)) == made
        assert all(Path(record.photo).is_file() for record in records)

    monkeypatch.chdir(project / "deep")
    check_that_nothing_is_new("../photos", "../out")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(project, target_is_directory=True)
    check_that_nothing_is_new("link/photos", tmp_path / "link" / "out")
    moved = project.rename(tmp_path / "moved")
    check_that_nothing_is_new(moved / "photos", "moved/out")


def test_pictures_of_a_run_into_another_folder_are_not_photos(net, photos, monkeypatch):
    run(net, photos, photos / "first")
    monkeypatch.chdir(photos / "pets")
    assert len(run(net, "..", "../second")) == 2
    assert len(run(net, photos, photos / "first")) == 2


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.jsonl"])
def test_a_manifest_of_your_own_is_not_replaced(name, net, photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("sku,price\n1,2\n")
    with pytest.raises(ValueError, match=f"{name} was not written by u2demo and would"):
        run(net, photos, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]
    assert (tmp_path / "out" / name).read_text() == "sku,price\n1,2\n"


def test_webp_in_a_folder_is_skipped_when_whole_and_done_again_when_not(net, photos, tmp_path):
    out = tmp_path / "out"
    run(net, photos, out, format="webp")
    assert pictures(out) == ["pets/cat_cutout.webp", "rocket_cutout.webp"]
    os.truncate(out / "rocket_cutout.webp", 100)
    records = run(net, photos, out, format="webp")
    assert {record.stem: record.status for record in records} == {
        "pets/cat": "skipped",
        "rocket": "done",
    }
    assert Image.open(out / "rocket_cutout.webp").mode == "RGBA"


def test_another_format_leaves_the_pictures_of_the_first_where_they_are(net, photos, tmp_path):
    run(net, photos, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    _, record = run(net, photos, tmp_path / "out", format="webp")
    assert record.files == ("rocket_cutout.png", "rocket_cutout.webp")
    assert before.items() <= snapshot(tmp_path / "out").items()


@pytest.mark.parametrize("option, value", [("format", "gif"), ("quality", "good")])
def test_an_unknown_option_is_refused_before_anything_is_written(
    option, value, net, photos, tmp_path
):
    with pytest.raises(ValueError, match=f"{option} '{value}'"):
        run(net, photos, tmp_path / "out", **{option: value})
    assert not (tmp_path / "out").exists()


def test_a_report_that_cannot_be_called_is_refused_before_any_work(net, photos, tmp_path):
    with pytest.raises(TypeError, match="report is None, expected a function of one Record"):
        run(net, photos, tmp_path / "out", report=None)
    assert not (tmp_path / "out").exists()


def test_a_folder_leaves_the_malloc_of_the_program_alone(net, photos, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("u2demo.machine.memory.ctypes.CDLL", lambda name: asked.append(name))
    run(net, photos, tmp_path / "out")
    assert asked == []


def test_photos_with_the_same_stem_get_different_files(net, tmp_path, samples):
    for name in ("cat.jpg", "cat.png", "CAT.jpg"):
        samples["cat.jpeg"].save(tmp_path / name)
    records = run(net, tmp_path, tmp_path / "out")
    assert [record.status for record in records] == ["done"] * 3
    stems = {record.stem.casefold() for record in records}
    assert len(stems) == len(pictures(tmp_path / "out")) == 3


def test_a_foreign_file_in_the_results_is_never_overwritten(net, photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rocket_cutout.png").write_text("mine")
    run(net, photos, tmp_path / "out")
    assert (tmp_path / "out" / "rocket_cutout.png").read_text() == "mine"
    assert (tmp_path / "out" / "rocket_png_cutout.png").exists()


def test_a_foreign_file_with_the_name_of_another_effect_stays_as_well(net, photos, tmp_path):
    run(net, photos, tmp_path / "out")
    (tmp_path / "out" / "rocket_mask.png").write_text("mine")
    effects = {"mask": u2.EFFECTS["mask"]}
    _, record = u2.process_folder(net, photos, tmp_path / "out", effects=effects)
    assert (tmp_path / "out" / "rocket_mask.png").read_text() == "mine"
    assert record.files == ("rocket_cutout.png", "rocket_png_mask.png")


def test_results_among_the_photos_are_not_taken_for_photos(net, photos):
    before = {path: path.read_bytes() for path in photos.rglob("*.*")}
    first = run(net, photos, photos)
    second = run(net, photos, photos)
    assert [record.status for record in first] == ["done", "done"]
    assert [record.status for record in second] == ["skipped", "skipped"]
    for _ in range(2):  # pictures of effects no longer requested are still not photos
        effects = {"mask": u2.EFFECTS["mask"]}
        assert len(u2.process_folder(net, photos, photos, effects=effects)) == 2
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_run_that_was_killed_goes_on_under_the_same_names(net, photos, tmp_path):
    undisturbed = tmp_path / "undisturbed"
    run(net, photos, undisturbed)
    out = tmp_path / "out"

    def die(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process_files(net, Listing([photos]), out, Run(ONLY_CUTOUT), report=die)
    journal = out / "manifest.jsonl"
    journal.write_text(journal.read_text() + '{"photo": "half a li')
    run(net, photos, out)
    assert pictures(out) == pictures(undisturbed)
    for name in pictures(out):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes()
    assert sorted(p.name for p in out.iterdir() if p.is_file()) == [
        "manifest.csv",
        "manifest.jsonl",
        "rocket_cutout.png",
    ]


def test_a_manifest_from_elsewhere_leads_nowhere(net, photos, tmp_path):
    out = tmp_path / "out"
    run(net, photos, out)
    row = json.loads((out / "manifest.jsonl").read_text().splitlines()[1])
    wrong = [{"stem": "../x"}, {"stem": "/x"}, {"files": ["../x"]}, {"files": 1}, {"stem": None}]
    lines = [json.dumps({**row, "version": "old", **change}) for change in wrong]
    (out / "manifest.jsonl").write_text("\n".join(["[]", '"x"', "\0", *lines]))
    (tmp_path / "x").write_text("mine")
    before = sorted(tmp_path.iterdir())
    assert [record.status for record in run(net, photos, out)] == ["done", "done"]
    assert sorted(tmp_path.iterdir()) == before


def test_two_runs_into_one_folder_do_not_mix(net, photos, tmp_path):
    with Manifest(tmp_path / "out"), pytest.raises(ValueError, match="another run is writing"):
        run(net, photos, tmp_path / "out")
    assert [record.status for record in run(net, photos, tmp_path / "out")] == ["done", "done"]


def test_several_sources_keep_their_names_apart(tmp_path):
    for name in ("a/cat.png", "b/cat.png", "dog.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    listing = Listing([tmp_path / "a", tmp_path / "b", tmp_path / "dog.png", tmp_path / "a"])
    places = [(entry.folder, entry.name) for entry in listing.entries()]
    assert places == [("a", "cat.png"), ("b", "cat.png"), ("", "dog.png")]


def test_a_folder_called_memory_is_not_taken_for_a_lack_of_it(net, tmp_path):
    card = tmp_path / "memory card"
    card.mkdir()
    (card / "broken.jpg").write_text("no photo")
    (record,) = run(net, card, tmp_path / "out")
    assert "not an image of a known format" in record.error


@pytest.mark.parametrize("cores, most", [(1, 1), (64, 8)])
def test_no_more_photos_than_eight_are_in_work(cores, most, net, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(runs, "own_cores", lambda: cores)
    monkeypatch.setattr(runs, "in_parallel", lambda work, jobs, workers: seen.append(workers) or [])
    run(net, tmp_path, tmp_path / "out")
    assert seen == [most]


def test_a_file_in_place_of_a_folder_is_refused(net, photos, tmp_path):
    with pytest.raises(ValueError, match="is not a folder"):
        u2.process_folder(net, next(photos.rglob("*.jp*g")), tmp_path / "out")
    assert not (tmp_path / "out").exists()
