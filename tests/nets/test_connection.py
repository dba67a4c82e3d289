"""What a source may not do: fill the disk, mix versions, leave https, stay, drive the terminal."""

import hashlib
import threading
import time

import pytest
from published import BODY, PACKAGED, asked

from u2demo.cli import weights
from u2demo.nets import download
from u2demo.nets.checkpoints import CHECKPOINTS, WeightsError
from u2demo.nets.load import fetch_weights, load_model

pytestmark = pytest.mark.usefixtures("home")


def ranges(server):
    return [range_ for _, range_ in server.seen]


# Never more than could be right


@pytest.mark.parametrize("is_known", [True, False], ids=["published hash", "no hash"])
@pytest.mark.parametrize("fault", ["endless", "bomb", "bomb_in_a_bomb", "lies_about_its_length"])
def test_no_more_is_kept_than_could_be_right(fault, is_known, publish, https, home):
    record = publish(sources=(https(fault),), **({} if is_known else {"sha256": None}))
    sizes = []
    with pytest.raises(WeightsError):
        fetch_weights("u2net", progress=sizes.append)
    assert max(sizes, default=0) <= record.most
    assert sum(path.stat().st_size for path in home.iterdir()) <= record.most


def test_a_file_without_a_hash_may_be_a_tenth_larger_than_the_known_copy():
    known, unknown = CHECKPOINTS["u2net"], CHECKPOINTS["u2net_portrait"]
    assert known.most == known.bytes
    assert unknown.bytes < unknown.most <= 1.1 * unknown.bytes


# One version


def test_a_resumed_download_asks_for_the_same_version(publish, server):
    publish("of_one_version")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert ranges(server) == [None, f"bytes={len(BODY) // 2}-"]


def test_a_newer_version_begins_anew(publish, server):
    publish("of_two_versions")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert ranges(server) == [None, f"bytes={len(BODY) // 2}-"], "the second answer was the whole"


def test_a_newer_version_that_comes_unasked_is_not_joined_to_the_older(publish, server):
    publish("of_two_versions_mixed")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert ranges(server) == [None, f"bytes={len(BODY) // 2}-", None]


@pytest.mark.filterwarnings("ignore:nobody has published")
@pytest.mark.parametrize("fault", ["of_one_version", "of_two_versions", "of_two_versions_mixed"])
def test_without_a_hash_only_pieces_of_one_version_are_joined(fault, publish, server, https):
    server.body = PACKAGED.read_bytes()
    size = len(server.body)
    publish(sources=(https(fault),), bytes=size, sha256=None, architecture="u2netp")
    assert fetch_weights("u2net").read_bytes() == server.body


@pytest.mark.filterwarnings("ignore:nobody has published")
def test_without_a_hash_or_a_version_nothing_is_joined(publish, server, https):
    server.body = PACKAGED.read_bytes()
    size = len(server.body)
    publish(sources=(https("cannot_resume"),), bytes=size, sha256=None, architecture="u2netp")
    assert fetch_weights("u2net").read_bytes() == server.body
    assert ranges(server) == [None, None]


# Https


def test_a_redirect_never_leaves_https(publish, server, https):
    publish(sources=(https("redirected_to_http"),))
    with pytest.raises(WeightsError, match="redirects from https to something less safe"):
        fetch_weights("u2net")
    assert asked(server) == ["redirected_to_http"]


@pytest.mark.filterwarnings("ignore:nobody has published")
def test_what_nobody_can_check_is_fetched_over_https_alone(publish, server, https):
    server.body = PACKAGED.read_bytes()
    open_line, safe_line = server.url("good"), https("good")
    changes = {"bytes": len(server.body), "sha256": None, "architecture": "u2netp"}
    publish(sources=(open_line,), **changes)
    with pytest.raises(WeightsError, match="so it must come over https"):
        fetch_weights("u2net")
    assert asked(server) == []
    publish(sources=(open_line, safe_line), **changes)
    assert fetch_weights("u2net").read_bytes() == server.body


def test_trust_on_first_use_is_for_the_portrait_net_alone():
    unknown = [record.name for record in CHECKPOINTS.values() if record.sha256 is None]
    assert unknown == ["u2net_portrait"]


@pytest.mark.filterwarnings("error:nobody has published")
def test_trust_is_recorded_even_where_warnings_are_errors(
    publish, server, https, home, monkeypatch
):
    server.body = PACKAGED.read_bytes()
    publish(sources=(https("good"),), bytes=len(server.body), sha256=None, architecture="u2netp")
    with pytest.raises(UserWarning, match=r"nothing proves that .* is the authors' own file"):
        fetch_weights("u2net")
    found = hashlib.sha256(server.body).hexdigest()
    assert (home / "u2net.pth.sha256").read_text() == f"{found}  u2net.pth\n"
    monkeypatch.setenv("U2DEMO_OFFLINE", "1")
    assert fetch_weights("u2net") == home / "u2net.pth"


# Given up


def threads_of_ours():
    """Return the threads that are not the server's."""
    return {each for each in threading.enumerate() if "process_request" not in each.name}


@pytest.mark.parametrize("fault", ["continues", "trails", "drip_headers", "silent", "drip"])
def test_a_source_that_is_given_up_leaves_no_thread_and_no_connection(
    fault, publish, server, monkeypatch
):
    monkeypatch.setattr(download, "PATIENCE", 0.5)
    before = threads_of_ours()
    publish(fault)
    with pytest.raises(WeightsError, match=r"sent next to nothing for 0\.5 seconds"):
        fetch_weights("u2net")
    assert not threads_of_ours() - before


def test_a_download_that_is_stopped_leaves_no_thread_either(publish):
    before = threads_of_ours()
    publish("silent")

    def stop(size):
        raise download.Stopped

    with pytest.raises(download.Stopped):
        fetch_weights("u2net", progress=stop)
    assert not threads_of_ours() - before


# Busy


@pytest.mark.parametrize("fault", ["busy_for_a_moment", "busy_until"])
def test_a_busy_source_is_waited_for_and_that_is_said(fault, publish):
    publish(fault)
    start, sizes = time.monotonic(), []
    with pytest.warns(UserWarning, match=r"127\.0\.0\.1 is busy and asks to wait [12] seconds"):
        assert fetch_weights("u2net", progress=sizes.append).read_bytes() == BODY
    assert time.monotonic() - start > 0.9
    assert len(sizes) > 5, "a wait can be stopped, too"


def test_a_source_is_waited_for_once(publish, server):
    publish("busy_again_and_again", "good")
    assert fetch_weights("u2net").read_bytes() == BODY
    assert asked(server) == ["busy_again_and_again", "busy_again_and_again", "good"]


def test_an_hour_is_not_waited_for_but_said(publish):
    publish("unavailable")
    with pytest.raises(WeightsError, match="it asks to come back in 3,600 seconds"):
        fetch_weights("u2net")


# The terminal

NOISY = ["noisy_status", "noisy_page", "noisy_encoding", "noisy_range", "noisy_redirect"]


@pytest.mark.parametrize("fault", NOISY)
def test_no_word_of_a_source_drives_the_terminal(fault, publish, capsys):
    publish(fault)
    assert weights.main(["fetch", "u2net"]) == 1
    assert_harmless(capsys.readouterr().err.rpartition("\r")[2])


@pytest.mark.parametrize("name", ["\x1b[2J.pth", "\x07.pth", "\u202egpj.pth", "a\x9b31m.pth"])
def test_no_file_name_drives_the_terminal(name, tmp_path):
    with pytest.raises(WeightsError) as refused:
        load_model(weights=tmp_path / name)
    assert_harmless(str(refused.value))


def assert_harmless(text):
    assert text and all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("name", ["u2net.pth.part", "u2net.pth.lock"])
def test_a_link_in_place_of_a_working_file_is_not_followed(name, publish, server, home, tmp_path):
    publish("good")
    (tmp_path / "mine.txt").write_text("mine")
    home.mkdir()
    (home / name).symlink_to(tmp_path / "mine.txt")
    with pytest.raises(WeightsError, match=r"is a link.*\nMove what is in the way"):
        fetch_weights("u2net")
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert asked(server) == []
