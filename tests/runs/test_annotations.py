"""Boxes for detectors, checked by hand."""

import json

import pytest

from u2demo.cli.main import main
from u2demo.masks.box import Box
from u2demo.runs.boxes import write_coco, write_yolo
from u2demo.runs.manifest import Record

TWO = (Box(20, 10, 120, 60), Box(150, 0, 200, 100))
RECORDS = [
    Record("/p/cats.jpg", "pets/cats", "v", "done", size=(200, 100), objects=TWO),
    Record("/p/wall.jpg", "wall", "v", "done", size=(50, 50)),
    Record("/p/fog.jpg", "fog", "v", "done", size=(200, 100), objects=TWO, clear=False),
    Record("/p/broken.jpg", "broken", "v", "failed"),
]


def test_coco_boxes_are_left_top_width_height(tmp_path):
    coco = json.loads(write_coco(RECORDS, tmp_path).read_text())
    files = [image["file_name"] for image in coco["images"]]
    assert files == ["cats.jpg", "wall.jpg", "fog.jpg"]
    first, second = coco["annotations"]
    assert (first["bbox"], second["bbox"]) == ([20, 10, 100, 50], [150, 0, 50, 100])
    assert first["image_id"] == second["image_id"] == coco["images"][0]["id"]
    assert first["id"] != second["id"]


def test_coco_names_lead_to_the_photos_from_the_folder_they_share(tmp_path):
    """Wherever that folder is: no name tells whose photos they are."""
    photos = ["/home/ann/photos/cat.jpg", "/home/ann/photos/pets/new/dog.jpg"]
    records = [Record(photo, photo[-7:-4], "v", "done", size=(9, 9)) for photo in photos]
    for chosen, names in ((records, ["cat.jpg", "pets/new/dog.jpg"]), (records[1:], ["dog.jpg"])):
        coco = json.loads(write_coco(chosen, tmp_path).read_text())
        assert [image["file_name"] for image in coco["images"]] == names


def test_yolo_boxes_are_centers_and_sizes_as_shares(tmp_path):
    labels = write_yolo(RECORDS, tmp_path)
    assert (labels / "pets/cats.txt").read_text().splitlines() == [
        "0 0.350000 0.350000 0.500000 0.500000",
        "0 0.875000 0.500000 0.250000 1.000000",
    ]
    assert (labels / "wall.txt").read_text() == ""
    assert (labels / "fog.txt").read_text() == ""
    assert not (labels / "broken.txt").exists()


def test_yolo_labels_are_named_as_photos_not_as_pictures(tmp_path):
    photos = {"cat (2)": "/p/cat.jpg", "a_b": "/p/a:b.jpg", "in/dog": "/p/dog.jpg"}
    twins = {"in/dog_png": "/p/dog.png", ".": "/p/..jpg"}
    records = [Record(photo, stem, "v", "done", size=(9, 9)) for stem, photo in
               (photos | twins).items()]  # fmt: skip
    labels = write_yolo(records, tmp_path)
    names = {path.relative_to(labels).as_posix() for path in labels.rglob("*.txt")}
    assert names == {"cat.txt", "a:b.txt", "in/dog.txt", "in/dog_png.txt", "..txt"}


@pytest.mark.parametrize("write", [write_coco, write_yolo])
def test_boxes_are_written_again_and_again(write, tmp_path):
    assert write(RECORDS, tmp_path) == write(RECORDS[:1], tmp_path)


@pytest.mark.parametrize("format, name", [("coco", "boxes.coco.json"), ("yolo", "labels/cat.txt")])
def test_boxes_of_your_own_are_refused_before_the_work_begins(
    format, name, tmp_path, samples, capsys
):
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    samples["cat.jpeg"].save(tmp_path / "cat.jpg")
    arguments = [str(tmp_path / "cat.jpg"), "-o", str(tmp_path / "out"), "--boxes", format]
    assert main(arguments) == 1
    assert "was not written by u2demo and would be replaced" in capsys.readouterr().err
    assert mine.read_text() == "mine"
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [mine]


def test_coco_tells_of_all_photos_in_the_results(tmp_path, samples):
    for name in ("cat.jpeg", "coffee.png"):
        samples[name].save(tmp_path / name)
        assert main([str(tmp_path / name), "-o", str(tmp_path / "out"), "--boxes", "coco"]) == 0
    coco = json.loads((tmp_path / "out" / "boxes.coco.json").read_text())
    assert len(coco["images"]) == len(coco["annotations"]) == 2
