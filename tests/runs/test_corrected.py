"""Folders of photos that a person has corrected: what lies beside a photo counts, or is named."""

import csv
import os

import numpy as np
import pytest
from PIL import Image
from small_run import Bright, make_photos, rows, run

import u2demo as u2
from u2demo.masks.corrections import Corrections, to_json

SIZE = (48, 32)
EFFECTS = {"mask": u2.EFFECTS["mask"]}
ERASED = u2.Stroke(((20.0, 16.0),), 3.0, keep=False)


@pytest.fixture
def photos(tmp_path):
    """One photo with a bright square in its middle."""
    return make_photos(tmp_path / "photos", count=2)


def correct(photos, name="photo0.strokes.json", said=None, size=SIZE, **of):
    said = Corrections(strokes=(ERASED,)) if said is None else said
    (photos / name).write_text(to_json(said, size, **of))


def made(photos, out, **options):
    """The statuses of a run, and the mask of photo0 at the place that is erased."""
    records = run(photos, out, effects=EFFECTS, **options)
    (first,) = (record for record in records if record.photo.endswith("photo0.png"))
    value = None
    if first.status != "failed":
        value = np.asarray(Image.open(out / first.files[0]))[16, 20]
    return first, value


def test_corrections_beside_a_photo_are_applied_and_named_in_the_manifest(photos, tmp_path):
    assert made(photos, tmp_path / "without")[1] == 255
    correct(photos)
    record, value = made(photos, tmp_path / "out")
    assert (record.status, record.corrections, value) == ("done", "photo0.strokes.json", 0)
    table = list(csv.DictReader((tmp_path / "out" / "manifest.csv").open()))
    assert {row["corrections"] for row in table} == {"photo0.strokes.json", ""}
    assert rows(tmp_path / "out")[record.photo]["corrections"] == "photo0.strokes.json"


def test_the_picture_is_the_one_that_process_makes_of_these_corrections(photos, tmp_path):
    said = Corrections(u2.Box(4, 2, 40, 30), ((25.0, 20.0),), (ERASED,))
    correct(photos, said=said)
    made(photos, tmp_path / "out")
    (result,) = u2.process(
        Bright(),
        [("photo0.png", u2.open_image(photos / "photo0.png"))],
        effects=EFFECTS,
        corrections={"photo0.png": said},
    )
    picture = Image.open(tmp_path / "out" / "photo0_mask.png")
    assert picture.tobytes() == result.pictures["mask"].tobytes()


def test_a_photo_is_done_again_when_its_corrections_come_change_or_go(photos, tmp_path):
    out = tmp_path / "out"
    assert made(photos, out)[0].status == "done"
    assert made(photos, out)[0].status == "skipped"
    correct(photos)
    record, value = made(photos, out)
    assert (record.status, value) == ("done", 0)
    assert made(photos, out)[0].status == "skipped"
    os.utime(photos / "photo0.strokes.json", (1, 1))
    assert made(photos, out)[0].status == "skipped"
    correct(photos, said=Corrections())
    assert made(photos, out)[1] == 255
    (photos / "photo0.strokes.json").unlink()
    record, value = made(photos, out)
    assert (record.status, record.corrections, value) == ("done", "", 255)


def test_only_the_photo_whose_corrections_have_changed_is_done_again(photos, tmp_path):
    run(photos, tmp_path / "out", effects=EFFECTS)
    correct(photos)
    records = run(photos, tmp_path / "out", effects=EFFECTS)
    assert {record.stem: record.status for record in records} == {
        "photo0": "done", "pets/photo1": "skipped"
    }  # fmt: skip


@pytest.mark.parametrize("process", ["run", "folder"])
def test_corrections_can_be_left_out(photos, tmp_path, process):
    correct(photos)
    if process == "run":
        record, value = made(photos, tmp_path / "out", corrections=False)
    else:
        record = u2.process_folder(
            Bright(), photos, tmp_path / "out", effects=EFFECTS, corrections=False
        )[0]
        value = np.asarray(Image.open(tmp_path / "out" / record.files[0]))[16, 20]
    assert (record.status, record.corrections, value) == ("done", "", 255)


BAD = {
    "another photo's": (to_json(Corrections(), (32, 48)), "made for a photo of the size"),
    "somebody's": ('{"strokes": []}', "expected the format"),
    "not JSON": ("strokes", "not JSON"),
    "not text": (b"\xff\xfe\0\0", "not JSON"),
    "empty": ("", "not JSON"),
    "cut short": (to_json(Corrections(), SIZE)[:-9], "not JSON"),
    "large": (b" " * (2**24 + 1), "16,777,217 bytes"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_photo_is_never_done_without_the_corrections_beside_it(photos, tmp_path, kind):
    content, why = BAD[kind]
    file = photos / "photo0.strokes.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    record, _ = made(photos, tmp_path / "out")
    assert record.status == "failed" and not record.files
    assert record.error.startswith(f"{record.photo}: its corrections, photo0.strokes.json")
    assert why in record.error and len(record.error) < 500
    correct(photos)
    assert made(photos, tmp_path / "out")[0].status == "done"


def test_what_is_no_file_is_named_too(photos, tmp_path):
    (photos / "photo0.strokes.json").mkdir()
    record, _ = made(photos, tmp_path / "out")
    assert "photo0.strokes.json, cannot be used: not a file" in record.error
    (photos / "photo0.strokes.json").rmdir()
    (photos / "photo0.strokes.json").symlink_to("nowhere")
    record, _ = made(photos, tmp_path / "out")
    assert "photo0.strokes.json, cannot be used: not a file" in record.error


def test_a_file_with_a_byte_order_mark_as_some_editors_write_it_is_read(photos, tmp_path):
    text = to_json(Corrections(strokes=(ERASED,)), SIZE)
    (photos / "photo0.strokes.json").write_text(text, encoding="utf-8-sig")
    assert made(photos, tmp_path / "out")[1] == 0


def test_two_photos_of_one_name_can_have_corrections_of_their_own(photos, tmp_path):
    Image.open(photos / "photo0.png").save(photos / "photo0.bmp")
    correct(photos, said=Corrections())
    correct(photos, "photo0.png.strokes.json")
    records = run(photos, tmp_path / "out", effects=EFFECTS)
    named = {record.photo[-10:]: record.corrections for record in records}
    assert named["photo0.bmp"] == "photo0.strokes.json"
    assert named["photo0.png"] == "photo0.png.strokes.json"


def test_a_file_that_names_its_photo_corrects_no_other_beside_it(photos, tmp_path):
    Image.open(photos / "photo0.png").save(photos / "photo0.bmp")
    correct(photos, photo="photo0.bmp")
    record, value = made(photos, tmp_path / "both")
    assert (record.status, record.corrections, value) == ("done", "", 255)
    (photos / "photo0.bmp").unlink()  # photo0.png may be the same photo in another format
    record, value = made(photos, tmp_path / "one")
    assert (record.corrections, value) == ("photo0.strokes.json", 0)


@pytest.mark.parametrize("name", ["", ".", "..", "../photos/pets", "a\0b", "a" * 999, 3, None])
def test_a_name_that_leads_nowhere_is_nobody_s(photos, tmp_path, name):
    correct(photos, photo=name)
    record, value = made(photos, tmp_path / "out")
    assert (record.corrections, value) == ("photo0.strokes.json", 0)


def test_a_photo_may_itself_be_called_strokes(photos, tmp_path):
    (photos / "photo0.png").rename(photos / "photo0.strokes.png")
    correct(photos, "photo0.strokes.json")  # of a photo0.png, which is not there
    records = run(photos, tmp_path / "out", effects=EFFECTS)
    assert [(record.status, record.corrections) for record in records] == [("done", "")] * 2
    correct(photos, "photo0.strokes.strokes.json")
    again = run(photos, tmp_path / "out", effects=EFFECTS)
    assert {record.corrections for record in again} == {"", "photo0.strokes.strokes.json"}


def test_a_box_that_a_person_has_drawn_goes_before_the_one_of_the_run(photos, tmp_path):
    record, value = made(photos, tmp_path / "a", within="0,0,8,32")
    assert (record.status, value) == ("done", 0)
    correct(photos, said=Corrections(u2.Box(4, 2, 40, 30)))
    record, value = made(photos, tmp_path / "b", within="0,0,8,32")
    assert (record.status, value) == ("done", 255)
    correct(photos, said=Corrections(objects=((20.0, 16.0),)))
    assert made(photos, tmp_path / "c", within="0,0,8,32")[1] == 0


def test_what_a_person_has_shown_counts_as_a_clear_subject(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", SIZE).save(photos / "photo0.png")
    assert not made(photos, tmp_path / "a")[0].clear
    drawn = u2.Stroke(((12.0, 16.0), (36.0, 16.0)), 6.0)
    edge = ((1.0, 1.0), (47.0, 1.0), (47.0, 31.0), (1.0, 31.0), (1.0, 1.0))
    correct(photos, said=Corrections(strokes=(drawn, u2.Stroke(edge, 6.0, keep=False))))
    record, value = made(photos, tmp_path / "b")
    assert (record.confidence, record.clear, value) == (1, True, 255)
