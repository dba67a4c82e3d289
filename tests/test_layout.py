"""The rules of the house: what imports what, what is public, what is written down."""

import ast
import inspect
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import u2demo as u2

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "u2demo").rglob("*.py"))

# Only these modules may import these packages, anywhere in the file.
ALLOWED = {
    "torch": {
        "model",
        "resampling",
        "folding",
        "weights",
        "guided",
        "views",
        "inference",
        "preprocess",
        "threads",
    },
    "matplotlib": {"figures"},
    "gdown": {"download"},
    "requests": {"download"},
    "cv2": {"portrait"},
    "google": {"notebook"},
    "ipywidgets": {"notebook"},
    "IPython": {"notebook"},
    "anywidget": {"notebook"},
}
# Which of our own modules each one stands on: arrows, without a cycle.
STANDS_ON = {
    "files": set(),
    "checks": set(),
    "masks": {"checks"},
    "rgb": {"checks"},
    "quiet": set(),
    "images": {"quiet", "rgb"},
    "resampling": set(),
    "model": {"resampling"},
    "folding": {"cores", "model"},
    "checkpoints": {"files"},
    "download": set(),
    "storage": {"checkpoints"},
    "cache": {"checkpoints", "download", "storage"},
    "scan": set(),
    "threads": set(),
    "weights": {"cache", "checkpoints", "folding", "model", "scan", "threads"},
    "recipes": set(),
    "checksums": set(),
    "cores": set(),
    "guided": set(),
    "preprocess": {"recipes", "rgb"},
    "views": {"masks", "preprocess", "recipes", "rgb"},
    "inference": {"edges", "guided", "masks", "preprocess", "recipes", "threads", "views"},
    "edges": {"checks", "masks", "rgb", "tiles"},
    "tiles": {"cores", "masks"},
    "colors": {"checks", "masks", "rgb", "tiles"},
    "effects": {"checks", "colors", "masks", "rgb"},
    "figures": {"masks"},
    "portrait": {"inference", "masks", "rgb"},
    "weights_command": {"cache", "checkpoints", "weights"},
    "png": {"cores"},
    "terminal": set(),
    "arguments": {"annotations", "checkpoints", "formats", "images", "pipeline", "recipes"},
    "formats": {"png", "rgb"},
    "pipeline": {"effects", "files", "formats", "inference", "masks", "recipes"},
    "manifest": {"files", "formats", "masks"},
    "annotations": {"files", "manifest", "masks"},
    "plan": {"formats", "images", "manifest", "pipeline"},
    "folder": {
        "checksums",
        "cores",
        "files",
        "formats",
        "images",
        "inference",
        "manifest",
        "masks",
        "pipeline",
        "plan",
        "recipes",
        "weights",
    },
}


def owner(path):
    """Return the module below u2demo that ``path`` is, or is a part of."""
    return path.relative_to(ROOT / "u2demo").parts[0].removesuffix(".py")


def imports(path):
    """Every module that ``path`` imports at run time; what is under TYPE_CHECKING is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                [f"u2demo.{alias.name}" for alias in node.names]
                if node.module == "u2demo"
                else [node.module]
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_keep_to_their_packages(path):
    for name in imports(path):
        owners = ALLOWED.get(name.split(".")[0])
        assert owners is None or owner(path) in owners, f"{path.stem} must not import {name}"


def test_every_module_has_its_place_above_others_and_none_stands_on_itself():
    front_ends = {"__init__", "__main__", "notebook"}
    assert {owner(path) for path in MODULES} == STANDS_ON.keys() | front_ends
    TopologicalSorter(STANDS_ON).prepare()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_stand_only_on_those_below(path):
    if owner(path) in STANDS_ON:
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("u2demo.")}
        assert ours - {"__version__"} <= STANDS_ON[path.stem]


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
    assert len(u2.__all__) <= 22
    assert all(hasattr(u2, name) for name in u2.__all__)
    assert set(u2.__all__) <= set(dir(u2))
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        u2.predict  # noqa: B018


def test_what_editors_see_is_what_users_get():
    tree = ast.parse((ROOT / "u2demo" / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.name: node.module.removeprefix("u2demo.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("u2demo.")
        for alias in node.names
    }
    assert seen == u2._HOME


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


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= (
        140 if path.stem == "model" else 200
    )


def test_no_test_or_module_knows_the_machine_it_was_written_on():
    home = os.sep + "root" + os.sep
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in tracked.stdout.splitlines():
        if name.endswith((".py", ".md", ".ipynb", ".toml", "Makefile")):
            assert home not in (ROOT / name).read_text(encoding="utf-8"), name
