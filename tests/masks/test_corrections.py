"""All that a person says about a photo, as data: what a file of it gives back, what is refused."""

import json

import numpy as np
import pytest

import u2demo as u2
from u2demo.masks.corrections import Corrections, check_corrections, from_json, to_json

SIZE = (40, 30)
SAID = Corrections(
    u2.Box(1, 2, 39, 30),
    ((3.0, 4.5), (20.0, 25.0)),
    (u2.Stroke(((1.0, 2.0), (3.25, 4.0)), 5.0), u2.Stroke(((0.0, 0.0),), 0.5, keep=False)),
)


def test_a_file_of_corrections_gives_the_same_corrections_back():
    assert from_json(to_json(SAID, SIZE), SIZE) == SAID
    assert from_json(to_json(Corrections(), SIZE), SIZE) == Corrections()


def test_corrections_are_alike_if_they_say_the_same():
    assert {SAID: "said"}[from_json(to_json(SAID, SIZE), SIZE)] == "said"


def test_numbers_and_lists_of_numpy_are_saved_as_plain_ones():
    points = np.float32([[1, 2], [3.25, 4]])
    said = Corrections(
        u2.Box(*np.int64([0, 0, 9, 9])), ((np.float64(3), 4),), (u2.Stroke(points, np.float32(5)),)
    )
    back = from_json(to_json(said, SIZE), SIZE)
    assert back == Corrections(
        u2.Box(0, 0, 9, 9), ((3.0, 4.0),), (u2.Stroke(((1.0, 2.0), (3.25, 4.0)), 5.0),)
    )


def test_corrections_of_another_photo_are_refused():
    text = to_json(Corrections(), SIZE)
    with pytest.raises(ValueError, match=r"size \[40, 30\], but this one is \[30, 40\]"):
        from_json(text, (30, 40))


GOOD = {"points": [[1, 2]], "radius": 3, "keep": True}
BAD_STROKES = [
    None, 3, [], {}, GOOD | {"more": 1}, GOOD | {"points": []}, GOOD | {"points": [[1]]},
    GOOD | {"points": [[1, "2"]]}, GOOD | {"points": [[1, float("nan")]]}, GOOD | {"points": 3},
    GOOD | {"radius": 0}, GOOD | {"radius": "3"}, GOOD | {"keep": 1},
]  # fmt: skip
BAD_BOXES = [3, "1,2,3,4", [], [0, 0, 3], [0, 0, 3.5, 3], [0, 0, True, 3], [3, 0, 1, 3],
             [0, 0, 5, 3], [None] * 4, [10**400, 0, 1, 1]]  # fmt: skip
BAD_POINTS = [3, None, "ab", {}, [3], [[1]], [[1, None]], [[1, "2"]], [[1, float("inf")]],
              [[True, 2]], ["ab"], [[10**400, 1]]]  # fmt: skip


@pytest.mark.parametrize(
    "fault",
    [*({"strokes": [stroke]} for stroke in BAD_STROKES), {"strokes": None}, {"strokes": {}},
     *({"within": box} for box in BAD_BOXES), *({"objects": points} for points in BAD_POINTS),
     {"more": 1}, {"size": None}, {"size": [4, 3, 1]}],
    ids=str,
)  # fmt: skip
def test_a_damaged_file_is_answered_with_a_sentence(fault):
    saved = json.loads(to_json(Corrections(), (4, 3))) | fault
    with pytest.raises(ValueError, match=r"expected|but this one is") as raised:
        from_json(json.dumps(saved), (4, 3))
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "3", "[" * 10**5, '{"format": "other"}',
     '{"format": "u2demo corrections 1"}'],
    ids=range(8),
)  # fmt: skip
def test_a_file_that_is_something_else_is_answered_with_a_sentence(text):
    with pytest.raises(ValueError, match="expected"):
        from_json(text, (4, 3))


@pytest.mark.parametrize(
    "corrections",
    [None, [], u2.Box(0, 0, 1, 1), Corrections((0, 0, 1)), Corrections(None, 3),
     Corrections(None, (3,)), Corrections(None, ((1, 2, 3),)), Corrections(None, (), [None]),
     Corrections(None, (), None)],
    ids=range(9),
)  # fmt: skip
def test_what_are_not_corrections_is_named(corrections):
    for refuse in (check_corrections, to_json):
        with pytest.raises(TypeError, match="expected"):
            refuse(corrections, SIZE)


@pytest.mark.parametrize("name", ["objects", "within"])
def test_the_error_names_the_field_of_the_file(name):
    saved = json.loads(to_json(Corrections(), (4, 3))) | {name: 3}
    with pytest.raises(ValueError, match=f"{name} is 3, expected a list"):
        from_json(json.dumps(saved), (4, 3))
