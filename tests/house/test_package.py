"""The package: what it needs, what is in it, and that it works elsewhere without a network."""

import ast
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import u2demo as u2
from u2demo.video.pyav import OLDEST

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout, so that no build folder is left in it."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    return source


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    """The wheel that ``pip install .`` builds."""
    return build_wheel(source, tmp_path_factory.mktemp("wheel"))


def build_wheel(source, folder):
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", folder, source], check=True)
    return next(folder.glob("u2demo-*.whl"))


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    package = {path.relative_to(ROOT) for path in (ROOT / "u2demo").rglob("*") if path.is_file()}
    package = {path for path in package if "__pycache__" not in path.parts}
    assert {name for name in names if name.parts[0] == "u2demo"} == package
    others = {name.parts[0] for name in names} - {"u2demo"}
    assert all(name.endswith(".dist-info") for name in others)
    licenses = {name.name for name in names if "licenses" in name.parts}
    assert licenses == {"LICENSE", "NOTICE"}


def test_type_checkers_see_the_annotations_of_what_is_installed(wheel):
    """They read packages with these files (PEP 561), and there names imported "as" themselves."""
    assert {"u2demo/py.typed", "u2demo/__init__.pyi"} <= set(zipfile.ZipFile(wheel).namelist())
    tree = ast.parse((ROOT / "u2demo" / "__init__.pyi").read_text(encoding="utf-8"))
    names = [n for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for n in node.names]
    public = {name.name for name in names if name.asname == name.name}
    assert public >= set(u2.__all__)


def test_the_source_distribution_holds_what_makes_the_same_wheel(source, wheel, tmp_path):
    code = "from setuptools import build_meta; build_meta.build_sdist('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True)
    with tarfile.open(next((source / "dist").glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    kept = {path.name for path in unpacked.iterdir()} - {"PKG-INFO", "setup.cfg"}
    assert kept == {"LICENSE", "MANIFEST.in", "NOTICE", "README.md", "pyproject.toml",
                    "requirements.txt", "u2demo", "u2demo.egg-info"}  # fmt: skip
    (tmp_path / "wheel").mkdir()
    again = build_wheel(unpacked, tmp_path / "wheel")
    first, second = (
        {item.filename: item.CRC for item in zipfile.ZipFile(file).infolist()}
        for file in (wheel, again)
    )
    assert first == second


def test_every_dependency_is_explained():
    """One line each in CONTRIBUTING, and no line for a package that is no longer needed."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = project.partition("[project.scripts]")[0]
    listed = listed.partition("[project.optional-dependencies]")[2]
    extras = re.findall(r'"([\w-]+)(?:\[\w+\])?(?:[<>=][^"]*)?",?', listed)
    required = re.findall(r"^([\w-]+)[<>=]", (ROOT / "requirements.txt").read_text(), re.M)
    assert len(required) > 8 and len(extras) > 15
    rows = re.findall(r"^\| ([a-z][\w, -]*) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    explained = ", ".join(rows).replace("package, ", "").split(", ")
    assert set(explained) == {*required, *extras}
    assert len(explained) == len(set(explained))


def test_an_installed_wheel_cuts_out_a_sample(wheel, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "site"]
    subprocess.run([*pip, wheel], check=True)
    code = (
        "import sys; sys.path.insert(0, 'site')\n"
        "import u2demo as u2; assert 'site' in u2.__file__\n"
        "image = u2.sample_images()['rocket.jpg']\n"
        "mask = u2.predict_mask(u2.load_model(), image)\n"
        "u2.remove_background(image, mask).save('rocket.png')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "rocket.png").exists()


def test_the_package_works_inside_a_zip(tmp_path):
    """As with zipapp, or PEX without unpacking."""
    archive = tmp_path / "app.zip"
    package = ROOT / "u2demo"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in package.rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                packed.write(file, file.relative_to(ROOT))
    code = (
        "import u2demo as u2\n"
        "photos = u2.sample_images()\n"
        "mask = u2.predict_mask(u2.load_model(device='cpu'), photos['cat.jpeg'])\n"
        "print(u2.__file__, sorted(photos), u2.bounding_box(mask) is not None)\n"
    )
    home = {**os.environ, "PYTHONPATH": str(archive), "U2DEMO_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=home, capture_output=True, text=True
    )
    assert done.stdout.startswith(str(archive)), done.stderr
    assert done.stdout.rstrip().endswith("True")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["u2netp.pth"]


def test_the_oldest_pyav_that_is_taken_is_the_lowest_that_is_installed_and_tested():
    lowest = ".".join(map(str, OLDEST))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert set(re.findall(r'"av>=([^"]*)"', project)) == {lowest}
    assert f"av=={lowest}.0 " in (ROOT / "Makefile").read_text(encoding="utf-8")
