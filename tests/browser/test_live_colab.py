"""Live in Colab: the kernel's half as it is, and the page's in a browser, joined by eval_js."""

import base64
import io
import json

import numpy as np
import pytest
from bright import Bright
from live_camera import SIDE, SIZE
from PIL import Image

import u2demo as u2
from u2demo.nets.checkpoints import Input
from u2demo.notebook.front_end import assets

COLAB = "globalThis.google = {colab: {output: {setIframeHeight() {}}}};"

NEXT = "u2live.next("


class Person:
    """Whoever sits at the page: does the next step each time that the page is asked something.

    A step is done when it returns something true. ``frames`` and ``masks`` went to and fro.
    """

    def __init__(self, page, *steps):
        self.page, self.steps = page, list(steps)
        self.frames, self.masks = {}, {}

    def __call__(self, script):
        if script.startswith(NEXT) and self.steps and self.steps[0](self.page):
            self.steps.pop(0)
        for each in _brought(script):
            if each["message"]["kind"] == "mask":
                self.masks[each["message"]["number"]] = _picture(each["data"])
        said = self.page.evaluate(script)
        for message in said if isinstance(said, list) else ():
            if message["kind"] == "frame":
                self.frames[message["number"]] = _picture(message["data"])
        return said


def _brought(script):
    """Return the answers that the kernel brings along."""
    return json.loads(script[len(NEXT) : -1]) if script.startswith(NEXT) else []


def _picture(data):
    return Image.open(io.BytesIO(base64.b64decode(data)))


def press(name):
    """Return the step that presses a button."""

    def step(page):
        page.get_by_role("button", name=name, exact=True).click()
        return True

    return step


def until(condition):
    """Return the step that waits until a script is true in the page."""
    return lambda page: page.evaluate(condition)


TRACKS = "[...document.querySelectorAll('video')].some((video) => video.srcObject)"
SHOWS_CAMERA = "/masks.*384×256/.test(document.querySelector('.u2-figures').textContent)"


@pytest.fixture
def page(page_of_cell):
    page_of_cell.evaluate(COLAB)
    return page_of_cell


@pytest.fixture
def net():
    net = Bright()
    net.input = Input(side=64)
    return net


def test_the_cell_runs_until_done_and_masks_are_where_the_subject_is(page, net, colab):
    colab.page = person = Person(
        page,
        until("/masks/.test(document.querySelector('.u2-figures').textContent)"),
        press("Start camera"),
        until(SHOWS_CAMERA),
        press("Done"),
    )
    u2.notebook.Live(net).show()
    assert not person.steps
    assert not page.evaluate(TRACKS) and page.locator(".u2-live").count() == 0
    compared = [
        n for n in person.masks if n in person.frames and person.frames[n].size == (384, 256)
    ]
    assert compared
    for number in compared:
        shown = np.asarray(person.frames[number].convert("L")) > 128
        assert abs(shown.sum() / (4 * SIDE) ** 2 - 1) < 0.1, "the square, whole"
        mask = np.asarray(person.masks[number].getchannel("A")) > 128
        assert (mask & shown).sum() / (mask | shown).sum() > 0.8
    assert SIZE == (96, 64)


TAKE_A_PHOTO = (
    press("Start camera"),
    until(SHOWS_CAMERA),
    press("Photo"),
    until("document.querySelector('.u2-take img')?.complete"),
)


def test_a_photo_is_saved_to_drive(page, net, colab, monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    colab.page = Person(
        page,
        *TAKE_A_PHOTO,
        press("Save to Google Drive"),
        until("document.querySelector('.u2-kept').textContent.startsWith('Saved to your Google')"),
        press("Done"),
    )
    u2.notebook.Live(net).show()
    (file,) = (tmp_path / "drive" / "MyDrive").rglob("*.png")
    picture = Image.open(file)
    assert picture.mode == "RGBA" and picture.size == (384, 256)
    seen = np.asarray(picture.getchannel("A")) > 128
    assert abs(seen.sum() / (4 * SIDE) ** 2 - 1) < 0.1


def test_what_is_not_saved_can_be_downloaded_after_done(page, net, colab):
    colab.page = Person(
        page,
        *TAKE_A_PHOTO,
        press("Record"),
        until("!/0:00/.test(document.querySelector('.u2-recording').textContent)"),
        press("Done"),
    )
    u2.notebook.Live(net).show()
    assert not page.evaluate(TRACKS) and page.get_by_role("button", name="Photo").count() == 0
    assert page.locator(".u2-take video").is_visible()
    saves = page.get_by_text("Save to Google Drive").all()
    assert [save.is_visible() for save in saves] == [False, False], "nobody would answer"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").last.click()
    assert Image.open(download.value.path()).size == (384, 256)


def test_done_waits_for_a_file_that_is_being_saved(page, net, colab, monkeypatch, tmp_path):
    def save_and_leave(page):
        press("Save to Google Drive")(page)
        return press("Done")(page)

    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    colab.page = Person(
        page,
        *TAKE_A_PHOTO,
        save_and_leave,
    )
    u2.notebook.Live(net).show()
    assert page.locator(".u2-kept").inner_text().startswith("Saved to your Google Drive")
    assert len(list((tmp_path / "drive" / "MyDrive").rglob("*.png"))) == 1


def test_a_page_with_nothing_to_say_still_hears_what_the_kernel_has_to_say(page):
    """A photo or file that it waits for may be ready long after its last word."""
    said = page.evaluate(
        f"""(async () => {{
            {assets("colab_page.js")}
            const late = new Promise((resolve) => {{ setTimeout(resolve, 5000, "nothing"); }});
            return Promise.race([makeOutbox().take(), late]);
        }})()"""
    )
    assert said == []


def test_an_interrupted_cell_turns_the_light_out(page, net, colab):
    def interrupt(page):
        raise KeyboardInterrupt

    colab.page = Person(page, press("Start camera"), until(SHOWS_CAMERA), interrupt)
    with pytest.raises(KeyboardInterrupt):
        u2.notebook.Live(net).show()
    assert not page.evaluate(TRACKS) and page.locator(".u2-live").count() == 0
