"""The subject, and the photo behind it, moved and scaled by hand on the stage."""

import numpy as np
import pytest
from live_app import find, from_page, on_stage, part, press, stage
from PIL import Image

from u2demo.notebook.choices import NamedPhoto

pytest.importorskip("anywidget")
pytestmark = pytest.mark.usefixtures("results")


@pytest.fixture
def hand(app):
    """A function that tells the app what a hand does on its stage."""
    numbers = iter(range(1, 99))

    def place(at=(0, 0), *, by=(0, 0), factor=1, first=False, hold=""):
        told = {"at": at, "by": by, "factor": factor, "first": first, "hold": hold}
        message = {"kind": "place", "number": next(numbers), "photo": on_stage(app)["photo"]}
        from_page(part(app, "u2-stage-box").children[0], {**message, **told})

    return place


def put_behind(app):
    """Put a photo behind: twice as wide as the other, red on its left, green, blue on its right."""
    wide = Image.new("RGB", (120, 40), "lime")
    wide.paste("red", (0, 0, 30, 40))
    wide.paste("blue", (90, 0, 120, 40))
    press(app, "Photo behind")
    app._panel._scene.value = NamedPhoto("wide.png", wide)


def shown(app):
    """What is on the stage, at the size of the photo."""
    return stage(app).convert("RGB").resize((60, 40))


def white(app):
    """The middle of what is white, (x, y), and how wide it is."""
    rows, columns = np.nonzero(np.asarray(shown(app)).min(axis=2) > 200)
    return (columns.mean(), rows.mean()), np.ptp(columns) + 1


def test_what_a_hand_holds_is_moved_the_subject_or_the_photo_behind_it(app, hand):
    put_behind(app)
    assert shown(app).getpixel((2, 5))[1] > 200
    hand((15, 15), first=True)
    hand((25, 20), by=(10, 5))
    (x, y), _ = white(app)
    assert (x, y) == pytest.approx((29.5, 24.5), abs=1)
    hand((2, 2), first=True)
    hand((32, 2), by=(30, 0))
    red, _, _ = shown(app).getpixel((2, 5))
    assert red > 200, "the photo behind went to the right, to its left end"
    assert white(app)[0] == pytest.approx((x, y), abs=1), "the subject stayed"


def test_the_subject_grows_where_it_is_pointed_at(app, hand):
    put_behind(app)
    hand((20, 20), first=True)
    hand((20, 20), factor=0.5)
    middle, wide = white(app)
    assert middle == pytest.approx((19.5, 19.5), abs=1) and wide == pytest.approx(10, abs=2)
    assert find(app, "Subject size").value == 0.5


def test_the_photo_behind_grows_and_the_subject_does_not(app, hand):
    put_behind(app)
    hand((50, 5), first=True)
    hand((50, 5), factor=2)
    assert find(app, "Zoom").value == 2 and find(app, "Subject size").value == 1


def test_keys_move_the_subject(app, hand):
    put_behind(app)
    hand((50, 5), by=(6, 0), hold="subject")
    assert find(app, "Moved right").value == pytest.approx(0.1)


def test_a_slow_hand_gets_there_too(app, hand):
    put_behind(app)
    for _ in range(20):
        hand((50, 5), by=(0.03, 0), hold="subject")
    assert find(app, "Moved right").value == pytest.approx(0.01)


def test_before_a_color_there_is_only_the_subject_to_hold(app, hand):
    press(app, "Color")
    hand((55, 35), first=True)
    hand((55, 35), by=(6, 0))
    assert find(app, "Moved right").value == pytest.approx(0.1)


def test_it_is_a_setting_of_the_photo_and_cannot_get_out_of_range(app, hand):
    press(app, "Color")
    hand(by=(1e6, -1e6), first=True)
    hand(factor=1e6)
    assert find(app, "Moved down").value == -1 and find(app, "Subject size").value == 4
    press(app, "two.png")
    assert find(app, "Subject size").value == 1
    press(app, "one.png")
    press(app, "Reset settings")
    assert find(app, "Moved down").value == 0


def test_it_is_offered_where_something_is_put_behind(app):
    assert not on_stage(app)["places"]
    for action, places in {"Color": True, "Photo behind": True, "Crop": False}.items():
        press(app, action)
        assert on_stage(app)["places"] is places
