"""A figure follows sliders."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import ipywidgets
import pytest
from live_app import text_of
from PIL import Image

import u2demo as u2
from u2demo.notebook import show_with_sliders


@pytest.fixture
def shown(monkeypatch, no_loop):
    """What is displayed."""
    found = []
    monkeypatch.setattr("u2demo.notebook.sliders.display", found.append)
    return found


def gray(level):
    if level > 200:
        raise ValueError(f"level is {level}, expected less")
    return u2.image_row({f"level {level}": Image.new("L", (40, 30), level)}, alt=f"gray {level}")


def test_the_figure_follows_the_slider_with_its_alternative_text(shown, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    slider = ipywidgets.IntSlider(value=10, max=255)
    show_with_sliders(gray, level=slider)
    (box,) = shown
    assert slider.description == "level"
    notes, figure = box.children[1:]
    assert '<img alt="gray 10"' in figure.value
    slider.value = 90
    assert '<img alt="gray 90"' in figure.value
    slider.value = 250
    assert "level is 250" in text_of(notes.value) and '<img alt="gray 90"' in figure.value
    slider.value = 80
    assert not text_of(notes.value) and '<img alt="gray 80"' in figure.value


def test_what_a_slider_passes_while_a_figure_is_drawn_is_not_drawn_later(shown, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    slider, drawn = ipywidgets.IntSlider(value=10), []

    def draw(level):
        drawn.append(level)
        return gray(level)

    def move():
        for level in (20, 30, 40):
            slider.value = level

    async def stay():
        show_with_sliders(draw, level=slider)
        page = threading.Thread(target=move)
        page.start()
        page.join()  # this thread is as busy as with a drawing
        await asyncio.sleep(0.1)

    with ThreadPoolExecutor(1) as thread:  # in this one Playwright's loop may be running
        thread.submit(asyncio.run, stay()).result()
    assert drawn == [10, 40]


def test_there_is_no_output_widget_for_which_a_page_would_wait(shown, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "voila")
    show_with_sliders(gray, level=ipywidgets.IntSlider(value=10))
    assert not any(isinstance(each, ipywidgets.Output) for each in shown[0].children)


def test_where_nobody_can_move_it_the_figure_stands_alone(shown, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "headless")
    show_with_sliders(gray, level=ipywidgets.IntSlider(value=10))
    assert [figure.alt for figure in shown] == ["gray 10"]
