"""A person's hand on the stage, in JupyterLab and in Voila: drawn for real, judged by the files."""

import io

import numpy as np
import pytest
from drawing import drag
from PIL import Image
from sites import wait_until_idle

IS_IN_ITS_MENU = """button => {
    const [inside, menu] = [button, button.parentElement].map(each => each.getBoundingClientRect());
    const [x, y] = [inside.x + inside.width / 2, inside.y + inside.height / 2];
    return inside.right <= menu.right && button.contains(document.elementFromPoint(x, y));
}"""
ABOUT = (40, 60, 110, 140)  # of the left one of two things, in pixels of the photo


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A photo of two things side by side."""
    picture = Image.new("RGB", (300, 200), "navy")
    picture.paste("gold", ABOUT)
    picture.paste("gold", (190, 60, 260, 140))
    file = tmp_path_factory.mktemp("photo") / "two.png"
    picture.save(file)
    return file


@pytest.fixture(scope="module")
def stage(app, photo):
    """The stage, with that photo on it."""
    with app.expect_file_chooser() as dialog:
        app.get_by_role("button", name="Choose photos").click()
    dialog.value.set_files(photo)
    wait_until_idle(app, tiles=1)
    app.locator(".u2-below", has_text="two.png, 300 × 200").wait_for()
    return Stage(app)


class Stage:
    """What a person does on the stage, by points of the photo."""

    def __init__(self, page):
        self.page = page

    def at(self, x, y):
        around = self.page.get_by_role("application").bounding_box()
        scale = min(around["width"] / 300, around["height"] / 200)
        left = around["x"] + (around["width"] - 300 * scale) / 2
        top = around["y"] + (around["height"] - 200 * scale) / 2
        return left + x * scale, top + y * scale

    def choose(self, tool):
        self.page.get_by_role("radio", name=tool, exact=True).click()
        self.page.get_by_role("application").scroll_into_view_if_needed()

    def drag(self, *points):
        drag(self.page, *[self.at(*point) for point in points])

    def wait(self, *, corrections):
        """Wait until the kernel has answered with so many corrections, and rests."""
        self.page.locator(f".u2-stage[data-count='{corrections}']").wait_for()
        wait_until_idle(self.page, tiles=1)

    def saved(self):
        """Return the file that Download gives, and its transparency."""
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Download", exact=True).click()
        data = download.value.path().read_bytes()
        return data, np.asarray(Image.open(io.BytesIO(data)).getchannel("A"))

    def reset(self):
        self.page.get_by_role("button", name="Reset corrections", exact=True).click()
        self.wait(corrections=0)


def test_what_is_erased_is_gone_from_the_file_and_an_undo_brings_it_back(stage, shoot):
    first, before = stage.saved()
    assert before[100, 75] == before[100, 225] == 255
    stage.choose("Erase")
    stage.drag((75, 80), (75, 100), (75, 120))
    stage.wait(corrections=1)
    shoot(stage.page.locator(".u2-app"), "erased")
    _, after = stage.saved()
    assert not after[80:121, 75].any(), "under the stroke is what it says"
    assert np.array_equal(after[:, 180:], before[:, 180:]), "far away nothing has changed"
    stage.page.get_by_text("Erased. 1 correction.").wait_for()
    stage.page.get_by_role("button", name="Undo", exact=True).click()
    stage.wait(corrections=0)
    again, _ = stage.saved()
    assert again == first, "byte for byte"


def test_what_is_kept_is_in_the_file_drawn_by_keyboard_alone(stage):
    stage.choose("Keep")
    stage.page.get_by_role("application").focus()
    for key in ("ArrowUp", "Shift+ArrowUp", "Enter"):  # the ring begins in the middle
        stage.page.keyboard.press(key)
    stage.wait(corrections=1)
    _, after = stage.saved()
    column = after[:, 150]
    assert column[:100].max() == 255, "between the two things, above the middle"
    stage.page.get_by_role("application").press("Control+z")
    stage.wait(corrections=0)


def test_a_box_says_where_to_look(stage):
    stage.choose("Box")
    stage.drag((20, 30), (140, 180))
    stage.wait(corrections=1)
    _, after = stage.saved()
    assert not after[:, 145:].any() and after[100, 75] == 255
    stage.reset()


def test_a_click_keeps_one_of_two_things(stage):
    stage.choose("Objects")
    stage.page.locator(".u2-stage[data-objects='2']").wait_for()
    stage.page.mouse.click(*stage.at(225, 100))
    stage.wait(corrections=1)
    _, after = stage.saved()
    assert not after[:, :145].any() and after[100, 225] == 255
    stage.page.mouse.click(*stage.at(225, 100))
    stage.wait(corrections=0)


def test_corrections_go_to_a_file_and_come_back(stage, tmp_path):
    stage.choose("Erase")
    stage.drag((75, 100), (80, 100))
    stage.wait(corrections=1)
    _, after = stage.saved()
    stage.page.locator(".u2-more summary").click()
    button = stage.page.get_by_role("button", name="Save corrections")
    assert button.evaluate(IS_IN_ITS_MENU)
    with stage.page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == "two.strokes.json"
    download.value.save_as(tmp_path / "two.strokes.json")
    stage.reset()
    stage.page.locator(".u2-more summary").click()
    with stage.page.expect_file_chooser() as dialog:
        stage.page.get_by_role("button", name="Load corrections").click()
    dialog.value.set_files(tmp_path / "two.strokes.json")
    stage.wait(corrections=1)
    _, loaded = stage.saved()
    assert np.array_equal(loaded, after)
    stage.reset()


def test_a_subject_is_dragged_to_another_place_before_its_new_background(stage, shoot):
    page = stage.page
    page.get_by_role("button", name="Color", exact=True).click()
    stage.choose("Place")
    stage.drag((75, 100), (85, 110), (105, 130))
    page.locator(".u2-differences").get_by_role("button", name="Reset settings").wait_for()
    shown = (
        "document.querySelector('.widget-slider:has([aria-label=\"Moved right\"]) .widget-readout')"
    )
    page.wait_for_function(f"{shown}.textContent === '10%'")
    shoot(page.locator(".u2-app"), "placed")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    made = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert np.ptp(made.getpixel((50, 70))) < 30, "it was there"
    assert np.ptp(made.getpixel((75 + 30, 100 + 30))) > 100, "it is here"
    page.get_by_role("button", name="Reset settings").click()
    page.get_by_role("button", name="Reset settings").wait_for(state="hidden")
    page.get_by_role("button", name="Cut out", exact=True).click()
    page.get_by_role("radio", name="Place", exact=True).wait_for(state="hidden")


@pytest.mark.parametrize("site", ["lab"], indirect=True)
def test_keys_on_the_stage_are_the_stage_s(stage):
    cells = "jupyterapp.shell.currentWidget.content.widgets.length"
    before = stage.page.evaluate(cells)
    for place in (stage.page.get_by_role("radio", name="Erase"), stage.page.locator(".u2-view")):
        for key in ("x", "d", "d", "a"):
            place.press(key)
    assert stage.page.evaluate(cells) == before
