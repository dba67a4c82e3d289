"""Where only a path on this computer will do, a URL is refused before anything is written."""

import pytest
from PIL import Image

import u2demo as u2
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
