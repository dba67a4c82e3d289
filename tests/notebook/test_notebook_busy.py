"""Impatient hands: clicks while the app works, 200 photos at once, a disk that fills up."""

import asyncio
import io
import threading
import zipfile

import numpy as np
import pytest
from bright import Bright
from live_app import (
    as_file,
    caption,
    find,
    from_page,
    on_a_page,
    on_stage,
    only_zip,
    part,
    press,
    progress,
    said,
    said_of_saving,
    spot,
    tiles,
    until,
)

from u2demo.notebook import OneClick, saving_form
from u2demo.notebook.photo import find_subject
from u2demo.notebook.progress import Progress

pytestmark = pytest.mark.usefixtures("results")


def names(archive):
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def ways_of_looking(app):
    return {(photo.network, photo.quality) for photo in app.photos}


def photos(count):
    return [(f"{number}.png", as_file(spot())) for number in range(count)]


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_of_many_photos_the_first_can_be_used_while_the_others_come(count):
    async def visit(app):
        app.receive(photos(count))
        await until(lambda: len(app.photos) > 2)
        press(app, "Blur")
        press(app, "two.png")
        assert caption(app).startswith("two.png") and len(app.photos) < count
        await until(lambda: not app.is_busy)
        assert len(app.photos) == len(tiles(app)) == count + 2
        assert said(app) == ""

    on_a_page(visit, Bright())


def test_200_photos_can_be_stopped_and_what_is_there_stays():
    async def visit(app):
        app.receive(photos(200))
        await until(lambda: len(app.photos) > 5)
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert 4 < len(app.photos) < 200
        app.receive(photos(1))
        before = len(app.photos)
        await until(lambda: len(app.photos) == before + 1)

    on_a_page(visit, Bright())


def test_a_click_on_stop_ends_what_waits_too_and_says_how_much_that_was(results):
    async def visit(app):
        app.receive(photos(50))
        app.receive(photos(20))
        await until(lambda: len(app.photos) > 5)
        press(app, "Save all to results/")
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert 5 < len(app.photos) < 50 and not results.exists()
        assert f"Stopped. Files not opened: {72 - len(app.photos)}." in said(app)
        press(app, "Save all to results/")
        await until(lambda: not app.is_busy)
        assert len(list(results.iterdir())) == len(app.photos)

    on_a_page(visit, Bright())


def test_a_look_that_waits_when_stop_is_clicked_can_be_asked_for_again():
    async def visit(app):
        app.receive(photos(2))
        await until(lambda: len(app.photos) == 3)
        press(app, "Best")
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert "Stopped. Files not opened: 1." in said(app)
        assert "0 of 3 photos done (Your own, Best)." in said(app, "u2-side")
        assert find(app, "Best").value is None

    on_a_page(visit, Bright())


def test_who_stops_twice_reads_so_once():
    async def visit(app):
        for _ in range(2):
            press(app, "Best")
            await until(lambda: progress(app))
            press(app, "Stop")
            await until(lambda: not app.is_busy)
        assert said(app).count("Stopped.") == 1

    on_a_page(visit, Bright())


def test_stop_ends_all_that_the_app_is_doing_and_what_is_there_stays(results):
    async def visit(app):
        app.receive(photos(50))
        await until(lambda: len(app.photos) > 5)
        press(app, "Save all to results/")
        app.stop()
        await until(lambda: not app.is_busy)
        assert 4 < len(app.photos) < 50
        assert not results.exists()

    on_a_page(visit, Bright())


def test_the_count_comes_before_a_name_that_may_be_cut_off():
    bar = Progress(lambda: None)
    text = bar.children[0].children[0]
    said = [text.value for _ in bar.over(["a.png", "b.png"], 2, "Looking", str)]
    assert said == ["Looking, 1 of 2: a.png", "Looking, 2 of 2: b.png"]


def test_the_page_answers_a_stop_by_itself_and_has_a_fresh_button_for_the_next_run():
    bar, seen = Progress(lambda: None, answer="One moment…"), set()
    button = bar.children[0].children[1]
    for _ in range(2):
        pages = {button.value for _ in bar.over(["a", "b"], 2, "Looking", str)}
        assert len(pages) == 1, "between two photos a stop must not be forgotten"
        seen |= pages
    assert len(seen) == 2 and all("One moment…" in markup for markup in seen)


def test_after_a_stop_the_page_says_how_far_it_came_and_the_same_choice_goes_on():
    async def visit(app):
        app.receive(photos(4))
        await until(lambda: len(app.photos) == 6 and not app.is_busy)
        press(app, "Best")
        await until(lambda: app.photos[1].quality == "best")
        press(app, "Stop")
        done = [photo.quality for photo in app.photos].count("best")
        assert f"{done} of 6 photos done (Your own, Best)." in said(app, "u2-side")
        assert 2 <= done < 6 and find(app, "Best").value is None
        await until(lambda: not app.is_busy)
        press(app, "Best")
        await until(lambda: not app.is_busy)
        assert ways_of_looking(app) == {("own", "best")}
        assert said(app, "u2-side") == ""

    on_a_page(visit, Bright())


class Scarce(Bright):
    """A net that runs out of memory at some looks, counted from the next one."""

    fails_at = ()

    def forward(self, photos):
        if self.looks in self.fails_at:
            self.looks += 1
            raise MemoryError
        return super().forward(photos)


def test_a_photo_that_fails_at_best_is_named_and_the_others_are_looked_at():
    net = Scarce()

    async def visit(app):
        net.looks, net.fails_at = 0, (0,)
        press(app, "Best")
        await until(lambda: not app.is_busy)
        assert sorted(photo.quality for photo in app.photos) == ["best", "fast"]
        assert "not enough memory" in said(app, "u2-side")
        assert "1 of 2 photos done (Your own, Best)." in said(app, "u2-side")
        assert find(app, "Best").value is None, "or a click on Best would do nothing"
        press(app, "Best")
        await until(lambda: not app.is_busy)
        assert ways_of_looking(app) == {("own", "best")}

    on_a_page(visit, net)


def test_a_box_is_looked_in_while_other_photos_wait_for_a_quality():
    async def visit(app):
        press(app, "Best")
        await until(lambda: app.photos[0].quality == "best")
        press(app, "Stop")
        await until(lambda: not app.is_busy)
        assert find(app, "Best").value is None
        box = {"kind": "box", "photo": on_stage(app)["photo"], "number": 1, "box": [0, 0, 35, 35]}
        from_page(part(app, "u2-stage-box").children[-1], box)
        await until(lambda: not app.is_busy)
        assert [photo.within for photo in app.photos] == [(0, 0, 35, 35), None]
        assert [photo.quality for photo in app.photos] == ["best", "fast"]
        assert said(app, "u2-side").count("1 of 2 photos done") == 1

    on_a_page(visit, Bright())


def test_a_stop_before_another_look_has_begun_lets_the_same_quality_be_chosen_again():
    async def visit(app):
        press(app, "Best")
        app.stop()
        await until(lambda: not app.is_busy)
        assert "0 of 2 photos done (Your own, Best)." in said(app, "u2-side")
        press(app, "Best")
        await until(lambda: not app.is_busy)
        assert ways_of_looking(app) == {("own", "best")}

    on_a_page(visit, Bright())


def test_samples_stay_until_a_photo_of_ones_own_can_take_their_place():
    net = Scarce()

    async def visit(app):
        app.run()
        await until(lambda: not app.is_busy)
        net.looks, net.fails_at = 0, (0,)
        app.receive(photos(1))
        await until(lambda: not app.is_busy)
        assert "0.png: not enough memory" in said(app)
        assert len(app.photos) == 5 and "0.png" not in caption(app)
        app.receive(photos(1))
        await until(lambda: not app.is_busy)
        assert [photo.name for photo in app.photos] == ["0.png"]

    on_a_page(visit, net)


def test_an_app_without_photos_has_nothing_to_save():
    net = Scarce()

    async def visit(app):
        net.looks, net.fails_at = 0, (0,)
        app.run({"new.png": spot()})
        await until(lambda: not app.is_busy)
        assert app.photos == () and caption(app) == ""
        press(app, "Download")
        await until(lambda: not app.is_busy)
        assert "There are no photos to save yet." in said_of_saving(app)

    on_a_page(visit, net)


def test_other_photos_after_a_stop_find_a_quality_chosen():
    async def visit(app):
        press(app, "Best")
        await until(lambda: app.photos[0].quality == "best")
        app.run({"new.png": spot()})
        await until(lambda: len(app.photos) == 1 and not app.is_busy)
        assert app.photos[0].quality == find(app, "Best").value
        assert said(app) == ""

    on_a_page(visit, Bright())


def test_a_photo_removed_while_the_others_are_looked_at_is_not_missed():
    async def visit(app):
        press(app, "Best")
        await until(lambda: app.photos[0].quality == "best")
        press(app, "Remove two.png")
        await until(lambda: not app.is_busy)
        assert len(app.photos) == 1 and said(app) == ""

    on_a_page(visit, Bright())


def test_a_large_photo_is_kept_as_its_file_and_a_packed_mask():
    photo = spot((900, 700))
    data = as_file(photo)
    kept = find_subject(Bright(), "cat.png", data, photo, network="own", quality="fast")
    mask = kept.unpack_mask()
    assert kept.source is data and len(kept.packed_mask) < mask.nbytes / 10
    np.testing.assert_array_equal(np.asarray(kept.open_image()), np.asarray(photo))
    assert mask.shape == (700, 900) and mask.dtype == np.float32


def test_photos_that_come_while_others_are_saved_are_added_afterwards(results):
    async def visit(app):
        press(app, "Save all to results/")
        app.receive(photos(3))
        press(app, "Download")
        await until(lambda: len(app.photos) == 5 and not app.is_busy)
        assert {path.name for path in results.iterdir()} == {"one_cutout.png", "two_cutout.png"}

    on_a_page(visit, Bright())


def test_two_clicks_save_once(results):
    async def visit(app):
        press(app, "Save all to results/")
        press(app, "Save all to results/")
        await until(lambda: not app.is_busy)
        assert len(list(results.iterdir())) == 2
        assert not find(app, "Save all to results/").disabled

    on_a_page(visit, Bright())


def test_a_save_that_other_photos_forestall_can_be_asked_for_again(results):
    async def visit(app):
        app.receive(photos(3))
        press(app, "Save all to results/")
        app.run({"new.png": spot()})
        await until(lambda: not app.is_busy)
        press(app, "Save all to results/")
        await until(lambda: not app.is_busy)
        assert [path.name for path in results.iterdir()] == ["new_cutout.png"]

    on_a_page(visit, Bright())


def test_a_full_disk_is_a_sentence_and_saving_can_be_tried_again(results, monkeypatch):
    async def visit(app):
        with monkeypatch.context() as patch:
            full = OSError(28, "No space left on device", str(results))
            patch.setattr(saving_form, "save", lambda *_, **__: (_ for _ in ()).throw(full))
            for button in ("Save all to results/", "Download", "Download all as zip"):
                press(app, button)
                await until(lambda: not app.is_busy)
                said = said_of_saving(app)
                assert "No space left on device" in said or "the disk is full" in said
                assert "Errno" not in said and "Details" not in said
                assert progress(app) is None
        press(app, "Save all to results/")
        await until(lambda: not app.is_busy)
        assert len(list(results.iterdir())) == 2

    on_a_page(visit, Bright())


def test_the_last_of_many_changes_of_quality_counts():
    bright = Bright()

    async def visit(app):
        looks = bright.looks
        for quality in ("Best", "Fast", "Best", "Fast", "Best"):
            press(app, quality)
            await asyncio.sleep(0)
        await until(lambda: not app.is_busy)
        assert ways_of_looking(app) == {("own", "best")}
        assert bright.looks <= looks + 4 * 8, "each photo twice at most"

    on_a_page(visit, bright)


def test_starting_over_in_the_middle_of_an_upload_forgets_the_rest():
    async def visit(app):
        app.receive(photos(50))
        await until(lambda: len(app.photos) > 5)
        press(app, "Start over")
        press(app, "Start over", "u2-offer")
        await until(lambda: not app.is_busy)
        assert [photo.name for photo in app.photos] == [
            "coffee.png", "cows.jpg", "cat.jpeg", "astronaut.jpg", "rocket.jpg"
        ]  # fmt: skip
        assert len(tiles(app)) == 5

    on_a_page(visit, Bright())


def test_a_zip_is_drawn_as_the_controls_said_at_the_click(results, saved):
    async def visit(app):
        press(app, "Download all as zip")
        press(app, "Blur")
        await until(lambda: not app.is_busy)
        assert names(only_zip(saved)[1]) == ["one_cutout.png", "two_cutout.png"]

    on_a_page(visit, Bright())


def test_a_download_is_of_the_photo_that_was_on_the_stage_at_the_click(results, saved):
    async def visit(app):
        press(app, "one.png")
        press(app, "Best")
        press(app, "Download")
        press(app, "two.png")
        await until(lambda: not app.is_busy)
        assert list(saved) == ["one_cutout.png"]

    on_a_page(visit, Bright())


def test_a_save_takes_along_photos_that_are_on_their_way(results):
    async def visit(app):
        app.receive(photos(3))
        press(app, "Save all to results/")
        await until(lambda: not app.is_busy)
        assert len(list(results.iterdir())) == 5

    on_a_page(visit, Bright())


@pytest.mark.parametrize(("environment", "done"), [("voila", 5), ("jupyter", 0)])
def test_a_page_of_voila_that_opens_late_finds_all_samples_looked_at(
    environment, done, monkeypatch
):
    async def main():
        monkeypatch.setenv("U2DEMO_ENV", environment)
        app = OneClick(Bright())
        app.show()
        found.append(len(app.photos))
        app.close()

    found = []
    thread = threading.Thread(target=lambda: asyncio.run(main()))  # a loop of its own
    thread.start()
    thread.join()
    assert found == [done]
