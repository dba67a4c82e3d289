"""Correct by hand in Colab, whose kernel hears nothing else meanwhile: what the kernel answers."""

import json
from types import SimpleNamespace

import pytest
from bright import Bright
from live_app import as_file, on_a_page, on_stage, press, said, spot, until, visible

from u2demo.notebook import OneClick

NEXT = "u2stage.next("


class Person:
    """Whoever sits at the page: what the page says each time that it is asked, then Done."""

    def __init__(self, *says):
        self.says = [*says, None]
        self.heard = []  # the kinds of messages that the page was told each time

    def __call__(self, script):
        if not script.startswith(NEXT):
            return 1
        news = json.loads(script[len(NEXT) : -1])
        self.heard.append([each["message"]["kind"] for each in news])
        return self.says.pop(0)


def box(app, *sides):
    return {"kind": "box", "photo": on_stage(app)["photo"], "number": 1, "box": list(sides)}


def test_an_error_is_said_on_the_page_of_the_app(colab, no_loop, monkeypatch):
    shell = SimpleNamespace(
        showtraceback=lambda *_, **__: None
    )  # output widgets leave errors to it
    monkeypatch.setattr("ipywidgets.widgets.widget_output.get_ipython", lambda: shell)
    app = OneClick(Bright())
    app.run({"one.png": spot()})
    colab.page = Person([{"kind": "stroke", "number": 1, "photo": on_stage(app)["photo"]}])
    press(app, "Correct by hand")
    assert "Something went wrong: KeyError" in said(app)


@pytest.fixture
def refused(colab, monkeypatch):
    """Colab, where it is soon clear that the stage's own page is refused."""
    monkeypatch.setattr("u2demo.notebook.stage.stage._PATIENCE", 0.0)
    return colab


def test_photos_still_to_come_are_not_waited_for(refused):
    async def visit(app):
        await until(lambda: "Correct by hand" in names(app))
        app.receive([(f"{number}.png", as_file(spot())) for number in range(20)])
        await until(lambda: len(app.photos) == 3)
        refused.page = person = Person([{"kind": "ready"}], [box(app, 0, 0, 35, 35)])
        press(app, "Correct by hand")
        assert [photo.within for photo in app.photos] == [None, None, (0, 0, 35, 35)]
        assert person.heard[1][0] == "show" and "show" in person.heard[2]
        refused.page = None
        await until(lambda: not app.is_busy)
        assert len(app.photos) == 22 and said(app) == ""

    def names(app):
        return {getattr(each, "description", "") for each in visible(app.page)}

    on_a_page(visit, Bright())
