"""The portrait notebook, run: what it saves, and what it does without weights."""

import json
from pathlib import Path

import nbformat
import numpy as np
from nb_client import client_of
from PIL import Image

from u2demo import portrait

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "portrait.ipynb"


def run_notebook(weights=""):
    """Run the notebook with a file of weights and return what it prints."""
    source = NOTEBOOK.read_text("utf-8")
    source = source.replace(r"weights = \"\"", json.dumps(f'weights = "{weights}"')[1:-1])
    notebook = nbformat.reads(source, as_version=4)
    client_of(notebook, timeout=300).execute()
    return "".join(o.text for c in notebook.cells for o in c.get("outputs", []) if "text" in o)


def test_the_notebook_draws_with_weights_in_the_official_layout_and_replaces_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path))
    weights = Path(portrait.__file__).parent / "data" / "u2netp.pth"  # in place of 176 MB
    (tmp_path / "astronaut_drawing.png").write_bytes(b"an older one")
    printed = run_notebook(weights)
    assert "STANDS IN" not in printed and "astronaut_drawing (2).png" in printed
    names = ["astronaut_blend.jpg", "astronaut_drawing (2).png", "astronaut_drawing.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    ink = np.asarray(Image.open(tmp_path / "astronaut_drawing (2).png"))
    assert ink.shape == (512, 512) and ink.std() > 20
    assert (tmp_path / "astronaut_drawing.png").read_bytes() == b"an older one"


def test_the_notebook_saves_nothing_that_an_untrained_network_made(tmp_path, monkeypatch):
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "saved"))
    monkeypatch.setenv("U2DEMO_HOME", str(tmp_path / "no weights"))
    printed = run_notebook()
    assert "STANDS IN" in printed and "Nothing is saved" in printed
    assert not (tmp_path / "saved").exists()
