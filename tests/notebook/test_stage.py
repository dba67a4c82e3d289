"""The stage, told by its page what a person does: strokes, boxes, clicks, and what is saved."""

import io
import json
import sys

import numpy as np
import pytest
from bright import Bright
from live_app import as_file, from_page, on_a_page, on_stage, part, press, said, spot, until
from PIL import Image

from u2demo.masks.box import Box
from u2demo.notebook import OneClick
from u2demo.notebook.actions import all_actions

pytest.importorskip("anywidget")


@pytest.fixture
def app(no_loop, saved, results):
    """The app with a photo of two white squares, 60x40, and one of one square."""
    two = spot()
    two.paste("white", (38, 10, 55, 30))
    app = OneClick(Bright())
    app.run({"two.png": two, "one.png": spot()})
    return app


@pytest.fixture
def heard(app):
    """What the page has been told since: (message, pictures)."""
    told = []
    part(app, "u2-stage-box").listen(lambda *each: told.append(each))
    return told


class Page:
    """The stage's page: its messages, numbered."""

    def __init__(self, app):
        self.app, self.number = app, 0

    def says(self, kind, **fields):
        self.number += 1
        page = part(self.app, "u2-stage-box").children[0]
        shown = on_stage(self.app)["photo"]
        from_page(page, {"kind": kind, "number": self.number, "photo": shown, **fields})


@pytest.fixture
def page(app):
    return Page(app)


def erase(page, *point, radius=4.0):
    page.says("stroke", points=[list(point)], radius=radius, keep=False)


def keep(page, *point, radius=4.0):
    page.says("stroke", points=[list(point)], radius=radius, keep=True)


def alpha(app, saved):
    """Return the transparency of what Download saves of the photo on the stage."""
    saved.clear()
    press(app, "Download")
    ((_, data),) = saved.values()
    return np.asarray(Image.open(io.BytesIO(data)).getchannel("A"))


def test_a_stroke_is_in_what_is_saved_and_an_undo_takes_it_back(app, page, saved):
    before = alpha(app, saved)
    assert before[20, 45] == 255
    erase(page, 45, 20)
    after = alpha(app, saved)
    assert after[20, 45] == 0
    assert np.array_equal(after[:, :28], before[:, :28]), "the other square is as it was"
    page.says("undo")
    assert np.array_equal(alpha(app, saved), before)
    page.says("redo")
    assert np.array_equal(alpha(app, saved), after)
    page.says("reset")
    assert np.array_equal(alpha(app, saved), before)


def test_a_photo_that_a_person_has_corrected_is_clear_also_when_it_is_saved(app, page):
    app.run({"night.png": Image.new("RGB", (60, 40))})
    keep(page, 20, 20)
    press(app, "Download")
    assert "clear subject" not in said(app, "u2-saver")


def test_each_photo_has_corrections_of_its_own(app, page, saved):
    erase(page, 45, 20)
    press(app, "one.png")
    assert on_stage(app)["count"] == 0 and not on_stage(app)["canUndo"]
    assert alpha(app, saved)[20, 15] == 255
    press(app, "two.png")
    assert on_stage(app)["count"] == 1 and on_stage(app)["canUndo"]
    assert alpha(app, saved)[20, 45] == 0


def test_a_stroke_over_a_photo_that_has_left_the_stage_corrects_no_other(app, page, heard):
    left = on_stage(app)["photo"]
    press(app, "one.png")  # while the page still shows the other photo
    page.says("stroke", photo=left, points=[[15, 20]], radius=4.0, keep=False)
    assert not any(photo.history.past for photo in app.photos)
    message, _ = heard[-1]
    assert message["answered"] == page.number and "Another photo" in message["said"]


def test_two_names_of_one_image_are_two_photos_on_the_stage(app):
    image = spot()
    app.run({"first.png": image, "second.png": image})
    page = Page(app)
    shown = on_stage(app)["photo"]
    press(app, "second.png")
    page.says("stroke", photo=shown, points=[[15, 15]], radius=4.0, keep=False)
    assert not any(photo.history.now.strokes for photo in app.photos)


def test_another_look_at_a_photo_is_of_the_same_photo(app, page):
    shown = on_stage(app)["photo"]
    page.says("box", box=[30, 0, 60, 40])
    page.says("stroke", photo=shown, points=[[45, 20]], radius=4.0, keep=False)
    assert len(app.photos[0].history.now.strokes) == 1


def test_corrections_survive_another_quality_and_another_effect(app, page, saved):
    erase(page, 45, 20)
    press(app, "Best")
    press(app, "Blur")
    press(app, "Cut out")
    assert app.photos[0].quality == "best"
    assert alpha(app, saved)[20, 45] == 0


def test_tools_laid_down_while_no_photo_is_there_stay_down(app, page):
    page.says("tool", tool="erase")
    part(app, "u2-stage-box").show(spot())  # a photo that is still being looked at
    page.says("tool", tool="move")
    press(app, "Crop")
    press(app, "one.png")
    assert on_stage(app)["alone"], "a crop stands alone, but while its photo is corrected"


def test_inside_a_box_the_net_looks_again_and_outside_nothing_is_kept(app, page, saved):
    before = alpha(app, saved)
    page.says("box", box=[30, 0, 60, 40])
    assert app.photos[0].within == Box(30, 0, 60, 40)
    assert on_stage(app)["within"] == [30, 0, 60, 40]
    after = alpha(app, saved)
    assert not after[:, :30].any() and after[20, 45] == 255
    page.says("undo")
    assert on_stage(app)["within"] is None
    assert np.array_equal(alpha(app, saved), before)


def test_a_clicked_object_is_kept_alone_and_a_second_click_brings_the_others_back(
    app, page, saved, heard
):
    page.says("tool", tool="objects")
    labels = np.asarray(Image.open(io.BytesIO(heard[-1][1]["objects"])))
    assert len(np.unique(labels)) == 3, "two objects to point at"
    page.says("object", point=[45, 20])
    after = alpha(app, saved)
    assert not after[:, :30].any() and after[20, 45] == 255
    page.says("object", point=[46, 21])
    assert alpha(app, saved)[20, 15] == 255


def test_a_correction_is_answered_with_its_number_and_in_words(app, page, heard):
    erase(page, 45, 20)
    keep(page, 20, 35)
    (first, _), (second, _) = [each for each in heard if each[0].get("said")]
    assert (first["answered"], first["said"]) == (1, "Erased. 1 correction.")
    assert (second["answered"], second["said"]) == (2, "Kept. 2 corrections.")
    page.says("reset")
    assert heard[-1][0]["said"] == "Reset. No corrections."


def test_what_a_mask_leaves_out_is_tinted_while_it_is_corrected(app, page, heard):
    page.says("tool", tool="keep")
    cover = np.asarray(Image.open(io.BytesIO(heard[-1][1]["shade"])).getchannel("A"))
    height, width = cover.shape
    assert cover[height // 2, width // 4] == 0 and cover[5, 5] > 100
    page.says("tool", tool="move")
    assert "shade" not in heard[-1][1]


@pytest.mark.parametrize("action", ["crop", "objects"])
def test_where_a_part_is_shown_alone_a_tool_brings_back_the_whole_photo(action, app, page):
    press(app, all_actions()[action].label)
    assert on_stage(app)["alone"]
    page.says("tool", tool="erase")
    assert not on_stage(app)["alone"] and on_stage(app)["size"] == [60, 40]
    page.says("tool", tool="move")
    assert on_stage(app)["alone"]


def test_a_page_that_opens_later_is_told_what_is_on_the_stage(app, heard):
    Page(app).says("ready")
    message, pictures = heard[-1]
    assert message["kind"] == "show" and message["size"] == [60, 40]
    assert {"photo", "picture"} <= pictures.keys()


def test_the_page_is_told_where_the_subject_is_so_that_the_divider_parts_it(app):
    app.run({"empty.png": Image.new("RGB", (60, 40), "black")})
    assert on_stage(app)["middle"] is None
    app.run({"one.png": spot()})
    columns = np.flatnonzero((app.photos[0].small_mask > 0.5).any(axis=0))
    width = app.photos[0].small_mask.shape[1]
    assert on_stage(app)["middle"] == pytest.approx(50 * (columns[0] + columns[-1] + 1) / width)


def test_the_page_is_told_when_another_effect_is_on_the_stage(app):
    before = on_stage(app)["effect"]
    press(app, "Blur")
    assert on_stage(app)["effect"] != before


def test_a_page_that_is_zoomed_in_gets_the_photo_s_own_pixels_of_that_part(app, heard):
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1600, 3), np.uint8)
    app.run({"noise.png": Image.fromarray(noise)})
    heard.clear()
    Page(app).says("view", part=[800, 600, 1000, 700], scale=1.0)
    message, pictures = heard[-1]
    assert message["kind"] == "detail" and message["part"] == [800, 600, 1000, 700]
    shown = np.asarray(Image.open(io.BytesIO(pictures["photo"])).convert("L"), float)
    own = np.asarray(Image.fromarray(noise[600:700, 800:1000]).convert("L"), float)
    assert shown.shape == own.shape
    assert np.corrcoef(shown.ravel(), own.ravel())[0, 1] > 0.9


def test_the_whole_photo_is_sent_with_the_screen_s_pixels_and_not_more(app, heard):
    app.run({"large.png": Image.new("RGB", (3000, 2000), "gray")})
    heard.clear()
    Page(app).says("view", part=[0, 0, 3000, 2000], scale=0.5)
    assert Image.open(io.BytesIO(heard[-1][1]["photo"])).size == (1500, 1000)
    heard.clear()
    Page(app).says("view", part=[0, 0, 3000, 2000], scale=0.2)
    assert not heard, "the small copy is enough"


def test_corrections_are_saved_to_a_file_and_loaded_for_the_photo_of_its_name(
    app, page, saved, heard
):
    erase(page, 45, 20)
    after = alpha(app, saved)
    page.says("save")
    message, _ = heard[-1]
    assert (message["kind"], message["name"]) == ("file", "two.strokes.json")
    page.says("reset")
    page.says("load", name="any.json", text=message["text"])
    assert np.array_equal(alpha(app, saved), after)
    page.says("reset")
    app.receive([("two.strokes.json", message["text"].encode())])
    assert np.array_equal(alpha(app, saved), after)
    assert [photo.name for photo in app.photos] == ["two.png", "one.png"]


def test_a_file_of_corrections_may_come_before_its_photo(app, page, heard):
    erase(page, 45, 20)
    page.says("save")
    text = heard[-1][0]["text"].encode()
    app.receive([("mine.strokes.json", text), ("mine.png", as_file(spot()))])
    assert app.photos[-1].name == "mine.png" and on_stage(app)["count"] == 1


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"format": "u2demo corrections 1"})])
def test_a_file_that_holds_no_corrections_is_refused_with_a_reason(text, app, page, heard):
    erase(page, 45, 20)
    page.says("load", name="any.json", text=text)
    assert heard[-1][0]["said"].startswith("any.json: ") and "expected" in heard[-1][0]["said"]
    assert on_stage(app)["count"] == 1, "what was said stays"


def test_photos_that_differ_in_their_suffix_get_back_the_corrections_that_were_saved(
    app, page, tmp_path
):
    app.receive([("one.jpg", as_file(spot(), "JPEG"))])
    erase(page, 15, 20)
    press(app, "one.png")
    erase(page, 25, 20, radius=2)
    press(app, "Save all to results/")
    files = sorted((tmp_path / "results").glob("*.json"))
    assert [file.name for file in files] == ["one.jpg.strokes.json", "one.png.strokes.json"]
    before = {photo.name: photo.history.now for photo in app.photos}
    for photo in ("one.png", "one.jpg"):
        press(app, photo)
        page.says("reset")
    app.receive([(file.name, file.read_bytes()) for file in files])
    assert {photo.name: photo.history.now for photo in app.photos} == before


def test_corrections_that_are_saved_on_the_stage_find_their_photo_again(app, page, heard):
    app.receive([("one.jpg", as_file(spot(), "JPEG"))])
    erase(page, 15, 20)
    page.says("save")
    message = heard[-1][0]
    assert message["name"] == "one.jpg.strokes.json", "one.png is here, too"
    page.says("reset")
    press(app, "one.png")
    app.receive([("one.strokes.json", message["text"].encode())])
    assert [photo.name for photo in app.photos if photo.history.now.strokes] == ["one.jpg"]


def test_corrections_without_their_photo_are_named(app):
    app.receive([("dog.strokes.json", b"{}")])
    assert "dog.strokes.json: there is no photo of that name" in said(app, "u2-side")


def test_strokes_are_answered_between_two_looks_and_none_is_lost():
    async def visit(app):
        press(app, "Best")
        assert app.is_busy
        page = Page(app)
        erase(page, 15, 20, radius=2.0)
        erase(page, 25, 25, radius=2.0)
        await until(lambda: not app.is_busy)
        photo = app.photos[0]
        assert photo.quality == "best" and len(photo.history.now.strokes) == 2
        mask = photo.unpack_mask()
        assert mask[20, 15] == 0 and mask[25, 25] == 0

    on_a_page(visit, Bright())


def test_without_anywidget_photo_and_result_can_be_compared(no_loop, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.delitem(sys.modules, "u2demo.notebook.stage.page", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    app = OneClick(Bright())
    app.run({"one.png": spot()})
    left, right, _ = part(app, "u2-compare").children
    assert Image.open(io.BytesIO(left.value)).mode == "RGB"
    assert Image.open(io.BytesIO(right.value)).mode == "RGBA"


def test_pictures_that_are_not_of_a_photo_in_the_app_have_no_tools(app):
    stage = part(app, "u2-stage-box")
    stage.show(spot(), spot(left=20))
    assert not stage.told["tools"] and not stage.told["alone"]


def test_the_page_can_be_displayed_as_text_where_widgets_cannot(app):
    assert "Stage(" in repr(part(app, "u2-stage-box")), "JupyterLab asks for that, too"
