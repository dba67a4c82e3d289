"""What the page does beyond ipywidgets, for eyes and for screen readers, without a kernel."""

import pytest

from u2demo.notebook.front_end import assets

APP = """
    <style>.u2-settings { height: 100px; overflow: auto; }</style>
    <div class="u2-app">
      <button class="u2-swatch u2-on" title="White"></button>
      <button class="u2-swatch" title="Black"></button>
      <button>Download</button>
      <div class="widget-inline-hbox">
        <label class="widget-label">Less / more</label>
        <div><div class="noUi-handle" role="slider" tabindex="0" aria-valuenow="0.5"
          aria-valuetext="0.49999999999999994"></div></div>
        <div class="widget-readout">50%</div>
      </div>
      <div class="u2-settings">
        <div style="height: 300px"></div>
        <div class="u2-progress" style="display: none">Fetching</div>
      </div>
    </div>
"""
# In the order in which ipywidgets makes a note.
SAY = """async () => {
    const note = Object.assign(document.createElement("div"), {className: "u2-note"});
    note.style.display = "none";
    document.querySelector(".u2-settings").append(note);
    await new Promise(requestAnimationFrame);
    note.innerHTML = "It could not be downloaded.<button class=u2-close></button>";
    await new Promise(requestAnimationFrame);
    note.style.display = "";
}"""


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_default_timeout(5000)
    page.set_content(APP)
    app = "document.querySelector('.u2-app')"
    page.add_script_tag(
        content=f"(() => {{{assets('elements.js', 'accessibility.js')}\nassist({app})}})()"
    )
    yield page
    page.close()


def wait_until_in_sight(page, name):
    page.wait_for_function(
        """name => document.querySelector(name).getBoundingClientRect().bottom
            <= document.querySelector(".u2-settings").getBoundingClientRect().bottom + 1""",
        arg=name,
    )


def rest(page, button, value):
    button.evaluate("(button, value) => { button.disabled = value; }", value)
    page.evaluate("new Promise(requestAnimationFrame)")


def test_the_chosen_color_is_a_pressed_button(page):
    page.get_by_role("button", name="White", pressed=True).wait_for()
    page.get_by_role("button", name="Black", pressed=False).wait_for()
    page.evaluate(
        "document.querySelectorAll('.u2-swatch').forEach((b) => b.classList.toggle('u2-on'))"
    )
    page.get_by_role("button", name="Black", pressed=True).wait_for()


def test_a_slider_says_its_name_and_the_value_that_eyes_read(page):
    slider = page.get_by_role("slider", name="Less / more")
    assert slider.get_attribute("aria-valuetext") == "50%"
    slider.evaluate("slider => { slider.setAttribute('aria-valuetext', '0.5099999999999999'); }")
    page.locator(".widget-readout").evaluate("readout => { readout.textContent = '51%'; }")
    page.wait_for_function("document.querySelector('.noUi-handle').ariaValueText === '51%'")


def test_a_button_that_rests_during_its_work_has_the_focus_again_after_it(page):
    download, black = page.get_by_role("button", name="Download"), page.get_by_title("Black")
    for elsewhere in (False, True):
        download.focus()
        rest(page, download, True)
        page.wait_for_function("document.activeElement === document.body")
        if elsewhere:
            black.focus()
        rest(page, download, False)
        has_focus = (black if elsewhere else download).evaluate_handle("button => button")
        page.wait_for_function("button => button === document.activeElement", arg=has_focus)


def test_what_is_said_among_the_settings_comes_into_sight_once(page):
    page.evaluate(SAY)
    wait_until_in_sight(page, ".u2-note")
    page.evaluate("document.querySelector('.u2-settings').scrollTop = 0")
    page.get_by_title("Black").evaluate("swatch => swatch.classList.add('u2-on')")
    page.get_by_role("button", name="Black", pressed=True).wait_for()
    assert page.evaluate("document.querySelector('.u2-settings').scrollTop") == 0


def test_the_bar_of_a_download_comes_into_sight_whenever_one_begins(page):
    bar = page.locator(".u2-progress")
    for _ in range(2):
        bar.evaluate("bar => { bar.style.display = ''; }")
        wait_until_in_sight(page, ".u2-progress")
        bar.evaluate("bar => { bar.style.display = 'none'; }")
        page.evaluate("document.querySelector('.u2-settings').scrollTop = 0")
