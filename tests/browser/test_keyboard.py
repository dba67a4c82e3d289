"""A visit to the one-click app without a mouse, in JupyterLab and in Voila."""

import os

import pytest
from PIL import Image
from sites import kernels, wait_until_idle

CELLS = "jupyterapp.shell.currentWidget.content.widgets.length"
KERNEL = "jupyterapp.shell.currentWidget.sessionContext.session.kernel"
CONTROLS = ".u2-app :is(button, input, select, [tabindex])"
FOCUSED = "element => element === document.activeElement"


def tab_to(page, element, *, key="Tab"):
    """Press Tab until the element has the focus, as a person does who looks for it."""
    for _ in range(80):
        page.keyboard.press(key)
        if element.evaluate(FOCUSED):
            return
    raise AssertionError(f"{element} is not reached by {key}")


def widest(page):
    return page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")


def serious_faults(page):
    """Return what axe-core finds in the app that keeps people from using it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page, context=".u2-app").response["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "gold.png"
    picture = Image.new("RGB", (300, 200), "navy")
    picture.paste("gold", (100, 50, 200, 150))
    picture.save(path)
    return str(path)


@pytest.mark.parametrize("site", ["lab"], indirect=True)
def test_keys_pressed_on_a_control_leave_the_notebook_as_it_is(app):
    cells = app.evaluate(CELLS)
    controls = [each for each in app.locator(CONTROLS).all() if each.is_visible()]
    assert len(controls) > 20
    for control in controls:
        control.focus()
        if not control.evaluate(FOCUSED):  # it cannot be, with keys or without
            continue
        for key in ("x", "a", "b"):  # cut the cell, insert one above, one below
            app.keyboard.press(key)
        assert app.evaluate(CELLS) == cells, control.evaluate("each => each.outerHTML")
        assert control.evaluate(FOCUSED)


def test_a_photo_is_chosen_treated_compared_and_downloaded(app, photo):
    choose = app.get_by_role("button", name="Choose photos")
    with app.expect_file_chooser() as dialog:
        choose.focus()
        assert choose.evaluate(FOCUSED)  # meanwhile the browser hears that a dialog is awaited
        app.keyboard.press("Enter")
    dialog.value.set_files([photo])
    wait_until_idle(app, tiles=1)
    assert choose.evaluate(FOCUSED), "the focus stays while photos come"
    effect = app.get_by_role("button", name="Blur", exact=True)
    tab_to(app, effect)
    app.keyboard.press("Space")
    app.get_by_role("button", name="Blur", exact=True, pressed=True).wait_for()
    assert effect.evaluate(FOCUSED)
    slider = app.get_by_role("slider", name="Strength")
    tab_to(app, slider)
    before = slider.get_attribute("aria-valuetext")
    app.keyboard.press("ArrowRight")
    app.wait_for_function("before => document.activeElement.ariaValueText !== before", arg=before)
    tab_to(app, app.get_by_role("button", name="Download", exact=True))
    with app.expect_download() as download:
        app.keyboard.press("Enter")
    assert download.value.suggested_filename == "gold_blur.jpg"
    app.wait_for_function("document.activeElement.textContent === 'Download'")


def test_the_camera_is_used_by_keyboard_and_gives_the_focus_back(app):
    shoot = app.get_by_role("button", name="Take a photo")
    shoot.focus()
    app.keyboard.press("Enter")
    capture = app.get_by_role("button", name="Capture")
    capture.wait_for()
    app.wait_for_function("document.activeElement.textContent === 'Capture'")
    app.wait_for_function("document.querySelector('.u2-camera video').videoWidth > 0")
    app.keyboard.press("Enter")
    app.locator(".u2-tile", has_text="webcam.jpg").wait_for()
    assert shoot.evaluate(FOCUSED)


def test_nothing_keeps_people_with_other_senses_out(app):
    for name in app.locator(".u2-toolbar button").all_inner_texts():
        app.get_by_role("button", name=name, exact=True).click()
        app.get_by_role("button", name=name, exact=True, pressed=True).wait_for()
        assert serious_faults(app) == [], name


@pytest.mark.parametrize("site", ["voila"], indirect=True)
def test_at_four_times_the_size_nothing_lies_beside_the_page(app):
    size = app.viewport_size
    app.set_viewport_size({"width": 320, "height": 225})  # 1280×900 at 400 %
    app.wait_for_function("innerWidth === 320")
    content, window = widest(app)
    assert content <= window
    app.set_viewport_size(size)


def test_a_stopped_kernel_is_one_sentence_and_the_layout_stays(app, site):
    stage = app.locator(".u2-left").bounding_box()
    if site.kind == "lab":
        app.evaluate(f"{KERNEL}.restart()")
        sentence = "The kernel has stopped, and the app with it. Run the cells again"
    else:
        for pid in kernels(site):
            os.kill(int(pid), 9)
        sentence = "The app has stopped. Reload the page"
    app.get_by_role("alert").filter(has_text=sentence).wait_for()
    gone = app.locator(".u2-left").bounding_box()
    assert (gone["x"], gone["width"]) == (stage["x"], stage["width"])
    icons = "[...document.querySelectorAll('.u2-app, .u2-app *')].filter("
    icons += "each => getComputedStyle(each, '::before').content.includes('\\uf127')).length"
    assert app.evaluate(icons) == 0
    choose = app.get_by_role("button", name="Choose photos")
    assert choose.evaluate("button => button.closest('[inert]') !== null"), "it cannot be pressed"
