"""A click waits for what the page still has to say: a slider's value goes to the right photo."""

import asyncio

import pytest
from bright import Bright
from live_app import caption, find, from_page, on_a_page, press, until

from u2demo.notebook import settling

pytest.importorskip("anywidget")


pytestmark = pytest.mark.usefixtures("results")


def page_of(app, monkeypatch):
    """Open the app's page; return what it is asked for, to be answered with ``answer``."""
    manners = app.page.children[1]
    asked = []
    monkeypatch.setattr(manners, "send", lambda message: asked.append(message["settle"]))
    from_page(manners, {"settled": 0})
    return asked, lambda: from_page(manners, {"settled": asked.pop(0)})


async def check_that_only_the_first_has_it(app, answer):
    assert find(app, "Less / more").value == 0.5
    press(app, "one.png")
    answer()
    await until(lambda: caption(app).startswith("one.png"))
    assert find(app, "Less / more").value == 0.8


def test_a_value_that_the_page_held_back_goes_to_the_photo_that_it_was_meant_for(monkeypatch):
    async def visit(app):
        asked, answer = page_of(app, monkeypatch)
        press(app, "two.png")
        assert asked and caption(app).startswith("one.png"), "the page may have more to say"
        find(app, "Less / more").value = 0.8
        answer()
        await until(lambda: caption(app).startswith("two.png"))
        await check_that_only_the_first_has_it(app, answer)

    on_a_page(visit, Bright())


def test_a_value_may_come_on_another_thread_a_moment_after_the_page_s_sign(monkeypatch):
    async def visit(app):
        _, answer = page_of(app, monkeypatch)
        press(app, "two.png")
        answer()
        find(app, "Less / more").value = 0.8  # sent before the sign, but delivered later
        await until(lambda: caption(app).startswith("two.png"))
        await check_that_only_the_first_has_it(app, answer)

    on_a_page(visit, Bright())


@pytest.mark.parametrize("name", ["Apply to all", "Reset settings"])
def test_a_button_takes_the_last_value(name, monkeypatch):
    async def visit(app):
        _, answer = page_of(app, monkeypatch)
        slider = find(app, "Less / more")
        slider.value = 0.7
        press(app, name)
        slider.value = 0.8
        answer()
        press(app, "two.png")
        answer()
        await until(lambda: caption(app).startswith("two.png"))
        assert find(app, "Less / more").value == (0.8 if name == "Apply to all" else 0.5)

    on_a_page(visit, Bright())


def test_what_is_saved_has_the_last_value(monkeypatch, tmp_path):
    async def visit(app):
        _, answer = page_of(app, monkeypatch)
        press(app, "Save all to results/")
        assert not app.is_busy and find(app, "Save all to results/").disabled
        answer()
        await until(lambda: len(list(tmp_path.glob("results/*.png"))) == 2)
        await until(lambda: not app.is_busy)

    on_a_page(visit, Bright())


def test_a_page_that_has_gone_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr(settling, "_PATIENCE", 0.05)

    async def visit(app):
        asked, _ = page_of(app, monkeypatch)
        press(app, "two.png")
        await until(lambda: caption(app).startswith("two.png"))
        press(app, "one.png")
        assert caption(app).startswith("one.png") and len(asked) == 1
        await asyncio.sleep(0.1)

    on_a_page(visit, Bright())
