"""The stage's page alone, without a kernel: what pointers and keys do, and what they tell."""

import base64
import io

import pytest
from drawing import drag
from PIL import Image

from u2demo.notebook.front_end import assets
from u2demo.notebook.stage.colab import SCRIPTS

START = """
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const said = [];
    let listen;
    const end = openStage(document.querySelector("#host"), {
        send: (message) => said.push(message), on: (callback) => { listen = callback; },
    });
    const tell = (message, pictures) => listen(message, pictures.map(bytes));
    globalThis.stage = {said, end, tell};
"""
SIZE = (1200, 800)  # of the photo; the page is told of a copy half as large


class Page:
    """The stage in a page of 1000x800 pixels, and what it says."""

    def __init__(self, page):
        self.page = page
        self.version = 0
        self.fingers = page.context.new_cdp_session(page)

    def show(self, cover=(0, 0, 0, 0), **fields):
        """Show a photo whose left half is blue, cut out where it is red; ``cover`` tints it."""
        self.version += 1
        photo = Image.new("RGB", (600, 400), "red")
        photo.paste("blue", (0, 0, 300, 400))
        picture = photo.convert("RGBA")
        picture.paste((0, 0, 0, 0), (0, 0, 300, 400))
        shade = Image.new("RGBA", (600, 400), cover)
        objects = Image.new("L", (600, 400))
        objects.paste(8, (300, 100, 600, 300))
        self.tell(
            {"kind": "show", "photo": "1", "version": self.version, "size": SIZE, "alone": False,
             "clear": True, "tools": True, "count": 0, "answered": 0, **fields},
            photo=photo, picture=picture, shade=shade, objects=objects,
        )  # fmt: skip
        self.page.locator(f".u2-stage[data-shown='{self.version}']").wait_for()

    def tell(self, message, **pictures):
        encoded = []
        for name, picture in pictures.items():
            file = io.BytesIO()
            picture.save(file, "PNG" if name == "objects" else "WEBP", lossless=True)
            encoded.append(base64.b64encode(file.getvalue()).decode())
        message = {**message, "pictures": list(pictures)}
        self.page.evaluate("([message, pictures]) => stage.tell(message, pictures)",
                           [message, encoded])  # fmt: skip

    def said(self, kind):
        return [each for each in self.page.evaluate("stage.said") if each["kind"] == kind]

    @property
    def photo(self):
        return self.page.get_by_role("application")

    @property
    def zoom(self):
        return int(self.page.locator(".u2-frame").get_attribute("data-zoom"))

    def at(self, x, y):
        """Return where a point of the photo is in the page."""
        around = self.photo.bounding_box()
        scale = self.zoom / 100  # one pixel of the page is one of the screen
        left = around["x"] + (around["width"] - SIZE[0] * scale) / 2
        top = around["y"] + (around["height"] - SIZE[1] * scale) / 2
        return left + x * scale, top + y * scale

    def drag(self, *points):
        drag(self.page, *[self.at(*point) for point in points])

    def tool_in_hand(self):
        return self.page.locator(".u2-stage").get_attribute("data-tool")

    def choose(self, tool):
        self.page.get_by_role("radio", name=tool).click()

    def color(self, x, y):
        """Return what the page shows at a point of the photo."""
        png = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        return png.getpixel(tuple(round(side) for side in self.at(x, y)))


@pytest.fixture(scope="module")
def tab(browser):
    context = browser.new_context(viewport={"width": 1000, "height": 800}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


@pytest.fixture
def empty(tab):
    """The stage before a photo comes."""
    styles = assets("app.css", "stage.css")
    tab.set_content(f"<!doctype html><style>{styles}</style><div class=u2-app id=host></div>")
    script = f"(() => {{{assets(*SCRIPTS)}\n{START}}})()"
    tab.add_script_tag(content=script)
    return Page(tab)


@pytest.fixture
def page(empty):
    empty.show()
    return empty


def near(point, expected, within=4):
    return all(abs(one - other) <= within for one, other in zip(point, expected, strict=True))


def test_before_a_photo_comes_there_is_its_place_and_nothing_to_press(empty):
    place = empty.photo.bounding_box()
    assert empty.page.locator(".u2-stage :is(button, input, summary, output):visible").count() == 0
    empty.show()
    assert empty.photo.bounding_box() == place
    assert empty.page.get_by_role("radio", name="Move").is_visible()


def test_the_stage_is_large_but_leaves_room_for_the_tools_in_the_window(page):
    around = page.photo.bounding_box()
    assert 0.5 * 800 <= around["height"] <= 0.6 * 800
    assert around["width"] > 900
    assert page.page.get_by_role("radio", name="Move").bounding_box()["y"] < 800 - 60


def test_left_of_the_divider_is_the_photo_and_right_of_it_the_result(page):
    divider = page.page.get_by_role("slider", name="Divider between the photo and the result")
    for _ in range(10):
        divider.press("ArrowLeft")
    assert divider.get_attribute("aria-valuenow") == "30", "two percent a key"
    assert page.color(300, 400) == (0, 0, 255)
    assert min(page.color(500, 400)) > 200, "the checkerboard"
    assert page.color(900, 400) == (255, 0, 0)
    divider.press("Home")
    assert min(page.color(300, 400)) > 200
    divider.press("End")
    assert page.color(1190, 100) == (255, 0, 0) and page.color(10, 100) == (0, 0, 255)


def test_the_divider_parts_each_photo_s_subject_until_a_person_moves_it(page):
    divider = page.page.get_by_role("slider", name="Divider between the photo and the result")
    page.show(photo="2", middle=20.0)
    assert divider.get_attribute("aria-valuenow") == "20"
    page.show(photo="2", middle=60.0)
    assert divider.get_attribute("aria-valuenow") == "20", "a correction moves only the mask"
    page.show(photo="3", middle=None)
    assert divider.get_attribute("aria-valuenow") == "50", "there is no subject"
    divider.press("ArrowLeft")
    page.show(photo="4", middle=80.0)
    assert divider.get_attribute("aria-valuenow") == "48"


def test_the_divider_s_place_on_the_keyboard_is_a_ring_to_see(page):
    page.page.get_by_role("slider", name="Divider").press("ArrowLeft")
    shadow = "getComputedStyle(document.querySelector('.u2-split'), '::after').boxShadow"
    assert "47, 107, 237" in page.page.evaluate(shadow)


def test_a_stroke_ends_with_the_photo_that_it_is_drawn_on(page):
    page.choose("Keep")
    page.drag((300, 400), (500, 400))
    assert [each["photo"] for each in page.said("stroke")] == ["1"]
    page.page.mouse.move(*page.at(300, 400))
    page.page.mouse.down()
    page.page.mouse.move(*page.at(350, 400))
    page.show(photo="2")
    page.page.mouse.move(*page.at(500, 400))
    page.page.mouse.up()
    page.drag((300, 500), (500, 500))
    assert [each["photo"] for each in page.said("stroke")] == ["1", "2"]


def test_a_tool_in_hand_says_what_to_do(page):
    page.choose("Erase")
    assert page.page.get_by_text("Paint what does not belong.").is_visible()


def test_another_effect_is_seen_and_not_the_tint_of_the_tool_in_hand(page):
    page.show(effect="cutout")
    page.choose("Erase")
    page.show(effect="cutout")
    assert page.tool_in_hand() == "erase", "a correction was answered"
    page.show(effect="color")
    assert page.tool_in_hand() == "move"
    assert page.said("tool")[-1]["tool"] == "move"
    page.choose("Erase")
    page.page.get_by_role("checkbox", name="Show removed parts in red").uncheck()
    page.show(effect="blur")
    assert page.tool_in_hand() == "erase", "the effect is seen"


def test_what_is_tinted_is_so_to_the_photo_s_edges(page):
    page.show(size=(1203, 799), cover=(0, 255, 0, 255))
    page.choose("Erase")
    page.page.mouse.move(0, 0)
    photo = page.page.locator(".u2-board").bounding_box()
    left, right = round(photo["x"]), round(photo["x"] + photo["width"]) - 1
    middle = round(photo["y"] + photo["height"] / 2)
    png = Image.open(io.BytesIO(page.page.screenshot())).convert("RGB")
    assert png.getpixel((left, middle)) == png.getpixel((right, middle)) == (0, 255, 0)


def test_a_drag_with_keep_is_a_stroke_in_pixels_of_the_photo(page):
    page.choose("Keep")
    page.page.get_by_role("slider", name="Brush size").fill("40")
    page.drag((200, 300), (300, 300), (300, 400))
    (stroke,) = page.said("stroke")
    assert stroke["keep"] is True and stroke["number"] == 1
    assert near(stroke["points"][0], (200, 300)) and near(stroke["points"][-1], (300, 400))
    assert stroke["radius"] == pytest.approx(20 / (page.zoom / 100), rel=0.02)


def test_a_stroke_is_seen_before_the_kernel_answers_and_goes_when_it_has(page):
    page.choose("Erase")
    assert page.color(700, 400) == (255, 0, 0)
    page.drag((700, 400), (700, 600))
    tinted = page.color(700, 400)
    assert near(tinted, (219, 19, 46), within=20), "tinted, as what is not kept"
    page.show(answered=1)
    page.choose("Erase")
    assert page.color(700, 400) == (255, 0, 0), "the kernel's mask counts"


def test_without_the_photo_an_erased_place_is_empty_at_once(page):
    page.choose("Erase")
    page.page.get_by_role("checkbox", name="Show removed parts in red").uncheck()
    page.drag((700, 400), (700, 600))
    assert min(page.color(700, 400)) > 200


def test_a_box_is_told_in_whole_pixels_and_a_click_is_none(page):
    page.choose("Box")
    page.drag((100, 100), (101, 101))
    page.drag((700, 600), (200, 100))
    (box,) = page.said("box")
    assert near(box["box"], (200, 100, 700, 600)) and box["number"] == 1


def test_a_click_on_an_object_is_told_and_one_beside_it_is_not(page):
    page.choose("Objects")
    page.page.mouse.click(*page.at(100, 100))
    page.page.mouse.click(*page.at(900, 400))
    (chosen,) = page.said("object")
    assert near(chosen["point"], (900, 400))
    assert page.color(800, 300)[2] > 80, "the object under the pointer is marked"


def test_keys_move_the_ring_paint_and_change_the_brush(page):
    page.choose("Keep")
    page.photo.focus()
    keys = page.page.keyboard
    keys.press("ArrowRight")  # shows the ring
    keys.press("Enter")
    keys.down(" ")
    keys.press("Shift+ArrowDown")
    keys.up(" ")
    keys.press("]")
    keys.press("Enter")
    dab, line, thick = page.said("stroke")
    assert len(dab["points"]) == 1 and len(line["points"]) == 2
    assert line["points"][1][1] > line["points"][0][1] + 50
    assert thick["radius"] > 1.1 * dab["radius"]


def test_a_box_is_drawn_with_two_corners_by_keyboard(page):
    page.choose("Box")
    page.photo.focus()
    for key in ("ArrowRight", "Enter", "Shift+ArrowRight", "Shift+ArrowDown", "Enter"):
        page.page.keyboard.press(key)
    (box,) = page.said("box")
    assert box["box"][2] > box["box"][0] + 50 and box["box"][3] > box["box"][1] + 50


def test_tools_are_one_stop_of_the_keyboard_and_escape_leaves_them(page):
    page.page.get_by_role("radio", name="Move").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.page.get_by_role("radio", checked=True).inner_text() == "Keep"
    assert page.page.locator("[role=radio][tabindex='0']").count() == 1
    page.photo.press("Escape")
    assert page.page.get_by_role("radio", checked=True).inner_text() == "Move"
    assert [told["tool"] for told in page.said("tool")] == ["keep", "move"]


def test_undo_and_redo_have_keys_once_there_is_something(page):
    page.photo.press("Control+z")
    page.show(canUndo=True, canRedo=True, count=1)
    page.photo.press("Control+z")
    page.photo.press("Control+Shift+z")
    assert len(page.said("undo")) == len(page.said("redo")) == 1


def test_one_hundred_per_cent_is_a_pixel_for_a_pixel_and_asks_for_that_part(page):
    page.page.get_by_role("button", name="100 %").click()
    assert page.zoom == 100
    page.page.wait_for_function("stage.said.at(-1).scale === 1")
    part = page.said("view")[-1]["part"]
    around = page.photo.bounding_box()
    assert part[2] - part[0] < SIZE[0] + 1 and part[3] - part[1] < around["height"] * 1.4
    detail = Image.new("RGB", (int(part[2] - part[0]), int(part[3] - part[1])), "white")
    detail.paste("lime", (0, 0, detail.width, detail.height // 2))
    message = {"kind": "detail", "photo": "1", "version": page.version, "part": part}
    page.tell(message, photo=detail, picture=detail)
    page.page.locator(".u2-stage[data-detail]").wait_for()
    middle = round(around["y"] + around["height"] / 2)
    png = Image.open(io.BytesIO(page.page.screenshot())).convert("RGB")
    column = [png.getpixel((700, middle + row)) for row in range(-2, 2)]
    assert column == [(0, 255, 0)] * 2 + [(255, 255, 255)] * 2, "no pixel is blurred"
    page.photo.press("0")
    assert page.zoom < 100


def test_a_small_photo_is_enlarged_to_fit_and_has_its_own_size_at_one_hundred_per_cent(page):
    page.show(size=(120, 80))
    assert page.zoom > 300
    page.page.get_by_role("button", name="100 %").click()
    assert page.zoom == 100
    page.photo.press("0")
    assert page.zoom > 300


def test_an_old_detail_is_not_laid_over_a_new_picture(page):
    detail = Image.new("RGB", (100, 100), "white")
    message = {"kind": "detail", "photo": "1", "version": page.version - 1, "part": [0, 0, 99, 99]}
    page.tell(message, picture=detail)
    page.show()
    assert page.page.locator(".u2-part").count() == 0


def test_a_zoomed_photo_is_moved_by_drag_and_keys_but_not_out_of_sight(page):
    page.photo.press("1")
    part = "stage.said.filter((each) => each.kind === 'view').at(-1).part"
    page.page.wait_for_function("stage.said.at(-1).scale === 1")
    top = page.page.evaluate(part)[1]
    page.drag((700, 400), (700, 300))
    page.page.wait_for_function(f"top => {part}[1] > top + 90", arg=top)
    for _ in range(30):
        page.photo.press("ArrowUp")
    page.page.wait_for_function(f"{part}[1] === 0")


def test_the_wheel_zooms_where_the_pointer_is_once_the_stage_is_used(page):
    before = page.zoom
    page.page.mouse.move(*page.at(600, 400))
    page.page.mouse.wheel(0, -300)
    page.photo.focus()
    page.page.mouse.wheel(0, -300)
    page.page.wait_for_function(
        "before => document.querySelector('.u2-frame').dataset.zoom > before", arg=before
    )


def test_the_subject_is_placed_by_drag_wheel_and_keys_as_fast_as_the_kernel_answers(page):
    assert page.page.get_by_role("radio", name="Place").is_hidden(), "there is nothing to place"
    page.show(places=True)
    page.choose("Place")
    assert page.page.get_by_role("slider").is_hidden(), "it has no divider"
    page.drag((300, 400), (360, 400), (420, 430))
    (first,) = page.said("place")
    assert first["first"] and near(first["at"], (300, 400)) and first["by"] == [0, 0]
    page.show(places=True, answered=first["number"])
    _, second = page.said("place")
    assert near(second["by"], (120, 30)), "what was not told yet has added up"
    page.show(places=True, answered=second["number"])
    page.page.mouse.wheel(0, -300)
    page.page.wait_for_function("stage.said.filter(each => each.kind === 'place').length === 3")
    third = page.said("place")[-1]
    assert third["factor"] > 1 and third["first"] and near(third["at"], (420, 430))
    page.show(places=True, answered=third["number"])
    page.photo.press("ArrowRight")
    fourth = page.said("place")[-1]
    assert fourth["by"] == [12, 0] and fourth["hold"] == "subject"
    page.show(places=False)
    assert page.said("tool")[-1]["tool"] == "move", "another action has nothing to place"


def test_what_is_compared_has_its_names_on_both_sides(page):
    page.show(sides=["Fast", "Best"])
    assert page.page.locator(".u2-side-name").all_inner_texts() == ["Fast", "Best"]
    page.page.get_by_role("slider", name="Divider between Fast and Best").wait_for()
    page.show()
    assert page.page.locator(".u2-side-name").first.is_hidden()
    page.page.get_by_role("slider", name="Divider between the photo and the result").wait_for()


def test_the_menu_opens_where_there_is_room(page):
    menu, button = page.page.locator(".u2-menu"), page.page.locator(".u2-more summary")
    for height in (800, 560):
        page.page.set_viewport_size({"width": 1000, "height": height})
        button.click()
        menu.wait_for()
        end = "document.querySelector('.u2-menu').getBoundingClientRect().bottom"
        page.page.wait_for_function(f"{end} <= innerHeight")
        button.click()
    page.page.set_viewport_size({"width": 1000, "height": 800})


def touch(page, kind, *points):
    touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    page.fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_a_finger_paints_and_two_zoom(page):
    page.choose("Keep")
    touch(page, "touchStart", page.at(200, 300))
    touch(page, "touchMove", page.at(300, 300))
    touch(page, "touchEnd")
    (stroke,) = page.said("stroke")
    assert near(stroke["points"][0], (200, 300)) and near(stroke["points"][-1], (300, 300))
    before = page.zoom
    touch(page, "touchStart", page.at(500, 400), page.at(700, 400))
    touch(page, "touchMove", page.at(300, 400), page.at(900, 400))
    touch(page, "touchEnd")
    assert page.zoom > 1.5 * before
    assert len(page.said("stroke")) == 1, "two fingers do not paint"


def test_a_photo_without_tools_lays_them_down_and_tells_the_kernel(page):
    page.choose("Erase")
    page.show(photo="2", tools=False)
    assert page.said("tool")[-1]["tool"] == "move"


def test_what_was_said_of_a_photo_is_not_said_of_the_next(page):
    page.show(said="Erased. 1 correction.")
    told = page.page.locator(".u2-told")
    assert told.inner_text() == "Erased. 1 correction."
    page.show()
    assert told.inner_text() == "Erased. 1 correction."
    page.show(photo="2")
    assert told.inner_text() == ""


def test_what_has_the_focus_keeps_jupyter_s_shortcuts_away(page):
    loud = page.page.evaluate(
        """() => [...document.querySelectorAll(
            '.u2-stage :is(button, input:not([hidden]), summary, [tabindex])')]
            .filter((each) => !each.dataset.lmSuppressShortcuts).map((each) => each.outerHTML)"""
    )
    assert loud == []


def test_a_closed_stage_leaves_nothing(page):
    page.page.evaluate("stage.end()")
    assert page.page.locator("#host").inner_html() == ""
