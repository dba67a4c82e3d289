"""A run keeps what it is told of a photo's EXIF, and knows when that has changed."""

import pytest
from bright import Bright
from PIL import Image
from small_run import run

import u2demo as u2
from u2demo.cli.arguments import parse
from u2demo.runs.run import Run

COPYRIGHT, MAKE = 0x8298, 0x010F


@pytest.fixture
def photos(tmp_path):
    exif = Image.Exif()
    exif[COPYRIGHT], exif[MAKE] = "(c) Zoe", "Maker"
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = Image.new("RGB", (48, 32))
    picture.paste("white", (12, 8, 30, 24))
    picture.save(folder / "photo.png", exif=exif)
    return folder


def test_other_metadata_makes_the_pictures_again(photos, tmp_path):
    tags = {"private": {COPYRIGHT}, "keep": {COPYRIGHT, MAKE}, "none": set()}
    for metadata, expected in tags.items():
        for status in ("done", "skipped"):
            (record,) = run(photos, tmp_path / "out", metadata=metadata)
            assert record.status == status
        for file in record.files:
            assert Image.open(tmp_path / "out" / file).getexif().keys() == expected


def test_a_folder_may_be_told_too(photos, tmp_path):
    effects = {"crop": u2.crop}
    for metadata, expected in (("none", set()), ("keep", {COPYRIGHT, MAKE})):
        out = tmp_path / metadata
        (record,) = u2.process_folder(Bright(), photos, out, effects=effects, metadata=metadata)
        assert Image.open(out / record.files[0]).getexif().keys() == expected


def test_metadata_that_does_not_exist_is_refused_before_work_begins():
    with pytest.raises(ValueError, match="unknown metadata 'all'; choose private, keep, none"):
        Run(metadata="all")


def test_the_help_says_what_becomes_of_exif(capsys):
    assert parse(["photo.jpg"]).metadata == "private"
    with pytest.raises(SystemExit):
        parse(["--help"])
    said = capsys.readouterr().out
    assert "--metadata {private,keep,none}" in said
    assert all(word in said for word in ("EXIF", "copyright", "GPS"))
