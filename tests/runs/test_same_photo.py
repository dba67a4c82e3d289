"""When a photo counts as the one that was done: by its content, wherever its file has been."""

import json
import os
import shutil

import pytest
from bright import Bright
from PIL import Image
from small_run import make_photos

import u2demo as u2
from u2demo.runs import plan

MASK = {"mask": u2.EFFECTS["mask"]}


@pytest.fixture
def photo(tmp_path):
    """A BMP, whose size does not depend on what it shows."""
    path = tmp_path / "photos" / "a.bmp"
    with Image.open(make_photos(tmp_path / "made", 1) / "pets" / "photo0.png") as picture:
        path.parent.mkdir()
        picture.save(path)
    return path


@pytest.fixture
def run(photo, tmp_path):
    def run(results="out", **options):
        (record,) = u2.process_folder(
            Bright(), photo.parent, tmp_path / results, effects=MASK, **options
        )
        return record.status

    return run


def turned(photo, to):
    """Save at ``to`` another photo of the same size and, as ``cp -p`` would, the same time."""
    state = photo.stat()
    with Image.open(photo) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(to)
    os.utime(to, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("way", ["written over", "renamed", "a link to another"])
def test_another_photo_of_the_same_size_and_time_is_done(way, photo, run, tmp_path):
    assert run() == "done"
    before = (tmp_path / "out" / "a_mask.png").read_bytes()
    other = photo if way == "written over" else tmp_path / "other.bmp"
    turned(photo, other)
    if way == "renamed":
        other.replace(photo)
    if way == "a link to another":
        photo.unlink()
        photo.symlink_to(other)
    assert run() == "done"
    assert (tmp_path / "out" / "a_mask.png").read_bytes() != before
    assert run() == "skipped"


@pytest.mark.parametrize("way", ["touched", "copied", "given another name and back", "linked"])
def test_the_same_photo_is_not_done_again(way, photo, run, tmp_path, monkeypatch):
    assert run() == "done"
    if way == "touched":
        os.utime(photo, (0, 0))
    if way == "copied":  # a backup that was restored
        copy = shutil.copy(photo, tmp_path / "copy.bmp")
        photo.unlink()
        shutil.copy(copy, photo)
    if way == "given another name and back":
        photo.rename(tmp_path / "b.bmp").rename(photo)
    if way == "linked":
        os.link(photo, tmp_path / "b.bmp")
    assert run() == "skipped"
    monkeypatch.setattr(plan, "file_checksum", lambda file: pytest.fail("read once is enough"))
    assert run() == "skipped"


def test_an_untouched_photo_is_not_read(run, monkeypatch):
    assert run() == "done"
    monkeypatch.setattr(plan, "file_checksum", lambda file: pytest.fail("not needed"))
    assert run() == "skipped"


def test_another_quality_does_the_same_photo_again(run, photo):
    assert run() == "done"
    os.utime(photo, (0, 0))
    assert run(quality="best") == "done"


def test_manifests_of_earlier_versions_know_a_photo_by_size_and_time(run, photo, tmp_path):
    assert run() == "done"
    journal = tmp_path / "out" / "manifest.jsonl"
    row = json.loads(journal.read_text())
    for name in ("identity", "content", "outlines", "left_out"):
        del row[name]
    journal.write_text(json.dumps(row) + "\n")
    assert run() == "skipped"
    os.utime(photo, (0, 0))
    assert run() == "done"
