"""Files on their way from the page: in pieces, or chosen for the cells of a notebook."""

import pytest
from live_app import as_file, from_page, said_in, send_to, spot

from u2demo.notebook import upload
from u2demo.notebook.file_transfer import PhotoPicker

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture
def picker(monkeypatch):
    """A picker with what it has passed on, and the receipts that it has sent."""
    arrived, receipts = [], []
    picker = PhotoPicker(arrived.extend)
    monkeypatch.setattr(picker, "send", receipts.append)
    return picker, arrived, receipts


def piece(batch, index, name, data):
    return {"batch": batch, "index": index, "name": name}, [data]


def test_pieces_of_an_upload_become_files(picker):
    picker, arrived, receipts = picker
    for index, data in [(0, b"ab"), (0, b"cd"), (1, b"")]:
        from_page(picker, *piece("x", index, "same.jpg", data))
    from_page(picker, {"batch": "x", "end": True})
    assert arrived == [("same.jpg", b"abcd"), ("same.jpg", b"")]
    assert receipts == [{"batch": "x"}] * 3


def test_an_upload_that_broke_off_leaves_nothing_to_the_next(picker):
    picker, arrived, _ = picker
    from_page(picker, *piece("x", 0, "half.jpg", b"ab"))
    from_page(picker, *piece("y", 0, "whole.jpg", b"cd"))
    from_page(picker, {"batch": "y", "end": True})
    assert arrived == [("whole.jpg", b"cd")]


def test_a_file_that_the_page_cannot_read_to_its_end_takes_no_other_with_it(picker):
    picker, arrived, _ = picker
    from_page(picker, *piece("x", 0, "half.jpg", b"ab"))
    from_page(picker, {"batch": "x", "index": 0, "drop": True})
    from_page(picker, {"batch": "x", "index": 1, "drop": True})
    from_page(picker, *piece("x", 2, "whole.jpg", b"cd"))
    from_page(picker, {"batch": "x", "end": True})
    assert arrived == [("whole.jpg", b"cd")]


def test_in_colab_an_upload_has_the_samples_until_somebody_chooses(colab):
    colab.uploads = [[], [("cat.jpg", as_file(spot()))]]
    samples = ["coffee.png", "cows.jpg", "cat.jpeg", "astronaut.jpg", "rocket.jpg"]
    assert list(upload().photos) == samples
    assert list(upload().photos) == ["cat.jpg"]


@pytest.fixture
def shown(monkeypatch):
    """What a cell in Jupyter displays."""
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    displayed = []
    monkeypatch.setattr("u2demo.notebook.uploads.display", displayed.append)
    return displayed


def test_in_jupyter_photos_are_those_chosen_last_and_a_dict_stays_as_it_is(shown):
    uploads = upload()
    samples = uploads.photos
    control, _ = shown[0].children
    send_to(control, [("letter.txt", b"no photo"), ("cat.jpg", as_file(spot()))])
    assert list(uploads.photos) == ["cat.jpg"]
    assert len(samples) == 5, "this was taken before the choice"
    assert "letter.txt: not an image" in said_in(shown[0])
    assert "Photos: cat.jpg." in said_in(shown[0])


def test_files_that_are_all_not_photos_leave_the_photos_from_before(shown):
    uploads = upload()
    control, _ = shown[0].children
    send_to(control, [("cat.jpg", as_file(spot()))])
    send_to(control, [("letter.txt", b"no photo")])
    assert list(uploads.photos) == ["cat.jpg"]


def test_photos_of_one_name_are_all_kept(shown):
    uploads = upload()
    control, _ = shown[0].children
    send_to(control, [("image.jpg", as_file(spot()))] * 3)
    assert list(uploads.photos) == ["image.jpg", "image (2).jpg", "image (3).jpg"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("scan.jpg", b"%PDF-1.7\n", "a PDF document, which u2demo cannot read; export its page"),
        ("logo.svg", b"<svg/>", "a vector drawing, which u2demo cannot read; export it as JPEG"),
        ("art.jpg", b"8BPS\0\1" + bytes(20), "a Photoshop file, which u2demo cannot read"),
        ("letter.jpg", b"Dear Ada,", "not an image of a known format"),
    ],
)
def test_a_file_that_is_no_photo_is_called_what_it_is(shown, name, data, reason):
    upload()
    control, _ = shown[0].children
    send_to(control, [(name, data)])
    assert f"{name}: {reason}" in said_in(shown[0])
