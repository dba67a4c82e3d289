"""What was corrected by hand, in the command line: found beside a photo, applied, named."""

import numpy as np
import pytest
from PIL import Image
from small_run import make_photos

import u2demo as u2
from u2demo.cli.main import main
from u2demo.masks.corrections import Corrections, to_json

pytestmark = pytest.mark.usefixtures("bright_loaded")
MIDDLE = (20.0, 16.0)


@pytest.fixture
def photos(tmp_path):
    """A photo whose middle is erased, and another one."""
    folder = make_photos(tmp_path / "photos", 2)
    erased = Corrections(strokes=(u2.Stroke((MIDDLE,), 3.0, keep=False),))
    (folder / "photo0.strokes.json").write_text(to_json(erased, (48, 32)))
    return folder


def middle(out, stem="photo0"):
    picture = np.asarray(Image.open(out / f"{stem}_mask.png"))
    return picture[int(MIDDLE[1]), int(MIDDLE[0])]


def test_corrections_beside_a_photo_are_applied_and_said(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([str(photos), "-o", str(out), "--effects", "mask"]) == 0
    said = capsys.readouterr().out
    assert "2 photos: 2 done" in said
    assert f"with the corrections beside them: {photos / 'photo0.png'}\n" in said
    assert middle(out) == 0
    leave_out = [str(photos), "-o", str(tmp_path / "b"), "--effects", "mask", "--no-corrections"]
    assert main(leave_out) == 0
    assert "the corrections beside" not in capsys.readouterr().out


def test_the_file_of_corrections_is_no_photo_when_a_shell_names_it(photos, tmp_path, capsys):
    names = [str(path) for path in sorted(photos.iterdir())]
    assert any(name.endswith(".strokes.json") for name in names)
    assert main([*names, "-o", str(tmp_path / "out"), "--effects", "mask"]) == 0
    assert "2 photos: 2 done" in capsys.readouterr().out
    assert middle(tmp_path / "out") == 0


def test_corrections_without_their_photo_are_named(photos, tmp_path, capsys):
    alone = photos / "photo0.strokes.json"
    assert main([str(alone), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "1 photo: 1 failed." in said and f"  failed: {alone}: not an image" in said


def test_corrections_of_another_photo_fail_with_a_reason(photos, tmp_path, capsys):
    (photos / "photo0.strokes.json").write_text(to_json(Corrections(), (32, 48)))
    assert main([str(photos), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "failed: " in said and "[32, 48], but this one is [48, 32]" in said
