"""The app's menu of networks: what it says, and what happens while one is fetched or refused."""

import dataclasses
import hashlib
import socket
import threading
from pathlib import Path

import pytest
from bright import Bright
from live_app import (
    caption,
    classes,
    find,
    on_a_page,
    press,
    progress,
    said,
    send,
    spot,
    text_of,
    until,
    visible,
)
from misbehaving_server import MisbehavingServer

from u2demo.nets import checkpoints
from u2demo.notebook import OneClick, models

WEIGHTS = Path(checkpoints.__file__).parents[1] / "data" / "u2netp.pth"
PEOPLE = "u2net_human_seg"


@pytest.fixture
def server():
    with MisbehavingServer(WEIGHTS.read_bytes()) as server:
        yield server


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A page in Jupyter, on a machine that has only what ships inside the package."""
    for variable in ("U2DEMO_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("U2DEMO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    return tmp_path / "home"


@pytest.fixture
def publish(server, monkeypatch, bright_loaded):
    """Publish the small network's weights as those that find people, at a source with a fault.

    Whatever is fetched, a net that is quick takes its place.
    """

    def publish(fault):
        record = dataclasses.replace(
            checkpoints.CHECKPOINTS[PEOPLE],
            architecture="u2netp",
            bytes=len(server.body),
            sha256=hashlib.sha256(server.body).hexdigest(),
            sources=(server.url(fault),),
        )
        monkeypatch.setitem(checkpoints.CHECKPOINTS, PEOPLE, record)

    return publish


@pytest.fixture
def app(no_loop):
    return OneClick(Bright())


def menu(app):
    return find(app, "Network")


def choose(app, name):
    menu(app).value = name


def listed(app):
    return [label for label, _ in menu(app).options]


def chosen(app):
    return menu(app).label


def about(app):
    """Return what stands beside the menu."""
    return text_of("".join(getattr(each, "value", "") or "" for each in beside(app)))


def beside(app):
    return [each for each in visible(app.page) if "u2-about" in classes(each)]


def at_work(app):
    """Return the networks whose masks the app shows."""
    return {photo.network for photo in app.photos}


def share_fetched(app):
    shown = progress(app, "u2-models")
    return shown[1] if shown else 0


def fetchers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("fetch ")]


def test_the_menu_says_what_each_network_is_good_for_how_large_and_how_slow(app, home):
    assert listed(app)[:4] == [
        "Your own",
        "u2netp: any subject; the quickest, ships inside",
        "u2net: any subject, a little better; twice as slow – 176 MB",
        "u2net_human_seg: people; twice as slow – 176 MB",
    ]
    masks = [name for name, each in checkpoints.CHECKPOINTS.items() if each.makes == "mask"]
    assert [name for _, name in menu(app).options] == ["own", *masks, "file"]
    home.mkdir()
    with (home / f"{PEOPLE}.pth").open("wb") as file:
        file.truncate(checkpoints.CHECKPOINTS[PEOPLE].bytes)
    assert "u2net_human_seg: people; twice as slow – ready" in listed(OneClick())


def test_a_network_added_to_the_records_is_in_the_menu_with_its_terms(
    publish, no_loop, monkeypatch
):
    publish("good")
    record = checkpoints.CHECKPOINTS[PEOPLE]
    terms = "MIT; its data may not be used in trade"
    new = dataclasses.replace(record, name="new", purpose="cats", license=terms)
    monkeypatch.setitem(checkpoints.CHECKPOINTS, "new", new)
    app = OneClick()
    assert "new: cats – 5 MB" in listed(app)
    assert about(app).startswith("Any subject; the quickest")
    choose(app, "new")
    assert chosen(app) == "new: cats – ready"
    assert about(app) == f"Cats. License: {terms}."


def test_the_license_is_beside_the_menu_while_its_network_is_still_being_fetched(publish, server):
    publish("waits")

    async def visit(app):
        choose(app, PEOPLE)
        await until(lambda: share_fetched(app) > 0.4)
        assert about(app).startswith("People; twice as slow. A download of 5 MB")
        assert "License: Apache-2.0; the training data has its own terms" in about(app)
        press(app, "Stop", "u2-models")
        assert about(app).startswith("Any subject; the quickest")

    on_a_page(visit)


def test_the_app_keeps_freed_memory_once_it_loads_a_network_itself(
    bright_loaded, no_loop, monkeypatch
):
    calls = []
    monkeypatch.setattr(models, "keep_freed_memory", lambda: calls.append("kept"))
    OneClick(Bright()).run({"one.png": spot()})
    assert calls == []
    OneClick().run({"one.png": spot(), "two.png": spot()})
    assert calls == ["kept"]


def test_a_network_is_fetched_while_the_app_goes_on_and_then_looks_at_every_photo(publish, server):
    publish("waits")

    async def visit(app):
        choose(app, PEOPLE)
        await until(lambda: share_fetched(app) > 0.4)
        assert progress(app, "u2-models")[0] == "Fetching, 2 of 5 MB"
        assert app.is_busy
        press(app, "two.png")
        press(app, "Blur")
        assert "two.png" in caption(app) and at_work(app) == {"u2netp"}
        server.released.set()
        await until(lambda: not app.is_busy)
        assert at_work(app) == {PEOPLE}
        assert chosen(app) == f"{PEOPLE}: people; twice as slow – ready" and said(app) == ""

    on_a_page(visit)


def test_a_computer_without_internet_is_told_apart(publish, home, monkeypatch):
    def fail(host, *rest, **options):
        raise socket.gaierror(-2, "Name or service not known")

    publish("quota")
    monkeypatch.setattr("socket.getaddrinfo", fail)

    async def visit(app):
        choose(app, PEOPLE)
        await until(lambda: not app.is_busy)
        sentence, _, _ = said(app, "u2-models").partition("<details>")
        assert "could not be downloaded. This computer seems to be offline. Still" in sentence

    on_a_page(visit)


@pytest.mark.parametrize("fault", ["quota", "wrong_bytes", "no_http"])
def test_a_refusal_is_shown_in_the_app_which_keeps_its_network(fault, publish, server, home):
    publish(fault)

    async def visit(app):
        for attempt in (1, 2):  # choosing again is trying again
            choose(app, PEOPLE)
            await until(lambda: not app.is_busy)
            assert len(server.seen) == attempt
            assert chosen(app).startswith("u2netp: ")
            assert server.url(fault) in said(app, "u2-models")
            assert '<a href="https://github.com/xuebinqin/U-2-Net"' in said(app, "u2-models")
            assert str(home / f"{PEOPLE}.pth") in said(app, "u2-models")
            sentence, _, details = said(app, "u2-models").partition("<details>")
            again = f"Still using u2netp. Choose {PEOPLE} again in the menu to try again."
            assert sentence.endswith(f">{PEOPLE} could not be downloaded. {again}")
            assert "sha256" in details and "Traceback" not in details

    on_a_page(visit)


@pytest.mark.parametrize("way_out", ["another choice", "the button", "the cell runs again"])
def test_a_download_no_longer_wanted_ends_and_can_be_resumed(way_out, publish, server, home):
    publish("waits")

    async def visit(app):
        choose(app, PEOPLE)
        await until(lambda: share_fetched(app) > 0.4)
        if way_out == "another choice":
            choose(app, "u2netp")
        elif way_out == "the button":
            press(app, "Stop", "u2-models")
        else:
            app.close()
        await until(lambda: not fetchers())
        assert at_work(app) <= {"u2netp"} and not app.is_busy
        assert (home / f"{PEOPLE}.pth.part").stat().st_size > 1_000_000
        if way_out != "the cell runs again":
            publish("good")
            choose(app, PEOPLE)
            await until(lambda: at_work(app) == {PEOPLE})
            assert server.seen[-1][1].startswith("bytes=")

    on_a_page(visit)


def test_a_choice_made_while_another_is_fetched_is_the_one_that_counts(publish, server):
    publish("waits")

    async def visit(app):
        choose(app, PEOPLE)
        await until(lambda: share_fetched(app) > 0.4)
        choose(app, "u2netp")
        choose(app, PEOPLE)
        server.released.set()
        await until(lambda: at_work(app) == {PEOPLE} and not app.is_busy and not fetchers())
        assert chosen(app) == f"{PEOPLE}: people; twice as slow – ready"

    on_a_page(visit)


def test_a_network_of_ones_own_stays_in_the_menu_and_finds_the_subjects(app):
    app.run({"one.png": spot()})
    assert menu(app).options[0] == ("Your own", "own") and about(app) == ""
    assert at_work(app) == {"own"}


# A file of your own


def open_file(app, name, content):
    choose(app, "file")
    send(app, "Choose a weights file", [(name, content)])


def test_a_file_of_your_own_is_used_and_named(app):
    app.run({"one.png": spot()})
    open_file(app, "mine.pth", WEIGHTS.read_bytes())
    assert chosen(app) == "mine.pth" and "file of yours" in about(app)
    (network,) = at_work(app)
    assert network.endswith(":mine.pth"), "the photo was looked at again"
    choose(app, "u2netp")
    assert at_work(app) == {"u2netp"}


def test_a_path_can_be_typed_and_another_file_of_the_same_name_is_another_net(app, tmp_path):
    import torch

    path = tmp_path / "mine.pth"
    path.write_bytes(WEIGHTS.read_bytes())
    app.run({"one.png": spot()})
    names = set()
    for factor in (1, 0.5):
        state = torch.load(WEIGHTS, weights_only=True)
        state["outconv.weight"] *= factor
        torch.save(state, path)
        choose(app, "file")
        find(app, "or a path").value = str(path)
        names |= at_work(app)
    assert len(names) == 2


def test_what_is_no_net_is_refused_by_the_name_of_its_file(app):
    app.run({"one.png": spot()})
    open_file(app, "mine.pth", b"<html>")
    assert chosen(app) == "Your own"
    text = text_of(said(app, "u2-models"))
    assert text.startswith("mine.pth is a web page") and "Still using Your own" in text
