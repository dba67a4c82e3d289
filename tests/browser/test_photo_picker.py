"""The photo picker in a browser, with a stand-in for the kernel that can fall silent."""

import base64
import io
import json

import pytest
from live_app import as_file, spot
from PIL import Image

from u2demo.notebook.file_transfer import PhotoPicker
from u2demo.notebook.front_end import assets
from u2demo.notebook.plain_picker import PlainPicker

# A model as anywidget gives it. The kernel behind it answers each piece, unless it is `silent`.
KERNEL = """
globalThis.kernel = {silent: false, names: [], batches: 0, cancels: 0, takes: 0, patience: 0.3};
const listeners = new Set();
const model = {
  get: (name) => name === 'patience' ? kernel.patience : TRAITS[name],
  on: (event, listen) => listeners.add(listen),
  off: (event, listen) => listeners.delete(listen),
  send: (message) => {
    if (kernel.silent) return;
    if (message.end) kernel.batches += 1;
    else if (message.cancel) kernel.cancels += 1;
    else if (!message.drop) {
      kernel.names.push(message.name);
      setTimeout(() => listeners.forEach((listen) => listen({batch: message.batch})), kernel.takes);
    }
  },
};
"""
TRAITS = {
    "label": "Choose photos",
    "hint": "or drop them here",
    "multiple": True,
    "camera": False,
    "main": True,
    "noun": "photo",
}
# A file that can be seen, but not read: of a cloud drive that is offline.
UNREADABLE = """
const slice = File.prototype.slice;
File.prototype.slice = function (...range) {
  if (this.name !== 'cloud.png') return slice.apply(this, range);
  const reject = () => Promise.reject(new DOMException('It is not here.', 'NotReadableError'));
  return {arrayBuffer: reject};
};
"""


def opened(browser, file, body):
    """Yield a page that shows ``body``."""
    file.write_text(f"<!doctype html><meta charset=utf-8>{body}")
    page = browser.new_page()
    page.goto(file.as_uri())
    yield page
    page.close()


@pytest.fixture
def noun():
    return TRAITS["noun"]


def body_of(noun):
    """Return what a page shows: the picker, which asks for ``noun``."""
    traits = json.dumps(TRAITS | {"noun": noun})
    script = f"const TRAITS = {traits};\n{KERNEL}\n{UNREADABLE}"
    module = PhotoPicker(lambda files: None)._esm  # what anywidget sends to the page
    start = "app.render({model, el: document.querySelector('main')});"
    module = module.replace("export default", "const app =")
    return f"<main></main><script type=module>{script}\n{module}\n{start}</script>"


@pytest.fixture
def page(browser, tmp_path, noun):
    yield from opened(browser, tmp_path / "page.html", body_of(noun))


def choose(page, *names):
    files = [{"name": name, "mimeType": "image/png", "buffer": as_file(spot())} for name in names]
    page.locator("input[type=file]").set_input_files(files)


def wait_for_batches(page, count):
    page.wait_for_function("count => kernel.batches === count", arg=count)


def test_a_phone_is_not_asked_to_drop_anything(tmp_path, browser):
    context = browser.new_context(has_touch=True, is_mobile=True)
    for page in opened(context, tmp_path / "page.html", body_of("photo")):
        page.get_by_text("Choose photos").wait_for()
        assert not page.get_by_text("or drop them here").is_visible()
        choose(page, "cat.png")
        wait_for_batches(page, 1)
        assert not page.get_by_text("or drop them here").is_visible()
    context.close()


@pytest.mark.parametrize("noun", ["photo", "clip", "file"])
def test_the_button_shows_what_there_is_to_choose(page):
    assert page.locator(".u2-primary svg").evaluate("icon => icon.getBBox().width") > 10


def test_a_silent_kernel_is_reported_and_the_photos_can_be_sent_again(page):
    page.evaluate("kernel.silent = true")
    choose(page, "cat.png")
    page.get_by_text("Not sent: The kernel has not answered for 0.3 seconds.").wait_for()
    page.get_by_text("or drop them here").wait_for()
    assert page.get_by_label("Sending", exact=True).is_hidden()
    page.evaluate("kernel.silent = false")
    choose(page, "cat.png")
    wait_for_batches(page, 1)
    page.get_by_text("Not sent").wait_for(state="hidden")


def test_photos_of_a_kernel_that_answers_late_but_in_time_arrive(page):
    choose(page, "cat.png", "dog.png")
    wait_for_batches(page, 1)
    assert page.evaluate("kernel.names") == ["cat.png", "dog.png"]
    page.wait_for_timeout(500)  # longer than its patience
    assert page.get_by_text("Not sent").count() == 0


def test_a_photo_of_one_piece_can_be_canceled_too(page):
    page.evaluate("kernel.takes = 2000; kernel.patience = 60")
    choose(page, "cat.png")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Canceled.").wait_for()
    assert page.evaluate("[kernel.cancels, kernel.batches]") == [1, 0]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_sent(page):
    choose(page, "cat.png", "cloud.png", "dog.png")
    page.get_by_text("cloud.png could not be read: It is not here.").wait_for()
    wait_for_batches(page, 1)
    assert page.evaluate("kernel.names") == ["cat.png", "dog.png"]


# Let go of things over the zone, or paste them there: files by name, or the address of a link.
BRING = """
([event, names, link]) => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File(["x"], name));
  if (link) data.setData("text/uri-list", link);
  const how = {bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data};
  const kind = event === "drop" ? DragEvent : ClipboardEvent;
  document.querySelector(".u2-zone").dispatchEvent(new kind(event, how));
}
"""


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_of_files_dropped_or_pasted_one_that_cannot_be_read_costs_the_others_nothing(event, page):
    page.evaluate(BRING, [event, ["cat.png", "cloud.png", "dog.png"], None])
    page.get_by_text("cloud.png could not be read: It is not here.").wait_for()
    wait_for_batches(page, 1)
    assert page.evaluate("kernel.names") == ["cat.png", "dog.png"]


def test_a_link_in_place_of_a_file_is_answered_with_what_to_do(page):
    page.evaluate(BRING, ["drop", [], "https://photos.example/cat.png"])
    page.get_by_text("That is a link or text, not a file.").wait_for()
    assert page.evaluate("kernel.batches") == 0


# A folder as Chromium hands it over: its entries come in two readings.
DROP_FOLDER = """
names => {
  const file = (name) => ({isFile: true, name, file: (resolve) => resolve(new File(["x"], name))});
  const folder = (name, inside) => ({
    name, isDirectory: true, createReader: () => {
      const readings = [inside.slice(0, 2), inside.slice(2), []];
      return {readEntries: (resolve) => resolve(readings.shift())};
    },
  });
  const entry = folder("trip", [...names.map(file), folder("old", [file("0.png")])]);
  const event = new DragEvent("drop", {bubbles: true, cancelable: true});
  Object.defineProperty(event, "dataTransfer", {value: {
    files: [new File([], "trip")], items: [{webkitGetAsEntry: () => entry}],
  }});
  document.querySelector(".u2-zone").dispatchEvent(event);
}
"""


def test_of_a_dropped_folder_every_photo_is_taken_also_those_in_folders_inside(page):
    page.evaluate(DROP_FOLDER, ["10.png", ".DS_Store", "9.png", "Thumbs.db"])
    wait_for_batches(page, 1)
    assert page.evaluate("kernel.names") == ["9.png", "10.png", "0.png"]


def test_an_empty_folder_is_said_to_be_one(page):
    page.evaluate(DROP_FOLDER.replace('folder("old", [file("0.png")])', ""), [])
    page.get_by_text("The folder holds no files.").wait_for()


# A picture is pasted while the focus is on the page, or in an element put beside the zone.
PASTE = """
element => {
  const data = new DataTransfer();
  data.items.add(new File(["x"], "image.png", {type: "image/png"}));
  let target = document.body;
  if (element) target = document.body.appendChild(document.createElement(element));
  const how = {bubbles: true, cancelable: true, clipboardData: data};
  target.dispatchEvent(new ClipboardEvent("paste", how));
}
"""


def test_a_picture_pasted_anywhere_is_taken_but_not_from_a_text_field(page):
    for elsewhere in ("textarea", "button"):
        page.evaluate(PASTE, elsewhere)
    page.evaluate(PASTE, None)
    wait_for_batches(page, 1)
    assert page.evaluate("kernel.names") == ["image.png"]


SIDES = ("before", "after")
# A kernel that reads the text box of a picker without anywidget, and writes receipts into it.
READER = """
globalThis.kernel = {silent: false, files: [], longest: 0, batches: 0};
const box = document.querySelector('textarea');
box.onchange = () => {
  if (kernel.silent) return;
  const message = JSON.parse(box.value);
  kernel.longest = Math.max(kernel.longest, box.value.length);
  if (message.end) kernel.batches += 1;
  else if (message.drop) kernel.files[message.index] = null;
  else {
    const file = kernel.files[message.index] ??= {name: message.name, size: 0};
    file.size += atob(message.data).length;
  }
  setTimeout(() => { box.value = message.receipt; });
};
"""


@pytest.fixture
def plain_page(browser, tmp_path):
    """A page in which there is no anywidget."""
    picker = PlainPicker(print, label="Choose photos", accept="*", multiple=True, patience=0.3)
    control = picker.children[0].value
    zone = f"<div class=u2-zone>{control}<textarea hidden></textarea></div>"
    body = f"{zone}<script>{UNREADABLE}\n{READER}</script>"
    yield from opened(browser, tmp_path / "plain.html", body)


def test_without_anywidget_a_file_over_10_mb_arrives_and_so_does_what_follows(plain_page):
    page, large = plain_page, b"photo" * 2_400_000
    files = [("large.png", large), ("cloud.png", b"1"), ("empty.png", b"")]
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    page.get_by_text("cloud.png could not be read").wait_for()
    large, cloud, empty = page.evaluate("kernel.files")
    assert (large, empty) == (
        {"name": "large.png", "size": 12_000_000},
        {"name": "empty.png", "size": 0},
    )
    assert cloud is None
    assert page.evaluate("kernel.longest") < 1_000_000, "a server drops messages over 10 MiB"
    choose(page, "cat.png")
    wait_for_batches(page, 2)
    page.wait_for_function("document.querySelector('.u2-say').textContent === ''")


def test_without_anywidget_photo_and_result_lie_on_each_other_in_a_wide_window(browser, tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(file, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    both = "".join(f"<img class='widget-image u2-{side}' src={source}>" for side in SIDES)
    (tmp_path / "compare.html").write_text(
        f"<!doctype html><style>{assets('app.css')}</style><div class=u2-app>"
        f"<div class=u2-stage-box style='display: flex'><div class=u2-compare>{both}</div></div>"
    )
    page = browser.new_page(viewport={"width": 1200, "height": 700})
    page.goto((tmp_path / "compare.html").as_uri())
    before, after = (page.locator(f"img.u2-{side}").bounding_box() for side in SIDES)
    assert before == after and before["width"] == 300
    page.close()


def test_without_anywidget_a_silent_kernel_is_reported_and_files_can_be_sent_again(plain_page):
    page = plain_page
    page.evaluate("kernel.silent = true")
    choose(page, "cat.png")
    page.get_by_text("Not sent: The kernel has not answered for 0.3 seconds.").wait_for()
    page.evaluate("kernel.silent = false")
    choose(page, "cat.png")
    wait_for_batches(page, 1)
