"""What pictures are called: each photo keeps its folder where names clash, in linear time."""

import os
import time
from pathlib import Path

import pytest
from bright import Bright
from PIL import Image
from small_run import make_photos

import u2demo as u2
from u2demo.cli.main import main
from u2demo.runs.listing import Listing


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    make_photos(path.parent / ".made", 1).joinpath("pets/photo0.png").rename(path)
    return path


def pictures(out):
    return {path.relative_to(out).as_posix() for path in out.rglob("*_cutout*.png")}


@pytest.mark.usefixtures("bright_loaded")
def test_files_of_one_name_keep_the_folder_that_tells_them_apart(tmp_path):
    blue, red = (put(tmp_path / "shop" / color / "front.png") for color in ("blue", "red"))
    cup = put(tmp_path / "shop" / "cup" / "cup.png")
    command = [str(blue), str(red), str(cup), "-o", str(tmp_path / "out")]
    for _ in range(2):
        assert main(command) == 0
        assert pictures(tmp_path / "out") == {
            "blue/front_cutout.png",
            "red/front_cutout.png",
            "cup_cutout.png",
        }


def places(sources):
    """Return the place of each photo among the results."""
    return [f"{entry.folder}/{entry.name}".lstrip("/") for entry in Listing(sources).entries()]


def test_files_keep_as_many_folders_as_are_needed(tmp_path):
    paths = [tmp_path / name for name in ("a/x/f.jpg", "b/x/f.jpg", "c/y/f.jpg", "c/g.jpg")]
    assert places(paths) == ["a/x/f.jpg", "b/x/f.jpg", "y/f.jpg", "g.jpg"]


def test_folders_of_one_name_keep_what_tells_them_apart(tmp_path):
    photos = [put(tmp_path / shop / "img" / "f.png") for shop in ("a", "b")]
    folders = [photo.parent for photo in photos]
    assert places(folders) == ["a/img/f.png", "b/img/f.png"]


def test_names_that_differ_in_case_only_keep_their_folders(tmp_path):
    paths = [tmp_path / "a" / "f.jpg", tmp_path / "b" / "F.jpg"]
    assert places(paths) == ["a/f.jpg", "b/F.jpg"]


@pytest.mark.usefixtures("bright_loaded")
def test_a_photo_keeps_the_name_that_an_earlier_run_gave_it(tmp_path):
    blue, red = (put(tmp_path / color / "front.png") for color in ("blue", "red"))
    assert main([str(blue), "-o", str(tmp_path / "out")]) == 0
    assert main([str(blue), str(red), "-o", str(tmp_path / "out")]) == 0
    assert pictures(tmp_path / "out") == {"front_cutout.png", "red/front_cutout.png"}


def test_names_of_12_000_files_are_settled_within_seconds(tmp_path):
    photos = [Path(tmp_path, f"{number}", "front.jpg") for number in range(12_000)]
    start = time.process_time()
    assert len(set(places(photos))) == 12_000
    assert time.process_time() - start < 6  # 0.5 s on one core of 2020


def test_names_without_a_folder_to_tell_them_apart_are_numbered_in_linear_time(tmp_path):
    """Names that differ only in what is cut off, because file systems take no longer ones."""

    def seconds(count):
        folder = tmp_path / str(count)
        for number in range(count):
            path = folder / f"{'x' * 190}{number}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_text("no photo")
        start = time.process_time()
        records = u2.process_folder(Bright(), folder, folder / "out", effects={"a": u2.crop})
        assert len({record.stem for record in records}) == count
        return time.process_time() - start

    seconds(10)  # what is loaded when first used
    few, many = seconds(100), seconds(800)
    assert many < 24 * few  # eight times as many; quadratic it was over sixty times as long


@pytest.mark.usefixtures("bright_loaded")
@pytest.mark.parametrize("name", ["a.tar.jpg", "cat.jpg"])
def test_a_number_stands_at_the_end_of_a_name(name, tmp_path):
    stem = Path(name).stem
    photo = tmp_path / name
    Image.new("RGB", (9, 9)).save(photo)
    out = tmp_path / "out"
    out.mkdir()
    for taken in (f"{stem}_mask.png", f"{stem}_jpg_mask.png"):
        (out / taken).write_text("mine")
    assert main([str(photo), "-o", str(out), "--effects", "mask"]) == 0
    assert (out / f"{stem} (2)_mask.png").is_file()
    assert os.listdir(out).count(f"{stem} (2)_mask.png") == 1  # noqa: PTH208
