"""The stage in Colab, where widgets of others are refused: the kernel's half and the page's."""

import io
import zipfile

import numpy as np
import pytest
from bright import Bright
from live_app import find, part, press, said, spot
from PIL import Image

from u2demo.notebook import OneClick

COLAB = "globalThis.google = {colab: {output: {setIframeHeight() {}}}};"
NEXT = "u2stage.next("


class Person:
    """Whoever sits at the page: does the next step each time that the page is asked something.

    A step is done when it returns something true.
    """

    def __init__(self, page, *steps):
        self.page, self.steps = page, list(steps)

    def __call__(self, script):
        if script.startswith(NEXT):
            self.page.evaluate("script => { globalThis.answer = eval(script); }", script)
            self.page.wait_for_timeout(50)
            if self.steps and self.steps[0](self.page):
                self.steps.pop(0)
            return self.page.evaluate("answer")
        return self.page.evaluate(script)


def press_in_page(role, name):
    def step(page):
        page.get_by_role(role, name=name, exact=True).click()
        return True

    return step


def until(condition):
    """Return the step that waits until a script is true in the page."""

    def step(page):
        if page.evaluate(condition):
            return True
        page.evaluate("setTimeout(() => document.querySelector('.u2-tools button').click())")
        return False

    return step


def draw(page):
    around = page.get_by_role("application").bounding_box()
    scale = min(around["width"] / 60, around["height"] / 40)
    left = around["x"] + (around["width"] - 60 * scale) / 2
    page.mouse.move(left + 20 * scale, around["y"] + 15 * scale)
    page.mouse.down()
    page.mouse.move(left + 20 * scale, around["y"] + 25 * scale)
    page.mouse.up()
    return True


@pytest.fixture
def app(no_loop, colab):
    app = OneClick(Bright())
    app.run({"one.png": spot(), "two.png": spot()})
    return app


def test_a_person_corrects_by_hand_until_done(app, page_of_cell, colab):
    page_of_cell.evaluate(COLAB)
    colab.page = person = Person(
        page_of_cell,
        until("document.querySelector('.u2-stage')?.dataset.shown > 0"),
        press_in_page("radio", "Erase"),
        draw,
        until("document.querySelector('.u2-stage').dataset.count === '1'"),
        press_in_page("button", "Done"),
    )
    press(app, "Correct by hand")
    assert said(app) == "" and not person.steps
    assert page_of_cell.locator(".u2-stage").count() == 0
    assert not app.photos[0].unpack_mask()[15:26, 20].any()
    colab.page = None
    press(app, "Download all as zip")
    ((_, data),) = colab.downloads
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        cut = np.asarray(Image.open(archive.open("one_cutout.png")).getchannel("A"))
    assert not cut[15:26, 20].any()


def test_a_stroke_just_before_done_counts(app, page_of_cell, colab):
    def erase_and_leave(page):
        press_in_page("radio", "Erase")(page)  # the kernel is busy with that
        draw(page)
        return press_in_page("button", "Done")(page)

    page_of_cell.evaluate(COLAB)
    colab.page = Person(
        page_of_cell,
        until("document.querySelector('.u2-stage')?.dataset.shown > 0"),
        erase_and_leave,
    )
    press(app, "Correct by hand")
    assert not app.photos[0].unpack_mask()[15:26, 20].any()


def test_where_no_page_answers_a_sentence_says_what_to_do(app, colab):
    colab.answers = False
    assert find(app, "Correct by hand")
    press(app, "Correct by hand")
    assert "VS Code" in said(app)


def test_until_there_is_a_page_photo_and_result_can_be_compared(app):
    shown = part(app, "u2-compare")
    assert Image.open(io.BytesIO(shown.children[1].value)).mode == "RGBA"
