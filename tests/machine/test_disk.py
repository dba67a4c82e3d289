"""Files that are busy for a moment, and a disk's refusals in words that help."""

import errno
import os

import pytest

from u2demo.machine import disk
from u2demo.machine.disk import retry_busy


class Busy:
    """An operation on a file that other programs hold for the first ``times`` attempts."""

    def __init__(self, times, error):
        self.times, self.error, self.attempts = times, error, 0

    def __call__(self):
        self.attempts += 1
        if self.attempts <= self.times:
            raise self.error
        return "done"


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """The seconds that were waited; no test waits for them."""
    seconds = []
    monkeypatch.setattr(disk.time, "sleep", seconds.append)
    return seconds


@pytest.mark.parametrize("code", [errno.EACCES, errno.EBUSY, errno.ETXTBSY])
def test_what_is_busy_for_a_moment_is_tried_again(code, tmp_path):
    busy = Busy(3, OSError(code, os.strerror(code)))
    assert retry_busy(busy, tmp_path) == "done"
    assert busy.attempts == 4


@pytest.mark.parametrize("number", [32, 33])
def test_windows_says_with_numbers_of_its_own_that_a_file_is_busy(number, tmp_path):
    error = OSError(errno.EINVAL, "in use")
    error.winerror = number
    assert retry_busy(Busy(1, error), tmp_path) == "done"


def test_what_stays_busy_ends_within_two_seconds_in_a_sentence_with_a_way_out(tmp_path, slept):
    busy = Busy(99, PermissionError(errno.EACCES, "Access is denied"))
    with pytest.raises(PermissionError, match="in use by another program; close it") as stuck:
        retry_busy(busy, tmp_path)
    assert stuck.value.errno == errno.EACCES
    assert 0.5 < sum(slept) < 2


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.ENOENT, errno.EPERM])
def test_nothing_else_is_waited_for(code, tmp_path, slept):
    with pytest.raises(OSError) as refused:
        retry_busy(Busy(1, OSError(code, "no")), tmp_path)
    assert (refused.value.errno, slept) == (code, [])


def test_a_file_whose_own_rights_forbid_it_is_not_waited_for(tmp_path, slept, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError):
        retry_busy(Busy(1, PermissionError(errno.EACCES, "no")), tmp_path)
    assert slept == []


def test_a_folder_that_cannot_be_replaced_stays(monkeypatch, tmp_path):
    old, new = tmp_path / "frames", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "000001.png").write_text(folder.name)
    replace = type(old).replace

    def fail(source, target):
        if source == new:
            raise OSError(errno.EIO, "the disk is failing")
        return replace(source, target)

    monkeypatch.setattr(type(old), "replace", fail)
    with pytest.raises(OSError, match="the disk is failing"):
        disk.place(new, old, may_replace=lambda path: True)
    assert (old / "000001.png").read_text() == "frames"


def test_names_that_are_taken_get_a_number(tmp_path):
    (tmp_path / "cat.png").touch()
    seen = []

    def put(path):
        seen.append(path.name)
        if path.name == "cat (2).png":  # it appears just then
            raise FileExistsError

    assert disk.at_free_name(tmp_path / "cat.png", put).name == "cat (3).png"
    assert seen == ["cat (2).png", "cat (3).png"]
    assert disk.at_free_name(tmp_path, put, suffix="").name == f"{tmp_path.name} (2)"
