"""What the page tells screen readers beyond what ipywidgets say, without a kernel."""

from u2demo.notebook.front_end import assets

APP = """
    <div class="u2-app">
      <button class="u2-swatch u2-on" title="White"></button>
      <button class="u2-swatch" title="Black"></button>
    </div>
"""


def test_the_chosen_color_is_a_pressed_button(browser):
    page = browser.new_page()
    page.set_content(APP)
    app = "document.querySelector('.u2-app')"
    page.add_script_tag(content=f"(() => {{{assets('accessibility.js')}\nassist({app})}})()")
    page.get_by_role("button", name="White", pressed=True).wait_for(timeout=5000)
    page.get_by_role("button", name="Black", pressed=False).wait_for(timeout=5000)
    page.evaluate("document.querySelectorAll('button').forEach((b) => b.classList.toggle('u2-on'))")
    page.get_by_role("button", name="Black", pressed=True).wait_for(timeout=5000)
    page.close()
