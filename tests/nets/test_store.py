"""Where weights lie, how a file gets there, and what a person is told if it does not."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import gdown  # noqa: F401 - imported here so that no test waits for it
import pytest
import torch
from failing_disk import FailingDisk
from published import BODY, PACKAGED, asked

from u2demo.cli import weights
from u2demo.nets import store
from u2demo.nets.architectures import build_model
from u2demo.nets.checkpoints import CHECKPOINTS, WeightsError
from u2demo.nets.load import fetch_weights, load_model

pytestmark = pytest.mark.usefixtures("home")


# What the person is told


def test_the_error_tells_what_to_put_where(publish, home):
    record = publish("forbidden", "quota")
    with pytest.raises(WeightsError) as failure:
        fetch_weights("u2net")
    text = str(failure.value)
    assert all(url in text for url in record.sources)
    assert f"Put the file on this machine as {home / 'u2net.pth'}" in text
    assert f"{record.bytes:,} bytes, sha256 {record.sha256}" in text
    assert "Traceback" not in text and len(text.splitlines()) < 20


@pytest.fixture
def bars(monkeypatch):
    """The bars that a notebook shows."""
    notebook = pytest.importorskip("tqdm.notebook")
    shown = []

    class Bar(notebook.tqdm):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            shown.append(self)

    monkeypatch.setattr(notebook, "display", lambda widget: None)
    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    return shown


@pytest.mark.parametrize(("answer", "end"), [("good", "success"), ("forbidden", "danger")])
def test_a_page_that_opens_after_a_download_finds_its_bar(answer, end, publish, bars):
    """Voila shows cells when all have run: of a bar that was closed, an error."""
    publish(answer)
    with contextlib.suppress(WeightsError):
        fetch_weights("u2net")
    assert [bar.container.comm is not None for bar in bars] == [True]
    assert [bar.container.children[1].bar_style for bar in bars] == [end]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="u2netp, u2net, u2net_human_seg, u2net_portrait"):
        load_model("unet")


# Where files lie


def test_a_file_is_fetched_once(publish, server):
    publish("good")
    assert fetch_weights("u2net") == fetch_weights("u2net")
    assert asked(server) == ["good"]


def test_a_file_put_there_by_hand_is_found_without_a_network(publish, server, home, monkeypatch):
    publish("good")
    home.mkdir()
    (home / "u2net.pth").write_bytes(BODY)
    monkeypatch.setenv("U2DEMO_OFFLINE", "1")
    assert fetch_weights("u2net") == home / "u2net.pth"
    assert asked(server) == []


def test_a_damaged_file_under_the_final_name_is_replaced(publish, server, home):
    publish("good")
    home.mkdir()
    (home / "u2net.pth").write_bytes(BODY[:-1])
    assert fetch_weights("u2net").read_bytes() == BODY


def test_offline_asks_nobody_and_says_what_is_wrong_with_the_file_at_hand(
    publish, server, home, monkeypatch
):
    publish("good")
    home.mkdir()
    (home / "u2net.pth").write_bytes(b"<html>")
    monkeypatch.setenv("U2DEMO_OFFLINE", "1")
    with pytest.raises(WeightsError, match="exists but has 6 bytes instead of 262,144") as answer:
        fetch_weights("u2net")
    assert asked(server) == []
    assert "unset U2DEMO_OFFLINE" in str(answer.value)


def test_the_packaged_weights_are_there_offline_and_byte_for_byte(monkeypatch):
    monkeypatch.setenv("U2DEMO_OFFLINE", "1")
    path = fetch_weights("u2netp")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == CHECKPOINTS["u2netp"].sha256


def test_a_folder_that_cannot_be_written_to_is_replaced_by_a_temporary_one(
    publish, tmp_path, monkeypatch
):
    publish("good")
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("U2DEMO_HOME", str(tmp_path / "file" / "home"))
    with pytest.warns(UserWarning, match="cannot be written to"):
        path = fetch_weights("u2net")
    assert tmp_path / "tmp" in path.parents and path.read_bytes() == BODY


def test_weights_in_a_folder_that_can_only_be_read_are_used(publish, home, monkeypatch):
    record = publish("good")
    home.mkdir()
    (home / "u2net.pth").write_bytes(BODY)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: 1 / 0)  # nothing may be written
    assert fetch_weights(record.name) == home / "u2net.pth"


def test_no_folder_at_all_is_an_error_that_names_them(publish, tmp_path, monkeypatch):
    publish("good")
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("U2DEMO_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "tmp"))
    with pytest.raises(WeightsError, match=r"file/home .*file/tmp.*Set U2DEMO_HOME"):
        fetch_weights("u2net")


# What is in the way


def test_a_folder_in_place_of_the_file_is_reported_before_the_download(publish, server, home):
    publish("good")
    (home / "u2net.pth").mkdir(parents=True)
    with pytest.raises(WeightsError, match=r"u2net\.pth is a folder") as refused:
        fetch_weights("u2net")
    assert "Make room" not in str(refused.value) and "U2DEMO_HOME" in str(refused.value)
    assert asked(server) == []


@pytest.mark.parametrize("name", ["u2net.pth.lock", "u2net.pth.part"])
def test_a_folder_in_place_of_a_working_file_is_reported_as_it_is(name, publish, server, home):
    publish("good")
    (home / name).mkdir(parents=True)
    with pytest.raises(WeightsError, match="irectory") as refused:
        fetch_weights("u2net")
    assert "Make room" not in str(refused.value) and "U2DEMO_HOME" in str(refused.value)
    assert str(home / name) in str(refused.value)
    assert asked(server) == []


# Disks and processes


def test_a_disk_that_is_too_small_is_reported_before_the_download(publish, server, monkeypatch):
    publish("good")
    usage = shutil.disk_usage(tempfile.gettempdir())._replace(free=1_000_000 - 900_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(WeightsError, match=r"0\.1 MB are free.\nMake room there"):
        fetch_weights("u2net")
    assert asked(server) == []


@pytest.mark.filterwarnings("ignore:.* cannot be written to")
def test_a_download_survives_a_fault_at_every_operation_on_its_disk(publish, server, home):
    publish("good")
    for fail_at in range(1, 1000):
        try:
            with FailingDisk(home, fail_at) as disk:
                fetch_weights("u2net")
        except WeightsError as error:
            assert disk.failed and str(home) in str(error) and "U2DEMO_HOME" in str(error)
        if not disk.failed:
            break
        for file in home.glob("*.pth"):
            assert file.read_bytes() == BODY
        assert fetch_weights("u2net").read_bytes() == BODY
        for folder in store.folders():
            shutil.rmtree(folder, ignore_errors=True)
    assert fail_at > 10


def test_a_disk_that_fills_up_ends_the_download_and_is_given_back(publish, server, home):
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    publish("good", "good")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # writes fail from here on
    try:
        with pytest.raises(WeightsError, match="cannot be stored in"):
            fetch_weights("u2net")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert asked(server) == ["good"]
    assert [path.name for path in home.iterdir()] == ["u2net.pth.lock"]


FETCH = """
import dataclasses, sys
from u2demo.nets.store import fetch
from u2demo.nets.checkpoints import CHECKPOINTS
url, size, sha256 = sys.argv[1:]
changes = {"sources": (url,), "bytes": int(size), "sha256": sha256}
print(fetch(dataclasses.replace(CHECKPOINTS["u2net"], **changes), check=None))
"""


def start_process(record):
    arguments = [record.sources[0], str(record.bytes), record.sha256]
    root = Path(store.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", FETCH, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def test_a_killed_download_is_resumed(publish, server, home):
    record = publish("waits")
    process = start_process(record)
    part = home / "u2net.pth.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 60_000)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (home / "u2net.pth").exists()
    server.released.set()
    left = part.stat().st_size
    publish("good")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert server.seen[-1] == ("good", f"bytes={left}-")


def test_two_processes_fetch_once(publish, server, home):
    record = publish("waits")
    processes = [start_process(record), start_process(record)]
    wait_for(lambda: server.seen)
    time.sleep(0.3)
    server.released.set()
    answers = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert answers == [str(home / "u2net.pth")] * 2
    assert asked(server) == ["waits"]


def test_a_waiting_process_takes_over_when_the_other_one_is_killed(publish, server, home):
    record = publish("waits")
    fetching = start_process(record)
    part = home / "u2net.pth.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 60_000)
    publish("good")
    threading.Timer(2, fetching.kill).start()
    sizes, while_it_lived = [], []

    def progress(size):
        sizes.append(size)
        while_it_lived.append(fetching.poll() is None)

    with pytest.warns(UserWarning, match=r"another process is fetching u2net\.pth"):
        fetch_weights("u2net", progress=progress)
    fetching.communicate()
    assert sizes[0] > 60_000 and while_it_lived[0], "the bar shows what the other one has"
    assert sizes[-1] == len(BODY)
    assert server.seen[-1][1].startswith("bytes=")


# Weights whose hash nobody has published

UNKNOWN = {"bytes": PACKAGED.stat().st_size, "sha256": None, "architecture": "u2netp"}


def test_trust_on_first_use_says_and_records_the_hash(publish, server, home, https):
    server.body = PACKAGED.read_bytes()
    found = hashlib.sha256(server.body).hexdigest()
    publish(sources=tuple(map(https, ("login", "cut_off", "good"))), **UNKNOWN)
    with pytest.warns(UserWarning, match=found):
        path = fetch_weights("u2net")
    assert Path(f"{path}.sha256").read_text() == f"{found}  u2net.pth\n"
    assert server.seen[-1] == ("good", None)  # unverified bytes of two sources are not joined
    load_model("u2net")


def test_trust_once_given_is_not_given_to_another_file(publish, server, home, https, monkeypatch):
    server.body = PACKAGED.read_bytes()
    publish(sources=(https("good"),), **UNKNOWN)
    with pytest.warns(UserWarning, match="nobody has published"):
        path = fetch_weights("u2net")
    state = build_model("u2netp").state_dict()
    torch.save(state, path)
    monkeypatch.setenv("U2DEMO_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"exists but has sha256 \w+ instead of"):
        fetch_weights("u2net")


@pytest.mark.filterwarnings("ignore:nobody has published")
def test_a_full_disk_takes_all_or_nothing_of_a_recorded_hash(publish, tmp_path):
    path = tmp_path / "u2net.pth"
    path.write_bytes(BODY)
    record = publish("good", sha256=None)
    for fail_at in range(1, 100):
        with FailingDisk(tmp_path, fail_at) as disk:
            store.adopt(record, path)
        if not disk.failed:
            break
        assert list(tmp_path.glob("*.sha256*")) + list(tmp_path.glob(".*")) == []
    assert fail_at > 4


def test_a_damaged_record_of_a_hash_does_not_fit_and_is_named(
    publish, server, home, https, monkeypatch
):
    server.body = PACKAGED.read_bytes()
    publish(sources=(https("good"),), **UNKNOWN)
    with pytest.warns(UserWarning, match="trusted from now on"):
        path = fetch_weights("u2net")
    Path(f"{path}.sha256").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("U2DEMO_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"exists but has sha256 \w+ instead of"):
        fetch_weights("u2net")


def test_a_source_without_end_is_given_up_a_tenth_above_the_size_of_the_public_copy(publish, https):
    publish(sources=(https("endless"),), bytes=1_000_000, sha256=None)
    with pytest.raises(WeightsError, match=r"sent more than the 1,100,000 bytes of the file"):
        fetch_weights("u2net")


@pytest.mark.parametrize("fault", ["wrong_bytes", "chunks_cut_off", "cut_off"])
def test_what_does_not_fit_is_not_trusted(fault, publish, server, home):
    server.body = PACKAGED.read_bytes()
    server.wrong = BODY
    publish(fault, sha256=None, architecture="u2netp")
    with pytest.raises(WeightsError):
        fetch_weights("u2net")
    assert not (home / "u2net.pth").exists()


# The command


def test_the_command_fetches_lists_and_verifies(publish, home, capsys):
    publish("good")
    assert weights.main(["fetch", "u2net", "u2netp"]) == 0
    assert capsys.readouterr().out == f"{home / 'u2net.pth'}\n{PACKAGED}\n"
    assert weights.main(["list"]) == 0
    listing = capsys.readouterr().out
    assert re.search(rf"u2net +0\.3 MB .*{home / 'u2net.pth'}\n", listing)
    assert re.search(r"u2net_human_seg +176\.3 MB .*not fetched yet\n", listing)
    assert weights.main(["verify"]) == 0
    assert f"u2net: good, {home / 'u2net.pth'}" in capsys.readouterr().out


def test_without_a_published_hash_the_command_calls_no_file_good_and_changes_nothing(
    publish, home, capsys
):
    publish("good", sha256=None, architecture="u2netp")
    home.mkdir()
    torch.save(build_model("u2netp").state_dict(), home / "u2net.pth")  # random weights
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert weights.main(["verify"]) == 0
    said = capsys.readouterr().out
    assert f"u2net: fits, but nobody has published its hash, {home / 'u2net.pth'}" in said
    assert [path.name for path in home.iterdir()] == ["u2net.pth"]


def test_the_command_tells_a_file_that_is_as_it_was_when_first_used(
    publish, server, home, https, capsys
):
    server.body = PACKAGED.read_bytes()
    publish(sources=(https("good"),), **UNKNOWN)
    with pytest.warns(UserWarning, match="nobody has published"):
        fetch_weights("u2net")
    assert weights.main(["verify"]) == 0
    assert "u2net: as it was when first used, but nobody has" in capsys.readouterr().out


def test_the_command_says_what_is_bad_with_exit_code_1(publish, home, capsys):
    publish("quota")
    assert weights.main(["fetch", "u2net"]) == 1
    assert "Google Drive - Quota exceeded" in capsys.readouterr().err
    home.mkdir(exist_ok=True)
    (home / "u2net.pth").write_bytes(BODY[:9])
    assert weights.main(["verify"]) == 1
    assert "u2net: bad\n  " in capsys.readouterr().out
