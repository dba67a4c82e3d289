"""A person's visit to the page that teaches, in JupyterLab: a net is taught, saved and used."""

import re

import pytest
from sites import NOTEBOOKS, WAIT, serving, start, wait_until_idle

pytestmark = pytest.mark.slow  # a minute on two idle cores


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    home = tmp_path_factory.mktemp("teach")
    with serving("lab", NOTEBOOKS / "teach.ipynb", home) as site:
        yield site


@pytest.fixture(scope="module")
def page(site, browser):
    """The page that teaches, at work on the pairs to practice on; the tests share it, in order."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(WAIT)
    start(page, site, "teach.ipynb")
    yield page
    page.close()


def wait_for_step(page, number):
    page.get_by_text(re.compile(rf"step {number} of 12")).wait_for(timeout=2 * WAIT)


def test_all_cells_run_and_the_curve_lives(page, shoot):
    page.get_by_text("12 pairs to practice on").wait_for()
    assert page.locator(".u2-pairs img").count() == 12
    wait_for_step(page, 1)
    assert page.get_by_text(re.compile(r"Learning, \d+ of 12")).count() == 1, "time left is told"
    wait_for_step(page, 3)
    shoot(page.locator(".u2-teach"), "teach-learning")


def test_on_a_phone_the_menu_of_nets_fits_and_what_it_cuts_off_ends_in_dots(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".u2-pairs").wait_for()
    page.wait_for_function("document.querySelector('.u2-pairs').offsetWidth < 390")
    right = "each => each.getBoundingClientRect().right"
    menu = page.locator(".u2-teach .widget-dropdown select")
    assert menu.evaluate(right) <= page.locator(".u2-pairs").evaluate(right) + 1
    assert menu.evaluate("menu => getComputedStyle(menu).textOverflow") == "ellipsis"
    page.set_viewport_size({"width": 1280, "height": 900})


def test_before_and_after_stand_side_by_side(page, shoot):
    said = page.get_by_text(
        re.compile(r"Better: IoU [\d.]+ before, [\d.]+ after, on 5 photos")
    ).first
    said.wait_for(timeout=5 * WAIT)
    before, after = map(float, re.findall(r"\d\.\d+", said.text_content()))
    assert after > before
    page.locator(".u2-rows img").nth(11).wait_for()
    assert page.locator(".u2-rows img").count() == 12, "as meant, before and after, of four"
    shoot(page.locator(".u2-rows"), "teach-result")


def test_on_a_phone_the_curve_is_as_wide_as_the_photos(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.u2-rows').offsetWidth < 390")
    width = "each => each.scrollWidth"
    rows, curve = (page.locator(each).evaluate(width) for each in (".u2-rows", ".u2-curve"))
    page.set_viewport_size({"width": 1280, "height": 900})
    assert curve == rows


def test_the_net_is_saved_tried_and_found_in_the_app_s_menu(page, site, shoot):
    page.get_by_role("button", name="Save to results/").click()
    page.get_by_text(re.compile(r"Saved to .*mine\.pth")).wait_for()
    names = sorted(path.name for path in (site.root / "results").iterdir())
    assert names == ["mine.json", "mine.pth"]
    page.get_by_role("button", name="Try it").click()
    wait_until_idle(page, tiles=5)
    page.get_by_label("Network").select_option("A file of your own…")
    page.get_by_label("or a path").fill("results/mine.pth")
    page.get_by_label("or a path").press("Enter")
    page.locator("option:checked", has_text="mine.pth").wait_for(state="attached")
    shoot(page.locator(".u2-lessons"), "teach-used")


def test_stop_keeps_what_has_been_learned(page):
    page.get_by_role("button", name="Teach", exact=True).click()
    page.locator(".u2-rows").wait_for(state="detached")
    wait_for_step(page, 1)
    page.get_by_role("button", name="Stop").first.click()
    page.get_by_text(re.compile(r"(Better: IoU|No better than the old net)")).first.wait_for()
    assert page.get_by_text("step 12 of 12").count() == 0


def test_what_was_stopped_goes_on_to_its_end_and_the_curve_stays_where_it_is(page):
    def place():
        return page.evaluate(
            "document.querySelector('.u2-curve').getBoundingClientRect().top"
            " - document.querySelector('.u2-pairs').getBoundingClientRect().top"
        )

    page.get_by_role("button", name="Go on").click()
    page.locator(".u2-rows").wait_for(state="detached")
    page.locator(".u2-curve").wait_for()
    while_learning = place()
    page.get_by_text("step 12 of 12").wait_for(timeout=5 * WAIT)
    page.locator(".u2-rows img").first.wait_for()
    assert page.get_by_role("button", name="Go on").is_hidden()
    assert place() == while_learning
