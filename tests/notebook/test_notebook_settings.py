"""Settings are a photo's own until they are applied to all; the action is for all."""

import io
import zipfile

import numpy as np
import pytest
from bright import Bright
from live_app import (
    as_file,
    caption,
    classes,
    find,
    names_of,
    on_a_page,
    only_zip,
    press,
    spot,
    stage,
    tiles,
    until,
    visible,
)
from PIL import Image

pytestmark = pytest.mark.usefixtures("results")


def marks(app):
    return ["u2-own" in classes(tile) for tile in tiles(app)]


def can_apply(app):
    return any("Apply to all" in names_of(widget) for widget in visible(app.page))


def color_at_the_corner(data):
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((0, 0))


def test_what_is_changed_holds_for_the_photo_on_the_stage(app):
    press(app, "Color")
    assert not can_apply(app)
    find(app, "Color", "u2-side").value = "#0000ff"
    assert marks(app) == [True, False]
    press(app, "two.png")
    assert find(app, "Color", "u2-side").value != "#0000ff"
    assert stage(app).convert("RGB").getpixel((0, 0))[0] > 150
    press(app, "one.png")
    assert find(app, "Color", "u2-side").value == "#0000ff"
    assert stage(app).convert("RGB").getpixel((0, 0))[0] < 50


def test_settings_can_be_applied_to_all_photos_and_those_to_come(app):
    find(app, "Less / more").value = 0.8
    press(app, "Apply to all")
    assert marks(app) == [False, False] and not can_apply(app)
    app.receive([("three.png", as_file(spot()))])
    assert caption(app).startswith("three.png") and find(app, "Less / more").value == 0.8
    find(app, "Less / more").value = 0.3
    assert marks(app) == [False, False, True] and can_apply(app)


def test_what_a_page_rounds_is_no_change(app):
    find(app, "Less / more").value = 0.49999999999999994
    assert marks(app) == [False, False] and not can_apply(app)


def test_every_photo_is_saved_with_its_own_settings(app, saved):
    press(app, "Color")
    find(app, "Color", "u2-side").value = "#0000ff"
    press(app, "two.png")
    find(app, "Color", "u2-side").value = "#00ff00"
    press(app, "Download all as zip")
    (_, data) = only_zip(saved)
    archive = zipfile.ZipFile(io.BytesIO(data))
    blue, green = (color_at_the_corner(archive.read(name)) for name in archive.namelist())
    assert np.argmax(blue) == 2 and np.argmax(green) == 1


def test_a_photo_looked_at_again_keeps_its_settings(app):
    find(app, "Less / more").value = 0.8
    press(app, "Best")
    assert find(app, "Less / more").value == 0.8 and marks(app) == [True, False]


def test_the_photo_on_the_stage_is_looked_at_first_and_one_chosen_meanwhile_next():
    async def visit(app):
        app.receive([(f"{number}.png", as_file(spot())) for number in range(4)])
        await until(lambda: len(app.photos) == 6 and not app.is_busy)
        press(app, "2.png")
        press(app, "Best")
        await until(lambda: "best" in [photo.quality for photo in app.photos])
        assert best(app) == ["2.png"]
        press(app, "1.png")
        await until(lambda: len(best(app)) == 2)
        assert best(app) == ["1.png", "2.png"]
        await until(lambda: not app.is_busy)

    on_a_page(visit, Bright())


def best(app):
    return [photo.name for photo in app.photos if photo.quality == "best"]


def can_reset(app):
    return any("Reset settings" in names_of(widget) for widget in visible(app.page))


def test_a_reset_is_offered_only_where_something_differs(app):
    assert not can_reset(app)
    find(app, "Less / more").value = 0.8
    assert can_reset(app)
    press(app, "two.png")
    assert not can_reset(app)
    press(app, "one.png")
    press(app, "Reset settings")
    assert not can_reset(app) and marks(app) == [False, False]
