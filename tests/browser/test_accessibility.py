"""What the page does beyond ipywidgets, for eyes and for screen readers, without a kernel."""

import pytest

from u2demo.notebook.front_end import assets

APP = """
    <style>.u2-settings { height: 100px; overflow: auto; }</style>
    <div class="u2-app">
      <button class="u2-swatch u2-on" title="White"></button>
      <button class="u2-swatch" title="Black"></button>
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


def test_the_chosen_color_is_a_pressed_button(page):
    page.get_by_role("button", name="White", pressed=True).wait_for()
    page.get_by_role("button", name="Black", pressed=False).wait_for()
    page.evaluate(
        "document.querySelectorAll('.u2-swatch').forEach((b) => b.classList.toggle('u2-on'))"
    )
    page.get_by_role("button", name="Black", pressed=True).wait_for()


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
