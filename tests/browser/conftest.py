"""A real JupyterLab and a real Voila, driven in a headless Chromium.

Skipped, with a reason, where a part is missing; ``U2DEMO_REQUIRE_BROWSER=1`` makes that a failure.
``U2DEMO_SCREENSHOTS=FOLDER`` keeps pictures of what the tests saw.
"""

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path

import pytest
from live_camera import write_film
from misbehaving_server import MisbehavingServer
from sites import NOTEBOOKS, WAIT, serving, start, wait_until_idle


def _missing() -> str | None:
    for package in ("playwright", "jupyterlab", "voila", "anywidget"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    return None if _chromium() else "no Chromium was found; apt-get install chromium"


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    system = next((path for path in map(shutil.which, names) if path), None)
    if system or importlib.util.find_spec("playwright") is None:
        return system
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if reason := _missing():
        (pytest.fail if os.environ.get("U2DEMO_REQUIRE_BROWSER") == "1" else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    write_film(film)
    arguments = [
        f"--use-file-for-fake-video-capture={film}",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--use-fake-device-for-media-stream",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=_chromium(), args=arguments)


@pytest.fixture(scope="session")
def weights():
    """A server that refuses the full-size network and sends the one for people in two halves.

    The second half comes once ``weights.released`` is set. What it sends is the small one.
    """
    with MisbehavingServer((NOTEBOOKS.parent / "u2demo/data/u2netp.pth").read_bytes()) as server:
        yield server


@pytest.fixture(scope="session", params=["lab", "voila"])
def site(request, browser, weights, tmp_path_factory):
    """One server for all tests: each test opens a page, and with it a kernel, of its own."""
    home = tmp_path_factory.mktemp(request.param)
    _publish(weights, home)
    weights.released.clear()
    with serving(request.param, NOTEBOOKS / "one_click.ipynb", home) as site:
        yield site


def _publish(weights: MisbehavingServer, home: Path) -> None:
    """Let each kernel take its weights from the test server."""
    startup = home / "ipython" / "profile_default" / "startup" / "publish.py"
    startup.parent.mkdir(parents=True)
    people = {
        "architecture": "u2netp",
        "bytes": len(weights.body),
        "sha256": hashlib.sha256(weights.body).hexdigest(),
        "sources": (weights.url("waits"),),
    }
    published = {"u2net": {"sources": (weights.url("quota"),)}, "u2net_human_seg": people}
    startup.write_text(
        "import dataclasses\n"
        "from u2demo.nets.checkpoints import CHECKPOINTS\n"
        f"for name, changes in {published!r}.items():\n"
        "    CHECKPOINTS[name] = dataclasses.replace(CHECKPOINTS[name], **changes)\n"
    )


@pytest.fixture(scope="module")
def app(site, browser):
    """The app in a page, with the samples' results; the tests of a module share it, in order."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["camera"], accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(WAIT)
    start(page, site, "one_click.ipynb")
    wait_until_idle(page, tiles=5)
    yield page
    context.close()


@pytest.fixture
def page_of_cell(browser, tmp_path):
    """A page as Colab's cells have it, which may use the camera."""
    (tmp_path / "page.html").write_text("<!doctype html><meta charset=utf-8><div id=output-area>")
    context = browser.new_context(permissions=["camera"])
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    yield page
    context.close()


@pytest.fixture
def shoot(site):
    """Return a function that keeps pictures of elements where ``U2DEMO_SCREENSHOTS`` says."""
    folder = os.environ.get("U2DEMO_SCREENSHOTS")

    def keep(element, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            element.screenshot(path=Path(folder) / f"{name}-{site.kind}.png")

    return keep
