"""Impatient hands: clicks while the app works, 200 photos at once, a disk that fills up."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bright import Bright
from live_app import as_file, is_idle, on_a_page, spot, until

from u2demo.notebook import OneClick, saving
from u2demo.notebook.preview import look
from u2demo.notebook.progress import Progress
from u2demo.notebook.turns import Turns, in_turn


@pytest.fixture(autouse=True)
def results(monkeypatch, tmp_path):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "results"))
    return tmp_path / "results"


def stop(progress):
    progress.stop.click()


def photos(count):
    return [(f"{number}.png", as_file(spot())) for number in range(count)]


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_of_many_photos_the_first_can_be_used_while_the_others_come(count):
    async def visit(app):
        app._receive(photos(count))
        await until(lambda: len(app._album.photos) > 2)
        app._panel.toolbar.value = "blur"
        app._album.choose(1)
        assert app._album.caption.value.startswith("two.png") and len(app._album.photos) < count
        await until(lambda: is_idle(app))
        assert len(app._album.photos) == len(app._album.gallery.children) == count + 2
        assert app._notes.value == ""

    on_a_page(visit, Bright())


def test_200_photos_can_be_stopped_and_what_is_there_stays():
    async def visit(app):
        app._receive(photos(200))
        await until(lambda: len(app._album.photos) > 4)
        stop(app._progress)
        await until(lambda: is_idle(app))
        assert 4 < len(app._album.photos) < 200
        app._receive(photos(1))
        before = len(app._album.photos)
        await until(lambda: len(app._album.photos) == before + 1)

    on_a_page(visit, Bright())


def test_the_count_comes_before_a_name_that_may_be_cut_off():
    progress = Progress(lambda: None)
    said = [progress._text.value for _ in progress.over(["a.png", "b.png"], "Looking at", str)]
    assert said == ["Looking at 1 of 2: a.png", "Looking at 2 of 2: b.png"]


def test_the_page_answers_a_stop_by_itself_and_has_a_fresh_button_for_the_next_run():
    progress, seen = Progress(lambda: None, answer="One moment…"), set()
    for _ in range(2):
        pages = {progress._stop.value for _ in progress.over(["a", "b"], "Looking at", str)}
        assert len(pages) == 1, "between two photos a stop must not be forgotten"
        seen |= pages
    assert len(seen) == 2 and all("One moment…" in button for button in seen)


def test_after_a_stop_the_page_says_how_far_it_came_and_the_same_choice_goes_on():
    async def visit(app):
        app._receive(photos(4))
        await until(lambda: len(app._album.photos) == 6 and is_idle(app))
        quality = app._panel.quality
        quality.value = "best"
        await until(lambda: app._album.photos[1].looked == ("own", "best"))
        stop(app._progress)
        done = [photo.looked[1] for photo in app._album.photos].count("best")
        assert f"Stopped: {done} of 6 photos are done (Your own, Best)." in app._notes.value
        assert 2 <= done < 6 and quality.value is None
        await until(lambda: not app._turns._jobs)
        quality.value = "best"
        await until(lambda: not app._turns._jobs)
        assert {photo.looked for photo in app._album.photos} == {("own", "best")}
        assert app._notes.value == ""

    on_a_page(visit, Bright())


def test_other_photos_after_a_stop_find_a_quality_chosen():
    async def visit(app):
        app._panel.quality.value = "best"
        await until(lambda: app._album.photos[0].looked == ("own", "best"))
        app.run({"new.png": spot()})
        await until(lambda: len(app._album.photos) == 1 and not app._turns._jobs)
        assert app._album.photos[0].looked == ("own", app._panel.quality.value)
        assert app._notes.value == ""

    on_a_page(visit, Bright())


def test_a_photo_removed_while_the_others_are_looked_at_is_not_missed():
    async def visit(app):
        app._panel.quality.value = "best"
        await until(lambda: app._album.photos[0].looked == ("own", "best"))
        app._album.remove(1)
        await until(lambda: not app._turns._jobs)
        assert len(app._album.photos) == 1 and app._notes.value == ""

    on_a_page(visit, Bright())


def test_a_large_photo_is_kept_as_its_file_and_a_packed_mask():
    photo = spot((900, 700))
    data = as_file(photo)
    kept = look(Bright(), "cat.png", data, photo, ("own", "fast"))
    assert kept.source is data and len(kept.packed_mask) < kept.mask.nbytes / 10
    np.testing.assert_array_equal(np.asarray(kept.image), np.asarray(photo))
    assert kept.mask.shape == (700, 900) and kept.mask.dtype == np.float32


def test_photos_that_come_while_others_are_saved_are_added_afterwards(results):
    async def visit(app):
        app._saver.keep.click()
        app._receive(photos(3))
        app._saver.download.click()
        await until(lambda: len(app._album.photos) == 5 and is_idle(app) and not app._turns._jobs)
        assert {path.name for path in results.iterdir()} == {"one_cutout.png", "two_cutout.png"}

    on_a_page(visit, Bright())


def test_two_clicks_save_once(results):
    async def visit(app):
        app._saver.keep.click()
        app._saver.keep.click()
        await until(lambda: not app._turns._jobs)
        assert len(list(results.iterdir())) == 2 and not app._saver.keep.disabled

    on_a_page(visit, Bright())


def test_a_save_that_other_photos_forestall_can_be_asked_for_again(results):
    async def visit(app):
        app._receive(photos(3))
        app._saver.keep.click()
        app.run({"new.png": spot()})
        await until(lambda: not app._turns._jobs)
        app._saver.keep.click()
        await until(lambda: not app._turns._jobs)
        assert [path.name for path in results.iterdir()] == ["new_cutout.png"]

    on_a_page(visit, Bright())


def test_a_full_disk_is_a_sentence_and_saving_can_be_tried_again(results, monkeypatch):
    async def visit(app):
        with monkeypatch.context() as patch:
            full = OSError(28, "No space left on device", str(results))
            patch.setattr(saving, "save", lambda *_: (_ for _ in ()).throw(full))
            for button in (app._saver.keep, app._saver.download, app._saver.download_all):
                button.click()
                await until(lambda: not app._turns._jobs)
                said = app._saver._notes.value
                assert "No space left on device" in said
                assert "Errno" not in said and "Details" not in said
                assert is_idle(app)
        app._saver.keep.click()
        await until(lambda: not app._turns._jobs)
        assert len(list(results.iterdir())) == 2

    on_a_page(visit, Bright())


def test_the_last_of_many_changes_of_quality_counts():
    async def visit(app):
        looks = app._models.model.looks
        for quality in ("best", "fast", "best", "fast", "best"):
            app._panel.quality.value = quality
            await asyncio.sleep(0)
        await until(lambda: not app._turns._jobs)
        assert {photo.looked for photo in app._album.photos} == {("own", "best")}
        assert app._models.model.looks <= looks + 4 * 8, "each photo twice at most"

    on_a_page(visit, Bright())


def test_back_to_the_samples_in_the_middle_of_an_upload_forgets_the_rest():
    async def visit(app):
        app._receive(photos(50))
        await until(lambda: len(app._album.photos) > 4)
        app._restart.click()
        await until(lambda: is_idle(app) and not app._turns._jobs)
        assert [photo.name for photo in app._album.photos] == [
            "astronaut.jpg", "cat.jpeg", "coffee.png", "rocket.jpg"
        ]  # fmt: skip
        assert len(app._album.gallery.children) == 4

    on_a_page(visit, Bright())


def test_a_click_that_another_thread_hands_in_waits_for_its_turn():
    async def main():
        seen = []
        click = in_turn(lambda: seen.append(threading.current_thread()))
        thread = threading.Thread(target=click)
        thread.start()
        thread.join()
        assert seen == [], "this thread is busy here"
        await asyncio.sleep(0.01)
        assert seen == [threading.current_thread()]

    thread = threading.Thread(target=lambda: done.append(asyncio.run(main())))
    done = []
    thread.start()
    thread.join()
    assert done == [None]


def test_an_interrupt_ends_the_job_at_work_and_the_next_one_is_done():
    done = []

    def job(error=None):
        yield
        if error:
            raise error
        done.append("the next one")

    async def begin():
        turns = Turns()
        turns.start(job(KeyboardInterrupt()), done.append)
        turns.start(job(), done.append)

    def interrupted():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        loop.run_until_complete(until(lambda: done))
        loop.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(interrupted).result()
    assert done == ["the next one"]


@pytest.mark.parametrize(("environment", "done"), [("voila", 4), ("jupyter", 0)])
def test_a_page_of_voila_that_opens_late_finds_all_samples_looked_at(
    environment, done, monkeypatch
):
    async def main():
        monkeypatch.setenv("U2DEMO_ENV", environment)
        app = OneClick(Bright())
        app.show()
        found.append(len(app._album.photos))
        app.close()

    found = []
    thread = threading.Thread(target=lambda: asyncio.run(main()))  # a loop of its own
    thread.start()
    thread.join()
    assert found == [done]
