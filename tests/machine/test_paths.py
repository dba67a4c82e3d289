"""What an argument means as a path on this computer; a URL is refused before work begins."""

from pathlib import Path

import pytest
from bright import Bright
from PIL import Image
from small_run import make_photos

import u2demo as u2
from u2demo.cli.main import main
from u2demo.notebook import results_folder
from u2demo.pipeline import Result

URL = "s3://bucket/out"


def save_there(tmp_path):
    u2.save(Result("cat.jpg", Image.new("RGB", (4, 3)), None, {}, 1.0), URL)


def a_clip_there(tmp_path):
    u2.process_video(None, tmp_path / "waves.mp4", URL)


def a_clip_from_there(tmp_path):
    u2.process_video(None, URL, tmp_path)


def weights_there(tmp_path):
    u2.load_model(weights=URL)


@pytest.mark.parametrize("call", [save_there, a_clip_there, a_clip_from_there, weights_there])
def test_a_url_in_place_of_a_path_is_a_sentence_and_no_folder(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=rf"is {URL}, expected a path on this computer; copy"):
        call(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_folder_for_saved_results_may_not_be_a_url(monkeypatch):
    monkeypatch.setenv("U2DEMO_SAVE_DIR", URL)
    with pytest.raises(ValueError, match=r"U2DEMO_SAVE_DIR is s3://bucket/out, expected a path"):
        results_folder()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder with photos, seen from elsewhere."""
    made = make_photos(tmp_path / "home/photos", 1).parent
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setenv("USERPROFILE", str(made))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return made


def test_a_tilde_that_no_shell_has_replaced_is_the_home_folder(home):
    assert main(["~/photos", "--output=~/made"]) == 0
    u2.process_folder(Bright(), "~/photos", Path("~/called"))
    u2.save(Result("cat.jpg", Image.new("RGB", (4, 3)), None, {}, 1.0), "~/saved")
    assert {"made", "called", "saved"} <= {path.name for path in home.iterdir()}
    assert not list(Path.cwd().iterdir()), "no folder is called ~"


def test_a_photo_may_have_a_tilde_in_front(home):
    (photo,) = (home / "photos").rglob("*.png")
    photo.rename("~cat.png")
    assert main(["~cat.png", "-o", "out"]) == 0
    assert Path("out/~cat_cutout.png").is_file()
