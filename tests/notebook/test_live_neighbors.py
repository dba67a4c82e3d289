"""A live picture and the one-click app in one kernel: who waits, and where a photo goes."""

import asyncio
import threading

import pytest
from live_app import (
    as_file,
    on_a_page,
    part,
    press,
    said_in,
    spot,
    text_of,
    tile_names,
    tiles,
    until,
)
from live_camera import frame, jpeg, square

from u2demo.notebook import neighbors
from u2demo.notebook.jobs import aside
from u2demo.notebook.live.desk import LiveDesk

WAITS = "Waiting: this goes on when the live picture stops."


@pytest.fixture
def desk(net, said):
    desk = LiveDesk(lambda: net, lambda *answer: said.put(answer), keep=None, cores=1)
    yield desk
    desk.rest()


@pytest.fixture
def camera():
    """A live picture that is on or off."""

    class Camera:
        is_at_work = True

    camera = Camera()
    neighbors.announce(camera)
    yield camera
    camera.is_at_work = False


def waits(app):
    return WAITS in text_of(said_in(part(app, "u2-left")))


def photo_of(said):
    """Return the answer to a photo."""
    while True:
        message, picture = said.get(timeout=60)
        if message["kind"] == "photo":
            return message, picture


def test_the_app_waits_while_a_picture_is_live_says_so_and_goes_on(camera, net):
    async def visit(app):
        assert not waits(app)
        camera.is_at_work = True
        app.receive([("cat.png", as_file(spot()))])
        await until(lambda: waits(app))
        await asyncio.sleep(0.3)
        assert tile_names(app) == ["one.png", "two.png"] and app.is_busy
        camera.is_at_work = False
        await until(lambda: not app.is_busy)
        assert "cat.png" in tile_names(app) and not waits(app)

    camera.is_at_work = False
    on_a_page(visit, net)


def test_a_person_who_closes_the_note_that_work_waits_does_not_see_it_again(camera, net):
    async def visit(app):
        camera.is_at_work = True
        app.receive([("cat.png", as_file(spot()))])
        await until(lambda: waits(app))
        press(app, "Close this message", "u2-left")
        await asyncio.sleep(0.5)
        assert not waits(app) and app.is_busy
        camera.is_at_work = False
        await until(lambda: not app.is_busy)
        camera.is_at_work = True
        app.receive([("dog.png", as_file(spot()))])
        await until(lambda: waits(app))

    camera.is_at_work = False
    on_a_page(visit, net)


def test_work_that_is_stopped_while_it_waits_is_not_waited_for(camera, net):
    async def visit(app):
        camera.is_at_work = True
        app.receive([("cat.png", as_file(spot()))])
        await until(lambda: waits(app))
        app.stop()
        await until(lambda: not app.is_busy)
        assert not waits(app) and len(tiles(app)) == 2

    camera.is_at_work = False
    on_a_page(visit, net)


def test_what_a_thread_makes_aside_waits_as_well(camera):
    made = []

    def items():
        for number in range(3):
            made.append(number)
            yield number

    steps = aside(items())
    assert [next(steps) for _ in range(20)].count(None) == 19 and made == [0]
    camera.is_at_work = False
    assert [each for each in steps if each is not None] == [1, 2]


def test_a_desk_is_live_from_its_first_frame_until_it_rests(desk, said):
    assert not neighbors.is_live()
    desk.receive({"kind": "frame", "number": 0, "time": 0.0}, frame(0).jpeg)
    assert neighbors.is_live()
    desk.receive({"kind": "stop"}, b"")
    assert not neighbors.is_live()


def test_a_live_photo_goes_into_the_gallery_of_the_app(desk, said, net, monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setattr("u2demo.notebook.app.display", lambda page: None)

    async def visit(app):
        app.show({"one.png": spot()})
        await until(lambda: not app.is_busy)
        photo = {"kind": "photo", "number": 7}
        page = threading.Thread(target=desk.receive, args=(photo, jpeg(square(0))))
        page.start()  # JupyterLab delivers messages in another thread
        page.join()
        message, picture = await asyncio.to_thread(photo_of, said)
        assert message["text"].startswith("Also in the one-click app") and picture
        desk.rest()
        await until(lambda: not app.is_busy and len(tiles(app)) == 2)
        assert tile_names(app)[1].startswith("live ") and tile_names(app)[1].endswith(".jpg")
        assert app.photos[1].size == square(0).size

    on_a_page(visit, net)


def test_a_photo_without_an_app_stays_in_the_page(desk, said):
    desk.receive({"kind": "photo", "number": 7}, jpeg(square(0)))
    message, picture = photo_of(said)
    assert message["text"] == "" and picture


def test_of_two_apps_the_one_opened_last_gets_the_photo():
    first, last = [], []
    for receive in (first.append, last.append):
        neighbors.open_gallery(receive)
    assert neighbors.pass_on("a.jpg", b"photo")
    for receive in (first.append, last.append):
        neighbors.close_gallery(receive)
    assert (first, last) == ([], [[("a.jpg", b"photo")]])


def test_a_closed_app_gets_no_photo():
    got = []
    receive = got.append
    neighbors.open_gallery(receive)
    neighbors.close_gallery(receive)
    assert not neighbors.pass_on("a.jpg", b"") and got == []
