"""The wheel: built from this checkout, installed elsewhere, working without a network."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that ``pip install .`` builds."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy, so that no build folder is left in the checkout
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
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
    licences = {name.name for name in names if "licenses" in name.parts}
    assert licences == {"LICENSE", "NOTICE"}


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
