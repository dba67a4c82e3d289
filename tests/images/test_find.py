"""The photos in a folder, in the order in which people count."""

from pathlib import Path

import pytest
from PIL import Image

from u2demo.images.find import find_images
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


def test_characters_that_only_look_like_digits_are_text():
    names = ["10²3.jpg", "①/a.jpg", "٣.jpg", "9.jpg", "10.jpg"]
    assert sorted(names, key=natural_order)[:2] == ["9.jpg", "10.jpg"]


def test_finding_images_in_a_file_is_refused(tmp_path):
    (tmp_path / "cat.jpg").touch()
    with pytest.raises(ValueError, match=r"cat\.jpg is not a folder"):
        find_images(tmp_path / "cat.jpg")
