"""Servers to visit: a JupyterLab or a Voila with one of the notebooks, and what a visitor does."""

import contextlib
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

_RUN = """async code => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const run = kernel.requestExecute({code});
    let text = '';
    run.onIOPub = ({header, content}) => {
        if (header.msg_type === 'stream') text += content.text;
    };
    await run.done;
    return text;
}"""


@dataclass
class Site:
    """A running server: where it answers, the folder it serves, and its process."""

    kind: str
    url: str
    root: Path
    pid: int


@contextlib.contextmanager
def serving(kind: str, notebook: Path, home: Path):
    """Give a running server, JupyterLab or Voila, with a copy of a notebook; its files in home."""
    root = home / "work"
    root.mkdir()
    shutil.copy(notebook, root)
    port = _free_port()
    command = _lab(root, port) if kind == "lab" else _voila(root / notebook.name, port)
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


def wait_until(is_so) -> None:
    """Wait until ``is_so()``, which looks at a page or at the machine."""
    end = time.monotonic() + WAIT / 1000
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def in_the_kernel(page, code: str) -> str:
    """Run code in the kernel of the notebook that JupyterLab shows; return what it prints."""
    return page.evaluate(_RUN, code)
