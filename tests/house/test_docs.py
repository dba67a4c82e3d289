"""What is written down agrees with the code."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from u2demo.images.profiles import adobe_rgb
from u2demo.nets.checkpoints import CHECKPOINTS

if sys.version_info < (3, 11):
    pytest.skip("reading pyproject.toml needs Python 3.11", allow_module_level=True)
import tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FILES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
PAGES = {file.name: file.read_text("utf-8") for file in FILES}
README = PAGES["README.md"]
# What Google Colab ships; a floor above one of these would reinstall it there.
# Source: googlecolab/backend-info, pip-freeze.gpu.txt of 2026-08-19.
COLAB = {
    "torch": "2.11.0", "numpy": "2.1.3", "pillow": "11.3.0", "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1", "gdown": "5.2.2", "requests": "2.32.4", "tqdm": "4.67.3",
    "anywidget": "0.9.21",
}  # fmt: skip
every_page = pytest.mark.parametrize("page", FILES, ids=lambda page: page.name)


def links(text):
    """Return what a page links to and shows, but for other sites."""
    found = re.findall(r"\]\((?!https?:)([^)\s]+)\)|src=\"(?!https?:)([^\"]+)\"", text)
    return [first or second for first, second in found]


def anchors(text):
    """Return the names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def examples(text):
    """Return the Python code in a page."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def run(code, page):
    """Run code of a page as one program."""
    exec(compile(code, page, "exec"), {})


def floors():
    """Return the lowest version of each requirement that is allowed."""
    text = (ROOT / "requirements.txt").read_text("utf-8")
    return dict(re.findall(r"^([\w-]+)>=([\d.]+)", text, re.M))


def test_requirements_are_lower_bounds_that_colab_meets():
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    for line in filter(None, (line.partition("#")[0].strip() for line in lines)):
        requirement = Requirement(line)
        assert {bound.operator for bound in requirement.specifier} == {">="}, line
        if requirement.name in COLAB:
            assert requirement.specifier.contains(COLAB[requirement.name]), line


@pytest.mark.parametrize(
    ("tool", "drawing"),
    [
        ("draw_architecture.py", "u2demo/data/drawings/u2netp.svg"),
        ("draw_chain.py chain", "u2demo/data/drawings/chain.svg"),
        ("draw_chain.py portrait", "u2demo/data/drawings/portrait.svg"),
        ("draw_house.py", "docs/house.svg"),
    ],
)
def test_drawings_are_those_of_the_code(tool, drawing, monkeypatch, capsys):
    name, *arguments = tool.split()
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    monkeypatch.syspath_prepend(ROOT / "tools")
    runpy.run_path(str(ROOT / "tools" / name), run_name="__main__")
    drawn = capsys.readouterr().out
    assert drawn == (ROOT / drawing).read_text("utf-8"), f"run: python tools/{tool} > {drawing}"


def test_every_link_to_the_repository_is_the_one_of_pyproject():
    owner_and_name = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
    texts = [README, *(path.read_text("utf-8") for path in (ROOT / "notebooks").glob("*.ipynb"))]
    for text in texts:
        badges = re.findall(r"colab\.research\.google\.com/github/(.+?/.+?)/blob/(\w+)/", text)
        assert badges, "no Colab badge"
        assert set(badges) == {(owner_and_name, "master")}
        installs = re.findall(
            r"git\+https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?[\"'@\s\\]", text
        )
        archives = re.findall(r"github\.com/([\w.-]+/[\w.-]+)/archive/", text)
        assert {*installs, *archives} <= {owner_and_name}


@every_page
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page):
    for link in links(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def test_every_picture_and_page_in_docs_is_linked():
    linked = {Path(link.partition("#")[0]).name for text in PAGES.values() for link in links(text)}
    assert {path.name for path in (ROOT / "docs").iterdir()} <= linked


def test_the_readme_fits_a_front_page():
    assert len(README.splitlines()) <= 150


def test_the_examples_of_the_readme_run(tmp_path, monkeypatch, samples):
    (tmp_path / "photos").mkdir()
    for file in (tmp_path / "cat.jpeg", tmp_path / "photos" / "cat.jpeg"):
        samples["cat.jpeg"].save(file, icc_profile=adobe_rgb())
    monkeypatch.chdir(tmp_path)
    run("\n".join(examples(README)), "README.md")
    made = [*tmp_path.glob("cat*.*"), *tmp_path.glob("results/cat_*.*")]
    assert {"cat.png", "cat_cutout.png", "cat_gray.jpg"} <= {file.name for file in made}
    assert all(Image.open(file).info["icc_profile"] == adobe_rgb() for file in made)


def test_the_options_in_the_readme_exist():
    command = [sys.executable, "-m", "u2demo", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^ +u2demo .*", README, re.M)
    options = set(re.findall(r"(?<=\s)--[a-z]+", "\n".join(commands)))
    assert options >= {"--effects", "--quality", "--model"}
    for option in options:
        assert option in text, option


def test_the_readme_says_which_python_and_pytorch_are_needed():
    assert f"Python {PROJECT['requires-python'].removeprefix('>=')} or newer" in README
    assert f"PyTorch {floors()['torch']} or newer" in README


@pytest.mark.parametrize("record", CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_the_readme_lists_every_network_as_its_record_does(record):
    (row,) = re.findall(rf"^\| `{record.name}` \|.*$", README, re.M)
    assert record.size in row
    assert f"{record.input.side} px" in row


def test_the_readme_compares_with_figures_of_the_benchmarks_page_only():
    section = README.partition("## How it compares")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    figures = {figure for row in rows for figure in re.findall(r"\d*\.\d+", row)}
    assert len(figures) > 15
    for figure in figures:
        assert figure in PAGES["benchmarks.md"], figure


@pytest.mark.parametrize("code", examples(PAGES["architecture.md"]))
def test_the_examples_of_the_house_run(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(code, "architecture.md")


def test_the_page_on_the_house_has_a_row_for_each_room():
    rooms = {path.relative_to(ROOT / "u2demo").parts[0] for path in ROOT.glob("u2demo/**/*.py")}
    for room in sorted(rooms):
        name = room.removesuffix(".py")
        assert name.startswith("__") or f"\n| `{name}` |" in PAGES["architecture.md"], name


def test_the_page_on_the_house_names_every_file():
    for path in sorted((ROOT / "u2demo").rglob("*.py")):
        if not path.name.startswith("__"):
            assert f"`{path.stem}`" in PAGES["architecture.md"], path.relative_to(ROOT)
