"""A result on the page, to be dragged to another program: what it carries."""

import base64
import io

import pytest
from PIL import Image

from u2demo.notebook.front_end import assets

START = """
    const said = [];
    let hear;
    const model = {
        on: (_, listen) => { hear = listen; }, off: () => {}, send: (message) => said.push(message),
    };
    const end = render({ model, el: document.querySelector("#host") });
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const tell = (message, data) => hear(message, [bytes(data)]);
    globalThis.saver = {said, end, tell};
"""
DRAG = """picture => {
    const dataTransfer = new DataTransfer();
    picture.dispatchEvent(new DragEvent("dragstart", { dataTransfer, bubbles: true }));
    return {
        url: dataTransfer.getData("DownloadURL"),
        files: [...dataTransfer.files].map(({ name, type, size }) => [name, type, size]),
    };
}"""


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_default_timeout(10_000)
    page.set_content("<!doctype html><div id=host></div>")
    script = assets("elements.js", "save_file.js").replace("export default", "globalThis.made =")
    page.add_script_tag(content=f"(() => {{{script}\n{START}}})()")
    yield page
    page.close()


def tell(page, task, data):
    message = {"task": task, "name": "cat_cutout.png", "type": "image/png"}
    page.evaluate("([message, data]) => saver.tell(message, data)",
                  [message, base64.b64encode(data).decode()])  # fmt: skip


def test_a_picture_is_dragged_out_as_the_file_that_it_is_and_goes_with_the_next(page):
    file = io.BytesIO()
    Image.new("RGBA", (40, 30), "red").save(file, "PNG")
    data = file.getvalue()
    assert page.locator("#host").is_hidden()
    tell(page, "offer", data)
    picture = page.get_by_role("img", name="cat_cutout.png, to be dragged")
    picture.wait_for()
    carried = picture.evaluate(DRAG)
    assert carried["url"].startswith("image/png:cat_cutout.png:blob:")
    assert carried["files"] == [["cat_cutout.png", "image/png", len(data)]]
    assert page.evaluate("saver.said") == [{"task": "offer", "name": "cat_cutout.png"}]
    tell(page, "save", data)
    picture.wait_for(state="detached")
    assert page.locator("#host").is_hidden()


def test_what_is_no_picture_is_not_offered(page):
    tell(page, "offer", b"no picture")
    page.wait_for_function("saver.said.length === 1")
    assert page.evaluate("saver.said")[0]["refused"]
    assert page.locator("#host").is_hidden()
