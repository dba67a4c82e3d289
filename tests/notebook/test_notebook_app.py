"""The one-click app, pressed from Python: the same callbacks that a page calls."""

import asyncio
import datetime
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from bright import Bright
from live_app import as_file, spot
from PIL import Image

from u2demo.inference import predict
from u2demo.notebook import OneClick, page, saving, upload
from u2demo.notebook.actions import ACTIONS, Settings
from u2demo.notebook.intake import uploaded_files
from u2demo.notebook.preview import contact_sheet
from u2demo.notebook.turns import Later, Turns
from u2demo.notebook.widgets import Notes

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture
def app(monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "results"))
    app = OneClick(Bright())
    app.run({"first.jpg": spot(), "second.png": spot((40, 60), left=5)})
    return app


@pytest.fixture
def saved(app, monkeypatch):
    """The files that reach the person's downloads."""
    files = {}
    monkeypatch.setattr(
        app._saver._outlet, "save", lambda name, data, *, type: files.update({name: (type, data)})
    )
    return files


def names(archive):
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def set_action(app, name):
    app._panel.toolbar.value = name


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_draws_pictures_and_leaves_its_arguments_alone(name, scene):
    image, mask = scene  # the mask is read-only
    before = image.tobytes()
    pictures = ACTIONS[name].draw(image, mask, Settings())
    assert pictures and all(isinstance(picture, Image.Image) for picture in pictures.values())
    assert image.tobytes() == before


def test_each_object_is_a_picture_of_its_own():
    mask = np.zeros((20, 40), np.float32)
    mask[5:15, 5:15] = mask[5:10, 25:35] = 1
    image = Image.new("RGB", (40, 20), "red")
    pictures = ACTIONS["objects"].draw(image, mask, Settings(margin=0))
    assert {name: picture.size for name, picture in pictures.items()} == {
        "object1": (10, 10),
        "object2": (10, 5),
    }


def test_opens_on_the_samples_with_results(app, model):
    app.run()
    assert [tile.children[1].description for tile in app._album.gallery.children] == [
        "astronaut.jpg",
        "cat.jpeg",
        "coffee.png",
        "rocket.jpg",
    ]
    shown = Image.open(io.BytesIO(app._album.stage._after.value))
    assert shown.mode == "RGBA"


def test_sliders_redraw_without_the_network(app):
    looks = app._models.model.looks
    before = app._album.stage._after.value
    app._panel._controls["threshold"].value = 0.9
    app._panel._controls["softness"].value = 0.1
    assert app._album.stage._after.value != before
    assert app._models.model.looks == looks == 2


def test_quality_looks_again_at_every_photo(app):
    looks = app._models.model.looks
    app._panel.quality.value = "best"
    assert app._models.model.looks >= looks + 2


def test_every_action_shows_another_picture(app):
    pictures = set()
    for name in ACTIONS:
        set_action(app, name)
        pictures.add(app._album.stage._after.value)
        assert app._notes.value == ""
    assert len(pictures) == len(ACTIONS)


def test_own_photos_replace_the_samples_and_more_are_added(app):
    app._are_samples = True
    app._receive([("cat.jpg", as_file(spot()))])
    app._receive([("cat.jpg", as_file(spot())), ("dog.jpg", as_file(spot()))])
    assert [photo.name for photo in app._album.photos] == ["cat.jpg", "cat.jpg", "dog.jpg"]


def test_a_broken_photo_is_named_and_the_rest_goes_on(app):
    files = [("a.txt", b"no photo"), ("<b>.png", b""), ("c.txt", as_file(spot()))]
    app._receive(files)
    assert [photo.name for photo in app._album.photos][-1] == "c.txt"
    assert "a.txt: not an image" in app._notes.value
    assert "&lt;b&gt;.png" in app._notes.value
    assert "<b>" not in app._notes.value


def test_a_photo_too_large_for_the_memory_is_named_and_the_rest_goes_on(app, monkeypatch):
    found = predict.predict

    def run_out_of_memory(model, images, **options):
        images = list(images)
        if images[0].width == 61:
            raise MemoryError
        return found(model, images, **options)

    monkeypatch.setattr(predict, "predict", run_out_of_memory)
    huge = as_file(spot((61, 40)))
    app._receive([("huge.png", huge), ("cat.png", as_file(spot()))])
    assert app._album.photos[-1].name == "cat.png"
    assert "huge.png: too large for the memory" in app._notes.value


def test_the_first_new_photo_comes_on_stage(app):
    app._receive([("broken.png", b""), ("cat.png", as_file(spot())), ("dog.png", as_file(spot()))])
    assert app._album.caption.value.startswith("cat.png")


def test_photos_are_turned_upright(app):
    exif = Image.Exif()
    exif[0x0112] = 6
    app._receive([("turned.jpg", as_file(spot((60, 40)), "JPEG", exif=exif))])
    assert app._album.photos[-1].image.size == (40, 60)


def test_the_download_is_named_after_photo_and_action(app, saved):
    app._album.choose(0)
    app._saver.download.click()
    (name, (media, data)) = saved.popitem()
    assert (name, media) == ("first_cutout.png", "image/png")
    picture = Image.open(io.BytesIO(data))
    assert picture.mode == "RGBA"
    assert picture.size == (60, 40)


def test_the_zip_holds_every_photo_at_full_size_under_a_name_of_its_own(app, saved):
    app._receive([("first.png", as_file(spot()))])
    set_action(app, "blur")
    app._saver.download_all.click()
    assert names(saved["u2demo.zip"][1]) == [
        "first_blur.jpg",
        "second_blur.jpg",
        "first_blur (2).jpg",
    ]


def test_settings_reach_what_is_saved(app, saved):
    set_action(app, "color")
    app._panel._controls["color"].value = "#00ff00"
    app._saver.download.click()
    picture = Image.open(io.BytesIO(saved["first_color.jpg"][1]))
    red, green, blue = picture.getpixel((0, 0))
    assert green > 240 and red < 15 and blue < 15


def test_saving_to_the_folder_never_replaces_a_file(app, tmp_path):
    app._saver.keep.click()
    app._saver.keep.click()
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "first_cutout.png",
        "first_cutout (2).png",
        "second_cutout.png",
        "second_cutout (2).png",
    }
    assert "first_cutout (2).png" in app._saver._notes.value


def test_a_color_is_chosen_where_no_word_can_be_left(app):
    assert app._panel._controls["color"].concise and app._panel._controls["tint"].concise


def test_what_was_saved_is_forgotten_when_other_photos_come(app):
    for bring in (lambda: app._receive([("new.png", as_file(spot()))]), lambda: app.run({})):
        app._saver.keep.click()
        assert "Saved to" in app._saver._notes.value
        bring()
        assert app._saver._notes.value == ""


def test_a_bad_background_is_reported_beside_the_control_until_a_good_one_comes(app):
    set_action(app, "scene")
    app._panel._scene_intake._on_files([("letter.txt", b"no photo")])
    assert "letter.txt: not an image" in app._panel._scene_notes.value
    assert app._notes.value == ""
    app._panel._scene_intake._on_files([("sea.png", as_file(spot()))])
    assert app._panel._scene_notes.value == ""


@pytest.mark.parametrize("action", ["crop", "objects"])
def test_a_part_of_a_large_photo_is_drawn_with_the_detail_it_has(action, app):
    photo = Image.new("RGB", (1680, 1040))
    stripes = Image.new("RGB", (2, 1), "white")
    stripes.putpixel((1, 0), (150, 150, 150))
    for left in range(700, 900, 2):
        for top in range(400, 600):
            photo.paste(stripes, (left, top))
    app.run({"stripes.png": photo})
    set_action(app, action)
    shown = np.asarray(Image.open(io.BytesIO(app._album.stage._after.value)).convert("L"), float)
    inside = shown[shown.shape[0] // 2, shown.shape[1] // 3 : shown.shape[1] // 2]
    assert np.ptp(inside) > 60, "the stripes are there, one pixel wide in the photo"


def test_a_part_stands_alone_even_if_it_has_the_size_of_the_photo_on_the_stage(app):
    app.run({"square.png": spot((40, 40))})
    set_action(app, "crop")
    assert "u2-single" in app._album.stage._dom_classes
    set_action(app, "cutout")
    assert "u2-single" not in app._album.stage._dom_classes


def test_photos_without_a_clear_subject_are_marked_and_counted_when_saved(app):
    app.run({"night.jpg": Image.new("RGB", (50, 50)), "spot.jpg": spot()})
    marked = ["u2-unclear" in tile._dom_classes for tile in app._album.gallery.children]
    assert marked == [True, False]
    assert "no clear subject, try Best or a lower threshold" in app._album.caption.value
    app._saver.keep.click()
    assert "1 of 2 photos: no clear subject" in app._saver._notes.value
    app._panel.quality.value = "best"
    assert "no clear subject, try a lower threshold" in app._album.caption.value


def test_a_photo_can_be_removed_from_the_gallery_but_the_last(app):
    app._receive([("third.png", as_file(spot()))])
    assert app._album.caption.value.startswith("third.png")
    first = app._album.gallery.children[0]
    cross = first.children[2]
    assert cross.tooltip == "Remove first.jpg"
    cross.click()
    app._album.gallery._pass_on(first, app._album.remove)  # a second click, on its way already
    assert [photo.name for photo in app._album.photos] == ["second.png", "third.png"]
    assert app._album.caption.value.startswith("third.png")
    app._album.gallery.children[1].children[2].click()
    assert app._album.caption.value.startswith("second.png")
    app._album.remove(0)
    assert len(app._album.photos) == 1


def test_tiles_that_leave_the_gallery_are_closed(app):
    removed, cleared = app._album.gallery.children
    app._album.gallery.remove(0)
    app._album.gallery.clear()
    assert removed.comm is None and cleared.comm is None


def test_nothing_in_the_photo_is_a_sentence_not_an_error(app, saved):
    app.run({"night.jpg": Image.new("RGB", (50, 50))})
    set_action(app, "objects")
    assert "no clear subject" in app._album.caption.value
    app._saver.download.click()
    assert "nothing to save" in app._saver._notes.value
    assert not saved


def test_an_error_of_a_callback_is_shown_in_the_page():
    notes = Notes()
    notes.guard(lambda: 1 / 0)()
    assert "ZeroDivisionError: division by zero" in notes.value
    assert "<details>" in notes.value


def test_without_anywidget_plain_controls_do_the_work(monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setitem(__import__("sys").modules, "u2demo.notebook.transfer", None)
    app = OneClick(Bright())
    app.run({"<i>.jpg": spot()})
    app._saver.download.click()
    assert 'href="data:image/png;base64,' in app._saver._notes.value
    assert "<i>" not in app._saver._notes.value
    upload = app._intake.children[0]
    for _ in range(2):  # the same file again is another choice
        _choose_in(upload, "cat.png", as_file(spot()))
        assert len(upload.value) == 0
    assert [photo.name for photo in app._album.photos] == ["<i>.jpg", "cat.png", "cat.png"]


def _choose_in(upload, name, data):
    """Do what the page does when a person chooses a file, in ipywidgets 7 and 8."""
    if isinstance(upload.value, dict):
        upload.data, upload.metadata = [data], [{"name": name}]
        upload._counter += 1
    else:
        now = datetime.datetime.now(datetime.timezone.utc)
        details = {"type": "image/png", "size": len(data), "last_modified": now}
        upload.value = ({"name": name, "content": memoryview(data), **details},)


def test_both_generations_of_file_upload_are_read():
    new = ({"name": "a.png", "content": memoryview(b"1")},)
    old = {"a.png": {"metadata": {}, "content": b"1"}}
    assert uploaded_files(new) == uploaded_files(old) == [("a.png", b"1")]


def test_in_colab_photos_come_by_its_dialog_and_go_to_drive(colab, monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    app = OneClick(Bright())
    colab.uploads = [[("cat.jpg", as_file(spot()))], []]
    choose = app._intake.children[0].children[0]
    choose.click()
    choose.click()  # and cancelled
    app._saver.keep.click()
    assert [path.name for path in tmp_path.rglob("*.png")] == ["cat_cutout.png"]
    assert "MyDrive/u2demo/" in app._saver._notes.value


def test_in_colab_the_cell_can_ask_for_photos_first(colab, monkeypatch):
    colab.uploads = [[("cat.jpg", as_file(spot()))]]
    app = OneClick(Bright())
    app.show(ask=True)
    assert [photo.name for photo in app._album.photos] == ["cat.jpg"]


def test_a_slider_at_work_puts_the_gallery_off_until_it_rests():
    steps = []

    def task():
        for step in range(3):
            yield steps.append(step)

    async def move():
        later = Later(task, seconds=0.01)
        for _ in range(5):
            later()
        assert steps == []
        while len(steps) < 3:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)

    with ThreadPoolExecutor(1) as thread:  # in this one Playwright's loop may be running
        thread.submit(asyncio.run, move()).result()
    assert steps == [0, 1, 2]


def test_in_colab_a_failing_drive_becomes_a_download(colab, monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    app = OneClick(Bright())
    app.run({"cat.jpg": spot()})
    colab.drive_failures = [colab.MessageError("Error: credential propagation was unsuccessful")]
    app._saver.keep.click()
    assert "credential propagation was unsuccessful" in app._saver._notes.value
    assert [name for name, _ in colab.downloads] == ["u2demo.zip"]
    assert names(colab.downloads[0][1]) == ["cat_cutout.png"]


def test_in_colab_a_silent_page_is_told_what_to_do(colab):
    app = OneClick(Bright())
    colab.answers = False
    for button in app._intake.children[0].children:
        button.click()
        assert "VS Code" in app._notes.value


def test_upload_gives_the_samples_until_somebody_chooses(colab):
    colab.uploads = [[], [("cat.jpg", as_file(spot()))]]
    assert list(upload()) == ["astronaut.jpg", "cat.jpeg", "coffee.png", "rocket.jpg"]
    assert list(upload()) == ["cat.jpg"]


def test_upload_in_jupyter_fills_the_same_photos_later(monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    shown = []
    monkeypatch.setattr("u2demo.notebook.intake.display", shown.append)
    photos = upload()
    assert len(photos) == 4
    control, notes = shown[0].children
    control._on_files([("letter.txt", b"no photo"), ("cat.jpg", as_file(spot()))])
    assert list(photos) == ["cat.jpg"]
    assert "letter.txt: not an image" in notes.value
    assert "Photos: cat.jpg." in notes.value


def test_photos_of_one_name_are_all_kept(monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    shown = []
    monkeypatch.setattr("u2demo.notebook.intake.display", shown.append)
    photos = upload()
    shown[0].children[0]._on_files([("image.jpg", as_file(spot()))] * 3)
    assert list(photos) == ["image.jpg", "image (2).jpg", "image (3).jpg"]


def test_a_contact_sheet_keeps_its_size():
    pictures = {str(n): Image.new("RGB", (30, 10 * n + 10)) for n in range(5)}
    sheet = contact_sheet(pictures, (300, 200))
    assert sheet.width <= 300 and sheet.height <= 200
    assert sheet.getchannel("A").getextrema() == (0, 255)
    assert contact_sheet(pictures, (300, 1)).size == (300, 3), "three rows of a strip"


def test_results_go_where_the_environment_says(monkeypatch):
    monkeypatch.delenv("U2DEMO_SAVE_DIR", raising=False)
    assert str(saving.results_folder()) == "results"
    monkeypatch.setenv("U2DEMO_SAVE_DIR", "elsewhere")
    assert str(saving.results_folder()) == "elsewhere"
    monkeypatch.setenv("U2DEMO_SAVE_DIR", ".")
    keep = saving.Saver(lambda **_: iter(()), Turns()).keep
    assert keep.description == f"Save all to {Path.cwd().name}/"


def test_pieces_of_an_upload_become_files(monkeypatch):
    from u2demo.notebook.transfer import Intake

    got, receipts = [], []
    intake = Intake(got.extend)
    monkeypatch.setattr(intake, "send", receipts.append)
    for index, piece in [(0, b"ab"), (0, b"cd"), (1, b"")]:
        intake._receive(None, {"batch": "x", "index": index, "name": "same.jpg"}, [piece])
    intake._receive(None, {"batch": "x", "end": True}, [])
    assert got == [("same.jpg", b"abcd"), ("same.jpg", b"")]
    assert receipts == [{"batch": "x"}] * 3


def test_an_upload_that_broke_off_leaves_nothing_to_the_next(monkeypatch):
    from u2demo.notebook.transfer import Intake

    got = []
    intake = Intake(got.extend)
    monkeypatch.setattr(intake, "send", lambda message: None)
    intake._receive(None, {"batch": "x", "index": 0, "name": "half.jpg"}, [b"ab"])
    intake._receive(None, {"batch": "y", "index": 0, "name": "whole.jpg"}, [b"cd"])
    intake._receive(None, {"batch": "y", "end": True}, [])
    assert got == [("whole.jpg", b"cd")]


def test_the_page_module_is_the_only_one_that_knows_colab():
    folder = page.Path(page.__file__).parent
    knowing = {p.name for p in folder.glob("*.py") if "google.colab" in p.read_text("utf-8")}
    assert knowing == {"page.py"}
