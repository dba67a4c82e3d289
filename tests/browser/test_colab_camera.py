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
