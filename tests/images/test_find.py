"""The photos in a folder, in the order in which people count."""

import errno
from pathlib import Path

import pytest
from PIL import Image

from u2demo.images.find import SYSTEM_FOLDERS, find_images, find_pictures, is_unread
from u2demo.images.kinds import why_unread
from u2demo.machine.names import natural_order


@pytest.fixture
def photo():
    """A picture to save."""
    return Image.new("RGB", (40, 24), "red")


def test_finds_images_in_natural_order_and_never_enters_dot_folders(photo, tmp_path):
    kept = ["photo2.png", "photo10.JPG", "shoes/red.webp", "no_suffix", "broken.jpeg"]
    left = [".ipynb_checkpoints/photo2-checkpoint.png", ".hidden.png", "shoes/.git/x.png"]
    for name in [*kept, *left]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        photo.save(path, format="PNG")
    (tmp_path / "broken.jpeg").write_text("not an image, and open_image will say so")
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["broken.jpeg", "no_suffix", "photo2.png", "photo10.JPG", "shoes/red.webp"]


def test_a_file_without_read_permission_is_found_and_so_reported(photo, tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(13, "Permission denied", str(path))

    photo.save(tmp_path / "no_suffix", "PNG")
    monkeypatch.setattr(Path, "open", refuse)
    assert find_images(tmp_path) == [tmp_path / "no_suffix"]


def test_files_in_a_folder_that_may_only_be_listed_are_found(photo, tmp_path, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    photo.save(tmp_path / "cat.png")
    monkeypatch.setattr(Path, "is_dir", lambda _: True)
    monkeypatch.setattr(Path, "stat", refuse)
    assert find_images(tmp_path) == [tmp_path / "cat.png"]


@pytest.mark.parametrize(
    "name", [*SYSTEM_FOLDERS, "$RECYCLE.BIN", "@eaDir", "System Volume Information"]
)
def test_folders_of_systems_and_network_drives_are_skipped_in_any_case(name, photo, tmp_path):
    for path in (tmp_path / name / "S-1-5" / "old.png", tmp_path / "pets" / name / "thumb.png"):
        path.parent.mkdir(parents=True)
        photo.save(path)
    photo.save(tmp_path / "cat.png")
    assert find_images(tmp_path) == [tmp_path / "cat.png"]
    assert len(find_images(tmp_path / name)) == 1, "it was asked for by name"


def test_a_link_to_nothing_is_found_and_so_reported(photo, tmp_path):
    photo.save(tmp_path / "cat.png")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "notes").symlink_to(tmp_path / "nothing")
    found = [path.name for path in find_images(tmp_path)]
    assert found == ["cat.png", "gone.jpg", "loop.jpg"]


@pytest.mark.parametrize("code", [errno.EIO, errno.ETIMEDOUT, errno.ENOTCONN])
def test_a_photo_that_cannot_be_asked_is_found_and_so_reported(code, photo, tmp_path, monkeypatch):
    def refuse(path, **options):
        if path.suffix:
            raise OSError(code, "gone", str(path))
        return stat(path, **options)

    stat = Path.stat
    for name in ("cat.jpg", "b.psd", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setattr(Path, "stat", refuse)
    found = find_pictures(tmp_path)
    assert [path.name for path in (*found.images, *found.unread)] == ["cat.jpg", "b.psd"]


def test_pictures_that_are_not_read_are_told_from_files_that_are_none(photo, tmp_path):
    unread = {
        "a.jp2": b"", "b.TGA": b"", "c.ppm": b"", "d.jxl": b"", "e.psd": b"", "f.CR2": b"II*\0",
        "g.svg": b"<svg", "h.ico": b"", "no_suffix": b"8BPS\0\1\0\0", "i.dat": b"qoif",
        ".IMG_1.heic.icloud": b"bplist00",
    }  # fmt: skip
    silent = {
        "notes.txt": b"P1 is a name", "cat.json": b"{}", "cat.xmp": b"<x/>", "Thumbs.db": b"\xd0",
        ".DS_Store": b"", "clip.mp4": b"....ftypisom", "a.pdf": b"%PDF", ".hidden.psd": b"8BPS",
    }  # fmt: skip
    for name, content in (unread | silent).items():
        (tmp_path / name).write_bytes(content)
    photo.save(tmp_path / "cat.png")
    found = find_pictures(tmp_path)
    assert {path.name for path in found.unread} == unread.keys()
    assert found.images == [tmp_path / "cat.png"]


def test_a_photo_without_a_suffix_is_told_from_text_that_begins_like_one(photo, tmp_path):
    photo.save(tmp_path / "a", "BMP")
    photo.save(tmp_path / "b", "TIFF", big_tiff=True)
    (tmp_path / "cars.txt").write_text("BMW, Audi, Mercedes, Opel, Porsche and Volkswagen")
    assert [path.name for path in find_images(tmp_path)] == ["a", "b"]


def test_a_kind_is_told_by_the_first_bytes_if_the_name_says_nothing(tmp_path):
    (tmp_path / "logo").write_bytes(b"8BPS\0\1" + bytes(20))
    (tmp_path / "logo.jpg").write_bytes(b"8BPS\0\1" + bytes(20))
    assert [is_unread(tmp_path / name) for name in ("logo", "logo.jpg", "none")] == [
        True, False, False,
    ]  # fmt: skip
    assert all(why_unread(tmp_path / name).startswith("a Photoshop file") for name in
               ("logo", "logo.jpg"))  # fmt: skip


def test_every_kind_says_what_helps():
    assert why_unread(Path("a.nef")) == (
        "a camera's raw file, which u2demo cannot read; develop it and export it as JPEG or TIFF"
    )
    assert "export it as JPEG, PNG or TIFF" in why_unread(Path("a.jxl"))
    assert "download it first" in why_unread(Path(".a.jpg.icloud"))
    assert why_unread(Path("a.jpg")) == why_unread(Path("a.txt")) == ""


def test_characters_that_only_look_like_digits_are_text():
    names = ["10²3.jpg", "①/a.jpg", "٣.jpg", "9.jpg", "10.jpg"]
    assert sorted(names, key=natural_order)[:2] == ["9.jpg", "10.jpg"]


def test_finding_images_in_a_file_is_refused(tmp_path):
    (tmp_path / "cat.jpg").touch()
    with pytest.raises(ValueError, match=r"cat\.jpg is not a folder"):
        find_images(tmp_path / "cat.jpg")
