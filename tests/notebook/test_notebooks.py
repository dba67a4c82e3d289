"""The notebooks: the house rules, and what a run of them shows."""

import base64
import copy
import io
import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest
from nb_client import client_of
from nbstripout import strip_output
from PIL import Image

from u2demo.nets.checkpoints import CHECKPOINTS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What nbstripout leaves in unless told otherwise, and what Colab would add.
EXTRA_KEYS = [
    "metadata.signature",
    "metadata.widgets",
    "metadata.colab.provenance",
    "metadata.colab.authorship_tag",
    "metadata.colab.collapsed_sections",
    "cell.metadata.collapsed",
    "cell.metadata.ExecuteTime",
    "cell.metadata.execution",
    "cell.metadata.heading_collapsed",
    "cell.metadata.hidden",
    "cell.metadata.scrolled",
    "cell.metadata.executionInfo",
    "cell.metadata.outputId",
    "cell.metadata.colab",
]
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text("utf-8"))


def sources(path, kind):
    return ["".join(c["source"]) for c in read(path)["cells"] if c["cell_type"] == kind]


def lines(source):
    return [line for line in source.splitlines() if line.strip()]


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {"one_click", "step_by_step"}


@every_notebook
def test_text_has_one_title_a_badge_and_the_license(path):
    text = "\n".join(sources(path, "markdown"))
    assert len(re.findall(r"^# ", text, re.M)) == 1
    assert f"/blob/master/notebooks/{path.name})" in text, "the badge opens this notebook"
    assert "Licensed under [Apache-2.0]" in text
    assert "Qin et al" in text
    assert not re.search(r"\b(simply|just|easily|obviously)\b|NOTE:", text, re.I)


@every_notebook
def test_cells_are_short_and_hold_no_logic(path):
    for source in sources(path, "code"):
        assert len(lines(source)) <= 12, f"long cell: {lines(source)[0]}"
        assert not re.search(r"^\s*(def|class) ", source, re.M)
        assert not re.search(r"/content|^\s*%cd|chdir|^\s*!", source, re.M)


def test_in_the_tutorial_text_comes_before_code():
    cells = read(ROOT / "notebooks" / "step_by_step.ipynb")["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    assert ("code", "code") not in set(itertools.pairwise(kinds))


@every_notebook
def test_it_is_stripped_small_and_carries_nothing_personal(path):
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    stripped = strip_output(
        copy.deepcopy(notebook),
        keep_output=False,
        keep_count=False,
        keep_id=False,
        extra_keys=EXTRA_KEYS,
    )
    assert stripped == notebook
    assert path.stat().st_size < 35_000
    nbformat.validate(notebook)


@every_notebook
def test_colab_gives_a_gpu_and_saves_no_output(path):
    metadata = read(path)["metadata"]
    assert metadata["accelerator"] == "GPU"
    assert metadata["colab"]["private_outputs"] is True
    assert metadata["kernelspec"]["name"] == "python3"
    forms = [c["metadata"] for c in read(path)["cells"] if "# @title" in "".join(c["source"])]
    assert forms and all(form["cellView"] == "form" for form in forms)


def test_every_section_of_the_tutorial_can_fail():
    text = sources(ROOT / "notebooks" / "step_by_step.ipynb", "markdown")
    titles = re.findall(r"^## (.+)", "\n".join(text), re.M)
    cells = read(ROOT / "notebooks" / "step_by_step.ipynb")["cells"]
    section, can_fail = None, set()
    for cell in cells:
        source = "".join(cell["source"])
        if heading := re.match(r"## (.+)", source):
            section = heading[1]
        if cell["cell_type"] == "code" and re.search(r"^\s*assert ", source, re.M):
            can_fail.add(section)
    to_read = {"Know what the network has learned", "Go on from here"}
    assert set(titles) - can_fail == {
        "Set up", "See the whole way", "Look inside the network", *to_read
    }  # fmt: skip


def test_the_tutorial_offers_every_u2net_that_finds_subjects_with_its_size():
    path = ROOT / "notebooks" / "step_by_step.ipynb"
    (choice,) = [s for s in sources(path, "code") if s.startswith("network = ")]
    offered = json.loads(choice.splitlines()[0].partition("# @param ")[2])
    # It takes a U²-Net apart: seven maps, fused by six weights. Other families have other parts.
    family = [r for r in CHECKPOINTS.values() if r.architecture in ("u2net", "u2netp")]
    assert offered == [record.name for record in family if record.makes == "mask"]
    text = "\n".join(sources(path, "markdown"))
    for name in offered[1:]:
        assert f"`{name}` | a download of {CHECKPOINTS[name].bytes / 1e6:.0f} MB" in text


UNTIL_SETTLED = """
import asyncio
while app.is_busy:
    await asyncio.sleep(0.01)
"""


def run(path, monkeypatch, tmp_path, *, wait=False, **environment):
    """Run a notebook in a folder of its own; return it with its outputs.

    With ``wait``, the last cell ends when the app has found every subject.
    """
    for name, value in {"U2DEMO_SAVE_DIR": str(tmp_path / "saved"), **environment}.items():
        monkeypatch.setenv(name, value)
    served = tmp_path / "served"
    served.mkdir()
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    if wait:
        notebook.cells[-1].source += UNTIL_SETTLED  # nbclient hears only of what a cell sends
    client_of(notebook, timeout=600, resources={"metadata": {"path": served}}).execute()
    assert not list(served.rglob("*")), "something was written where the notebook lies"
    return notebook


def pictures(outputs):
    """Return every PNG among ``outputs``."""
    data = [output["data"] for output in outputs if "image/png" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode(each["image/png"]))) for each in data]


def figures(outputs):
    """Return the HTML of every picture among ``outputs``."""
    found = [output.get("data", {}).get("text/html", "") for output in outputs]
    return [html for html in found if "<img" in html]


def widget_states(notebook, model):
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    return [each["state"] for each in states.values() if each["model_name"] == model]


def test_one_click_where_nobody_can_click_shows_and_saves_every_sample(monkeypatch, tmp_path):
    kinds = ("cutout.png", "box.jpg", "highlight.jpg")
    names = ("coffee", "cows", "cat", "astronaut", "rocket")
    saved = tmp_path / "saved"
    saved.mkdir()
    old = [saved / f"{name}_{kind}" for name in names for kind in kinds]
    for path in old:  # by an earlier kernel
        path.write_bytes(b"old")
    notebook = run(ROOT / "notebooks" / "one_click.ipynb", monkeypatch, tmp_path)
    outputs = notebook.cells[-1].outputs
    rows = pictures(outputs)
    assert len(rows) == 5
    assert all(row.width > 2.5 * row.height > 500 for row in rows), "five pictures side by side"
    text = "".join(output.get("text", "") for output in outputs)
    assert str(saved) in text
    assert all(path.read_bytes() == b"old" for path in old)
    new = {path.with_stem(f"{path.stem} (2)") for path in old}
    assert set(saved.iterdir()) == {*old, *new}


def test_one_click_opens_as_an_app_with_results(monkeypatch, tmp_path):
    path = ROOT / "notebooks" / "one_click.ipynb"
    notebook = run(path, monkeypatch, tmp_path, wait=True, U2DEMO_ENV="jupyter")
    assert "application/vnd.jupyter.widget-view+json" in notebook.cells[-1].outputs[0]["data"]
    names = {state["description"] for state in widget_states(notebook, "ButtonModel")}
    assert {"cat.jpeg", "rocket.jpg", "Download", "Save all to saved/"} <= names
    assert len(widget_states(notebook, "ImageModel")) == 5 + 1, "the tiles, and the photo behind"
    assert not (tmp_path / "saved").exists(), "nobody asked to save"


def test_step_by_step_shows_every_step(monkeypatch, tmp_path):
    notebook = run(ROOT / "notebooks" / "step_by_step.ipynb", monkeypatch, tmp_path)
    shown = [pictures(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]
    assert [len(each) for each in shown if each] == [1] * 22
    told = [html for cell in notebook.cells for html in figures(cell.get("outputs", []))]
    assert len(told) == 22 + 2, "two drawings: the chain and the network"
    assert all(re.match(r'<img alt="[^"]{5,}"', html) for html in told), "alternative text"
    assert (tmp_path / "saved" / "coffee_cutout.png").exists()


CHOOSE = """
import io
from PIL import Image
file = io.BytesIO()
Image.new("RGB", (300, 200), "teal").save(file, "PNG")
uploads.receive([("own.png", file.getvalue())])
"""


@pytest.mark.parametrize("stem", ["portrait", "step_by_step"])
def test_a_photo_chosen_in_jupyter_is_the_one_of_the_cells_below(stem, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    notebook = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", nbformat.NO_CONVERT)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    asks = next(index for index, cell in enumerate(cells) if "upload()" in cell.source)
    cells[asks].source = cells[asks].source.replace("own_photo = False", "own_photo = True")
    choose, tell = map(nbformat.v4.new_code_cell, (CHOOSE, "print(name, photos[name].size)"))
    notebook.cells = [*cells[: asks + 1], choose, cells[asks + 1], tell]
    client_of(notebook, timeout=120).execute()
    assert tell.outputs[0]["text"] == "own.png (300, 200)\n"
