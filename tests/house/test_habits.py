"""What is said in two places is the same in both."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def text(name):
    return (ROOT / name).read_text("utf-8")


def pins(name):
    """Return the versions that a file of constraints pins."""
    return dict(re.findall(r"^([\w-]+)==(\S+)$", text(name), re.M))


def test_pre_commit_runs_the_versions_of_make_test():
    hooks = re.findall(r"repo: \S+/([\w-]+)\n +rev: v?(\S+)", text(".pre-commit-config.yaml"))
    names = {"ruff-pre-commit": "ruff"}
    pinned = pins("constraints.txt")
    assert {names.get(tool, tool) for tool, _ in hooks} == {"ruff", "nbstripout"}
    assert all(pinned[names.get(tool, tool)] == version for tool, version in hooks)


def test_colab_is_tested_with_the_pytorch_of_the_other_tests():
    ours, colabs = pins("constraints.txt"), pins("constraints-colab.txt")
    assert all(ours[name] == colabs[name] for name in ("torch", "torchvision"))


def test_every_target_that_ci_runs_is_one_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
    called = set(re.findall(r"target: ([a-z-]+)", text(".github/workflows/test.yml")))
    called |= set(re.findall(r"^make ([a-z-]+)", text(".ci/run"), re.M))
    assert {"test", "test-floor"} <= called <= targets


def test_the_citation_names_the_repository_of_the_project():
    (repository,) = re.findall(r'^Repository = "(.+)"', text("pyproject.toml"), re.M)
    assert f"\nrepository-code: {repository}\n" in text("CITATION.cff")


def test_an_issue_asks_for_the_photo_and_the_version():
    forms = list((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert forms
    for form in forms:
        said = form.read_text("utf-8")
        assert "label: The photo" in said and "Output of `u2demo --version`" in said, form.name
