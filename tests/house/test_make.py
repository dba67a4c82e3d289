"""What the Makefile starts is open to this computer only, and ends with its page."""

import importlib.util
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")


def command_of(target):
    """Return the last line of a target's recipe, with this Python's tools."""
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    recipe = re.search(rf"^{target}:.*\n((?:\t.+\n)+)", makefile, re.M)[1].splitlines()[-1]
    recipe = recipe.replace("$(BIN)/", f"{sys.executable} -m ").replace("$(NOTEBOOK)", "one_click")
    return shlex.split(recipe.strip())


def listening(pids):
    """Return the (address, port) pairs at which processes listen, IPv4 and IPv6."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            inodes |= set(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def family(pid):
    """Return ``pid`` and the processes below it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
    members = {pid}
    while more := {child for child, parent in parents.items() if parent in members} - members:
        members |= more
    return members


def ask(port):
    """Return the answer to a plain request of the front page."""
    for _ in range(240):
        try:
            with socket.create_connection(("127.0.0.1", port), 300) as line:
                line.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return b"".join(iter(lambda: line.recv(1 << 16), b"")).decode()
        except ConnectionRefusedError:
            time.sleep(0.25)
    raise AssertionError("nobody answers")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """Start `make app`; return its answer, where it listens and what it logs."""
    if importlib.util.find_spec("voila") is None:
        pytest.skip("voila is not installed")
    home = tmp_path_factory.mktemp("app")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*command_of("app"), "--no-browser", f"--Voila.port={port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(home)}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        answer = ask(port)
        found = listening(family(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return SimpleNamespace(port=port, answer=answer, found=found, log=(home / "log").read_text())


def test_the_app_answers_this_computer_only(app):
    assert app.answer.startswith("HTTP/1.1 200")
    assert "u2-app" in app.answer or "widget-view" in app.answer
    assert ("0100007F", app.port) in app.found, "127.0.0.1, as the kernel writes it"
    assert {address for address, _ in app.found} == {"0100007F"}


def test_the_page_of_the_app_is_one_of_an_app_not_of_a_notebook(app):
    assert "<title>u2demo</title>" in app.answer and "Licensed under" in app.answer
    assert re.search(r'<link rel="icon" href="data:image/svg\+xml,%3Csvg', app.answer)
    for words in ("Run all cells", "colab-badge", "notebook (in Colab", 'loading_text">'):
        assert words not in app.answer


def test_until_the_app_is_there_its_outline_is(app):
    outline, _, rest = app.answer.partition('class="outlines" role="status"')
    assert outline and "jupyter-config-data" in rest, "before the kernel starts"
    assert "cdn.jsdelivr.net" not in app.answer, "icons that nothing here uses"


def test_the_page_of_the_app_is_dark_on_a_dark_desktop(app):
    for theme in ("light", "dark"):
        assert re.search(
            rf'theme-{theme}\.css[^"]*" media="\(prefers-color-scheme: {theme}\)"', app.answer
        )


def test_the_page_of_the_app_may_ask_no_other_host(app):
    assert "\nContent-Security-Policy: default-src 'self' data: blob:" in app.answer


def test_kernels_without_a_page_end(app):
    assert "\nSet-Cookie: _xsrf=" in app.answer, "with it a page may end its kernel"
    assert "Culling kernels with idle durations > 300 seconds at 30 second intervals" in app.log
