"""Fast and Best on the two sides of the divider: found once, and kept."""

import io
import sys

import numpy as np
import pytest
from bright import Bright
from live_app import find, from_page, on_a_page, on_stage, part, press, progress, spot, until
from PIL import Image

from u2demo.notebook import OneClick, looking
from u2demo.notebook.actions import all_actions
from u2demo.notebook.photo import find_subject

COMPARE = "Compare Fast and Best"

pytest.importorskip("anywidget")


@pytest.fixture(autouse=True)
def looked(monkeypatch, results):
    """The qualities that photos were looked at with; Best finds the left half of what Fast does."""
    qualities = []

    def look(model, name, source, image, *, quality, **way):
        qualities.append(quality)
        narrow = image.copy()
        if quality == "best":
            narrow.paste("black", (20, 0, *image.size))
        found = find_subject(model, name, source, narrow, quality=quality, **way)
        return found

    monkeypatch.setattr(looking, "find_subject", look)
    return qualities


def sides(app):
    """What is opaque on the left and on the right of the divider, in the row of the square."""
    shown = part(app, "u2-stage-box").pictures
    pictures = [Image.open(io.BytesIO(shown[name])) for name in ("photo", "picture")]
    small = [picture.convert("RGBA").resize((60, 40)) for picture in pictures]
    return [np.asarray(picture.getchannel("A"))[20] > 128 for picture in small]


def test_both_results_are_compared_fast_on_the_left(app):
    find(app, COMPARE).value = True
    assert on_stage(app)["sides"] == ["Fast", "Best"]
    fast, best = sides(app)
    assert fast[15] and best[15]
    assert fast[25] and not best[25]
    press(app, "Best")
    assert [list(side) for side in sides(app)] == [list(fast), list(best)], (
        "they stay where they are"
    )
    find(app, COMPARE).value = False
    assert on_stage(app)["sides"] is None
    assert sides(app)[0].all(), "the photo is back"


def test_what_was_found_for_a_comparison_is_not_looked_for_again(app, looked):
    assert looked == ["fast", "fast"]
    find(app, COMPARE).value = True
    assert looked == ["fast", "fast", "best"]
    press(app, "Color")
    find(app, "Less / more").value = 0.6
    press(app, "two.png")
    press(app, "one.png")
    assert looked == ["fast", "fast", "best", "best"], "once for each photo that was on the stage"
    press(app, "Best")
    press(app, "Fast")
    press(app, "Best")
    assert looked == ["fast", "fast", "best", "best"]


@pytest.mark.parametrize("action", ["crop", "canvas", "objects"])
def test_what_stands_alone_is_compared_as_cut_outs(action, app):
    press(app, all_actions()[action].label)
    assert on_stage(app)["alone"]
    find(app, COMPARE).value = True
    assert not on_stage(app)["alone"] and on_stage(app)["size"] == [60, 40]


def test_corrections_are_on_both_sides_and_are_drawn_on_the_photo(app):
    find(app, COMPARE).value = True
    stage = part(app, "u2-stage-box")
    shown = on_stage(app)["photo"]
    stage._answer_all({"kind": "tool", "tool": "erase"})
    assert on_stage(app)["sides"] is None
    stroke = {"points": [[13, 20]], "radius": 2.0, "keep": False}
    stage._answer_all({"kind": "stroke", "number": 1, "photo": shown, **stroke})
    stage._answer_all({"kind": "tool", "tool": "move"})
    fast, best = sides(app)
    assert not fast[13] and not best[13]


def test_a_comparison_of_a_corrected_photo_is_drawn_again_without_another_look(no_loop, saved):
    net = Bright()
    app = OneClick(net)
    app.run({"one.png": spot()})
    find(app, COMPARE).value = True
    stage = part(app, "u2-stage-box")
    stroke = {"points": [[13, 20]], "radius": 2.0, "keep": False}
    stage._answer_all({"kind": "stroke", "number": 1, "photo": on_stage(app)["photo"], **stroke})
    looks = net.looks
    find(app, "Less / more").value = 0.6
    press(app, "Color")
    assert on_stage(app)["sides"] == ["Fast", "Best"]
    assert net.looks == looks


def test_a_comparison_that_is_stopped_is_off():
    async def visit(app):
        find(app, COMPARE).value = True
        await until(lambda: app.is_busy)
        app.stop()
        await until(lambda: not app.is_busy)
        assert not find(app, COMPARE).value
        find(app, COMPARE).value = True
        await until(lambda: on_stage(app)["sides"])

    on_a_page(visit, Bright())


def test_a_comparison_works_without_anywidget(no_loop, monkeypatch):
    monkeypatch.delitem(sys.modules, "u2demo.notebook.stage.page", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    app = OneClick(Bright())
    app.run({"one.png": spot()})
    find(app, COMPARE).value = True
    left, right, _ = part(app, "u2-compare").children
    assert [Image.open(io.BytesIO(each.value)).mode for each in (left, right)] == ["RGBA", "RGBA"]


def test_a_box_that_is_drawn_meanwhile_is_looked_in_both_ways():
    """While a look takes seconds, what the page says waits, and is heard right after it."""

    async def visit(app):
        find(app, COMPARE).value = True
        await until(lambda: (progress(app) or [""])[0].startswith("Comparing"))
        box = {"kind": "box", "photo": on_stage(app)["photo"], "number": 1, "box": [0, 0, 35, 35]}
        from_page(part(app, "u2-stage-box").children[-1], box)
        await until(lambda: not app.is_busy)
        assert find(app, COMPARE).value
        assert on_stage(app)["sides"] == ["Fast", "Best"]
        assert on_stage(app)["within"] == [0, 0, 35, 35]

    on_a_page(visit, Bright())
