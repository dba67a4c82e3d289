"""What a person says about one photo: undone, done again, and applied at any size."""

import numpy as np
import pytest
from bright import Bright
from PIL import Image

from u2demo.inference.correct import correct_mask
from u2demo.masks.box import Box
from u2demo.masks.corrections import Corrections
from u2demo.masks.objects import keep_objects
from u2demo.masks.strokes import Stroke
from u2demo.notebook.photo import find_subject
from u2demo.notebook.stage.correcting import (
    History,
    Retouch,
    corrections_name,
    count,
    draw_objects,
    stroke_of,
    toggle_object,
)
from u2demo.notebook.stage.messages import follow

ONE = Corrections(strokes=(Stroke(((3.0, 4.0),), 2.0, True),))
TWO = Corrections(strokes=(*ONE.strokes, Stroke(((9.0, 4.0),), 2.0, False)))


def two_squares():
    """Return a photo of two bright squares, and the mask that has both."""
    photo = Image.new("RGB", (60, 40))
    photo.paste("white", (5, 10, 20, 25))
    photo.paste("white", (35, 10, 55, 30))
    return photo, np.asarray(photo.convert("L"), np.float32) / 255


def test_what_was_said_is_undone_and_done_again_step_by_step():
    history = History().say(ONE).say(TWO)
    assert history.undo().now == ONE and history.undo().undo().now == Corrections()
    assert history.undo().undo().redo().redo() == history


def test_at_either_end_of_a_history_nothing_happens():
    assert History().undo() == History().redo() == History()


def test_something_new_cannot_be_done_again():
    assert History().say(ONE).undo().say(TWO).redo().now == TWO


def test_what_changes_nothing_is_no_step():
    assert History().say(Corrections()) == History()
    assert History().say(ONE).say(ONE) == History().say(ONE)


def test_a_reset_can_be_undone():
    assert History().say(TWO).reset().now == Corrections()
    assert History().say(TWO).reset().undo().now == TWO


def test_all_that_was_said_counts():
    assert count(Corrections()) == 0
    assert count(Corrections(Box(0, 0, 2, 2), ((1.0, 1.0),), TWO.strokes)) == 4


@pytest.mark.parametrize(
    ("photo", "file"),
    [("cat.jpg", "cat.strokes.json"), ("a.b.png", "a.b.strokes.json"), ("cat", "cat.strokes.json")],
)
def test_corrections_are_called_after_their_photo(photo, file):
    assert corrections_name(photo) == file


def test_photos_that_differ_only_in_their_suffix_have_corrections_of_their_own():
    others = ["cat.jpg", "Cat.png", "dog.png"]
    assert corrections_name("cat.jpg", others) == "cat.jpg.strokes.json"
    assert corrections_name("Cat.png", others) == "Cat.png.strokes.json"
    assert corrections_name("dog.png", others) == "dog.strokes.json"


def test_a_click_keeps_one_object_another_brings_the_next_and_a_second_one_takes_it_back():
    _, mask = two_squares()
    objects = draw_objects(mask)
    assert set(np.unique(objects)) == {0, 1, 2}

    def click(corrections, *point):
        return toggle_object(corrections, point, objects, 1.0)

    left = click(Corrections(), 10.0, 15.0)
    assert left.objects == ((10.0, 15.0),)
    assert click(left, 11.0, 16.0) == Corrections(), "the same object, not the same point"
    both = click(left, 40.0, 20.0)
    assert both.objects == ((10.0, 15.0), (40.0, 20.0))
    assert click(both, 12.0, 12.0).objects == ((40.0, 20.0),)


@pytest.mark.parametrize("point", [(1.0, 1.0), (-5.0, 3.0), (1000.0, 3.0)])
def test_a_click_on_no_object_changes_nothing(point):
    _, mask = two_squares()
    assert toggle_object(ONE, point, draw_objects(mask), 1.0) == ONE


def test_without_corrections_the_mask_is_what_the_net_found():
    photo, mask = two_squares()
    assert Retouch(Bright(), photo, mask, photo.size).mask(Corrections()) is mask


def test_objects_come_first_then_strokes_as_the_library_does_it():
    photo, mask = two_squares()
    net = Bright()
    said = Corrections(objects=((10.0, 15.0),), strokes=(Stroke(((40.0, 20.0),), 3.0, True),))
    expected = correct_mask(net, photo, keep_objects(mask, said.objects), said.strokes)
    retouch = Retouch(net, photo, mask, photo.size)
    assert np.array_equal(retouch.mask(said), expected)
    assert np.array_equal(retouch.mask(Corrections()), mask), "and undone"
    assert np.array_equal(retouch.mask(said), expected), "and done again"


def test_a_smaller_copy_is_corrected_at_the_same_place():
    photo, mask = two_squares()
    large = photo.resize((240, 160), Image.Resampling.NEAREST)
    said = Corrections(strokes=(Stroke(((180.0, 80.0),), 12.0, False),))
    small = Retouch(Bright(), photo, mask, large.size).mask(said)
    assert small[20, 45] == 0, "four times as large, the same place"
    assert np.array_equal(small[:, :25], mask[:, :25])


def test_on_a_long_page_strokes_and_clicks_count_where_they_are():
    page = Image.new("RGB", (700, 12000))
    page.paste("white", (250, 11500, 450, 11700))
    found = find_subject(Bright(), "page.png", page, page, network="own", quality="fast")
    erased = Corrections(strokes=(Stroke(((350.0, 11600.0),), 100.0, False),))
    mask = found.retouch().mask(erased)
    y, x = int(11600 * mask.shape[0] / 12000), mask.shape[1] // 2
    assert found.small_found[y, x] > 0.5 and mask[y, x] == 0
    history, _ = follow(found, {"kind": "object", "point": [350.0, 11550.0]})
    assert history.now.objects == ((350.0, 11550.0),)


def test_a_stroke_of_a_page_is_a_stroke():
    assert stroke_of([[1, 2], [3, 4]], 5, True) == Stroke(((1.0, 2.0), (3.0, 4.0)), 5.0, True)
