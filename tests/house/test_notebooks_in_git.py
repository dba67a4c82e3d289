"""What git sees of notebooks that JupyterLab has saved: nothing, in any state of the clone."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = "notebooks/one_click.ipynb"
# What JupyterLab writes into a notebook that is opened.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
PYTHON = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.12.1",
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone in which `make` has set git up, with nbstripout in its .venv; shared by the tests."""
    if not (shutil.which("git") and shutil.which("make")):
        pytest.skip("needs git and make")
    clone = tmp_path_factory.mktemp("git") / "clone"
    lab = "tools/lab/jupyter_server_config.py"
    for name in (NOTEBOOK, "Makefile", ".gitattributes", "tools/git.config", lab):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clone / name)
    git(clone, "init", "-q")
    (clone / ".git" / "info" / "exclude").write_text(".venv\n")
    # As earlier versions of the Makefile left it: by a path that may be gone, and required.
    git(clone, "config", "filter.nbstripout.clean", "/gone/python -m nbstripout")
    git(clone, "config", "filter.nbstripout.required", "true")
    git(clone, "config", "diff.ipynb.textconv", "/gone/python -m nbstripout -t")
    tool = clone / ".venv" / "bin" / "nbstripout"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nbstripout "$@"\n')
    tool.chmod(0o755)
    subprocess.run(["make", "-s", "notebooks-in-git"], cwd=clone, check=True)
    git(clone, "add", ".")
    git(clone, "commit", "-qm", "Notebooks")
    return clone


def git(clone, *arguments):
    person = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", *person, *arguments], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def save(clone, change=lambda notebook: None):
    """Let the server of `make lab` save the notebook, with what JupyterLab adds and ``change``."""
    contents = pytest.importorskip("jupyter_server.services.contents.largefilemanager")
    from traitlets.config.loader import PyFileConfigLoader

    settings = PyFileConfigLoader("jupyter_server_config.py", path=str(clone / "tools/lab"))
    server = contents.LargeFileManager(root_dir=str(clone), config=settings.load_config())
    model = server.get(NOTEBOOK)
    model["content"]["metadata"].update(kernelspec=dict(KERNEL), language_info=PYTHON)
    change(model["content"])
    server.save(model, NOTEBOOK)


def run_a_cell(notebook):
    notebook["cells"][-1]["execution_count"] = 1
    notebook["cells"][-1]["outputs"] = [nbformat.v4.new_output("stream", text="private")]


def edit_a_cell(notebook):
    run_a_cell(notebook)
    notebook["cells"][-1]["source"] += "\nprint(app)"


def test_a_notebook_that_was_only_opened_is_not_changed(clone):
    save(clone)
    assert git(clone, "status", "--porcelain") == ""
    assert (clone / NOTEBOOK).read_text("utf-8") == (ROOT / NOTEBOOK).read_text("utf-8")
    assert not list((clone / "notebooks").glob(".*")), "no copy beside it"


def test_outputs_are_no_difference_and_an_edited_cell_is_all_that_is(clone):
    save(clone, run_a_cell)
    assert git(clone, "diff") == ""
    save(clone, edit_a_cell)
    changed = git(clone, "diff")
    assert "print(app)" in changed
    assert "private" not in changed and "language" not in changed


def test_make_sets_up_the_clone_but_none_that_the_folder_only_lies_in(clone):
    def planned(folder):
        for name in ("pyproject.toml", "requirements.txt", "constraints.txt"):
            (folder / name).touch()
        plan = subprocess.run(["make", "-n", ".venv/ready"], cwd=folder, capture_output=True)
        for name in ("pyproject.toml", "requirements.txt", "constraints.txt"):
            (folder / name).unlink()
        return plan.stdout.decode()

    inner = clone / "inner"
    shutil.copytree(clone / "tools", inner / "tools")
    shutil.copy(ROOT / "Makefile", inner)
    assert "notebooks.config" in planned(clone)
    assert "notebooks.config" not in planned(inner)
    shutil.rmtree(inner)


def test_git_works_in_a_clone_that_was_cleaned_and_moved(clone):
    save(clone, edit_a_cell)
    shutil.rmtree(clone / ".venv")
    moved = clone.rename(clone.with_name("elsewhere"))
    git(moved, "status")
    git(moved, "diff")
    git(moved, "stash")
    assert git(moved, "status", "--porcelain") == ""
