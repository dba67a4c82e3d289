"""Runs of the command line that are killed or told to stop, at any moment, and given again."""

import itertools
import random
import signal
import subprocess
import sys
import time

import pytest
from small_run import (
    QUICK_COMMAND,
    check_that_all_is_done,
    check_what_a_fault_left,
    make_photos,
    rows,
)

from u2demo.cli import main


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of ten photos."""
    return make_photos(tmp_path_factory.mktemp("photos"), count=10)


@pytest.fixture(scope="module")
def command(pytestconfig):
    """The command line; in ``make test`` with a stand-in for the net."""
    return [sys.executable, "-m", "u2demo"] if pytestconfig.getoption("--slow") else QUICK_COMMAND


@pytest.fixture(scope="module")
def undisturbed(command, photos, tmp_path_factory):
    """The results of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert start(command, photos, out).wait() == 0
    return out


def start(command, photos, out, **options):
    command = [*command, photos, "-o", out, "--effects", "cutout,box", "--boxes", "coco,yolo"]
    command += ["--device", "cpu"]  # a GPU answers differently in batches
    return subprocess.Popen(command, **{"stdout": subprocess.DEVNULL, **options}, text=True)


def wait_for_work(run, out):
    """Wait until the first photo is begun."""
    journal = out / "manifest.jsonl"
    while run.poll() is None and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.005)


def pictures(out):
    return len(list(out.rglob("photo*_*.*")))


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_kill_9_costs_nothing_but_time(kills, command, photos, undisturbed, tmp_path):
    chance = random.Random()  # a moment that cannot be repeated need not be chosen repeatably
    folders = (tmp_path / str(number) for number in itertools.count())
    out = next(folders)
    done = 0
    while done < kills:
        some = chance.randint(pictures(out), pictures(undisturbed))
        run = start(command, photos, out)
        wait_for_work(run, out)
        while run.poll() is None and pictures(out) < some:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
        run.kill()
        if run.wait() == 0:  # it was done before
            check_that_all_is_done(out, undisturbed)
            out = next(folders)
            continue
        done += 1
        check_what_a_fault_left(out, undisturbed, killed=True)
    assert start(command, photos, out).wait() == 0
    check_that_all_is_done(out, undisturbed)


@pytest.mark.parametrize(
    "name",
    ["SIGTERM", *(pytest.param(name, marks=pytest.mark.slow) for name in ("SIGINT", "SIGHUP"))],
)
def test_a_run_told_to_stop_leaves_nothing_behind(name, command, photos, undisturbed, tmp_path):
    number = getattr(signal, name, None) or pytest.skip("this system has no such signal")
    out = tmp_path / "out"
    before = signal.signal(number, signal.SIG_DFL)  # these tests may run under nohup themselves
    try:
        run = start(command, photos, out, stderr=subprocess.PIPE)
    finally:
        signal.signal(number, before)
    wait_for_work(run, out)
    run.send_signal(number)
    assert run.communicate(timeout=60)[1] == (
        "\nstopping, as soon as what is in work is finished\nstopped; the same command resumes\n"
    )
    assert run.returncode == 128 + number
    check_what_a_fault_left(out, undisturbed)
    assert (out / "manifest.csv").exists()
    assert {row["status"] for row in rows(out).values()} <= {"started", "done"}
    assert start(command, photos, out).wait() == 0
    check_that_all_is_done(out, undisturbed)


def test_a_run_with_overwrite_that_is_stopped_says_that_it_begins_again(capsys, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_run", interrupt)
    assert main.main(["photos", "--overwrite"]) == 130
    assert capsys.readouterr().err == "stopped; with --overwrite the same command starts over\n"


@pytest.mark.slow
def test_a_run_goes_on_when_its_terminal_is_closed_if_that_was_asked_for(command, photos, tmp_path):
    hangup = getattr(signal, "SIGHUP", None) or pytest.skip("this system has no such signal")
    before = signal.signal(hangup, signal.SIG_IGN)  # as nohup does
    try:
        run = start(command, photos, tmp_path / "out")
    finally:
        signal.signal(hangup, before)
    wait_for_work(run, tmp_path / "out")
    run.send_signal(hangup)
    assert run.wait() == 0


@pytest.mark.slow
def test_nobody_needs_to_read_what_a_run_says(command, photos, tmp_path):
    run = start(command, photos, tmp_path / "out", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()  # what `| head -0` does
    assert run.stderr.read() == ""
    assert run.wait() == 0


def test_of_two_runs_into_one_folder_one_is_turned_away(command, photos, undisturbed, tmp_path):
    runs = [start(command, photos, tmp_path / "out", stderr=subprocess.PIPE) for _ in range(2)]
    said = [run.communicate()[1] for run in runs]
    codes = sorted(run.returncode for run in runs)
    assert codes in ([0, 0], [0, 1])  # the second may have come after the first was done
    assert codes == [0, 0] or "another run is writing into" in "".join(said)
    check_that_all_is_done(tmp_path / "out", undisturbed)
