"""Canvas, gradient and the edge on the command line: the same pictures as from the library."""

import numpy as np
import pytest
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.cli.arguments import parse
from u2demo.cli.effects import chosen_effects
from u2demo.cli.main import main
from u2demo.effects.scenes import Gradient

pytestmark = pytest.mark.usefixtures("bright_loaded")


@pytest.fixture
def photo(tmp_path, samples):
    path = tmp_path / "photos" / "rocket.png"
    path.parent.mkdir()
    samples["rocket.jpg"].resize((160, 106)).save(path)
    return path


@pytest.fixture(scope="module")
def model():
    return Bright()


def test_the_size_of_a_canvas_asks_for_one(photo, model, tmp_path):
    options = ["--canvas", "120x90", "--margin", "0.1", "--shadow", "0", "--background", "teal"]
    assert main([str(photo), "-o", str(tmp_path), *options]) == 0
    image = u2.open_image(photo)
    cutout = u2.remove_background(image, u2.predict_mask(model, image))
    expected = u2.place_on_canvas(cutout, size=(120, 90), margin=0.1, shadow=0, background="teal")
    made = np.asarray(Image.open(tmp_path / "rocket_canvas.jpg"), int)
    assert np.abs(made - np.asarray(expected)).mean() < 3


def test_the_edge_of_a_run_is_that_of_adjust_mask(photo, model, tmp_path):
    options = ["--effects", "mask", "--grow", "-1.5", "--feather", "2", "--fill-holes", "0.1"]
    options += ["--drop-specks", "0.05", "--threshold", "0.4", "--softness", "0.5"]
    assert main([str(photo), "-o", str(tmp_path), *options]) == 0
    mask = u2.predict_mask(model, u2.open_image(photo))
    adjusted = u2.adjust_mask(
        mask,
        threshold=0.4,
        softness=0.5,
        fill_holes=0.1,
        drop_specks=0.05,
        grow=-1.5,
        feather=2,
    )
    made = np.asarray(Image.open(tmp_path / "rocket_mask.png"), np.float32) / 255
    np.testing.assert_allclose(made, adjusted, atol=0.6 / 255)


def test_another_edge_makes_pictures_again(photo, tmp_path, capsys):
    command = [str(photo), "-o", str(tmp_path), "--effects", "mask"]
    for options, what in (([], "done"), (["--grow", "2"], "done"), (["--grow", "2"], "skipped")):
        assert main([*command, *options]) == 0
        assert f"1 photo: 1 {what}" in capsys.readouterr().out


def effects(*options):
    return chosen_effects(parse(["cat.jpg", *options]))


def test_effects_get_the_options_that_are_theirs():
    assert list(effects()) == ["cutout"]
    assert list(effects("--background", "white")) == ["background"]
    plain = effects("--effects", "crop,canvas,background")
    assert plain == {name: u2.EFFECTS[name] for name in ("crop", "canvas", "background")}
    both = effects("--effects", "crop,canvas", "--margin", "0.2", "--canvas", "auto")
    assert both["crop"].keywords == {"margin": 0.2}
    assert both["canvas"].keywords == {"margin": 0.2, "size": None}
    before = effects("--background", "white..#c8d2dc")["background"]
    assert before.keywords == {"background": Gradient("white", "#c8d2dc")}
    assert effects("--background", "transparent")["background"].keywords == {
        "background": "transparent"
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--canvas", "2000"], "'2000' is not a size, expected WIDTHxHEIGHT"),
        (["--canvas", "0x5"], "'0x5' is not a size"),
        (["--canvas", "1e3x5"], "'1e3x5' is not a size"),
        (["--margin", "0.7"], "margin is 0.7, expected 0 to 0.45"),
        (["--shadow", "dark"], "'dark' is not a number"),
        (["--grow", "nan"], "grow is nan, expected a finite number of pixels"),
        (["--drop-specks", "7"], "drop_specks is 7.0, expected 0 (none) to 1"),
        (["--threshold", "1"], "threshold is 1.0, expected more than 0"),
        (["--background", "white..bleu"], "'white..bleu' is neither a color"),
    ],
)
def test_what_makes_no_sense_is_said_before_a_photo_is_read(options, sentence, capsys):
    with pytest.raises(SystemExit):
        parse(["cat.jpg", *options])
    assert sentence in capsys.readouterr().err


def test_every_picture_can_be_png(photo, tmp_path):
    command = [str(photo), "-o", str(tmp_path), "--effects", "cutout,box", "--format", "png"]
    assert main(command) == 0
    made = sorted(path.name for path in tmp_path.glob("rocket_*"))
    assert made == ["rocket_box.png", "rocket_cutout.png"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--effects", "cutout", "--background", "white"],
            "--background is for background and canvas",
        ),
        (["--effects", "crop", "--canvas", "auto"], "--canvas is for canvas"),
        (
            ["--margin", "0.1"],
            "--margin is for crop and canvas, and none of the effects here (cutout)",
        ),
        (["--effects", "mask,box", "--shadow", "0.2"], "(mask, box) uses it; leave it out"),
    ],
)
def test_an_option_that_no_effect_uses_is_refused(photo, tmp_path, capsys, options, said):
    assert main([str(photo), "-o", str(tmp_path / "out"), *options]) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
