"""A real JupyterLab and a real Voila, driven in a headless Chromium.

Skipped, with a reason, where a part is missing; ``U2DEMO_REQUIRE_BROWSER=1`` makes that a failure.
``U2DEMO_SCREENSHOTS=FOLDER`` keeps pictures of what the tests saw.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_camera import write_film
from misbehaving_server import MisbehavingServer

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
WAIT = 180_000  # milliseconds; generous, because a busy machine is not a defect
LAB_SETTINGS = {
    # Off-screen cells are rendered too, and no news pop-up covers the page.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}


@dataclass
class Site:
    """A running server: where it answers, the folder it serves, and its process."""

    kind: str
    url: str
    root: Path
    pid: int


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
    with serving(request.param, "one_click.ipynb", home) as site:
        yield site


@contextlib.contextmanager
def serving(kind: str, notebook: str, home: Path):
    """Give a running server, JupyterLab or Voila, with one of the notebooks; its files in home."""
    root = home / "work"
    root.mkdir()
    shutil.copy(NOTEBOOKS / notebook, root)
    port = _free_port()
    command = _lab(root, port) if kind == "lab" else _voila(root / notebook, port)
    log = (home / "server.log").open("w")
    server = subprocess.Popen(
        command, cwd=root, env=_environment(home), stdout=log, stderr=subprocess.STDOUT
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, server, home / "server.log")
        yield Site(kind, url, root, server.pid)
    finally:
        server.terminate()
        server.wait(120)


def _lab(root: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"),
        *(f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={root}"),
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]


def _voila(notebook: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "voila", str(notebook), "--no-browser"),
        *(f"--port={port}", "--Voila.ip=127.0.0.1"),
        f"--Voila.config_file_paths={NOTEBOOKS.parent / 'tools'}",
    ]


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


def _environment(home: Path) -> dict[str, str]:
    """Keep Jupyter's settings in ``home`` and the kernel's Python that of the tests."""
    names = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    for plugin, values in LAB_SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    folders = {name: str(home / folder) for name, folder in names.items()}
    inherited = {key: os.environ[key] for key in os.environ if not key.startswith("U2DEMO_")}
    path = os.pathsep.join([str(NOTEBOOKS.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    ours = {"PYTHONPATH": path, "U2DEMO_HOME": str(home / "weights"), "OMP_NUM_THREADS": "2"}
    return {**inherited, **folders, **ours}


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    # Voila's front page runs the notebook: ask for a page that does not.
    for _ in range(240):
        if server.poll() is not None:
            pytest.fail(f"the server stopped:\n{log.read_text()[-3000:]}")
        with contextlib.suppress(OSError):
            socket.create_connection(url.removeprefix("http://").split(":"), 1).close()
            return
        time.sleep(0.25)
    pytest.fail(f"no server at {url}:\n{log.read_text()[-3000:]}")


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


def kernels(site: Site) -> set[str]:
    """Return the processes that the server has started (Linux)."""
    lists = Path(f"/proc/{site.pid}/task").glob("*/children")
    return {pid for each in lists for pid in each.read_text().split()}


def start(page, site: Site, notebook: str) -> None:
    """Open a notebook, and run all its cells."""
    if site.kind == "voila":
        page.goto(site.url)
        return
    page.goto(f"{site.url}/doc/tree/{notebook}?reset")
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
        "?.connectionStatus === 'connected'"
    )
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")


def wait_until_idle(page, *, tiles: int) -> None:
    """Wait until the gallery has ``tiles`` tiles and no progress bar is on the page."""
    page.wait_for_function(
        """tiles => document.querySelectorAll('.u2-tile').length === tiles
            && document.querySelector('.u2-progress')?.offsetParent === null""",
        arg=tiles,
    )


@pytest.fixture
def shoot(site):
    """Return a function that keeps pictures of elements where ``U2DEMO_SCREENSHOTS`` says."""
    folder = os.environ.get("U2DEMO_SCREENSHOTS")

    def keep(element, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            element.screenshot(path=Path(folder) / f"{name}-{site.kind}.png")

    return keep
