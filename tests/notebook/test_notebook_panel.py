"""The app's controls alone: what they say, and what they are told to say."""

from dataclasses import fields, replace

import ipywidgets
import numpy as np
import pytest
from live_app import as_file, classes, names_of, send_to, visible
from PIL import Image

from u2demo.effects.scenes import Gradient
from u2demo.notebook.actions import Settings, all_actions
from u2demo.notebook.choices import ColorChoice, FadeChoice, NamedPhoto, SceneChoice, SizeChoice
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel

SCENE = NamedPhoto("sea.png", Image.new("RGB", (8, 8)))


@pytest.fixture
def changes():
    return []


@pytest.fixture
def panel(changes):
    return Panel(lambda: changes.append(1), Notes(), SCENE)


OTHERS = Settings(
    threshold=0.7,
    softness=0.5,
    grow=0.004,
    feather=0.001,
    fill_holes=0.1,
    drop_specks=0.02,
    color="#00ff00",
    fade="#0000ff",
    angle=90.0,
    scene=NamedPhoto("wood.png", Image.new("RGB", (9, 9), "brown")),
    zoom=2.0,
    across=-0.5,
    down=1.0,
    haze=0.02,
    subject_zoom=1.5,
    subject_across=0.2,
    subject_down=-0.1,
    blur=0.01,
    canvas=(640, 480),
    space=0.2,
    shadow=0.5,
    tint="#ff0000",
    line="#00ff00",
    margin=0.1,
)


def test_settings_that_are_shown_are_those_that_the_controls_say(panel, changes):
    first = panel.settings
    assert first == Settings(scene=SCENE)
    for settings in (OTHERS, first, OTHERS, replace(first, canvas=None), first):
        panel.show(settings)
        assert panel.settings == settings
    panel.show(Settings())
    assert panel.settings == first, "no scene is the first one"
    assert changes == [], "nobody has changed anything"


def test_each_setting_is_one_of_the_controls(panel):
    for field in fields(Settings):
        assert getattr(OTHERS, field.name) != getattr(Settings(), field.name)


def press(widget, name):
    (button,) = [each for each in visible(widget) if name in names_of(each)]
    button.click()


def test_a_color_is_a_swatch_a_color_of_the_dialog_or_one_that_is_typed(changes):
    choice = ColorChoice("Color", "#ffffff")
    choice.observe(lambda change: changes.append(change["new"]), names="value")
    press(choice, "Sky")
    assert choice.value == "#d3e5f6"
    field = next(each for each in visible(choice) if isinstance(each, ipywidgets.Text))
    assert field.value == "#d3e5f6"
    field.value = "teal"
    assert choice.value == field.value == "#008080"
    picker = next(each for each in visible(choice) if isinstance(each, ipywidgets.ColorPicker))
    assert picker.value == "#008080"
    picker.value = "#123456"
    assert changes == ["#d3e5f6", "#008080", "#123456"]
    press(choice, "#008080")
    assert choice.value == "#008080", "it was chosen lately"


def test_a_word_that_is_no_color_is_said_to_be_none_and_changes_nothing():
    choice = ColorChoice("Color", "#ffffff")
    field = next(each for each in visible(choice) if isinstance(each, ipywidgets.Text))
    field.value = "<b>leu"
    assert choice.value == "#ffffff"
    assert "“&lt;b&gt;leu” is not a color" in choice.children[-1].value
    press(choice, "Black")
    assert choice.children[-1].value == ""


def test_a_swatch_that_goes_leaves_nothing_open():
    def swatches():
        return {each for each in visible(choice) if "u2-swatch" in classes(each)}

    choice = ColorChoice("Color", "#ffffff")
    choice.value = "#123456"
    before = swatches()
    choice.value = "#654321"
    (gone,) = before - swatches()
    assert not (gone.comm or gone.layout.comm or gone.style.comm)


def test_a_background_can_fade_and_stop_fading():
    settings = Settings(color="#ffffff", fade="#000000", angle=90.0)
    assert settings.plain == Gradient("#ffffff", "#000000", 90.0)
    choice = FadeChoice()
    box, picker = choice.children
    box.value = True
    assert choice.value == picker.value
    box.value = False
    assert choice.value is None


def test_a_canvas_has_a_usual_size_or_another():
    choice = SizeChoice((2000, 2000))
    menu, width, height = choice.children
    menu.value = "Other size"
    width.value, height.value = 800, 600
    assert choice.value == (800, 600)
    menu.value = "Square, as it is"
    assert choice.value is None


def test_the_edge_of_a_small_photo_is_that_of_the_large_one():
    settings = Settings(grow=0.01, feather=0.002)
    assert settings.edge((2000, 1000)).grow == 10 * settings.edge((200, 100)).grow == 20


def test_on_the_screen_a_canvas_is_small():
    cutout = Image.new("RGB", (40, 30), "red"), np.ones((30, 40), np.float32)
    settings = Settings(canvas=(3000, 1500)).for_screen(cutout[0].size)
    (picture,) = all_actions()["canvas"].draw(*cutout, settings).values()
    assert picture.size == (40, 20)


def test_rare_controls_of_the_edge_come_at_a_click(panel):
    def shown():
        return {name for each in visible(panel.column) for name in names_of(each)}

    assert "Less / more" in shown() and "Grow" not in shown()
    press_toggle = next(each for each in visible(panel.column) if "More" in names_of(each))
    press_toggle.value = True
    assert {"Grow", "Feather", "Fill holes", "No specks"} <= shown()


def test_another_photo_behind_is_shown_by_name_and_the_first_comes_back(panel, changes):
    panel.toolbar.value = "scene"
    del changes[:]
    (scene,) = [each for each in visible(panel.column) if isinstance(each, SceneChoice)]
    picker = next(each for each in visible(scene) if "Choose background" in names_of(each))
    send_to(picker, [("<wood>.png", as_file(Image.new("RGB", (9, 9), "brown")))])
    assert panel.settings.scene.name == "<wood>.png"
    assert "&lt;wood&gt;.png" in scene.children[0].children[1].value
    press(scene, "Back to sea.png")
    assert panel.settings.scene is SCENE
    assert len(changes) == 2
    assert "Back to sea.png" not in {name for each in visible(scene) for name in names_of(each)}
