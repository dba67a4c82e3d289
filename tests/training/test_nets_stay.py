"""What is there already stays: files, and nets that were taught. What is wrong is a sentence."""

import subprocess
import sys

import pytest
from pupils import lesson

import u2demo as u2
from u2demo.machine.disk import partial_file


@pytest.mark.parametrize("name", ["mine.pth", "mine.json"])
def test_no_file_of_yours_is_replaced(school, name):
    file = school["results"].with_name(name)
    file.write_text("mine")
    with pytest.raises(ValueError, match=rf"{name} is there already"):
        u2.fine_tune(**school)
    assert file.read_text() == "mine"


def test_a_net_that_was_taught_is_not_replaced_by_the_next_training(school):
    u2.fine_tune(**school | {"steps": 12})
    before = school["results"].read_bytes()
    with pytest.raises(ValueError, match=r"mine\.pth is there already"):
        u2.fine_tune(**school | {"steps": 12, "seed": 1})
    assert school["results"].read_bytes() == before


def test_what_a_killed_training_was_writing_is_deleted_by_the_next(school, monkeypatch):
    """Of the largest net it has a gigabyte, perhaps on a disk that it has filled."""
    folder = school["results"].parent
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: ended.pid)
        partial_file(folder).write_bytes(b"half")
    at_work = partial_file(folder)
    at_work.write_bytes(b"half")
    u2.fine_tune(**school | {"steps": 4})
    assert list(folder.glob(".*.part")) == [at_work]


@pytest.mark.parametrize("name", ["mine.pth", "mine.json"])
def test_a_file_that_appears_during_the_training_is_not_replaced(school, name):
    file = school["results"].with_name(name)

    def appear(progress):
        if progress.loss is not None and progress.done == 12:
            file.write_text("mine")

    school |= {"steps": 12}
    with pytest.raises(ValueError, match=rf"{name} has appeared .* move it away"):
        u2.fine_tune(**school, report=appear)
    assert file.read_text() == "mine"
    file.unlink()
    assert u2.fine_tune(**school).file == school["results"]


def test_a_photo_to_keep_that_cannot_be_read_is_named_and_ends_nothing(school, tmp_path):
    keep, _ = lesson(tmp_path / "keep", 2, start=60)
    (keep / "broken.jpg").write_bytes(b"\xff\xd8\xffnothing")
    report = u2.fine_tune(**school | {"keep": keep, "steps": 4}).report
    assert list(report.left_out) == ["broken.jpg"]
    for photo in keep.glob("disc*"):
        photo.unlink()
    with pytest.raises(ValueError, match=r"no photo to keep can be used; .*broken\.jpg"):
        u2.fine_tune(**school | {"keep": keep, "results": tmp_path / "other.pth"})


def test_a_photo_that_is_taught_is_not_kept_as_it_was(school):
    """To teach it and to keep its old answer would undo each other."""
    keep, photos = school["keep"], school["photos"]
    (keep / "copy.png").write_bytes((photos / "disc3.png").read_bytes())
    report = u2.fine_tune(**school | {"steps": 4}).report
    assert report.left_out == {"copy.png": "is one of the photos to teach, expected others to keep"}
    with pytest.raises(ValueError, match=r"no photo to keep .*; disc0\.png: is one of the photos"):
        u2.fine_tune(**school | {"keep": photos, "results": keep / "other.pth"})


def test_a_folder_to_keep_without_photos_is_named_before_anything_is_read(school, tmp_path):
    (tmp_path / "empty").mkdir()
    said = []
    with pytest.raises(ValueError, match=r"empty holds no photos, expected some for which"):
        u2.fine_tune(**school | {"keep": tmp_path / "empty"}, report=said.append)
    with pytest.raises(ValueError, match=r"nowhere is not a folder"):
        u2.fine_tune(**school | {"keep": tmp_path / "nowhere"}, report=said.append)
    assert not said


@pytest.mark.parametrize("name", ["photos", "masks", "keep", "results"])
def test_a_url_is_no_folder_to_teach_from(school, name):
    with pytest.raises(ValueError, match=rf"{name} is s3://shop/x, expected a path on this comp"):
        u2.fine_tune(**school | {name: "s3://shop/x"})
