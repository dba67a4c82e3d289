"""What is saved, copied and exported from the app, in which form, and what is said of it."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest
from bright import Bright
from live_app import (
    as_file,
    find,
    from_page,
    on_a_page,
    only_zip,
    press,
    progress,
    said_of_saving,
    spot,
    text_of,
    until,
    visible,
)
from PIL import Image

from u2demo.notebook import OneClick
from u2demo.notebook.file_transfer import FileSaver
from u2demo.notebook.saving_form import Form, Work

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture
def app(results, saved):
    app = OneClick(Bright())
    app.run({"first.jpg": spot(), "second.png": spot((40, 60), left=5)})
    find(app, "Format and size").value = True
    return app


@pytest.fixture
def copied(monkeypatch):
    """What reaches the clipboard."""
    files = {}
    monkeypatch.setattr(
        FileSaver, "copy", lambda self, name, data, *, type: files.update({name: (type, data)})
    )
    return files


def choose(app, menu, choice):
    control = find(app, menu)
    control.value = dict(control.options)[choice] if choice not in control.options else choice


def picture(saved, name):
    return Image.open(io.BytesIO(saved[name][1]))


def test_the_form_of_pictures_can_be_chosen(app, saved):
    choose(app, "Format", "PNG")
    press(app, "Blur")
    press(app, "Download")
    assert picture(saved, "first_blur.png").format == "PNG"
    choose(app, "Format", "WebP")
    press(app, "Download")
    assert picture(saved, "first_blur.webp").format == "WEBP"


def test_in_a_zip_no_two_names_differ_only_in_case(app, saved):
    app.run({"Cat.png": spot(), "cat.png": spot()})
    press(app, "Download all as zip")
    names = zipfile.ZipFile(io.BytesIO(only_zip(saved)[1])).namelist()
    assert names == ["Cat_cutout.png", "cat_cutout (2).png"]


def test_a_transparent_picture_is_on_white_as_jpeg(app, saved):
    choose(app, "Format", "JPEG")
    press(app, "Download")
    cutout = picture(saved, "first_cutout.jpg")
    assert (cutout.format, cutout.getpixel((59, 39))) == ("JPEG", (255, 255, 255))


def test_the_form_is_chosen_by_those_who_ask_for_it(app):
    def menus():
        names = {getattr(each, "description", "") for each in visible(app.page)}
        return names & {"Format", "Largest size", "Photo details to save"}

    assert len(menus()) == 3
    find(app, "Format and size").value = False
    assert not menus()


def test_quality_is_asked_for_where_there_is_one(app, saved):
    def has_quality():
        return any(getattr(each, "description", "") == "Quality" for each in visible(app.page))

    assert not has_quality()
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    app.run({"first.jpg": Image.fromarray(noise)})
    press(app, "Blur")
    choose(app, "Format", "JPEG")
    find(app, "Quality").value = 50
    press(app, "Download")
    small = len(saved["first_blur.jpg"][1])
    find(app, "Quality").value = 100
    press(app, "Download")
    assert len(saved["first_blur.jpg"][1]) > 1.5 * small
    choose(app, "Format", "PNG")
    assert not has_quality()


def test_pictures_can_be_made_smaller_and_never_become_larger():
    wide = Image.new("RGBA", (300, 100))
    assert Form(longest=150).shaped(wide).size == (150, 50)
    assert Form(longest=600).shaped(wide) is wide
    assert Form(longest=1).shaped(wide).size == (1, 1)


def test_what_else_belongs_to_a_result_is_saved_beside_its_pictures(tmp_path):
    work = Work(
        "cat.jpg",
        spot(),
        np.zeros((40, 60), np.float32),
        {"cutout": spot()},
        extra={"cat.strokes.json": b"{}"},
    )
    names = [path.name for path in Form().save(work, tmp_path)]
    assert names == ["cat_cutout.jpg", "cat.strokes.json"]
    names = [path.name for path in Form().save(work, tmp_path)]
    assert names == ["cat_cutout (2).jpg", "cat (2).strokes.json"]


def test_what_is_saved_again_unchanged_is_not_written_again(app, results):
    press(app, "Save all to results/")
    before = {path.name: path.stat().st_mtime_ns for path in results.iterdir()}
    press(app, "Save all to results/")
    assert {path.name: path.stat().st_mtime_ns for path in results.iterdir()} == before
    assert "Already saved in" in said_of_saving(app)
    assert "nothing has changed" in said_of_saving(app)
    (results / "first_cutout.png").unlink()
    press(app, "Save all to results/")
    assert {path.name for path in results.iterdir()} == before.keys()
    assert "Saved to" in said_of_saving(app) and "Already there: 1." in said_of_saving(app)


def test_a_save_that_is_stopped_says_how_many_are_saved(results):
    async def visit(app):
        app.receive([(f"{number}.png", as_file(spot())) for number in range(4)])
        await until(lambda: not app.is_busy)
        press(app, "Save all to results/")
        await until(lambda: len(list(results.glob("*.png"))) == 3)
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        done = len(list(results.iterdir()))
        assert 3 <= done < 6
        assert f"Stopped: {done} of 6 photos saved." in said_of_saving(app)
        press(app, "Download all as zip")
        await until(lambda: progress(app))
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert "Stopped. Nothing was saved." in said_of_saving(app)

    on_a_page(visit, Bright())


def test_the_page_says_when_a_file_has_arrived(app, saved):
    press(app, "Download")
    assert "Sending first_cutout.png" in said_of_saving(app)
    saver = next(each for each in visible(app.page) if isinstance(each, FileSaver))
    from_page(saver, {"task": "save", "name": "first_cutout.png"})
    assert text_of(said_of_saving(app)) == "first_cutout.png is in your downloads."


def test_a_picture_is_copied_as_png_or_it_is_said_why_not(app, copied):
    choose(app, "Format", "JPEG")
    press(app, "Copy")
    (media, data) = copied["first_cutout.png"]
    assert media == "image/png" and Image.open(io.BytesIO(data)).mode == "RGBA"
    saver = next(each for each in visible(app.page) if isinstance(each, FileSaver))
    answer = {"task": "copy", "name": "first_cutout.png"}
    from_page(saver, answer)
    assert "first_cutout.png is copied." in said_of_saving(app)
    press(app, "Copy")
    from_page(saver, answer | {"refused": "<i>Write</i> permission denied."})
    assert "permission denied. Download it instead" in text_of(said_of_saving(app))
    assert "<i>" not in said_of_saving(app)


def two():
    photo = spot((90, 40))
    photo.paste("white", (60, 10, 75, 25))
    return photo


@pytest.fixture
def boxed(app):
    app.run({'a "b".png': two(), "second.png": spot((40, 60), left=5)})
    press(app, "Boxes")
    return app


def test_one_picture_is_offered_to_be_dragged_in_the_form_that_is_chosen(app, monkeypatch):
    offered = {}
    monkeypatch.setattr(
        FileSaver, "offer", lambda self, name, data, *, type: offered.update({name: (type, data)})
    )
    choose(app, "Format", "JPEG")
    press(app, "Drag out")
    (media, data) = offered["first_cutout.jpg"]
    assert media == "image/jpeg" and Image.open(io.BytesIO(data)).format == "JPEG"
    saver = next(each for each in visible(app.page) if isinstance(each, FileSaver))
    from_page(saver, {"task": "offer", "name": "first_cutout.jpg"})
    assert "first_cutout.jpg is ready: drag the small picture" in said_of_saving(app)


def test_boxes_can_be_copied_as_a_table(boxed, copied):
    press(boxed, "Copy boxes")
    (media, data) = copied["boxes.txt"]
    assert media == "text/plain"
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert [row["object"] for row in rows] == ["1", "2"]
    assert rows[0]["photo"] == "a _b_.png"
    for row, side in zip(rows, (20, 15), strict=True):
        assert abs(int(row["width"]) - side) <= 2
        assert int(row["right"]) - int(row["left"]) == int(row["width"])
    press(boxed, "Box")
    press(boxed, "Copy boxes")
    (row,) = csv.DictReader(io.StringIO(copied["boxes.txt"][1].decode()))
    assert abs(int(row["width"]) - 65) <= 2, "one box around all"


def test_boxes_can_be_downloaded_in_the_formats_of_detectors(boxed, saved):
    press(boxed, "Save boxes")
    assert len(saved["boxes.csv"][1].decode().splitlines()) == 4
    choose(boxed, "Boxes as numbers", "COCO")
    press(boxed, "Save boxes")
    coco = json.loads(saved["boxes.coco.json"][1])
    assert [image["file_name"] for image in coco["images"]] == ["a _b_.png", "second.png"]
    assert len(coco["annotations"]) == 3 and coco["annotations"][0]["segmentation"]
    choose(boxed, "Boxes as numbers", "YOLO")
    press(boxed, "Save boxes")
    entries = zipfile.ZipFile(io.BytesIO(only_zip(saved)[1]))
    assert {"labels/a _b_.txt", "labels/second.txt", "data.yaml"} <= set(entries.namelist())
    assert len(entries.read("labels/a _b_.txt").splitlines()) == 2


def test_numbers_are_of_the_boxes_that_are_drawn(boxed, saved):
    find(boxed, "More").value = True
    find(boxed, "Grow").value = 0.02
    press(boxed, "Save boxes")
    rows = list(csv.DictReader(io.StringIO(saved["boxes.csv"][1].decode())))
    assert int(rows[0]["width"]) >= 22


def test_numbers_are_offered_where_boxes_are_drawn(app):
    def is_offered():
        texts = {getattr(each, "description", "") for each in visible(app.page)}
        return "Save boxes" in texts

    assert not is_offered()
    press(app, "Box")
    assert is_offered()
    press(app, "Cut out")
    assert not is_offered()
