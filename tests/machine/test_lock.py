"""One process at a time: locks that end with their process, on drives with and without locks."""

import errno
import os
import subprocess
import sys

import pytest

from u2demo.machine import disk, lock
from u2demo.machine.lock import Lock

posix = pytest.mark.skipif(sys.platform == "win32", reason="there an open file cannot be deleted")


@pytest.fixture
def file(tmp_path):
    return tmp_path / ".lock"


@pytest.fixture
def no_locks(monkeypatch):
    """Let the drive be one that has no locks, as many a network drive."""

    def refuse(descriptor):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(lock, "_lock", refuse)


def test_only_one_holds_a_lock_and_nothing_is_left_of_it(file):
    first, second = Lock(file), Lock(file)
    first.acquire()
    with pytest.raises(ValueError, match="another run is writing into"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    assert not file.exists()


def test_a_file_that_a_killed_process_left_is_no_lock(file):
    code = "import os, sys; from pathlib import Path; from u2demo.machine.lock import Lock; "
    code += "Lock(Path(sys.argv[1])).acquire(); os._exit(1)"
    subprocess.run([sys.executable, "-c", code, file])
    assert file.exists()
    held = Lock(file)
    held.acquire()
    held.release()
    assert not file.exists()


def test_an_empty_file_as_earlier_versions_left_it_is_locked_and_stays(file):
    file.touch()
    held = Lock(file)
    held.acquire()
    with pytest.raises(ValueError, match="another run"):
        Lock(file).acquire()
    held.release()
    assert file.read_bytes() == b""


@posix
@pytest.mark.parametrize("kind", ["text", "link", "folder", "pipe"])
def test_what_somebody_else_has_there_is_refused_and_stays(kind, file, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    make = {
        "text": lambda: file.write_text("mine"),
        "link": lambda: file.symlink_to(precious),
        "folder": file.mkdir,
        "pipe": lambda: os.mkfifo(file),
    }
    make[kind]()
    before = file.lstat()
    with pytest.raises(ValueError, match="was not written by u2demo"):
        Lock(file).acquire()
    assert (file.lstat().st_ino, file.lstat().st_size) == (before.st_ino, before.st_size)
    assert precious.read_text() == "precious"


@posix
def test_a_lock_that_its_owner_has_just_deleted_lets_nobody_in(file, monkeypatch):
    def first_ends_and_second_begins(descriptor):
        monkeypatch.setattr(lock, "_lock", take)
        first.release()
        second.acquire()
        take(descriptor)

    take = lock._lock
    first, second, third = (Lock(file) for _ in range(3))
    first.acquire()
    monkeypatch.setattr(lock, "_lock", first_ends_and_second_begins)
    with pytest.raises(ValueError, match="another run is writing"):
        third.acquire()
    second.release()
    third.acquire()
    third.release()


def test_on_a_drive_without_locks_the_file_itself_is_the_lock(no_locks, file):
    first, second = Lock(file), Lock(file)
    first.acquire()
    with pytest.raises(ValueError, match=r"if no run is, delete \.lock there"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    assert not file.exists()


@posix
def test_on_a_drive_without_locks_the_file_of_a_process_that_is_gone_is_cleared(no_locks, file):
    _left_behind(file)
    held = Lock(file)
    held.acquire()
    assert file.read_text().endswith(f" {os.getpid()}\n"), "it is this process's now"
    held.release()
    assert not file.exists()


@posix
def test_on_a_drive_without_locks_one_of_two_that_clear_the_file_gets_the_lock(
    no_locks, file, monkeypatch
):
    def first_is_quicker(process):
        monkeypatch.setattr(lock, "is_running", is_running)
        first.acquire()
        return is_running(process)

    _left_behind(file)
    is_running = lock.is_running
    first, second = Lock(file), Lock(file)
    monkeypatch.setattr(lock, "is_running", first_is_quicker)
    with pytest.raises(ValueError, match="another run is writing"):
        second.acquire()
    first.release()
    assert not file.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not number their starts")
def test_on_a_drive_without_locks_a_copy_of_this_computer_may_be_at_work(
    no_locks, file, monkeypatch, tmp_path
):
    _left_behind(file)
    (tmp_path / "boot").write_text("another start")
    monkeypatch.setattr(disk, "_BOOT", tmp_path / "boot")
    with pytest.raises(ValueError, match="another run is writing"):
        Lock(file).acquire()


def test_on_a_drive_without_locks_another_computer_may_be_at_work(no_locks, file):
    file.write_bytes(lock._MARK + b"elsewhere 1\n")
    with pytest.raises(ValueError, match="another run is writing"):
        Lock(file).acquire()
    assert file.exists()


def _left_behind(file):
    """Leave the lock of a process that has been killed."""
    code = "import os, sys; from pathlib import Path; from u2demo.machine.lock import Lock; "
    code += "Lock(Path(sys.argv[1])).acquire(); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, file], check=True)
