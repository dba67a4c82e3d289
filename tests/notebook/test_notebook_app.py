"""The one-click app, pressed from Python: the same callbacks that a page calls."""

import base64
import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bright import Bright
from live_app import (
    as_file,
    caption,
    classes,
    find,
    names_of,
    on_stage,
    only_zip,
    part,
    press,
    said,
    said_of_saving,
    send,
    spot,
    stage,
    tile_names,
    tiles,
)
from PIL import Image

from u2demo.effects import EFFECTS
from u2demo.inference import predict
from u2demo.notebook import OneClick, colab, saving
from u2demo.notebook.actions import Settings, all_actions
from u2demo.notebook.jobs import JobQueue
from u2demo.notebook.notes import Notes
from u2demo.notebook.plain_picker import PlainPicker
from u2demo.notebook.preview import contact_sheet
from u2demo.notebook.widgets import Gallery

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture
def app(bright, saved, results):
    app = OneClick(bright)
    app.run({"first.jpg": spot(), "second.png": spot((40, 60), left=5)})
    return app


def names(archive):
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def photo_names(app):
    return [photo.name for photo in app.photos]


def toolbar(app):
    return part(app, "u2-toolbar")


@pytest.mark.parametrize("name", all_actions())
def test_every_action_draws_pictures_and_leaves_its_arguments_alone(name, scene):
    image, mask = scene  # the mask is read-only
    before = image.tobytes()
    pictures = all_actions()[name].draw(image, mask, Settings())
    assert pictures and all(isinstance(picture, Image.Image) for picture in pictures.values())
    assert image.tobytes() == before


@pytest.mark.parametrize("name", EFFECTS)
def test_the_app_makes_of_its_defaults_what_the_library_makes(name):
    image = spot()
    mask = np.zeros((40, 60), np.float32)
    mask[10:30, 10:30] = 1
    pictures = all_actions()[name].draw(image, mask, Settings())
    assert pictures.keys() == {name}, "this is also the ending of the file's name"
    assert pictures[name].tobytes() == EFFECTS[name](image, mask).tobytes()


def test_an_effect_added_to_the_library_is_in_the_toolbar_and_saves(saved, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setitem(EFFECTS, "upside_down", lambda image, mask: image.rotate(180))
    app = OneClick(Bright())
    app.run({"cat.png": spot()})
    press(app, "Upside down")
    press(app, "Download")
    _, data = saved["cat_upside_down.jpg"]
    assert Image.open(io.BytesIO(data)).getpixel((40, 20)) > (200, 200, 200)


def test_each_object_is_a_picture_of_its_own_numbered_from_left_to_right():
    mask = np.zeros((20, 40), np.float32)
    mask[5:10, 5:15] = mask[5:15, 25:35] = 1
    image = Image.new("RGB", (40, 20), "red")
    pictures = all_actions()["objects"].draw(image, mask, Settings(margin=0))
    assert {name: picture.size for name, picture in pictures.items()} == {
        "object1": (10, 5),
        "object2": (10, 10),
    }


def test_opens_on_the_samples_with_results(app):
    app.run()
    assert tile_names(app) == ["coffee.png", "cows.jpg", "cat.jpeg", "astronaut.jpg", "rocket.jpg"]
    assert stage(app).mode == "RGBA"


def test_the_photo_behind_the_first_sample_is_another_one(app):
    app.run()
    toolbar(app).value = "scene"
    assert np.abs(np.subtract(stage(app), np.asarray(app.photos[0].small), dtype=float)).mean() > 9


def test_sliders_redraw_without_the_network(app, bright):
    before = stage(app).tobytes()
    find(app, "Less / more").value = 0.9
    find(app, "Soft edge").value = 0.1
    assert stage(app).tobytes() != before
    assert bright.looks == 2


def test_quality_looks_again_at_every_photo(app, bright):
    looks = bright.looks
    press(app, "Best")
    assert bright.looks >= looks + 2


def test_every_action_shows_another_picture(app):
    two = spot((90, 40))
    two.paste("white", (60, 10, 75, 25))
    app.run({"two.png": two})
    pictures, labels = set(), [label for label, _ in toolbar(app).options]
    for label in labels:
        press(app, label)
        pictures.add(stage(app).tobytes())
        assert said(app) == ""
    assert len(pictures) == len(labels)


def test_own_photos_replace_the_samples_and_more_are_added(app):
    app.run()
    app.receive([("cat.jpg", as_file(spot()))])
    app.receive([("cat.jpg", as_file(spot())), ("dog.jpg", as_file(spot()))])
    assert photo_names(app) == ["cat.jpg", "cat (2).jpg", "dog.jpg"]


def test_a_broken_photo_is_named_and_the_rest_goes_on(app):
    files = [("a.txt", b"no photo"), ("<b>.png", b""), ("c.txt", as_file(spot()))]
    app.receive(files)
    assert photo_names(app)[-1] == "c.txt"
    assert "a.txt: not an image" in said(app)
    assert "&lt;b&gt;.png" in said(app)
    assert "<b>" not in said(app)


def test_a_photo_too_large_for_the_memory_is_named_and_the_rest_goes_on(app, monkeypatch):
    found = predict.predict

    def run_out_of_memory(model, images, **options):
        images = list(images)
        if images[0].width == 61:
            raise MemoryError
        return found(model, images, **options)

    monkeypatch.setattr(predict, "predict", run_out_of_memory)
    huge = as_file(spot((61, 40)))
    app.receive([("huge.png", huge), ("cat.png", as_file(spot()))])
    assert app.photos[-1].name == "cat.png"
    assert "huge.png: not enough memory" in said(app)


def test_the_first_new_photo_comes_on_stage(app):
    app.receive([("broken.png", b""), ("cat.png", as_file(spot())), ("dog.png", as_file(spot()))])
    assert caption(app).startswith("cat.png")


def test_photos_are_turned_upright(app):
    exif = Image.Exif()
    exif[0x0112] = 6
    app.receive([("turned.jpg", as_file(spot((60, 40)), "JPEG", exif=exif))])
    assert app.photos[-1].open_image().size == (40, 60)


def test_the_download_is_named_after_photo_and_action(app, saved):
    press(app, "first.jpg")
    press(app, "Download")
    (name, (media, data)) = saved.popitem()
    assert (name, media) == ("first_cutout.png", "image/png")
    picture = Image.open(io.BytesIO(data))
    assert picture.mode == "RGBA"
    assert picture.size == (60, 40)


def test_the_zip_holds_every_photo_at_full_size_under_a_name_of_its_own(app, saved):
    app.receive([("first.png", as_file(spot()))])
    press(app, "Blur")
    press(app, "Download all as zip")
    assert names(only_zip(saved)[1]) == [
        "first_blur.jpg",
        "second_blur.jpg",
        "first_blur (2).jpg",
    ]


def test_settings_reach_what_is_saved(app, saved):
    press(app, "Color")
    find(app, "Color", "u2-side").value = "#00ff00"
    press(app, "Download")
    picture = Image.open(io.BytesIO(saved["first_background.jpg"][1]))
    red, green, blue = picture.getpixel((0, 0))
    assert green > 240 and red < 15 and blue < 15


def test_saving_to_the_folder_never_replaces_a_file(app, tmp_path):
    press(app, "Save all to results/")
    find(app, "Less / more").value = 0.6
    press(app, "Apply to all")
    press(app, "Save all to results/")
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "first_cutout.png",
        "first_cutout (2).png",
        "second_cutout.png",
        "second_cutout (2).png",
    }
    assert "first_cutout (2).png" in said_of_saving(app)


def test_a_color_is_chosen_without_a_text_field_that_accepts_invalid_colors(app):
    press(app, "Color")
    assert find(app, "Color", "u2-side").concise
    press(app, "Highlight")
    assert find(app, "Tint").concise


def test_what_was_saved_is_forgotten_when_other_photos_come(app):
    for bring in (lambda: app.receive([("new.png", as_file(spot()))]), lambda: app.run({})):
        press(app, "Save all to results/")
        assert "Saved to" in said_of_saving(app)
        bring()
        assert said_of_saving(app) == ""


def test_a_bad_background_is_reported_beside_the_control_until_a_good_one_comes(app):
    press(app, "Photo behind")
    send(app, "Choose background", [("letter.txt", b"no photo")])
    assert "letter.txt: not an image" in said(app, "u2-side")
    assert said(app) == ""
    send(app, "Choose background", [("sea.png", as_file(spot()))])
    assert said(app, "u2-side") == ""


@pytest.mark.parametrize("action", ["Crop", "Separate items"])
def test_a_part_of_a_large_photo_is_drawn_with_the_detail_it_has(action, app):
    photo = Image.new("RGB", (1680, 1040))
    stripes = Image.new("RGB", (2, 1), "white")
    stripes.putpixel((1, 0), (150, 150, 150))
    for left in range(700, 900, 2):
        for top in range(400, 600):
            photo.paste(stripes, (left, top))
    app.run({"stripes.png": photo})
    press(app, action)
    shown = np.asarray(stage(app).convert("L"), float)
    inside = shown[shown.shape[0] // 2, shown.shape[1] // 3 : shown.shape[1] // 2]
    assert np.ptp(inside) > 60, "the stripes are there, one pixel wide in the photo"


def test_a_part_stands_alone_even_if_it_has_the_size_of_the_photo_on_the_stage(app):
    app.run({"square.png": spot((40, 40))})
    press(app, "Crop")
    assert on_stage(app)["alone"]
    press(app, "Cut out")
    assert not on_stage(app)["alone"]


def test_photos_without_a_clear_subject_are_marked_and_counted_when_saved(app):
    app.run({"night.jpg": Image.new("RGB", (50, 50)), "spot.jpg": spot()})
    marked = ["u2-unclear" in classes(tile) for tile in tiles(app)]
    assert marked == [True, False]
    assert [tile.children[1].tooltip for tile in tiles(app)] == [
        "night.jpg, please check",
        "spot.jpg",
    ]
    box = "a box around what you mean."
    assert caption(app).endswith(f"Nothing stands out here. Try Best, or draw {box}")
    press(app, "Save all to results/")
    assert "1 of 2 photos: no clear subject" in said_of_saving(app)
    press(app, "Best")
    assert caption(app).endswith(f"Nothing stands out here. Draw {box}")


def test_a_result_that_may_well_be_right_gets_no_verdict(app, monkeypatch):
    monkeypatch.setattr("u2demo.notebook.photo.has_clear_subject", lambda mask, confidence: False)
    app.run({"panorama.jpg": spot()})
    assert caption(app).endswith("hard to find: please check the result. Best may do better.")
    press(app, "Best")
    assert caption(app).endswith("hard to find: please check the result.")


def test_a_photo_can_be_removed_from_the_gallery_but_the_last(app):
    app.receive([("third.png", as_file(spot()))])
    press(app, "second.png")
    cross = find(app, "Remove first.jpg")
    cross.click()
    cross.click()  # a second click, on its way already
    assert photo_names(app) == ["second.png", "third.png"]
    assert caption(app).startswith("second.png")
    press(app, "third.png")
    others = [find(app, "Remove second.png"), find(app, "Remove third.png")]
    others[1].click()
    assert caption(app).startswith("second.png")
    others[0].click()  # on its way before the page knew that it is the last one
    assert photo_names(app) == ["second.png"]


def test_tiles_that_leave_the_gallery_are_closed():
    gallery = Gallery(lambda place: None, lambda place: None)
    gallery.insert(0, "first.jpg", spot())
    gallery.insert(1, "second.jpg", spot())
    removed, cleared = gallery.children
    gallery.remove(0)
    gallery.clear()
    assert removed.comm is None and cleared.comm is None


def test_nothing_in_the_photo_is_a_sentence_not_an_error(app, saved):
    app.run({"night.jpg": Image.new("RGB", (50, 50))})
    press(app, "Separate items")
    assert "Nothing stands out here" in caption(app)
    press(app, "Download")
    assert "nothing to save" in said_of_saving(app)
    assert not saved


def test_without_anywidget_plain_controls_do_the_work(monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setitem(sys.modules, "u2demo.notebook.file_transfer", None)
    app = OneClick(Bright())
    app.run({"<i>.jpg": spot()})
    press(app, "Download")
    assert 'href="data:image/png;base64,' in said_of_saving(app)
    assert "<i>" not in said_of_saving(app)
    picker = part(app, "u2-zone")
    for _ in range(2):  # the same file again is another choice
        write(picker, {"batch": "1", "index": 0, "name": "cat.png", "data": text(as_file(spot()))})
        write(picker, {"batch": "1", "end": True})
    assert photo_names(app) == ["<i>.jpg", "cat.png", "cat (2).png"]


def write(picker, message):
    """Write what the page writes into the picker's hidden box, and see the receipt."""
    _, box = picker.children
    box.value = json.dumps({**message, "receipt": "1 1"})
    assert box.value == "1 1"


def text(data):
    return base64.b64encode(data).decode()


def test_without_anywidget_an_upload_that_broke_off_leaves_nothing_to_the_next():
    arrived = []
    picker = PlainPicker(arrived.extend, label="Choose", accept="image/*", multiple=True)
    write(picker, {"batch": "1", "index": 0, "name": "half.png", "data": text(b"ab")})
    for index, data in [(0, b"cd"), (1, b"e"), (0, b"f"), (2, b"")]:
        name = f"{index}.png"
        write(picker, {"batch": "2", "index": index, "name": name, "data": text(data)})
    write(picker, {"batch": "2", "index": 1, "drop": True})
    write(picker, {"batch": "2", "end": True})
    assert arrived == [("0.png", b"cdf"), ("2.png", b"")]


def test_in_colab_photos_come_by_its_dialog_and_go_to_drive(colab, monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    app = OneClick(Bright())
    colab.uploads = [[("cat.jpg", as_file(spot()))], []]
    press(app, "Choose photos")
    press(app, "Choose photos")  # and cancelled
    press(app, "Save all to Google Drive")
    assert [path.name for path in tmp_path.rglob("*.png")] == ["cat_cutout.png"]
    assert "MyDrive/u2demo/" in said_of_saving(app)


def test_in_colab_the_page_says_that_files_are_on_their_way_to_drive(colab, monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    app, heard = OneClick(Bright()), []
    app.run({"cat.jpg": spot(), "dog.jpg": spot()})
    copy = shutil.copyfile

    def listen(source, target):
        heard.append(said_of_saving(app))
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", listen)
    press(app, "Save all to Google Drive")
    assert all("Saving 2 files to your Google Drive…" in each for each in heard) and heard
    assert "Saving" not in said_of_saving(app)


def test_in_colab_the_cell_can_ask_for_photos_first(colab, monkeypatch):
    colab.uploads = [[("cat.jpg", as_file(spot()))]]
    app = OneClick(Bright())
    app.show(ask=True)
    assert photo_names(app) == ["cat.jpg"]


def test_in_colab_a_failing_drive_becomes_a_download(colab, monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    app = OneClick(Bright())
    app.run({"cat.jpg": spot()})
    colab.drive_failures = [colab.MessageError("Error: credential propagation was unsuccessful")]
    press(app, "Save all to Google Drive")
    assert "credential propagation was unsuccessful" in said_of_saving(app)
    assert names(only_zip(dict(colab.downloads))) == ["cat_cutout.png"]


def test_in_colab_a_silent_page_raises_what_to_do(colab):
    app = OneClick(Bright())
    colab.answers = False
    for button in ("Choose photos", "Take a photo"):
        press(app, button)
        assert "VS Code" in said(app)


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
    box = saving.Saver(lambda **_: iter(()), JobQueue(), Notes()).box
    texts = set().union(*(names_of(button) for button in box.children))
    assert f"Save all to {Path.cwd().name}/" in texts


def test_two_modules_alone_know_colab():
    folder = Path(colab.__file__).parent
    knowing = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if "from google.colab" in path.read_text("utf-8")
    }
    assert knowing == {"colab.py", "drive.py"}
