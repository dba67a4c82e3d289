"""As many threads as there are cores, and no more when pools open inside pools."""

import os
import threading
import time

import pytest
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.machine import cores
from u2demo.machine.cores import (
    available_cores,
    in_batches,
    in_parallel,
    on_all_cores,
    thread_pool,
)


@pytest.fixture
def eight_cores(monkeypatch):
    """Let this process have eight cores, whatever machine it is on."""
    monkeypatch.setattr(cores, "available_cores", lambda: 8)


@pytest.fixture
def many_cores(monkeypatch):
    """Let the system offer 64 cores, as it does inside a container on a large machine."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)


def limit(folder, files):
    """Write the files in which a control group says how much processor time it may use."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", 64),
     ("9900000 100000", 64), ("", 64), ("many 0", 64)],
)  # fmt: skip
def test_the_quota_of_a_container_counts(quota, expected, many_cores, tmp_path):
    assert available_cores(cgroup=limit(tmp_path, {"cpu.max": quota + "\n"})) == expected


@pytest.mark.parametrize(("quota", "expected"), [("250000", 3), ("-1", 64), ("1000", 1)])
def test_the_quota_of_an_older_container_counts(quota, expected, many_cores, tmp_path):
    files = {"cpu/cpu.cfs_quota_us": quota, "cpu/cpu.cfs_period_us": "100000"}
    assert available_cores(cgroup=limit(tmp_path, files)) == expected


def test_without_control_groups_every_core_of_the_process_counts(many_cores, tmp_path):
    assert available_cores(cgroup=tmp_path / "none") == 64


def test_the_results_come_in_the_order_of_the_items(eight_cores):
    assert on_all_cores(lambda number: number**2, range(100)) == [n**2 for n in range(100)]


def test_a_batch_is_taken_when_it_is_asked_for():
    items = iter(range(5))
    batches = in_batches(items, 2)
    assert next(batches) == [0, 1]
    assert next(items) == 2, "nothing else was taken"
    assert list(batches) == [[3, 4]]


def test_results_that_are_given_up_wait_for_no_thread_to_end(monkeypatch):
    """The garbage collector may give them up while it has stopped a thread that is beginning."""
    results = in_parallel(str, range(9), 2)
    assert next(results) == "0"
    monkeypatch.setattr(threading.Thread, "join", None)
    results.close()


def test_what_is_in_work_when_results_are_given_up_is_finished_and_nothing_else_begun():
    begun, finished = [], []

    def work(number):
        begun.append(number)
        time.sleep(0.05)
        finished.append(number)

    results = in_parallel(work, range(9), 2)
    next(results)
    results.close()
    assert len(begun) == len(finished) < 5


def test_an_error_of_one_call_is_raised(eight_cores):
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda number: 1 / number, [2, 1, 0])


def threads_at_once(count):
    """Return how many threads work on ``count`` items that all wait for each other."""
    seen = set()
    gate = threading.Barrier(count)

    def work(_):
        gate.wait(60)
        seen.add(threading.get_ident())

    on_all_cores(work, range(count))
    return len(seen)


def test_all_cores_work_at_once(eight_cores):
    assert threads_at_once(8) == 8


def threads_used(_):
    """Return the threads that work on 50 items."""
    return set(on_all_cores(lambda _: threading.get_ident(), range(50)))


def test_a_pool_in_a_pool_gets_its_share_of_the_cores(eight_cores):
    with thread_pool(4) as photos:
        assert list(photos.map(threads_at_once, [2] * 8)) == [2] * 8
        assert max(map(len, photos.map(threads_used, range(8)))) <= 2


def test_eight_photos_on_eight_cores_start_no_further_threads(eight_cores):
    def starts_none(photo):
        return threads_used(photo) == {threading.get_ident()}

    with thread_pool(8) as photos:
        assert all(photos.map(starts_none, range(8)))


def test_pools_three_deep_do_not_multiply(eight_cores):
    assert all(len(used) == 1 for used in on_all_cores(threads_used, range(8)))


def test_the_share_ends_with_its_pool(eight_cores):
    with thread_pool(8) as photos:
        photos.submit(threads_at_once, 1).result()
    assert threads_at_once(8) == 8


def test_the_photos_of_a_folder_share_the_cores(eight_cores, tmp_path, monkeypatch):
    monkeypatch.setattr("u2demo.runs.run.own_cores", lambda: 8)
    for number in range(3):
        Image.new("RGB", (32, 32), (0, 0, 80 * number)).save(tmp_path / f"{number}.png")
    used = []

    def effect(image, mask):
        used.append(threads_used(mask) == {threading.get_ident()})
        return image

    u2.process_folder(Bright(), tmp_path, tmp_path / "results", effects={"same": effect})
    assert used == [True] * 3
