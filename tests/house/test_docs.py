"""What is written down agrees with the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info < (3, 11):
    pytest.skip("reading pyproject.toml needs Python 3.11", allow_module_level=True)
import tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
README = (ROOT / "README.md").read_text("utf-8")
# What Google Colab ships; a floor above one of these would reinstall it there.
# Source: googlecolab/backend-info, pip-freeze.gpu.txt of 2026-08-19.
COLAB = {
    "torch": "2.11.0", "numpy": "2.1.3", "pillow": "11.3.0", "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1", "gdown": "5.2.2", "requests": "2.32.4", "tqdm": "4.67.3",
    "anywidget": "0.9.21",
}  # fmt: skip


def test_requirements_are_lower_bounds_that_colab_meets():
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    for line in filter(None, (line.partition("#")[0].strip() for line in lines)):
        requirement = Requirement(line)
        assert {bound.operator for bound in requirement.specifier} == {">="}, line
        if requirement.name in COLAB:
            assert requirement.specifier.contains(COLAB[requirement.name]), line


def test_the_drawing_of_the_architecture_is_the_one_of_the_tables():
    command = [sys.executable, "tools/draw_architecture.py"]
    drawn = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert drawn == (ROOT / "docs" / "u2netp.svg").read_text("utf-8")


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
        assert set(installs) <= {owner_and_name}


def test_every_file_the_readme_names_is_there():
    links = re.findall(r"\]\((?!https?:|#)([^)\s]+)\)|src=\"(?!https?:)([^\"]+)\"", README)
    assert links
    for link in (first or second for first, second in links):
        assert (ROOT / link.partition("#")[0]).exists(), link


def test_the_six_lines_of_the_readme_run(tmp_path, monkeypatch, samples):
    samples["cat.jpeg"].save(tmp_path / "cat.jpeg")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(import u2demo.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "cat.png").exists()


def test_the_options_in_the_readme_exist():
    command = [sys.executable, "-m", "u2demo", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"(?<=\s)--[a-z]+", README.partition("## The command line")[2])):
        assert option in text or option in {"--help"}, option
