"""What is said of a clip while it is read, or in place of it."""

import pytest

import u2demo as u2


def reason(path):
    """Return what is said when a file is not read."""
    with pytest.raises(ValueError) as error:
        u2.open_video(path)
    said = str(error.value)
    assert said.startswith(f"{path}: ") and "\n" not in said
    return said.removeprefix(f"{path}: ")


def read(clip):
    """Return the frames of a clip, and what is reported."""
    reports = []
    return list(clip.read(report=reports.append)), reports
