"""Weights arrive, or say why not and what to do; nothing wrong is ever loaded or kept."""

import dataclasses
import hashlib
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import gdown  # noqa: F401 - imported here so that no test waits for it
import pytest
import requests
import torch
from failing_disk import FailingDisk
from misbehaving_server import MisbehavingServer

from u2demo.cli import weights
from u2demo.nets import cache, download, storage
from u2demo.nets.checkpoints import CHECKPOINTS, WeightsError, trust
from u2demo.nets.load import fetch_weights, load_model
from u2demo.nets.u2net import ARCHITECTURES, build_model

BODY = b"PK" + random.Random(4).randbytes((1 << 18) - 2)  # a whole number of chunks
PACKAGED = Path(cache.__file__).parents[1] / "data" / "u2netp.pth"

# What can go wrong at one source -> what the person is told about it.
FAULTS = {
    "forbidden": "HTTP 403 Forbidden",
    "missing": "HTTP 404 Not Found",
    "unavailable": "HTTP 503 Service Unavailable",
    "too_many": "HTTP 429 Too Many Requests",
    "garbage_as_gzip": "incorrect header check",
    "a_part_unasked": "did not go on from the byte it was asked for",
    "a_part_from_the_middle": "did not go on from the byte it was asked for",
    "nothing": "offers a file of 0 bytes instead of 262,144",
    "no_content": "HTTP 204 No Content",
    "redirected_nowhere": "nvalid",
    "login": 'answered with a web page: "Sign in"',
    "untyped_page": 'sent something other than weights: "<!doctype html>"',
    "quota": 'answered with a web page: "Google Drive - Quota exceeded"',
    "truncated": "offers a file of 131,072 bytes instead of 262,144",
    "cut_off": "stopped after 131,072 bytes",
    "chunks_cut_off": "stopped after 131,072 bytes",
    "endless": "sent more than the 262,144 bytes of the file",
    "wrong_bytes": "sent a file that has sha256",
    "drip": "next to nothing came for 1 seconds",
    "drip_headers": "next to nothing came for 1 seconds",
    "silent": "next to nothing came for 1 seconds",
    "resets_at_once": "Connection reset by peer",
    "resumes_elsewhere": "did not go on from the byte it was asked for",
    "loop": "Exceeded 30 redirects",
    "redirected_to_a_file": "No connection adapters were found",
    "no_http": "its answer breaks the rules of HTTP (BadStatusLine)",
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An own cache folder and an own temporary folder; no proxy between us and 127.0.0.1."""
    for variable in ("U2DEMO_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("U2DEMO_HOME", str(tmp_path / "home"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "home"


@pytest.fixture
def server():
    with MisbehavingServer(BODY) as server:
        yield server


@pytest.fixture
def publish(server, monkeypatch):
    """Publish ``server.body`` as u2net at sources with these faults."""

    def publish(*faults, **changes):
        published = {
            "bytes": len(server.body),
            "sha256": hashlib.sha256(server.body).hexdigest(),
            "sources": tuple(server.url(fault) for fault in faults),
        }
        record = dataclasses.replace(CHECKPOINTS["u2net"], **(published | changes))
        monkeypatch.setitem(CHECKPOINTS, "u2net", record)
        return record

    return publish


@pytest.fixture
def impatient(request, monkeypatch):
    """Make the faults that only time can tell quick to tell."""
    if request.node.callspec.params["fault"] in ("drip", "drip_headers", "silent"):
        monkeypatch.setattr(download, "PATIENCE", 1.0)


def asked(server):
    return [fault for fault, _ in server.seen]


# What a source may do


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_source_is_named_with_its_reason_and_leaves_no_file(fault, publish, server, home):
    publish(fault)
    with pytest.raises(WeightsError) as failure:
        fetch_weights("u2net")
    assert f"- {server.url(fault)}\n  " in str(failure.value)
    assert FAULTS[fault] in str(failure.value)
    assert not (home / "u2net.pth").exists()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_faulty_source_the_next_one_brings_the_file(fault, publish, server):
    publish(fault, "good")
    assert fetch_weights("u2net").read_bytes() == BODY


@pytest.mark.parametrize(
    "fault", ["resets_half_way", "cannot_resume", "redirected", "compressed", "length_in_words"]
)
def test_what_looks_like_a_fault_but_is_none_brings_the_file(fault, publish, server):
    publish(fault)
    assert fetch_weights("u2net").read_bytes() == BODY


def test_a_broken_connection_is_resumed_where_it_broke(publish, server):
    publish("resets_half_way")
    fetch_weights("u2net")
    quarter = len(BODY) // 4
    assert [range_ for _, range_ in server.seen] == [
        None, f"bytes={quarter}-", f"bytes={2 * quarter}-", f"bytes={3 * quarter}-"
    ]  # fmt: skip


def test_the_next_source_continues_what_the_last_one_began(publish, server):
    publish("cut_off", "good")
    fetch_weights("u2net")
    assert server.seen[-1] == ("good", f"bytes={len(BODY) // 2}-")


def test_wrong_bytes_left_by_one_source_do_not_spoil_the_next(publish, server):
    publish("wrong_bytes_cut_off", "good")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert server.seen[-1] == ("good", None)


@pytest.mark.parametrize("length", [len(BODY) // 2, len(BODY), 2 * len(BODY)])
@pytest.mark.parametrize("fault", ["good", "range_not_satisfiable"])
def test_a_leftover_of_another_file_is_dropped(fault, length, publish, server, home):
    home.mkdir()
    (home / "u2net.pth.part").write_bytes(bytes(length))
    publish(fault)
    assert fetch_weights("u2net").read_bytes() == BODY


def test_a_final_name_that_is_taken_by_a_folder_is_said(publish, home):
    publish("good")
    (home / "u2net.pth").mkdir(parents=True)
    with pytest.raises(WeightsError, match=r"does not take u2net\.pth \(0\.3 MB\): .*irectory"):
        fetch_weights("u2net")


def test_a_host_without_a_server_is_a_reason_like_any_other(publish, server):
    publish(sources=("http://127.0.0.1:9/u2net.pth", server.url("good")))
    assert fetch_weights("u2net").read_bytes() == BODY


def test_a_proxy_of_the_environment_is_used(publish, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url(""))
    monkeypatch.setenv("NO_PROXY", "")
    publish(sources=("http://weights.example/good",))
    assert fetch_weights("u2net").read_bytes() == BODY


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "http://no-such-host.invalid:3128"])
def test_a_dead_proxy_is_named(proxy, publish, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    publish(sources=("http://weights.example/good",))
    with pytest.raises(WeightsError, match="  the proxy of this machine does not answer"):
        fetch_weights("u2net")


def test_a_host_that_nobody_knows_is_said(publish):
    publish(sources=("http://no-such-host.invalid/u2net.pth",))
    with pytest.raises(WeightsError, match=r"the host was not found; is this machine online\?"):
        fetch_weights("u2net")


# Google Drive, through whichever gdown is installed


@pytest.fixture
def drive(server, monkeypatch):
    """Let the test server stand in for drive.google.com, where each file's id is a fault."""
    send = requests.adapters.HTTPAdapter.send

    def redirect(adapter, request, **options):
        request.url = re.sub(r"https://drive\.google\.com/.*id=", server.url(""), request.url)
        return send(adapter, request, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", redirect)
    return "https://drive.google.com/uc?id={}".format


def test_google_drive_brings_the_file(publish, drive):
    publish(sources=(drive("on_drive"),))
    assert fetch_weights("u2net").read_bytes() == BODY


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fault", "reason"),
    {
        "quota": "Google Drive refuses: Too many users have viewed or downloaded this file",
        "login": "Google Drive refuses: Cannot retrieve the public link",
        "silent": "next to nothing came for 1 seconds",
    }.items(),
)
def test_google_drive_refuses_in_words(fault, reason, publish, drive, home):
    publish(sources=(drive(fault),))
    with pytest.raises(WeightsError, match=re.escape(reason)):
        fetch_weights("u2net")
    assert not (home / "u2net.pth").exists()


def test_what_a_mirror_brought_outlives_a_refusal_of_google_drive(publish, drive, server, home):
    publish(sources=(server.url("cut_off"), drive("quota")))
    with pytest.raises(WeightsError):
        fetch_weights("u2net")
    assert (home / "u2net.pth.part").read_bytes() == BODY[: len(BODY) // 2]


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


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="u2netp, u2net, u2net_human_seg, u2net_portrait"):
        load_model("unet")


# Where files lie


def test_a_file_is_fetched_once(publish, server):
    publish("good")
    assert fetch_weights("u2net") == fetch_weights("u2net")
    assert asked(server) == ["good"]


def test_a_file_put_there_by_hand_is_found_without_a_network(publish, server, home):
    publish("good")
    home.mkdir()
    (home / "u2net.pth").write_bytes(BODY)
    assert fetch_weights("u2net", offline=True) == home / "u2net.pth"
    assert asked(server) == []


def test_a_damaged_file_under_the_final_name_is_replaced(publish, server, home):
    publish("good")
    home.mkdir()
    (home / "u2net.pth").write_bytes(BODY[:-1])
    assert fetch_weights("u2net").read_bytes() == BODY


@pytest.mark.parametrize("switch", ["argument", "environment"])
def test_offline_asks_nobody_and_says_what_is_wrong_with_the_file_at_hand(
    switch, publish, server, home, monkeypatch
):
    publish("good")
    home.mkdir()
    (home / "u2net.pth").write_bytes(b"<html>")
    if switch == "environment":
        monkeypatch.setenv("U2DEMO_OFFLINE", "1")
    with pytest.raises(WeightsError, match="is there but has 6 bytes instead of 262,144") as answer:
        fetch_weights("u2net", offline=True if switch == "argument" else None)
    assert asked(server) == []
    assert ("unset U2DEMO_OFFLINE" in str(answer.value)) == (switch == "environment")


def test_the_packaged_weights_are_there_offline_and_byte_for_byte():
    path = fetch_weights("u2netp", offline=True)
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


# Disks and processes


def test_a_disk_that_is_too_small_is_said_before_the_download(publish, server, monkeypatch):
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
        for folder in storage.folders():
            shutil.rmtree(folder, ignore_errors=True)
    assert fail_at > 10


def test_a_disk_that_fills_up_ends_the_download_and_is_given_back(publish, server, home):
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    publish("good", "good")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # writes fail from here on
    try:
        with pytest.raises(WeightsError, match="does not take u2net"):
            fetch_weights("u2net")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert asked(server) == ["good"]
    assert [path.name for path in home.iterdir()] == ["u2net.pth.lock"]


FETCH = """
import dataclasses, sys
from u2demo.nets.cache import fetch
from u2demo.nets.checkpoints import CHECKPOINTS
url, size, sha256 = sys.argv[1:]
changes = {"sources": (url,), "bytes": int(size), "sha256": sha256}
print(fetch(dataclasses.replace(CHECKPOINTS["u2net"], **changes), check=None))
"""


def start_process(record):
    arguments = [record.sources[0], str(record.bytes), record.sha256]
    root = Path(cache.__file__).parents[2]
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


def test_who_waits_takes_over_when_the_other_process_is_killed(publish, server, home):
    record = publish("waits")
    fetching = start_process(record)
    part = home / "u2net.pth.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 60_000)
    publish("good")
    threading.Timer(2, fetching.kill).start()
    sizes = []
    with pytest.warns(UserWarning, match=r"another process is fetching u2net\.pth"):
        fetch_weights("u2net", progress=sizes.append)
    fetching.communicate()
    assert sizes[0] > 60_000 and sizes[-1] == len(BODY), "the bar shows what the other one has"
    assert server.seen[-1][1].startswith("bytes=")


# Weights whose hash nobody has published


def test_trust_on_first_use_says_and_records_the_hash(publish, server, home):
    server.body = PACKAGED.read_bytes()
    found = hashlib.sha256(server.body).hexdigest()
    publish("login", "cut_off", "good", sha256=None, architecture="u2netp")
    with pytest.warns(UserWarning, match=found):
        path = fetch_weights("u2net")
    assert Path(f"{path}.sha256").read_text() == f"{found}  u2net.pth\n"
    assert server.seen[-1] == ("good", None)  # unverified bytes of two sources are not joined
    load_model("u2net")


def test_trust_once_given_is_not_given_to_another_file(publish, server, home):
    server.body = PACKAGED.read_bytes()
    publish("good", sha256=None, architecture="u2netp")
    with pytest.warns(UserWarning, match="nobody has published"):
        path = fetch_weights("u2net")
    state = build_model("u2netp").state_dict()
    torch.save(state, path)
    with pytest.raises(WeightsError, match=r"is there but has sha256 \w+ instead of"):
        fetch_weights("u2net", offline=True)


@pytest.mark.filterwarnings("ignore:nobody has published")
def test_a_full_disk_takes_all_or_nothing_of_a_recorded_hash(publish, tmp_path):
    path = tmp_path / "u2net.pth"
    path.write_bytes(BODY)
    record = publish("good", sha256=None)
    for fail_at in range(1, 100):
        with FailingDisk(tmp_path, fail_at) as disk:
            trust(record, path)
        if not disk.failed:
            break
        assert list(tmp_path.glob("*.sha256*")) + list(tmp_path.glob(".*")) == []
    assert fail_at > 4


def test_a_damaged_record_of_a_hash_does_not_fit_and_is_named(publish, server, home):
    server.body = PACKAGED.read_bytes()
    publish("good", sha256=None, architecture="u2netp")
    with pytest.warns(UserWarning, match="trusted from now on"):
        path = fetch_weights("u2net")
    Path(f"{path}.sha256").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match=r"is there but has sha256 \w+ instead of"):
        fetch_weights("u2net", offline=True)


@pytest.mark.parametrize("fault", ["wrong_bytes", "chunks_cut_off", "cut_off"])
def test_what_does_not_fit_is_not_trusted(fault, publish, server, home):
    server.body = PACKAGED.read_bytes()
    server.wrong = BODY
    publish(fault, sha256=None, architecture="u2netp")
    with pytest.raises(WeightsError):
        fetch_weights("u2net")
    assert not (home / "u2net.pth").exists()


# Loading


@pytest.fixture
def full_size(tmp_path):
    """A random net, and its weights laid out as in the published u2net.pth: legacy, no counters."""
    torch.manual_seed(0)
    net = build_model("u2net")
    for module in net.modules():
        module.momentum = 1.0
    with torch.no_grad():
        net.train()(torch.randn(2, 3, 64, 64))  # statistics, without which its maps would be flat
    state = net.eval().state_dict()
    for key in [key for key in state if key.endswith("num_batches_tracked")]:
        del state[key]
    path = tmp_path / "u2net.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return net, path


def test_the_full_size_net_of_human_segmentation_loads_strictly(full_size, home, monkeypatch):
    net, path = full_size
    home.mkdir()
    path.rename(home / "u2net_human_seg.pth")
    changes = {"bytes": (home / "u2net_human_seg.pth").stat().st_size, "sha256": None}
    record = dataclasses.replace(CHECKPOINTS["u2net_human_seg"], **changes)
    monkeypatch.setitem(CHECKPOINTS, record.name, record)
    with pytest.warns(UserWarning, match="trusted"):
        loaded = load_model("u2net_human_seg", device="cpu")
    with torch.inference_mode():
        image = torch.randn(1, 3, 64, 48)
        expected, found = net(image)[0], loaded(image)[0]
    assert expected.std() > 0.01
    assert torch.allclose(expected, found, atol=1e-4)
    assert abs(record.bytes - CHECKPOINTS["u2net"].bytes) < 100_000


@pytest.mark.parametrize("zipped", [True, False])
def test_own_weights_load_whatever_the_name_says(zipped, tmp_path):
    path = tmp_path / "my.weights.pth"
    net = build_model("u2netp")
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=zipped)
    for name in ("u2netp", "u2net"):
        model = load_model(name, weights=str(path), device="cpu")
        assert torch.equal(model["outconv"].weight, net["outconv"].weight)


def test_a_loaded_model_is_folded_and_ready_for_inference():
    model = load_model(device="cpu")
    assert not model.training
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_file_given_as_a_name_is_told_where_it_goes():
    with pytest.raises(ValueError, match=r"no weights named 'u2net\.pth'; .+ pass weights=FILE"):
        load_model("u2net.pth")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "cuda", "meta"])
def test_a_device_that_is_not_there_is_answered_with_those_that_are(device, monkeypatch):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this computer has one")
    monkeypatch.setattr("u2demo.nets.cache.fetch", lambda *_, **__: pytest.fail("fetched in vain"))
    with pytest.raises(
        ValueError, match=f"no device '{device}' on this computer; choose from .*cpu"
    ):
        load_model(device=device)


class RunsCode:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_in_a_sentence(zipped, tmp_path):
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    state = build_model("u2netp").state_dict() | {"stage7": RunsCode(trace)}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"is refused: reading it would run code \(\S+\)") as no:
        load_model(weights=path)
    assert no.value.__suppress_context__ and not trace.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>quota</html>", "is a web page"),
        (b"", "is damaged"),
        (b"PK\x03\x04", "is damaged"),
        (b"\x80\x02", "is damaged"),
        (PACKAGED.read_bytes()[:99_999], "is damaged"),
        (pickle.dumps({"a": 1}, protocol=2), "is damaged"),
    ],
    ids=["page", "empty", "zip", "pickle", "half", "no torch"],
)
def test_a_file_that_is_no_checkpoint_is_refused_without_a_pickle_traceback(
    content, reason, tmp_path
):
    path = tmp_path / "my.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as refused:
        load_model(weights=path)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1, 2], "holds a list, expected a state dict"),
        ({}, "holds a dict"),
        ({"epoch": 3, "state_dict": {}}, "holds 'epoch', which is no tensor"),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(content, reason, tmp_path):
    torch.save(content, tmp_path / "my.pth")
    with pytest.raises(WeightsError, match=re.escape(reason)):
        load_model(weights=tmp_path / "my.pth")


KEY = "stage2.rebnconvin.conv_s1.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.pop(KEY), f"does not fit u2netp in 1 places: {KEY} is missing"),
        (lambda s: s.update(extra=s[KEY]), "extra is unknown"),
        (lambda s: s.update({KEY: s[KEY][:1]}), f"{KEY} is (1, 64, 3, 3) instead of (64, 64,"),
        (lambda s: s.update({KEY: s[KEY].half()}), f"{KEY} is torch.float16 instead of"),
        (lambda s: s.update({KEY: s[KEY] * float("nan")}), f"{KEY} holds NaN or infinity"),
        (lambda s: s.update({KEY: s[KEY] / 0}), f"{KEY} holds NaN or infinity"),
    ],
)
def test_a_key_that_does_not_fit_is_named(change, reason, tmp_path):
    state = build_model("u2netp").state_dict()
    change(state)
    torch.save(state, tmp_path / "my.pth")
    with pytest.raises(WeightsError, match=re.escape(reason)):
        load_model(weights=tmp_path / "my.pth")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"there is no weights file .*my\.pth"):
        load_model(weights=tmp_path / "my.pth")


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


def test_the_command_says_what_is_bad_with_exit_code_1(publish, home, capsys):
    publish("quota")
    assert weights.main(["fetch", "u2net"]) == 1
    assert "Google Drive - Quota exceeded" in capsys.readouterr().err
    home.mkdir(exist_ok=True)
    (home / "u2net.pth").write_bytes(BODY[:9])
    assert weights.main(["verify"]) == 1
    assert "u2net: bad\n  " in capsys.readouterr().out


# The table


def test_every_checkpoint_says_where_it_comes_from():
    for name, record in CHECKPOINTS.items():
        assert name == record.name and record.architecture in ARCHITECTURES
        assert record.origin.startswith("https://") and "Apache-2.0" in record.license
        assert record.sha256 is None or re.fullmatch("[0-9a-f]{64}", record.sha256)
        assert all(url.startswith("https://") for url in record.sources)


def test_google_drive_comes_last():
    for record in CHECKPOINTS.values():
        on_drive = [url.startswith(download.DRIVE) for url in record.sources]
        assert on_drive == sorted(on_drive)
