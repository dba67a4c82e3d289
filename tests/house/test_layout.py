"""The rules of the house: what imports what, what is public, what is written down."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import u2demo as u2

sys.path.append(str(Path(__file__).parents[2] / "tools"))
from draw_house import imported, room_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "u2demo"
FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path not in (PACKAGE / "__init__.py", PACKAGE / "__main__.py")
]

# The rooms in one downward line: each may import from those before it, never from those after it.
# Rooms of one line stand side by side and know nothing of each other.
LINE = [
    ["machine"],
    ["formats"],
    ["images"],
    ["masks"],
    ["nets"],
    ["inference"],
    ["effects", "figures"],
    ["pipeline"],
    ["runs"],
    ["video"],
    ["training", "portrait"],
    ["cli", "notebook"],
]
FLOOR = {room: floor for floor, rooms in enumerate(LINE) for room in rooms}
# Which rooms may import these packages, anywhere in a file.
ALLOWED = {
    "torch": {"nets", "inference", "training"},
    "torchvision": {"training"},
    "matplotlib": {"figures"},
    "gdown": {"nets"},
    "requests": {"nets"},
    "av": {"video"},
    "fsspec": {"machine"},
    "ray": {"runs"},
    "cv2": {"portrait", "video"},
    "google": {"notebook"},
    "ipywidgets": {"notebook"},
    "IPython": {"notebook"},
    "anywidget": {"notebook"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_the_line_of_rooms(path):
    for name in imported(path):
        package, *inside = name.split(".")
        if package in ALLOWED:
            assert room_of(path) in ALLOWED[package], f"{package} belongs elsewhere"
        if package == "u2demo" and inside[0] in FLOOR and inside[0] != room_of(path):
            assert FLOOR[inside[0]] < FLOOR[room_of(path)], f"{inside[0]} is not below"


def test_every_room_stands_in_the_line():
    rooms = {room_of(path) for path in FILES}
    assert rooms == FLOOR.keys()


def test_the_top_of_the_package_can_be_taken_in_at_a_glance():
    entries = {path.name for path in PACKAGE.iterdir()} - {"__pycache__"}
    assert len(entries) <= 20, sorted(entries)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_does_one_thing(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


def late_imports(path):
    """Yield (module, line of code) for each import of our own that a function puts off."""
    text = path.read_text(encoding="utf-8")
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "u2demo":
                    yield node, text.splitlines()[node.lineno - 1 : node.end_lineno]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_what_would_import_torch_too_early_is_imported_late_and_says_so(path):
    """In the notebook also what needs a package that may be missing."""
    for node, lines in late_imports(path):
        is_slow = node.module.split(".")[1] in ALLOWED["torch"]
        assert is_slow or room_of(path) == "notebook", f"{node.module} is quick to import"
        reason = "torch" if is_slow else "missing"
        assert any(reason in line.partition("#")[2] for line in lines), f"{node.module}: say why"


def test_importing_u2demo_loads_nothing_heavy():
    heavy = "{'torch', 'numpy', 'PIL', 'matplotlib', 'ipywidgets'}"
    code = f"import u2demo, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_masks_and_effects_work_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np, u2demo as u2\n"
        "from PIL import Image\n"
        "print(u2.crop(Image.new('RGB', (4, 3)), np.ones((3, 4), np.float32)).size)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(4, 3)"


def test_every_public_name_exists_and_there_are_few():
    assert len(u2.__all__) <= 28
    assert all(hasattr(u2, name) for name in u2.__all__)
    assert set(u2.__all__) <= set(dir(u2))


def test_a_public_name_is_kept_after_its_first_use():
    """Imports take locks, and a process forked meanwhile waits for them for ever (Python 3.10)."""
    for name in u2.__all__:
        assert getattr(u2, name) is vars(u2)[name]
    with pytest.raises(AttributeError, match="predict"):
        u2.predict  # noqa: B018


@pytest.mark.parametrize("name", [name for name in u2.__all__ if callable(getattr(u2, name))])
def test_every_public_function_is_documented_and_annotated(name):
    function = getattr(u2, name)
    assert inspect.getdoc(function)
    if inspect.isfunction(function):
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty
            optional = parameter.default is not inspect.Parameter.empty
            positional = name in {"load_model", "replace_background"}
            assert not optional or parameter.kind is parameter.KEYWORD_ONLY or positional


def test_no_test_or_module_knows_the_machine_it_was_written_on():
    home = os.sep + "root" + os.sep
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in tracked.stdout.splitlines():
        if name.endswith((".py", ".md", ".ipynb", ".toml", "Makefile")):
            assert home not in (ROOT / name).read_text(encoding="utf-8"), name
