"""The live notebook in a real JupyterLab and a real Voila, with a camera that Chromium plays."""

import base64
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from live_camera import SIDE
from PIL import Image
from sites import NOTEBOOKS, WAIT, in_the_kernel, serving, start, wait_until

# The notebook as it is, but for a net that is quick.
CELL = f"""
import sys
sys.path.append({str(Path(__file__).parents[1])!r})
from bright import Bright
from u2demo.nets.checkpoints import Input
net = Bright()
net.input = Input(side=64)
live = u2.notebook.Live(net)
live.show()
"""
LIVE_THREADS = (
    "import threading; print(sum(t.name.startswith('live') for t in threading.enumerate()))"
)
SHOWS_CAMERA = "/masks.*384×256/.test(document.querySelector('.u2-figures')?.textContent)"
LIGHT = "[...document.querySelectorAll('video')].some((video) => video.srcObject)"


@pytest.fixture(scope="module", params=["lab", "voila"])
def site(request, browser, tmp_path_factory):
    home = tmp_path_factory.mktemp(f"live-{request.param}")
    notebook = json.loads((NOTEBOOKS / "live.ipynb").read_text("utf-8"))
    notebook["cells"][-1]["source"] = CELL
    (home / "live.ipynb").write_text(json.dumps(notebook))
    with serving(request.param, home / "live.ipynb", home) as site:
        yield site


@pytest.fixture
def page(site, browser):
    context = browser.new_context(permissions=["camera"])
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.asked = set()
    page.on("request", lambda request: page.asked.add(request.url))
    page.on("requestfailed", lambda r: page.asked.discard(r.url) if r.failure == "csp" else None)
    start(page, site, "live.ipynb")
    page.get_by_role("button", name="Start camera").click()
    page.wait_for_function(SHOWS_CAMERA)
    yield page
    context.close()


def shows_the_square(page):
    """Return whether all that the page leaves of the camera's picture is the white square."""
    url = page.evaluate("document.querySelector('.u2-canvas').toDataURL()")
    file = io.BytesIO(base64.b64decode(url.partition(",")[2]))
    pixels = np.asarray(Image.open(file).convert("RGBA"))
    seen = pixels[pixels[..., 3] > 128, :3]
    is_whole = abs(len(seen) / (4 * SIDE) ** 2 - 1) < 0.2
    return bool(is_whole and (seen.min(axis=1) > 128).mean() > 0.9)


def test_the_camera_gets_masks_and_the_kernel_rests_when_it_stops(site, page):
    if folder := os.environ.get("U2DEMO_SCREENSHOTS"):
        page.locator(".u2-live").screenshot(path=Path(folder) / f"live-{site.kind}.png")
    if site.kind == "voila":
        ours = (site.url, "data:", "blob:")
        assert [url for url in page.asked if not url.startswith(ours)] == []
    wait_until(lambda: shows_the_square(page))
    page.get_by_role("button", name="Stop", exact=True).click()
    assert not page.evaluate(LIGHT)
    if site.kind == "lab":
        page.wait_for_timeout(2000)
        assert in_the_kernel(page, LIVE_THREADS) == "0\n"


@pytest.mark.slow
@pytest.mark.parametrize("site", ["lab"], indirect=True)  # Voila has no cells
def test_a_kernel_that_is_restarted_is_a_sentence_and_a_deleted_cell_turns_the_light_out(
    site, page
):
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.get_by_text("The kernel does not answer. If it is busy").wait_for()
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.get_by_role("button", name="Start camera").click()
    page.wait_for_function(SHOWS_CAMERA)
    assert page.locator(".u2-live").count() == 1
    page.evaluate(
        "globalThis.ended = 0;"
        "document.querySelector('video').srcObject.getTracks()[0].stop = () => { ended += 1; }"
    )
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.wait_for_function("ended > 0")
