"""Boxes for detectors, checked by hand."""

import json
import weakref
from dataclasses import replace

import pytest
from small_run import make_photos

from u2demo.cli.main import main
from u2demo.masks.box import Box
from u2demo.runs.coco import write_coco
from u2demo.runs.records import Record
from u2demo.runs.yolo import write_yolo, write_yolo_segments

pytestmark = pytest.mark.usefixtures("bright_loaded")

TWO = (Box(20, 10, 120, 60), Box(150, 0, 200, 100))
RECORDS = [
    Record("/p/pets/cats.jpg", "pets/cats", "v", "done", size=(200, 100), objects=TWO),
    Record("/p/wall.jpg", "wall", "v", "done", size=(50, 50)),
    Record("/p/fog.jpg", "fog", "v", "done", size=(200, 100), objects=TWO, clear=False),
    Record("/p/broken.jpg", "broken", "v", "failed"),
]


def test_coco_boxes_are_left_top_width_height(tmp_path):
    coco = json.loads(write_coco(RECORDS, tmp_path).read_text())
    files = [image["file_name"] for image in coco["images"]]
    assert files == ["pets/cats.jpg", "wall.jpg", "fog.jpg"]
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


def test_names_begin_at_the_folder_of_photos_though_one_was_given_singly_as_well(tmp_path):
    """Beside others of its name, so that its picture is in photos/."""
    stems = {"photos/cat.png": "photos/cat", "photos/dog.png": "dog", "photos/in/cat.png": "in/cat"}
    records = [Record(f"/p/{photo}", stem, "v", "done", size=(9, 9)) for photo, stem in
               stems.items()]  # fmt: skip
    coco = json.loads(write_coco(records, tmp_path).read_text())
    names = [image["file_name"] for image in coco["images"]]
    assert names == ["cat.png", "dog.png", "in/cat.png"]


def test_yolo_boxes_are_centers_and_sizes_as_shares(tmp_path):
    labels = write_yolo(RECORDS, tmp_path)
    assert (labels / "pets/cats.txt").read_text().splitlines() == [
        "0 0.350000 0.350000 0.500000 0.500000",
        "0 0.875000 0.500000 0.250000 1.000000",
    ]
    assert (labels / "wall.txt").read_text() == ""
    assert (labels / "fog.txt").read_text() == ""
    assert not (labels / "broken.txt").exists()


@pytest.mark.filterwarnings("ignore:.* is not in images.txt")
def test_yolo_labels_are_named_as_photos_not_as_pictures(tmp_path):
    photos = {"cat (2)": "/p/cat.jpg", "a_b": "/p/a:b.jpg", "in/dog": "/p/in/dog.jpg"}
    twins = {"in/dog_png": "/p/in/dog.png", ".": "/p/..jpg"}
    records = [Record(photo, stem, "v", "done", size=(9, 9)) for stem, photo in
               (photos | twins).items()]  # fmt: skip
    labels = write_yolo(records, tmp_path)
    names = {path.relative_to(labels).as_posix() for path in labels.rglob("*.txt")}
    assert names - {"classes.txt"} == {
        "cat.txt",
        "a:b.txt",
        "in/dog.txt",
        "in/dog_png.txt",
        "..txt",
    }


@pytest.mark.filterwarnings("ignore:.* is not in images.txt")
def test_no_photo_takes_the_label_of_another(tmp_path):
    photos = ["/p/cat.jpg", "/p/cat.png", "/p/CAT.webp", "/p/cat (2).jpg"]
    records = [
        Record(photo, "cat", "v", "done", size=(9, 9), objects=(Box(0, 0, 9 - number, 9),))
        for number, photo in enumerate(photos)
    ]
    labels = write_yolo(records, tmp_path)
    said = {path.stem: path.read_text() for path in labels.glob("[cC]*t*.txt")}
    assert said.keys() == {"cat", "cat (2)", "cat (3)", "cat (4)"} and len(set(said.values())) == 4
    assert said["cat"].startswith("0 0.5") and " 0.666667 " in said["cat (2)"]
    assert (tmp_path / "images.txt").read_text() == "./images/cat.jpg\n./images/cat (2).jpg\n"


def test_a_photo_that_was_first_given_singly_is_listed_as_the_folder_has_it(tmp_path, samples):
    photos, out = tmp_path / "photos", tmp_path / "out"
    for photo in (photos / "cat.jpg", photos / "sub/cat.jpg"):
        photo.parent.mkdir(exist_ok=True)
        samples["cat.jpeg"].resize((90, 60)).save(photo)
    for source in (photos / "sub/cat.jpg", photos):
        assert main([str(source), "-o", str(out), "--boxes", "coco,yolo"]) == 0
    listed = (out / "images.txt").read_text().splitlines()
    assert sorted(listed) == ["./images/cat.jpg", "./images/sub/cat.jpg"]
    assert (out / "labels/cat.txt").is_file() and (out / "labels/sub/cat.txt").is_file()
    coco = json.loads((out / "boxes.coco.json").read_text())
    assert [f"./images/{image['file_name']}" for image in coco["images"]] == listed


def test_a_photo_that_no_label_can_be_found_for_is_said(tmp_path):
    photos = ["/p/cat.jpg", "/p/cat.png", "/p/dog.jpg"]
    records = [Record(photo, photo[3:-4], "v", "done", size=(9, 9)) for photo in photos]
    with pytest.warns(UserWarning, match=r"^/p/cat\.png is not in images\.txt: .* rename it"):
        write_yolo(records, tmp_path)


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


def test_coco_tells_of_all_photos_in_the_results(tmp_path):
    for photo in make_photos(tmp_path / "photos", 2).rglob("*.png"):
        assert main([str(photo), "-o", str(tmp_path / "out"), "--boxes", "coco"]) == 0
    coco = json.loads((tmp_path / "out" / "boxes.coco.json").read_text())
    assert len(coco["images"]) == len(coco["annotations"]) == 2


def test_boxes_are_those_of_photos_that_are_there(tmp_path, samples):
    """A cat.png that takes the place of cat.jpg gets its label, not that of the photo before."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    command = [str(photos), "-o", str(out), "--boxes", "coco,yolo"]
    photos.mkdir()
    samples["cat.jpeg"].save(photos / "cat.jpg")
    assert main(command) == 0
    earlier = (out / "labels/cat.txt").read_text()
    (photos / "cat.jpg").unlink()
    samples["coffee.png"].save(photos / "cat.png")
    assert main(command) == 0
    coco = json.loads((out / "boxes.coco.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["cat.png"]
    assert (out / "images.txt").read_text() == "./images/cat.png\n"
    assert (out / "labels/cat.txt").read_text() != earlier
    assert (out / "manifest.csv").read_text().count("cat.jpg") == 1  # its picture is there as well


@pytest.mark.parametrize("place_stays", [False, True])
def test_boxes_of_a_drive_that_is_not_connected_stay(place_stays, tmp_path, samples):
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "pets").mkdir(parents=True)
    samples["cat.jpeg"].save(photos / "pets/cat.jpg")
    assert main([str(photos), "-o", str(out), "--boxes", "coco"]) == 0
    before = (out / "boxes.coco.json").read_text()
    photos.rename(tmp_path / "elsewhere")
    if place_stays:
        photos.mkdir()
    assert main(["merge", str(out), "--boxes", "coco"]) == 0
    assert (out / "boxes.coco.json").read_text() == before


def test_photos_whose_folder_was_renamed_are_listed_where_they_are_now(tmp_path):
    photos, out = make_photos(tmp_path / "photos", 2), tmp_path / "out"
    command = [str(photos), "-o", str(out), "--boxes", "coco,yolo"]
    assert main(command) == 0
    (photos / "pets").rename(photos / "dogs")
    assert main(command) == 0
    listed = (out / "images.txt").read_text().splitlines()
    assert sorted(listed) == ["./images/dogs/photo1.png", "./images/photo0.png"]
    assert len(json.loads((out / "boxes.coco.json").read_text())["images"]) == 2


def test_photos_in_a_folder_called_labels_get_labels_beside_their_pictures(tmp_path, samples):
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "labels/wine").mkdir(parents=True)
    samples["cat.jpeg"].save(photos / "labels/wine/cat.jpg")
    assert main([str(photos), "-o", str(out)]) == 0
    for _ in range(2):
        assert main([str(photos), "-o", str(out), "--boxes", "yolo"]) == 0
    assert (out / "labels/labels/wine/cat.txt").read_text()
    assert (out / "labels/wine/cat_cutout.png").is_file()


TRIANGLE = "20 10 120 10 20 60"
OUTLINED = replace(RECORDS[0], outlines=(TRIANGLE, "150 0 200 0 200 100 150 100"))


def test_coco_says_what_other_programs_ask_for(tmp_path):
    """What pycocotools, torchvision, detectron2 and FiftyOne read of a file."""
    coco = json.loads(write_coco([OUTLINED], tmp_path).read_text())
    assert coco.keys() == {"info", "licenses", "images", "annotations", "categories"}
    assert coco["categories"] == [{"id": 1, "name": "subject", "supercategory": ""}]
    assert coco["images"][0]["license"] == coco["licenses"][0]["id"]
    first, second = coco["annotations"]
    assert first["segmentation"] == [[20, 10, 120, 10, 20, 60]]
    assert (first["area"], second["area"]) == (2500, 5000)
    assert first["iscrowd"] == 0
    assert "relative" in coco["info"]["note"] and "upright" in coco["info"]["note"]


def test_coco_holds_one_record_at_a_time_however_many_there_are(tmp_path):
    alive = weakref.WeakValueDictionary()
    most = 0

    class Many:
        def __iter__(self):
            nonlocal most
            for number in range(50):
                record = replace(OUTLINED, photo=str(tmp_path / f"{number}.jpg"))
                alive[number] = record
                most = max(most, len(alive))
                yield record

    coco = json.loads(write_coco(Many(), tmp_path).read_text())
    assert len(coco["images"]) == 50 and len(coco["annotations"]) == 100
    assert most <= 3


def test_coco_of_a_run_without_outlines_says_so_by_an_empty_list(tmp_path):
    coco = json.loads(write_coco(RECORDS, tmp_path).read_text())
    assert [annotation["segmentation"] for annotation in coco["annotations"]] == [[], []]


def test_coco_names_lead_to_photos_from_the_folder_that_was_given(tmp_path, samples):
    """Also if all photos lie in one of its subfolders."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "photos" / "new").mkdir(parents=True, exist_ok=True)
        samples["cat.jpeg"].resize((90, 60)).save(tmp_path / "photos" / "new" / name)
    command = [str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--boxes", "coco"]
    assert main(command) == 0
    (tmp_path / "photos").rename(tmp_path / "moved")
    coco = json.loads((tmp_path / "out" / "boxes.coco.json").read_text())
    names = [image["file_name"] for image in coco["images"]]
    assert names == ["new/a.jpg", "new/b.jpg"]
    assert all((tmp_path / "moved" / name).is_file() for name in names)


def test_yolo_says_what_its_classes_are_and_which_photos_have_labels(tmp_path):
    labels = write_yolo(RECORDS, tmp_path)
    assert (labels / "classes.txt").read_text() == "subject\n"
    data = (tmp_path / "data.yaml").read_text()
    assert "train: images.txt" in data and "val: images.txt" in data and "0: subject" in data
    photos = (tmp_path / "images.txt").read_text().splitlines()
    assert photos == ["./images/pets/cats.jpg", "./images/wall.jpg", "./images/fog.jpg"]
    for photo in photos:  # as Ultralytics finds a photo's label
        assert (tmp_path / photo.replace("/images/", "/labels/")).with_suffix(".txt").is_file()


def test_yolo_segments_are_corners_as_shares(tmp_path):
    labels = write_yolo_segments([OUTLINED, RECORDS[1]], tmp_path)
    first, second = (labels / "pets/cats.txt").read_text().splitlines()
    assert first == "0 0.100000 0.100000 0.600000 0.100000 0.100000 0.600000"
    assert len(second.split()) == 9
    assert (labels / "wall.txt").read_text() == ""


def test_yolo_segments_without_outlines_are_boxes(tmp_path):
    labels = write_yolo_segments(RECORDS, tmp_path)
    first = (labels / "pets/cats.txt").read_text().splitlines()[0]
    assert first == "0 0.100000 0.100000 0.600000 0.100000 0.600000 0.600000 0.100000 0.600000"


def test_a_photo_called_classes_keeps_its_label(tmp_path):
    record = Record("/p/classes.jpg", "classes", "v", "done", size=(200, 100), objects=TWO)
    assert len((write_yolo([record], tmp_path) / "classes.txt").read_text().splitlines()) == 2


@pytest.mark.filterwarnings("ignore:.* is not in images.txt")
def test_names_that_leave_no_room_for_a_suffix_cost_no_other_label(tmp_path):
    names = ["n" * 255, "m" * 251 + ".jpg", "é" * 127, "zebra.jpg"]
    records = [Record(f"/p/{name}", f"stem{number}", "v", "done", size=(9, 9))
               for number, name in enumerate(names)]  # fmt: skip
    labels = write_yolo(records, tmp_path)
    write_coco(records, tmp_path)
    made = {path.stem for path in labels.glob("*.txt")}
    assert made == {"stem0", "m" * 251, "stem2", "zebra", "classes"}


def test_a_folder_too_deep_for_labels_is_said(tmp_path):
    deep = "/".join(["d" * 200] * 25)
    records = [Record(f"/p/{deep}/a.jpg", f"{deep}/a", "v", "done", size=(9, 9)), RECORDS[1]]
    with pytest.warns(UserWarning, match="not a name that this disk accepts"):
        labels = write_yolo(records, tmp_path)
    assert (labels / "wall.txt").is_file()
