"""The app's menu of networks: what it says, and what happens while one is fetched or refused."""

import dataclasses
import hashlib
import threading
from pathlib import Path

import pytest
from live_app import is_idle, on_a_page, until
from misbehaving_server import MisbehavingServer

from u2demo.nets import checkpoints
from u2demo.notebook import OneClick
from u2demo.notebook.models import label

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
def publish(server, monkeypatch):
    """Publish the small network's weights as those that find people, at a source with a fault."""

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


def chosen(app):
    return app._models._menu.label


def fetchers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("fetch ")]


def test_the_menu_says_what_a_network_costs_before_it_is_fetched(home):
    assert label("u2netp") == "Small – built in"
    assert label("u2net") == "Full size – 176 MB download"
    assert label(PEOPLE) == "People – 176 MB download"
    home.mkdir()
    with (home / f"{PEOPLE}.pth").open("wb") as file:
        file.truncate(checkpoints.CHECKPOINTS[PEOPLE].bytes)
    assert label(PEOPLE) == "People – ready"


def test_a_network_is_fetched_while_the_app_goes_on_and_then_looks_at_every_photo(publish, server):
    publish("waits")

    async def visit(app):
        app._models._menu.value = PEOPLE
        await until(lambda: app._models._progress._bar.value > 0.4)
        assert app._models._progress._text.value == "Fetching, 2 of 5 MB"
        tiles(app)[1].children[1].click()
        app._panel.toolbar.value = "blur"
        assert "two.png" in caption(app) and app._models.name == "u2netp"
        server.released.set()
        await until(lambda: app._models.name == PEOPLE and not app.is_busy)
        assert {photo.looked for photo in app.photos} == {(PEOPLE, "fast")}
        assert chosen(app) == "People – ready" and said(app) == ""

    on_a_page(visit)


@pytest.mark.parametrize("fault", ["quota", "wrong_bytes", "no_http"])
def test_a_refusal_is_told_in_the_app_which_goes_on_with_what_it_has(fault, publish, server, home):
    publish(fault)

    async def visit(app):
        for attempt in (1, 2):  # choosing again is trying again
            app._models._menu.value = PEOPLE
            await until(lambda: app._models._fetching is None)
            assert len(server.seen) == attempt
            assert chosen(app) == "Small – built in" and not app.is_busy
            assert server.url(fault) in said(app)
            assert '<a href="https://github.com/xuebinqin/U-2-Net"' in said(app)
            assert str(home / f"{PEOPLE}.pth") in said(app)
            sentence, _, details = said(app).partition("<details>")
            again = "Going on with: Small. Choose People again in the menu to try again."
            assert sentence.endswith(f">{PEOPLE} could not be downloaded. {again}")
            assert "sha256" in details and "Traceback" not in details

    on_a_page(visit)


@pytest.mark.parametrize("way_out", ["another choice", "the button", "the cell runs again"])
def test_a_download_that_nobody_wants_any_more_ends_and_can_be_resumed(
    way_out, publish, server, home
):
    publish("waits")

    async def visit(app):
        app._models._menu.value = PEOPLE
        await until(lambda: app._models._progress._bar.value > 0.4)
        if way_out == "another choice":
            app._models._menu.value = "u2netp"
        elif way_out == "the button":
            app._models._progress.stop.click()
        else:
            app.close()
        await until(lambda: not fetchers())
        assert app._models.name == "u2netp" and not app.is_busy
        assert (home / f"{PEOPLE}.pth.part").stat().st_size > 1_000_000
        if way_out != "the cell runs again":
            publish("good")
            app._models._menu.value = PEOPLE
            await until(lambda: app._models.name == PEOPLE)
            assert server.seen[-1][1].startswith("bytes=")

    on_a_page(visit)


def test_a_choice_made_while_another_is_fetched_is_the_one_that_counts(publish, server):
    publish("waits")

    async def visit(app):
        app._models._menu.value = PEOPLE
        await until(lambda: app._models._progress._bar.value > 0.4)
        app._models._menu.value = "u2netp"
        app._models._menu.value = PEOPLE
        server.released.set()
        await until(lambda: app._models.name == PEOPLE and not app.is_busy and not fetchers())
        assert chosen(app) == "People – ready"

    on_a_page(visit)


def test_a_network_of_ones_own_stays_in_the_menu(model):
    app = OneClick(model)
    assert app._models._menu.options[0] == ("Your own", "own")
    assert app._models.load() is model
