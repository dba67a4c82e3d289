"""Fixtures: a page in Jupyter, the folder that it saves into, and nets that are quick."""

import queue

import pytest
from bright import Bright
from live_app import spot

from u2demo.nets.checkpoints import Input
from u2demo.notebook import OneClick, cells


@pytest.fixture(autouse=True)
def cell(monkeypatch):
    """A cell of its own for each test: what it shows is closed after it, and does not come over."""
    monkeypatch.setattr(cells, "_closers", {})
    yield
    cells.close_on_rerun(lambda: None)


@pytest.fixture
def results(monkeypatch, tmp_path):
    """A page in Jupyter; the folder that it saves into, which is not there yet."""
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def app(no_loop, saved):
    """The app with two photos of 60x40, each a white square of 20 pixels at (10, 10) on black."""
    app = OneClick(Bright())
    app.run({"one.png": spot(), "two.png": spot()})
    yield app
    app.close()


@pytest.fixture
def bright():
    """A net that takes bright pixels for the subject, and counts its looks."""
    return Bright()


@pytest.fixture
def net():
    """The same, for squares of 64 pixels: a live picture's."""
    net = Bright()
    net.input = Input(side=64)
    return net


@pytest.fixture
def said():
    """What a live page is answered, in its order."""
    return queue.Queue()
