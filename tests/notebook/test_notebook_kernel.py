"""Careless hands: the notebooks' cells in a real kernel, run again, interrupted, out of order."""

import json
from pathlib import Path

import nbformat
import pytest
from nb_client import client_of

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
OPEN = """
import u2demo as u2
from PIL import Image
app = u2.notebook.OneClick()
app.show({name: Image.new("RGB", (400, 300), "teal") for name in ("a.png", "b.png")})
"""
WAIT = f"""
import asyncio, sys
sys.path.append({str(Path(__file__).parents[1])!r})
from live_app import said
while app.is_busy:
    await asyncio.sleep(0.01)
assert said(app) == "", said(app)
print(len(app.photos))
"""
MEASURE = """
import gc, json, os, threading
from u2demo.notebook.photo import Photo
gc.collect()
objects = gc.get_objects()
print(json.dumps({
    "comms": len(get_ipython().kernel.comm_manager.comms),
    "apps": sum(isinstance(each, u2.notebook.OneClick) for each in objects),
    "photos": sum(isinstance(each, Photo) for each in objects),
    "threads": threading.active_count(),
    "files": len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0,
}))
del objects
"""


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    """Return a function that runs a cell in one live kernel and gives what it prints.

    A cell tagged "raises-exception" may fail, and gives the error's name. After one that may not,
    the kernel drops for a moment the cells that come in.
    """
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "saved"))
    client = client_of(nbformat.v4.new_notebook(), timeout=600)
    with client.setup_kernel(cwd=str(tmp_path)):

        def run(source, *tags):
            cell = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})
            client.nb.cells.append(cell)
            client.execute_cell(cell, len(client.nb.cells) - 1)
            texts = [output["text"] for output in cell.outputs if output.get("name") == "stdout"]
            errors = [output["ename"] for output in cell.outputs if "ename" in output]
            return "".join(texts + errors)

        yield run


def test_the_app_cell_run_again_and_again_leaves_nothing_behind(kernel):
    costs = []
    for _ in range(3):
        kernel(OPEN)
        assert kernel(WAIT) == "2\n"
        costs.append(json.loads(kernel(MEASURE)))
    assert costs[0]["comms"] > 50 and costs[0]["apps"] == 1 and costs[0]["photos"] == 2
    assert costs[1:] == costs[:1] * 2


def test_a_cell_interrupted_in_the_middle_of_the_network_can_be_run_again(kernel):
    kernel(
        "import os, signal, threading, u2demo as u2\n"
        "model, photo = u2.load_model(), u2.sample_images()['rocket.jpg']\n"
        "mask = u2.predict_mask(model, photo)"
    )
    interrupted = kernel(
        "threading.Timer(1, os.kill, [os.getpid(), signal.SIGINT]).start()\n"
        "while True: u2.predict_mask(model, photo)",
        "raises-exception",
    )
    assert interrupted == "KeyboardInterrupt"
    assert kernel("print((u2.predict_mask(model, photo) == mask).all())") == "True\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["step_by_step", "portrait"])
def test_cells_run_twice_and_then_from_the_last_to_the_first(name, kernel, tmp_path):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", nbformat.NO_CONVERT)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for source in [each for cell in cells for each in (cell, cell)] + cells[::-1]:
        kernel(source)
    if name == "step_by_step":
        saved = [path.name for path in (tmp_path / "saved").iterdir()]
        assert {"coffee_cutout.png", "coffee_cutout (2).png", "coffee_cutout (3).png"} <= set(saved)
