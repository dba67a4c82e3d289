"""Nothing is lost: what goes can come back, and what is not saved is asked about."""

import pytest
from bright import Bright
from live_app import (
    as_file,
    caption,
    classes,
    find,
    on_a_page,
    part,
    press,
    said_of_saving,
    spot,
    text_of,
    tile_names,
    until,
)

from u2demo.images.read import sample_images
from u2demo.notebook import OneClick, neighbors
from u2demo.notebook.notes import Notes
from u2demo.notebook.offer import Offer


@pytest.fixture(autouse=True)
def small_samples(monkeypatch, results):
    samples = {name: spot() for name in sample_images()}  # small ones
    monkeypatch.setattr("u2demo.notebook.app.sample_images", lambda: samples)


@pytest.fixture
def app(no_loop):
    """An app with three photos of a person's own."""
    app = OneClick(Bright())
    app.run({})
    app.receive([(name, as_file(spot())) for name in ("a.png", "b.png", "c.png")])
    yield app
    app.close()


def offered(app):
    return text_of(part(app, "u2-offer").text)


def names(app):
    return [photo.name for photo in app.photos]


def is_unsaved(app):
    return "u2-unsaved" in classes(app.page)


def test_a_photo_that_was_removed_comes_back_to_its_place_with_its_settings(app):
    press(app, "b.png")
    find(app, "Less / more").value = 0.8
    press(app, "Remove b.png")
    assert offered(app) == "b.png removed."
    press(app, "Undo")
    assert tile_names(app) == ["a.png", "b.png", "c.png"]
    assert caption(app).startswith("b.png") and find(app, "Less / more").value == 0.8


def test_photos_removed_one_after_the_other_come_back_together(app):
    press(app, "Remove a.png")
    press(app, "Remove b.png")
    assert offered(app) == "2 photos removed." and len(app.photos) == 1
    press(app, "Undo")
    assert tile_names(app) == ["a.png", "b.png", "c.png"]


def test_a_photo_removed_while_a_question_is_asked_comes_back_alone(app):
    press(app, "Remove a.png")
    app._offer.hide()  # its time is over
    press(app, "Start over")
    press(app, "Remove b.png")
    assert offered(app) == "b.png removed."
    press(app, "Undo")
    assert tile_names(app) == ["b.png", "c.png"]


def test_a_photo_that_comes_back_is_looked_at_as_the_others_were_meanwhile(app):
    press(app, "Remove b.png")
    press(app, "Best")
    press(app, "Undo")
    assert {photo.quality for photo in app.photos} == {"best"}


def test_an_undo_is_offered_for_a_time():
    async def visit(_):
        offer = Offer(Notes())
        offer.undo("Gone.", lambda: None, seconds=0.01)
        assert offer.is_open
        await until(lambda: not offer.is_open)
        assert len(offer.children) == 1, "its button is closed"

    on_a_page(visit, Bright())


def test_an_undo_that_a_busy_kernel_hears_of_late_is_done():
    async def visit(_):
        settling, done = [], []
        offer = Offer(Notes(), settling.append)
        offer.undo("Gone.", lambda: done.append("back"), seconds=0.01)
        await until(lambda: settling)  # the time is over; a click may still be on its way
        offer.children[1].click()
        assert done == ["back"]
        offer.undo("Another one.", lambda: None)
        settling[0]()
        assert offer.is_open, "that is no longer the one whose time is over"
        offer.hide()

    on_a_page(visit, Bright())


def test_starting_over_asks_while_own_photos_are_unsaved(app):
    press(app, "Start over")
    assert offered(app) == "3 photos have not been saved. Start over?"
    press(app, "Keep my photos")
    assert tile_names(app) == ["a.png", "b.png", "c.png"]
    press(app, "Save all to results/")
    press(app, "Start over")
    assert "rocket.jpg" in tile_names(app), "all was saved: no question"


def test_starting_over_can_be_undone(app):
    press(app, "b.png")
    find(app, "Less / more").value = 0.8
    press(app, "Start over")
    press(app, "Start over", "u2-offer")
    assert "rocket.jpg" in tile_names(app) and find(app, "Less / more").value == 0.5
    press(app, "Undo")
    assert tile_names(app) == ["a.png", "b.png", "c.png"]
    assert caption(app).startswith("b.png") and find(app, "Less / more").value == 0.8


def test_starting_over_with_two_quick_clicks_can_be_undone(app):
    press(app, "Save all to results/")
    start_over = find(app, "Start over")
    start_over.click()
    start_over.click()
    press(app, "Undo")
    assert tile_names(app) == ["a.png", "b.png", "c.png"]


def test_photos_chosen_since_starting_over_come_after_those_that_are_brought_back(app):
    press(app, "b.png")
    press(app, "Start over")
    press(app, "Start over", "u2-offer")
    app.receive([("new.png", as_file(spot()))])
    press(app, "Undo")
    assert tile_names(app) == ["a.png", "b.png", "c.png", "new.png"]
    assert caption(app).startswith("b.png")


def test_an_undo_of_starting_over_brings_back_photos_of_which_none_was_there_yet():
    async def visit(app):
        app.run({"first.png": spot()})
        press(app, "Start over")  # at once: none has been looked at
        press(app, "Undo")
        await until(lambda: not app.is_busy)
        assert names(app) == ["first.png"]

    on_a_page(visit, Bright())


def test_an_undo_of_starting_over_brings_back_photos_that_were_on_their_way():
    async def visit(app):
        app.receive([(f"{number}.png", as_file(spot())) for number in range(5)])
        await until(lambda: len(app.photos) == 4)
        press(app, "Start over")
        press(app, "Start over", "u2-offer")
        await until(lambda: "rocket.jpg" in names(app))
        app.receive([("new.png", as_file(spot()))])
        await until(lambda: "new.png" in names(app))
        press(app, "Undo")
        await until(lambda: not app.is_busy)
        on_their_way = [f"{number}.png" for number in range(5)]
        assert sorted(names(app)) == sorted(["one.png", "two.png", "new.png", *on_their_way])

    on_a_page(visit, Bright())


def test_the_page_knows_whether_own_photos_are_unsaved(app, results):
    assert is_unsaved(app)
    press(app, "Save all to results/")
    assert not is_unsaved(app)
    press(app, "Blur")
    assert not is_unsaved(app), "another action is no work that is lost"
    find(app, "Less / more").value = 0.8
    assert is_unsaved(app)
    press(app, "Download")
    assert not is_unsaved(app)
    find(app, "Less / more").value = 0.7999999999999999
    assert not is_unsaved(app), "a page rounds what it draws"
    press(app, "Best")
    assert is_unsaved(app), "the masks are others now"
    app.run()
    assert not is_unsaved(app), "the samples are ours"


def test_a_picture_that_is_there_to_be_dragged_is_not_saved_yet(app):
    press(app, "Save all to results/")
    find(app, "Less / more").value = 0.8
    press(app, "Drag out")
    assert "Preparing a_cutout.png" in said_of_saving(app)
    assert is_unsaved(app)


def test_photos_count_as_saved_only_once_their_file_is_whole(app, monkeypatch):
    def fail(*_, **__):
        raise OSError("No space left on device")

    with monkeypatch.context() as full:
        full.setattr("u2demo.notebook.saving._pack", fail)
        press(app, "Download all as zip")
    assert is_unsaved(app)
    assert text_of(said_of_saving(app)) == "No space left on device", "nor is it being packed"
    press(app, "Download all as zip")
    assert not is_unsaved(app)


def test_two_photos_of_one_name_are_told_apart(app):
    app.receive([("a.png", as_file(spot())), ("a.png", as_file(spot()))])
    assert tile_names(app)[3:] == ["a (2).png", "a (3).png"]


def test_own_photos_come_along_when_the_cell_runs_again(no_loop):
    first = OneClick(Bright())
    first.show()
    first.receive([("mine.png", as_file(spot())), ("yours.png", as_file(spot()))])
    press(first, "Best")
    find(first, "Less / more").value = 0.8
    second = OneClick(Bright())
    second.show()
    assert names(second) == ["mine.png", "yours.png"] and not first.photos
    assert find(second, "Less / more").value == 0.8, "with their settings"
    assert {photo.quality for photo in second.photos} == {"best"}
    assert {photo.network for photo in second.photos} == {"own"}
    third = OneClick(Bright())
    third.show({"chosen.png": spot()})
    assert names(third) == ["chosen.png"], "what the cell says goes first"
    fourth = OneClick(Bright())
    fourth.show()
    assert names(fourth) == list(sample_images())
    fourth.close()


def test_the_quality_that_was_chosen_comes_along_though_its_looks_have_not_begun():
    async def visit(first):
        first.show()
        first.receive([("mine.png", as_file(spot())), ("yours.png", as_file(spot()))])
        await until(lambda: not first.is_busy)
        press(first, "Best")
        second = OneClick(Bright())
        second.show()
        await until(lambda: not second.is_busy)
        assert [photo.quality for photo in second.photos] == ["best", "best"]
        second.close()

    on_a_page(visit, Bright())


def test_an_app_shown_again_in_its_cell_stays_as_it_is(no_loop):
    app = OneClick(Bright())
    app.show()
    app.receive([("mine.png", as_file(spot()))])
    find(app, "Less / more").value = 0.8
    app.show()
    assert names(app) == ["mine.png"]
    assert find(app, "Less / more").value == 0.8
    assert app.page.comm, "the page is not closed"
    app.show({"chosen.png": spot()})
    assert names(app) == ["chosen.png"], "what the cell says goes first"
    app.close()
    assert not neighbors.pass_on("other.png", b""), "nothing waits for photos of other pages"
