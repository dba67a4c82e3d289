"""The script that Colab's page runs for a photo, in a browser with a stand-in for its page."""

import base64
import io

import pytest
from PIL import Image

from u2demo.notebook.colab import camera_script

COLAB = "globalThis.google = {colab: {output: {setIframeHeight() {}}}};"


@pytest.fixture
def colab_page(page_of_cell):
    page_of_cell.evaluate(COLAB)
    return page_of_cell


def shoot(page, button):
    """Run the script as eval_js does and press ``button`` when it is there."""
    page.evaluate(f"globalThis.answer = {camera_script()}; null")
    page.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    page.get_by_role("button", name=button).click()
    return page.evaluate("globalThis.answer")


def test_a_capture_is_a_jpeg(colab_page):
    url = shoot(colab_page, "Capture")
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).format == "JPEG"
    assert colab_page.locator("video").count() == 0


def test_a_cancel_is_nothing(colab_page):
    assert shoot(colab_page, "Cancel") is None


def test_the_panel_is_used_by_keyboard_too(colab_page):
    colab_page.evaluate(f"globalThis.answer = {camera_script()}; null")
    colab_page.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    capture = colab_page.get_by_role("button", name="Capture")
    colab_page.wait_for_function("document.activeElement.textContent === 'Capture'")
    colab_page.keyboard.press("Tab")
    colab_page.wait_for_function("document.activeElement.textContent === 'Cancel'")
    capture.press("Enter")
    assert colab_page.evaluate("globalThis.answer").startswith("data:image/jpeg")


def test_escape_is_a_cancel(colab_page):
    colab_page.evaluate(f"globalThis.answer = {camera_script()}; null")
    colab_page.wait_for_function("document.activeElement.textContent === 'Capture'")
    colab_page.keyboard.press("Escape")
    assert colab_page.evaluate("globalThis.answer") is None


# A second camera, which the browser opens as if it were the first one.
TWO_CAMERAS = """
const media = navigator.mediaDevices;
const open = media.getUserMedia.bind(media);
globalThis.asked = [];
media.getUserMedia = ({video}) => {
  asked.push(video.deviceId?.exact ?? "");
  return open({video: true});
};
media.enumerateDevices = async () => [
  {kind: "videoinput", deviceId: "front", label: "Front"},
  {kind: "videoinput", deviceId: "desk", label: ""},
  {kind: "audioinput", deviceId: "voice", label: "Voice"},
];
"""


def test_of_several_cameras_one_can_be_chosen(colab_page):
    colab_page.evaluate(f"{{{TWO_CAMERAS}}}")
    colab_page.evaluate(f"globalThis.answer = {camera_script()}; null")
    cameras = colab_page.get_by_label("Which camera")
    cameras.select_option("Camera 2")
    colab_page.wait_for_function("asked.length === 2 && !document.querySelector('video').paused")
    assert colab_page.evaluate("asked") == ["", "desk"]
    assert cameras.locator("option").all_inner_texts() == ["Front", "Camera 2"]


def test_one_sees_oneself_as_in_a_mirror(colab_page):
    colab_page.evaluate(f"globalThis.answer = {camera_script()}; null")
    colab_page.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    assert colab_page.get_by_label("Which camera").is_hidden(), "there is only one"
    assert colab_page.locator("video").evaluate("video => video.style.transform") == "scaleX(-1)"
