"""The command line: photos in, files out, failures named, exit codes."""

import platform
import subprocess
import sys

import numpy as np
import PIL
import pytest
import torch
from PIL import Image
from small_run import make_locked

import u2demo as u2
from u2demo.cli.arguments import parse
from u2demo.cli.main import main
from u2demo.nets.checkpoints import CHECKPOINTS


@pytest.fixture
def photo(tmp_path, samples):
    """A folder of one photo."""
    (tmp_path / "photos").mkdir()
    samples["rocket.jpg"].save(tmp_path / "photos" / "rocket.jpg")
    return tmp_path / "photos"


def test_the_photos_of_a_folder_become_cutouts(samples, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    samples["coffee.png"].save(tmp_path / "photos" / "coffee.png")
    assert main([str(tmp_path / "photos"), "-o", str(tmp_path / "out")]) == 0
    assert Image.open(tmp_path / "out" / "coffee_cutout.png").mode == "RGBA"
    assert "1 photo: 1 done" in capsys.readouterr().out


@pytest.mark.usefixtures("bright_loaded")
def test_each_effect_of_a_photo_is_a_file_of_its_own(photo, tmp_path):
    command = [str(photo / "rocket.jpg"), "-o", str(tmp_path), "--effects", "crop,box,highlight"]
    assert main(command) == 0
    made = sorted(path.name for path in tmp_path.glob("rocket_*"))
    assert made == ["rocket_box.jpg", "rocket_crop.jpg", "rocket_highlight.jpg"]


@pytest.mark.usefixtures("bright_loaded")
def test_every_picture_can_be_webp(photo, tmp_path):
    command = [str(photo), "-o", str(tmp_path), "--effects", "cutout,box", "--format", "webp"]
    assert main(command) == 0
    made = sorted(path.name for path in tmp_path.glob("rocket_*"))
    assert made == ["rocket_box.webp", "rocket_cutout.webp"]
    assert Image.open(tmp_path / "rocket_cutout.webp").mode == "RGBA"


@pytest.mark.usefixtures("bright_loaded")
def test_a_result_that_is_given_back_with_its_own_folder_is_no_photo_and_it_is_said(
    photo, tmp_path, capsys
):
    out = tmp_path / "out"
    main([str(photo), "-o", str(out), "--effects", "box"])
    capsys.readouterr()
    assert main([str(out / "rocket_box.jpg"), "-o", str(out)]) == 0
    assert capsys.readouterr().out.startswith("0 photos: what u2demo has made in this folder is ")


@pytest.mark.usefixtures("bright_loaded")
@pytest.mark.parametrize("background", ["#102030", "photo"])
def test_a_new_background_is_seen_behind_the_subject(background, photo, tmp_path):
    if background == "photo":
        Image.new("RGB", (30, 30), "#102030").save(tmp_path / "plain.png")
        background = str(tmp_path / "plain.png")
    assert main([str(photo), "-o", str(tmp_path), "--background", background]) == 0
    with Image.open(tmp_path / "rocket_background.jpg") as picture:
        corner = np.asarray(picture)[5, 5].astype(int)
    assert np.abs(corner - (0x10, 0x20, 0x30)).max() <= 3


@pytest.mark.usefixtures("bright_loaded")
def test_a_failure_is_named_and_the_exit_code_says_so(photo, tmp_path, capsys):
    (photo / "broken.jpg").write_text("no photo")
    assert main([str(photo), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "2 photos: 1 failed, 1 done" in said
    assert "broken.jpg: not an image" in said


@pytest.mark.usefixtures("bright_loaded")
def test_a_photo_without_a_subject_is_reported(tmp_path, capsys):
    Image.new("RGB", (64, 64)).save(tmp_path / "wall.png")
    assert main([str(tmp_path / "wall.png"), "-o", str(tmp_path / "out")]) == 0
    assert "no clear subject: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["--effects", "cutout,crpo"], "unknown name 'crpo'; choose from cutout, "),
        (["--background", "blurple"], "'blurple' is neither a color, a photo nor a clip"),
        (["--quality", "great"], "choose from"),
        (["--format", "psd"], "choose from"),
        (["--background", "#ffffff80"], "'#ffffff80' is transparent, expected a solid color"),
        (["-o", ""], "-o/--output: is empty, expected a name"),
        ([""], "PHOTO|CLIP|FOLDER: is empty, expected a name; is a variable of your shell unset?"),
    ],
)
def test_a_slip_is_answered_with_the_choices(arguments, advice, photo, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(photo), *arguments])
    assert advice in capsys.readouterr().err


@pytest.mark.usefixtures("bright_loaded")
def test_spaces_between_names_do_not_matter(photo, tmp_path):
    names = ["--effects", "box, crop", "--boxes", "coco, yolo"]
    assert main([str(photo), "-o", str(tmp_path / "out"), *names]) == 0
    assert {"rocket_crop.jpg", "boxes.coco.json", "rocket.txt"} <= {
        path.name for path in (tmp_path / "out").rglob("*")
    }


def test_a_folder_named_as_a_color_does_not_hide_the_color(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "white").mkdir()
    assert parse(["cat.jpg", "--background", "white"]).background == (255, 255, 255)
    assert parse(["cat.jpg", "--background", "#010203ff"]).background == (1, 2, 3)


def test_a_folder_called_weights_can_be_named_and_the_usage_says_how(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["weights", "-o", "out"])
    assert "for a folder of photos called weights: u2demo ./weights" in capsys.readouterr().err


def test_no_photos_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert f"no photos or clips found in {tmp_path}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("bright_loaded")
def test_a_folder_of_pictures_that_u2demo_made_says_why_nothing_is_taken(photo, tmp_path, capsys):
    results, again = tmp_path / "results", tmp_path / "again"
    assert main([str(photo), "-o", str(results)]) == 0
    assert main([str(results), "-o", str(again)]) == 1
    said = capsys.readouterr().err
    assert "no photos or clips found" in said and "1 picture that u2demo made" in said
    assert "name the files instead of the folder" in said
    assert main([str(results / "rocket_cutout.png"), "-o", str(again)]) == 0
    assert (again / "rocket_cutout_cutout.png").is_file()


@pytest.mark.parametrize("prefix", ["[Errno 13] ", "[WinError 5] ", ""])
def test_the_number_of_an_error_of_the_system_is_left_out(prefix, photo, capsys, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(f"{prefix}Access is denied: 'out'")

    monkeypatch.setattr("u2demo.cli.sources.Listing", refuse)
    assert main([str(photo)]) == 1
    assert capsys.readouterr().err == "u2demo: Access is denied: 'out'\n"


def test_photos_that_are_not_there_make_no_folder(tmp_path, capsys):
    assert main([str(tmp_path / "cat.jpg"), "-o", str(tmp_path / "out")]) == 1
    assert f"not found: {tmp_path / 'cat.jpg'}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_results_that_are_a_file_are_refused_in_a_sentence(photo, tmp_path, capsys):
    (tmp_path / "out").touch()
    assert main([str(photo), "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.endswith("out: this is a file; choose a folder\n")


def test_a_device_that_is_not_there_is_reported_in_a_sentence(photo, tmp_path, capsys):
    assert main([str(photo), "-o", str(tmp_path / "out"), "--device", "gpu"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("u2demo: no device 'gpu' on this computer; choose from ")


@pytest.fixture
def locked(photo, monkeypatch):
    """A folder among the photos that cannot be read."""
    return make_locked(photo / "locked", monkeypatch)


@pytest.mark.usefixtures("bright_loaded")
def test_a_folder_that_cannot_be_read_is_named_beside_a_store_too(
    photo, locked, tmp_path, capsys, memory_store
):
    assert main([str(photo), "memory://photos", "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert f"\n  left out: {locked}: Permission denied" in said.out
    assert said.out.count("left out:") == 1 and "Warning" not in said.err


@pytest.mark.usefixtures("bright_loaded")
def test_a_folder_that_cannot_be_read_is_named_and_the_exit_code_says_so(
    photo, locked, tmp_path, capsys
):
    assert main([str(photo), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "1 photo: 1 done" in said.out
    assert f"\n  left out: {photo / 'locked'}: Permission denied" in said.out
    assert "Warning" not in said.err
    assert main([str(photo / "locked"), "-o", str(tmp_path / "out")]) == 1
    assert f"  left out: {photo / 'locked'}: Permission denied" in capsys.readouterr().err


def test_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "u2demo", "--help"], capture_output=True, text=True, check=True
    )
    assert "PHOTO|CLIP|FOLDER" in done.stdout


def test_weights_of_ones_own_are_used(photo, tmp_path, capsys):
    (tmp_path / "my.pth").write_bytes(b"<html>")
    command = [str(photo), "-o", str(tmp_path / "out"), "--weights", str(tmp_path / "my.pth")]
    assert main(command) == 1
    assert "my.pth is a web page" in capsys.readouterr().err


def test_the_help_names_the_networks_their_purpose_and_what_they_cost(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for record in CHECKPOINTS.values():
        shown = f"{record.name}: {record.purpose} ({record.size}; {record.license})"
        assert (shown in said) == (record.makes == "mask")


def test_the_version_names_what_a_bug_report_needs(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    said = capsys.readouterr().out
    assert said.startswith(f"u2demo {u2.__version__}\n")
    for line in (f"Python {platform.python_version()}", f"torch {torch.__version__}",
                 f"Pillow {PIL.__version__}", "device "):  # fmt: skip
        assert f"\n{line}" in said


def test_help_and_slips_need_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from u2demo.cli.main import main\n"
        "main(['there is none'])\n"
        "main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "u2demo: not found: there is none" in done.stderr and "PHOTO|CLIP|FOLDER" in done.stdout


def test_the_list_of_weights_shows_their_license(capsys):
    assert main(["weights", "list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "LICENSE" in said[0]
    for record, line in zip(CHECKPOINTS.values(), said[1:], strict=True):
        assert line.startswith(record.name) and record.license in line


def test_the_help_explains_every_argument_the_manifest_and_the_exit_codes(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "manifest.csv" in said and "Exit code: 0; 1 if" in said and "linked" in said
    assert "searched recursively" in said and "folder for the pictures" in said
    assert "looks once at each photo" in said


@pytest.mark.usefixtures("bright_loaded")
def test_within_looks_at_a_part_and_a_changed_part_makes_pictures_again(photo, tmp_path, capsys):
    command = [str(photo), "-o", str(tmp_path / "out"), "--effects", "mask", "--within"]
    assert main([*command, "0,0,50%,100%"]) == 0
    mask = np.asarray(Image.open(tmp_path / "out" / "rocket_mask.png").convert("L"))
    assert not mask[:, mask.shape[1] // 2 :].any()
    assert main([*command, "0,0,50%,100%"]) == 0
    assert "1 skipped" in capsys.readouterr().out
    assert main([*command, "0,0,60%,100%"]) == 0
    assert "1 done" in capsys.readouterr().out


@pytest.mark.usefixtures("bright_loaded")
def test_a_part_that_a_photo_does_not_have_fails_with_a_reason(photo, tmp_path, capsys):
    assert main([str(photo), "-o", str(tmp_path / "out"), "--within", "0,0,99999,9"]) == 1
    assert "within is Box(left=0" in capsys.readouterr().out


def test_a_part_that_cannot_be_read_is_a_mistake_in_the_command(photo, capsys):
    with pytest.raises(SystemExit) as stop:
        main([str(photo), "--within", "left half"])
    assert stop.value.code == 2
    assert "LEFT,TOP,RIGHT,BOTTOM" in capsys.readouterr().err
