"""Files of yours among the results, whatever they are called: a run neither changes nor loses any.

Each is made before the run, or changed between two runs, and looked at after it.
"""

import json
import os
import sys

import pytest
from bright import Bright
from small_run import make_photos, run

import u2demo as u2
from u2demo.masks.box import Box
from u2demo.runs.coco import write_coco
from u2demo.runs.records import Record, read_records
from u2demo.runs.yolo import write_yolo

MASK = {"mask": u2.EFFECTS["mask"]}
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need rights there")


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos", 2)


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize(
    "lines",
    [
        ['{"photo": "cat.png", "caption": "written by hand"}'],
        ['{"photo": "cat.png", "stem": "cat", "caption": "by hand"}', '{"photo": "dog.png"}'],
        ['{"photo": "a.png",', '"caption": "on several lines"}'],
        ["notes"],
        ['{"photo": "/photos/a.png", "cap'],
    ],
)
def test_a_manifest_of_yours_is_refused_and_stays(lines, photos, out):
    mine = "\n".join(lines) + "\n"
    (out / "manifest.jsonl").write_text(mine)
    with pytest.raises(ValueError, match=r"manifest\.jsonl was not written by u2demo and would"):
        run(photos, out)
    assert (out / "manifest.jsonl").read_text() == mine
    assert [path.name for path in out.iterdir()] == ["manifest.jsonl"]


def test_lines_of_yours_in_a_manifest_of_u2demo_stay(photos, out):
    run(photos, out)
    journal = out / "manifest.jsonl"
    mine = '{"photo": "a.png", "caption": "mine"}\n["notes"]\n'
    journal.write_text(mine + journal.read_text() + "# the end")
    assert {record.status for record in run(photos, out)} == {"skipped"}
    assert journal.read_text().startswith(mine)
    assert "# the end\n" in journal.read_text()


@pytest.mark.parametrize("name", ["manifest.jsonl", "manifest.csv", "boxes.coco.json", "labels"])
@pytest.mark.parametrize("kind", ["folder", "link", "link to nothing", "pipe"])
@on_posix
def test_what_is_no_file_is_refused_and_stays(kind, name, photos, out, tmp_path):
    precious = tmp_path / "precious"
    path = out / name
    if kind == "link":
        precious.mkdir() if name == "labels" else precious.write_text("")
    make = {
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(precious),
        "link to nothing": lambda: path.symlink_to(tmp_path / "nothing"),
        "pipe": lambda: os.mkfifo(path),
    }
    make[kind]()
    if (kind, name) == ("folder", "labels"):
        (path / "cat.txt").write_text("mine")
    before = path.lstat()
    with pytest.raises(ValueError, match="was not written by u2demo and would be replaced"):
        run(photos, out)
    assert path.lstat().st_ino == before.st_ino
    assert not precious.exists() or precious.is_dir() or precious.read_text() == ""
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("edit", ["a column of notes", "a cell", "sorted", "a row of your own"])
def test_a_table_that_you_have_edited_is_refused_and_stays(edit, photos, out):
    run(photos, out)
    table = out / "manifest.csv"
    first, *rows = table.read_text().splitlines()
    edited = {
        "a column of notes": [f"{first},notes", *(f"{row},good" for row in rows)],
        "a cell": [first, rows[0].replace("done", "sold"), *rows[1:]],
        "sorted": [first, rows[0] + ",more", *rows[1:]],
        "a row of your own": [first, *rows, rows[0].replace("photo", "mine")],
    }
    table.write_text("\n".join(edited[edit]))
    before = table.read_bytes()
    with pytest.raises(ValueError, match=r"manifest\.csv was .* and would be replaced"):
        run(photos, out)
    assert table.read_bytes() == before


@pytest.mark.parametrize("shard", [None, (1, 2)])
def test_a_table_whose_journal_is_gone_is_refused_and_stays(shard, photos, out):
    run(photos, out)
    table = out / "manifest.csv"
    table.write_text(table.read_text() + table.read_text().splitlines()[1].replace("photo", "mine"))
    (out / "manifest.jsonl").unlink()
    before = table.read_bytes()
    with pytest.raises(
        ValueError, match=r"manifest\.csv has no manifest\.jsonl beside it and woul"
    ):
        u2.process_folder(Bright(), photos, out, effects=MASK, shard=shard)
    assert table.read_bytes() == before


def test_a_journal_that_was_edited_is_believed_and_the_table_made_again(photos, out):
    run(photos, out)
    journal = out / "manifest.jsonl"
    text = journal.read_text().replace('"done"', '"failed"', 1)
    os.utime(out / "manifest.csv", (1e9, 1e9))
    journal.write_text(text)
    assert sorted(record.status for record in run(photos, out)) == ["done", "skipped"]


def test_a_photo_that_is_deleted_after_a_move_has_one_record(tmp_path):
    shop = tmp_path / "shop"
    make_photos(shop / "photos")
    run(shop / "photos", shop / "out")
    before = (shop / "out/manifest.jsonl").read_text()
    moved = shop.rename(tmp_path / "moved")
    run(moved / "photos", moved / "out", overwrite=True)
    journal = moved / "out/manifest.jsonl"
    journal.write_text(before + journal.read_text())  # as a kill leaves it
    (moved / "photos/photo0.png").unlink()
    found = sorted(record.photo for record in read_records(moved / "out"))
    names = ["pets/photo2.png", "photo0.png", "photo1.png"]
    assert found == [str(moved / "photos" / name) for name in names]


def test_results_that_moved_with_their_photos_have_their_table_still(tmp_path):
    photos = make_photos(tmp_path / "shop" / "photos", 2)
    run(photos, tmp_path / "shop" / "out")
    moved = (tmp_path / "shop").rename(tmp_path / "moved")
    assert {record.status for record in run(moved / "photos", moved / "out")} == {"skipped"}


@on_posix
@pytest.mark.parametrize("old_name", [".photo0_mask.png.part", ".manifest.jsonl.part"])
def test_links_in_place_of_what_is_being_written_are_not_followed(old_name, photos, out, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    (out / old_name).symlink_to(precious)
    u2.process_folder(Bright(), photos, out, effects=MASK)
    assert precious.read_text() == "precious"
    assert (out / old_name).is_symlink() and not (out / "photo0_mask.png").is_symlink()


@pytest.mark.parametrize("name", [".photo0_mask.png.part", ".u2demo-notes.part", ".lock"])
def test_hidden_files_of_yours_stay(name, photos, out):
    (out / name).write_text("mine")
    for _ in range(2):
        u2.process_folder(Bright(), photos, out, effects=MASK)
    assert (out / name).read_text() == "mine"


def test_a_lock_of_yours_is_refused_and_stays(photos, out):
    (out / ".manifest.lock").write_text("mine")
    with pytest.raises(ValueError, match=r"\.manifest\.lock was not written by u2demo"):
        run(photos, out)
    assert (out / ".manifest.lock").read_text() == "mine"


@on_posix
def test_a_picture_that_you_replaced_by_a_link_stays_a_link(photos, out, tmp_path):
    run(photos, out)
    picture = out / "photo0_cutout.png"
    picture.rename(tmp_path / "kept.png")
    picture.symlink_to(tmp_path / "kept.png")
    run(photos, out, overwrite=True)
    assert picture.is_symlink()
    assert (out / "photo0_cutout (2).png").is_file()


def test_another_name_of_the_same_file_keeps_its_content(photos, out, tmp_path):
    """A backup made of hard links, as by rsync --link-dest."""
    run(photos, out)
    for name in ("manifest.jsonl", "manifest.csv", "photo0_cutout.png", "boxes.coco.json"):
        os.link(out / name, tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    make_photos(photos, 2, size=(40, 40))
    run(photos, out, overwrite=True)
    assert {path: path.read_bytes() for path in before} == before


def test_boxes_that_you_have_corrected_are_refused_and_stay(photos, out):
    run(photos, out)
    boxes = out / "boxes.coco.json"
    coco = json.loads(boxes.read_text())
    coco["annotations"][0]["bbox"][0] += 1
    boxes.write_text(json.dumps(coco))
    before = boxes.read_text()
    with pytest.raises(ValueError, match=r"boxes\.coco\.json was changed since u2demo wrote it"):
        run(photos, out)
    assert boxes.read_text() == before


RECORD = Record("/p/cat.jpg", "cat", "v", "done", size=(9, 9), objects=(Box(1, 1, 5, 5),))


def test_labels_that_you_have_corrected_stay_and_are_said(out):
    label = write_yolo([RECORD], out) / "cat.txt"
    label.write_text("0 0.5 0.5 0.1 0.1\n")
    other = Record("/p/cat.jpg", "cat", "v", "done", size=(9, 9), objects=(Box(2, 2, 5, 5),))
    with pytest.warns(UserWarning, match=r"cat\.txt stays as it is"):
        write_yolo([other], out)
    assert label.read_text() == "0 0.5 0.5 0.1 0.1\n"


@pytest.mark.parametrize("name", ["data.yaml", "images.txt", "labels/classes.txt"])
def test_files_for_training_of_yours_stay_and_are_said(name, out):
    write_yolo([RECORD], out)
    (out / name).write_text("mine")
    with pytest.warns(UserWarning, match="stays as it is"):
        write_yolo([RECORD], out)
    assert (out / name).read_text() == "mine"


@on_posix
def test_links_among_the_labels_lead_nowhere(out, tmp_path):
    (tmp_path / "private").mkdir()
    record = Record("/p/pets/cat.jpg", "pets/cat", "v", "done", size=(9, 9))
    labels = write_yolo([RECORD], out)
    (labels / "pets").symlink_to(tmp_path / "private")
    with pytest.warns(UserWarning, match="stays as it is"):
        write_yolo([RECORD, record], out)
    assert list((tmp_path / "private").iterdir()) == []


def test_coco_files_of_earlier_versions_are_replaced(out):
    info = {"description": "boxes found by u2demo"}
    (out / "boxes.coco.json").write_text(json.dumps({"info": info, "images": []}))
    coco = json.loads(write_coco([RECORD], out).read_text())
    assert len(coco["images"]) == 1


@pytest.mark.parametrize("line", ['["labels/cat.txt", "foo"]', '["labels/cat.txt", "-"]', "[[]]"])
def test_a_line_of_the_list_of_labels_that_was_edited_costs_only_itself(line, out):
    label = write_yolo([RECORD], out) / "cat.txt"
    mark = out / "labels" / ".u2demo"
    lines = [old for old in mark.read_text().splitlines() if "cat.txt" not in old]
    mark.write_text("\n".join([*lines, line]))
    label.write_text("mine")
    with pytest.warns(UserWarning, match=r"cat\.txt stays as it is"):
        write_yolo([RECORD], out)
    assert label.read_text() == "mine"
