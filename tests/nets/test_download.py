"""What a source may do: its file arrives, or its fault is named and the next source is asked."""

import re

import gdown  # noqa: F401 - imported here so that no test waits for it
import pytest
import requests
from published import BODY

from u2demo.nets import download
from u2demo.nets.checkpoints import WeightsError
from u2demo.nets.load import fetch_weights

pytestmark = pytest.mark.usefixtures("home")

# What can go wrong at one source -> what the person is told about it.
FAULTS = {
    "forbidden": "HTTP 403 Forbidden",
    "missing": "HTTP 404 Not Found",
    "unavailable": "HTTP 503 Service Unavailable",
    "too_many": "HTTP 429 Too Many Requests",
    "garbage_as_gzip": "incorrect header check",
    "a_part_unasked": "did not resume from the requested byte",
    "a_part_from_the_middle": "did not resume from the requested byte",
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
    "drip": "sent next to nothing for 1 seconds",
    "drip_headers": "sent next to nothing for 1 seconds",
    "silent": "sent next to nothing for 1 seconds",
    "resets_at_once": "Connection reset by peer",
    "resumes_elsewhere": "did not resume from the requested byte",
    "loop": "redirected more than 10 times",
    "redirected_to_a_file": "No connection adapters were found",
    "no_http": "its answer is not valid HTTP (BadStatusLine)",
}


@pytest.fixture
def impatient(request, monkeypatch):
    """Make the faults that only time can tell quick to tell."""
    if request.node.callspec.params["fault"] in ("drip", "drip_headers", "silent"):
        monkeypatch.setattr(download, "PATIENCE", 1.0)


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
def test_what_only_looks_like_a_fault_brings_the_file(fault, publish, server):
    publish(fault)
    assert fetch_weights("u2net").read_bytes() == BODY


def test_a_redirect_whose_page_never_ends_is_followed_without_reading_it(publish):
    publish("redirected_with_an_endless_page")
    assert fetch_weights("u2net").read_bytes() == BODY


def test_a_file_that_is_replaced_between_two_connections_is_fetched_once_more(publish, server):
    publish("replaced_meanwhile")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert [range_ for _, range_ in server.seen] == [None, f"bytes={len(BODY) // 2}-", None]


def test_a_progress_callback_ends_a_download_with_stopped_and_what_has_arrived_is_kept(
    publish, server, home
):
    publish("waits")

    def stop(size):
        if size:
            raise download.Stopped

    with pytest.raises(download.Stopped):
        fetch_weights("u2net", progress=stop)
    assert (home / "u2net.pth.part").read_bytes() == BODY[: len(BODY) // 2]
    publish("good")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert server.seen[-1] == ("good", f"bytes={len(BODY) // 2}-")


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


def test_an_unknown_host_is_reported(publish):
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
        "silent": "sent next to nothing for 1 seconds",
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
