"""What the app keeps of a photo, what it says it leaves out, and what a person can change."""

import io
import zipfile

import pytest
from bright import Bright
from live_app import (
    as_file,
    caption,
    find,
    on_a_page,
    on_stage,
    press,
    said,
    said_of_saving,
    send,
    spot,
    stage,
    until,
)
from PIL import Image

from u2demo.notebook import OneClick
from u2demo.notebook.photo import Photo, left_out
from u2demo.notebook.uploads import Uploads

AUTHOR, CAMERA = 0x013B, 0x0110  # EXIF's tags


pytestmark = pytest.mark.usefixtures("results")


def with_hole():
    """A photo whose left quarter is transparent."""
    photo = spot().convert("RGBA")
    photo.paste((0, 0, 0, 0), (0, 0, 15, 40))
    return photo


def with_details():
    exif = Image.Exif()
    exif[AUTHOR], exif[CAMERA] = "Ada", "Brownie"
    return as_file(spot(), "JPEG", exif=exif)


def animation():
    return as_file(spot(), "GIF", save_all=True, append_images=[spot(left=20), spot(left=30)])


async def receive(app, *files):
    app.receive(files)
    await until(lambda: len(app.photos) == 2 + len(files) and not app.is_busy)


def test_a_photo_with_transparent_parts_lies_on_a_checkerboard_whatever_is_done_with_it(results):
    async def visit(app):
        await receive(app, ("hole.png", as_file(with_hole())))
        for action in (
            "Cut out",
            "Blur",
            "Highlight",
            "Box",
            "Crop",
            "Separate items",
            "Color",
            "Mask",
        ):
            press(app, action)
            await until(lambda: not app.is_busy)
            assert stage(app).size[0] > 0
            if action in ("Blur", "Highlight", "Box"):
                assert stage(app).mode == "RGBA" and stage(app).getpixel((5, 5))[3] == 0
            assert on_stage(app)["clear"]
        assert said(app) == ""

    on_a_page(visit, Bright())


def test_what_a_file_holds_besides_its_photo_is_said_below_the_photo():
    async def visit(app):
        await receive(app, ("dance.gif", animation()))
        assert caption(app) == (
            "dance.gif, 60 × 40<br>The first of 3 frames; the notebook video.ipynb does them all."
        )
        press(app, "one.png")
        assert "frames" not in caption(app)

    on_a_page(visit, Bright())


def test_an_upload_cell_says_it_too():
    uploads = Uploads()
    said = uploads.receive(
        [("dance.gif", animation()), ("x.txt", b"text"), ("a.png", as_file(spot()))]
    )
    assert list(uploads.photos) == ["dance.gif", "a.png"]
    assert "dance.gif: The first of 3 frames; the notebook video.ipynb does them all." in said
    assert len(said) == 2


def test_what_is_not_a_frame_is_said_apart():
    photo = spot()
    photo.info["left_out"] = ("1 more frame", "an HDR gain map")
    assert left_out(photo) == (
        "The first of 2 frames; the notebook video.ipynb does them all."
        " Not shown, and not saved: an HDR gain map."
    )


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ("Author and dates", {AUTHOR: "Ada"}),
        ("All, also camera and place", {AUTHOR: "Ada", CAMERA: "Brownie"}),
        ("None", {}),
    ],
)
def test_a_person_chooses_which_details_of_a_photo_are_saved(choice, kept, results):
    async def visit(app):
        await receive(app, ("ada.jpg", with_details()))
        find(app, "Format and size").value = True
        details = find(app, "Photo details to save")
        assert details.value == "private"
        details.value = dict(details.options)[choice]
        press(app, "Save all to results/")
        details.value = "keep"  # too late
        await until(lambda: not app.is_busy)
        found = Image.open(results / "ada_cutout.png").getexif()
        assert {tag: found.get(tag) for tag in (AUTHOR, CAMERA) if tag in found} == kept

    on_a_page(visit, Bright())


def test_a_photo_above_the_limit_can_be_opened_as_the_page_says(monkeypatch, results):
    async def visit(app):
        monkeypatch.setenv("U2DEMO_MAX_PIXELS", "1000")
        app.receive([("wide.png", as_file(spot()))])
        await until(lambda: not app.is_busy)
        assert "wide.png: more pixels than the limit of 1,000" in said(app)
        assert "tick “Very large photos” under Quality and choose it again" in said(app)
        assert "--max-pixels" not in said(app)
        find(app, "Very large photos").value = True
        await receive(app, ("wide.png", as_file(spot())))
        assert said(app) == ""
        find(app, "Very large photos").value = False
        press(app, "Save all to results/")
        await until(lambda: not app.is_busy)
        assert (results / "wide_cutout.png").exists(), "it has been opened, and stays so"

    on_a_page(visit, Bright())


def test_files_that_cannot_be_read_are_named_and_cost_the_others_nothing():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in.png", as_file(spot()))

    async def visit(app):
        files = [
            ("a.png", as_file(spot())),
            ("empty.jpg", b""),
            ("b.png", as_file(spot())),
            ("many.zip", packed.getvalue()),
            ("half.png", as_file(spot())[:90]),
            ("link.webloc", b"<plist><dict><key>URL</key></dict></plist>"),
            ("c.png", as_file(spot())),
        ]
        send(app, "Choose photos", files)
        await until(lambda: len(app.photos) == 5 and not app.is_busy)
        assert [photo.name for photo in app.photos[2:]] == ["a.png", "b.png", "c.png"]
        assert all(f"{name}: " in said(app) for name in ("empty.jpg", "many.zip", "half.png"))
        assert "link.webloc: " in said(app)

    on_a_page(visit, Bright())


def test_a_photo_that_cannot_be_drawn_costs_the_others_nothing(results, monkeypatch):
    opened = Photo.open_image

    def open_some(photo):
        if photo.name == "one.png":
            raise MemoryError
        return opened(photo)

    async def visit(app):
        monkeypatch.setattr(Photo, "open_image", open_some)
        press(app, "Save all to results/")
        await until(lambda: not app.is_busy)
        assert [path.name for path in results.iterdir()] == ["two_cutout.png"]
        assert "one.png: not enough memory" in said_of_saving(app)
        press(app, "one.png")
        press(app, "Download")
        await until(lambda: not app.is_busy)
        assert "There is nothing to save." in said_of_saving(app)

    on_a_page(visit, Bright())


def test_a_photo_removed_after_the_click_is_saved_as_it_was_asked_for(results):
    async def visit(app):
        press(app, "Save all to results/")
        press(app, "Remove two.png")
        await until(lambda: not app.is_busy)
        assert sorted(path.name for path in results.iterdir()) == [
            "one_cutout.png",
            "two_cutout.png",
        ]
        assert [photo.name for photo in app.photos] == ["one.png"]

    on_a_page(visit, Bright())


@pytest.mark.usefixtures("no_loop")
def test_photos_without_names_and_a_name_for_a_net_are_answered_with_what_was_expected():
    app = OneClick(Bright())
    app.run({"spot.png": spot()})
    with pytest.raises(TypeError, match="photos is a list, expected images by name"):
        app.run([spot()])
    assert [photo.name for photo in app.photos] == ["spot.png"]
    app.close()
    with pytest.raises(TypeError, match="expected a net, as from load_model, not str"):
        OneClick("u2net")
