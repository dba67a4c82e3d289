"""What a run says: to a terminal, into a log, and where nobody listens."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_run import make_photos

from u2demo.cli import terminal
from u2demo.cli.main import main
from u2demo.cli.terminal import ClusterLines, ProgressLines, printable, say, stopped_by_signals
from u2demo.machine import attempts
from u2demo.machine.attempts import StoreError, insist
from u2demo.nets import store
from u2demo.runs.cluster import Progress

posix = pytest.mark.skipif(sys.platform == "win32", reason="a matter of POSIX shells")


@pytest.fixture
def in_shell(tmp_path):
    """A run over one photo with ``redirection`` behind it: a finished process."""

    def run(redirection):
        command = [sys.executable, "-m", "u2demo", make_photos(tmp_path / "in", 1)]
        line = shlex.join(map(str, [*command, "-o", tmp_path / "out"]))
        run = subprocess.run(f"{line} {redirection}", shell=True, capture_output=True, text=True)
        assert (tmp_path / "out" / "pets" / "photo0_cutout.png").exists()
        return run

    return run


@posix
def test_closed_output_is_not_a_failure(in_shell):
    run = in_shell(">&- 2>&-")
    assert (run.returncode, run.stderr) == (0, "")


def test_a_run_ends_with_its_code_once_all_that_was_open_is_closed():
    code = (
        "import atexit, tempfile\n"
        "from u2demo.__main__ import run\n"
        "import u2demo.__main__ as program\n"
        "def main():\n"
        "    global folder\n"
        "    folder = tempfile.TemporaryDirectory()\n"
        "    print(folder.name)\n"
        "    atexit.register(print, 'closed')\n"
        "    return 3\n"
        "program.main = main\n"
        "run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    folder, said = done.stdout.splitlines()
    assert (done.returncode, said, done.stderr) == (3, "closed", "")
    assert not Path(folder).exists()


@pytest.mark.parametrize(("raised", "code"), [("SystemExit(2)", 2), ("ValueError('odd')", 1)])
def test_a_run_that_fails_says_so_to_its_shell(raised, code):
    lines = (
        "from u2demo.__main__ import run\n"
        "import u2demo.__main__ as program\n"
        f"def main(): raise {raised}\n"
        "program.main = main\n"
        "run()"
    )
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
    assert done.returncode == code and ("odd" in done.stderr) == (code == 1)


@posix
@pytest.mark.parametrize(("redirection", "code"), [("| true", 0), (">&-", 0), (">/dev/full", 1)])
def test_a_list_of_weights_that_nobody_reads_is_not_a_failure(redirection, code):
    line = f"{shlex.join([sys.executable, '-m', 'u2demo', 'weights', 'list'])} {redirection}"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr == ("could not print this; is the disk full?\n" if code else "")


def test_a_folder_of_weights_cannot_drive_the_terminal(tmp_path, monkeypatch, capsys):
    home = tmp_path / "h\x1b[31m"
    home.mkdir()
    (home / "u2net.pth").touch()
    monkeypatch.setenv("U2DEMO_HOME", str(home))
    main(["weights", "list"])
    main(["weights", "verify"])
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert said.count(r"h\x1b[31m") == 2


@posix
def test_a_summary_that_is_lost_on_a_full_disk_shows_in_the_exit_code_and_on_stderr(in_shell):
    run = in_shell(">/dev/full")
    assert run.returncode == 1
    said = "u2demo: could not print the summary; is the disk full?\n1 photo: 1"
    assert run.stderr.startswith(said)


def test_printing_to_closed_streams_is_harmless(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert printable("caf\xe9\n") == "caf\xe9\\n"
    assert say("hello", sys.stdout)


def records(*statuses):
    return [SimpleNamespace(status=status) for status in statuses]


def test_a_log_gets_a_line_a_minute_with_the_speed_of_what_was_made(capsys):
    seconds = iter([0] * 1001 + list(range(1, 121)))
    lines = ProgressLines(100_000, clock=lambda: next(seconds))
    for record in records(*["skipped"] * 1000, *["done"] * 120):
        lines.report(record)
    assert capsys.readouterr().err == (
        "1,060 of 100,000 photos, 1.0 a second, 27 h 29 min left\n"
        "1,120 of 100,000 photos, 1.0 a second, 27 h 28 min left\n"
    )


def test_a_log_says_how_many_photos_have_failed_so_far(capsys):
    seconds = iter(range(0, 130, 30))
    lines = ProgressLines(100, clock=lambda: next(seconds))
    for record in records("done", "failed"):
        lines.report(record)
    assert capsys.readouterr().err == "2 of 100 photos, 0.0 a second, 49 min left; 1 failed\n"


def test_a_bar_says_how_many_photos_have_failed_so_far(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "_has_terminal", lambda: True)
    with terminal.progress(3) as report:
        for record in records("failed", "done", "failed"):
            report(record)
    assert "3/3 [" in (said := capsys.readouterr().err) and "2 failed]" in said


def test_of_many_photos_that_failed_a_few_are_named_and_all_counted_by_reason(tmp_path, capsys):
    photos = make_photos(tmp_path / "photos", 1)
    for number in range(30):
        (photos / f"empty{number}.jpg").touch()
    (photos / "text.jpg").write_text("not a photo")
    assert main([str(photos), "-o", str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("  failed: ") for line in lines) == 20
    assert lines[21:23] == [
        "  and 11 more like these, which manifest.csv lists",
        "  in all 30 failed: an empty file",
    ]


def test_a_log_gets_a_line_a_minute_while_a_run_goes_through_what_is_done(capsys):
    seconds = iter(range(0, 130))
    for total in (1000, None):
        lines = ProgressLines(total, clock=lambda: next(seconds))
        for record in records(*["skipped"] * 60):
            lines.report(record)
    assert capsys.readouterr().err == (
        "60 of 1,000 photos, all done before\n60 photos, all done before\n"
    )
    seconds = iter([0, 30, 60])
    lines = ClusterLines(clock=lambda: next(seconds))
    for _ in range(2):
        lines.report(Progress(photos=60, total=100, made=0, processes=1, machines=1))
    assert capsys.readouterr().err == (
        "60 of 100 photos, all done before; 1 process on 1 machine\n"
    )


def test_a_short_run_says_nothing_on_its_way_into_a_log(capsys):
    with terminal.progress(2) as report:
        for record in records("done", "failed"):
            report(record)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1 min"), (3599, "1 h 0 min"), (16_200, "4 h 30 min")],
)
def test_times_are_given_in_hours_and_minutes(seconds, said):
    assert terminal.duration(seconds) == said


@pytest.fixture
def ctrl_c():
    """What Ctrl-C does: raise SIGINT, which tests may be told to ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_a_second_signal_does_not_disturb_a_run_that_is_ending(ctrl_c):
    with stopped_by_signals():
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        ctrl_c()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_store_that_does_not_respond_is_not_asked_again_after_ctrl_c(ctrl_c, monkeypatch):
    monkeypatch.setattr(attempts, "PAUSES", (0, 0, 0))
    asked = []

    def ask():
        asked.append(1)
        raise OSError("no answer")

    with stopped_by_signals():
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        with pytest.raises(StoreError, match=r"no answer \(1 attempt in 0 s"):
            insist("s3://box/cat.jpg", ask)
    with pytest.raises(StoreError, match=r"no answer \(4 attempts in 0 s"):
        insist("s3://box/cat.jpg", ask)
    assert len(asked) == 1 + 4


@pytest.mark.parametrize(
    ("command", "home"),
    [
        (["weights", "list"], "~nobody.there/x"),
        (["weights", "verify"], "~nobody.there"),
        (["photos", "-o", "out", "--weights", "~nobody.there/x.pth"], None),
    ],
)
def test_the_home_of_nobody_is_answered_with_a_sentence(
    command, home, tmp_path, monkeypatch, capsys
):
    make_photos(tmp_path / "photos", 1)
    monkeypatch.chdir(tmp_path)
    if home:
        monkeypatch.setenv("U2DEMO_HOME", home)
    assert main(command) == 1
    assert "~nobody.there is not a home folder on this computer" in capsys.readouterr().err


def test_a_user_without_a_home_gets_no_folder_called_tilde(monkeypatch):
    monkeypatch.delenv("U2DEMO_HOME", raising=False)
    monkeypatch.setattr(store.platformdirs, "user_cache_path", lambda name: Path("~/.cache", name))
    assert all(folder.is_absolute() for folder in store.folders())


@posix
def test_signals_that_come_at_once_leave_no_traceback(tmp_path):
    code = """if True:
        import os, signal, sys, time
        from u2demo.cli.terminal import stopped_by_signals

        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        try:
            with stopped_by_signals():
                signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
                for number in numbers:
                    os.kill(os.getpid(), number)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
                time.sleep(5)
        except KeyboardInterrupt:
            print("stopped")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    said = "\nstopping, as soon as what is in work is finished\n"
    assert (done.stdout, done.stderr, done.returncode) == ("stopped\n", said, 0)


def test_a_program_of_ones_own_may_call_the_command_line_and_goes_on():
    from u2demo.__main__ import main

    assert main(["weights", "list"]) == 0
