"""The rules of the house: what imports what, what is public, what is written down."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import u2demo as u2

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "u2demo").rglob("*.py"))

# The rooms in one downward line: each may import from those before it, never from those after.
ROOMS = (
    "machine",
    "images",
    "masks",
    "nets",
    "inference",
    "effects",
    "figures",
    "pipeline",
    "runs",
    "portrait",
    "cli",
    "notebook",
)


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


def test_no_test_or_module_knows_the_machine_it_was_written_on():
    home = os.sep + "root" + os.sep
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in tracked.stdout.splitlines():
        if name.endswith((".py", ".md", ".ipynb", ".toml", "Makefile")):
            assert home not in (ROOT / name).read_text(encoding="utf-8"), name
