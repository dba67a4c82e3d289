"""Strokes as data: what they cover, and what is refused."""

import numpy as np
import pytest

import u2demo as u2
from u2demo.masks.strokes import check_strokes, draw_strokes


def shown(*strokes, size=(9, 5), scale=1.0):
    """Strokes as rows of characters: '#' is kept, 'x' is erased."""
    signs = {1: "#", -1: "x", 0: "."}
    return [
        "".join(signs[said] for said in row) for row in draw_strokes(strokes, size, scale=scale)
    ]


def test_a_click_is_a_disc_around_its_point():
    assert shown(u2.Stroke([(4.5, 2.5)], 1.5)) == [
        ".........",
        "...###...",
        "...###...",
        "...###...",
        ".........",
    ]


def test_a_stroke_is_round_at_its_ends_and_whole_between_them():
    assert shown(u2.Stroke([(2.5, 2.5), (6.5, 2.5)], 1, keep=False)) == [
        ".........",
        "..xxxxx..",
        ".xxxxxxx.",
        "..xxxxx..",
        ".........",
    ]


def test_the_smallest_brush_still_marks_the_pixel_it_is_in():
    assert shown(u2.Stroke([(0.1, 4.9)], 0.01))[4] == "#........"


def test_later_strokes_cover_earlier_ones():
    keep, erase = u2.Stroke([(2.5, 0.5)], 2), u2.Stroke([(4.5, 0.5)], 2, keep=False)
    assert shown(keep, erase, size=(9, 1)) == ["##xxxxx.."]
    assert shown(erase, keep, size=(9, 1)) == ["#####xx.."]


def test_a_stroke_can_be_drawn_at_any_size():
    stroke = u2.Stroke([(20, 10), (60, 30)], 8)
    large = draw_strokes([stroke], (80, 40))
    half = draw_strokes([stroke], (40, 20), scale=0.5)
    assert abs(large.mean() - half.mean()) < 0.01


def test_what_is_outside_the_picture_is_left_out():
    assert not draw_strokes([u2.Stroke([(-50, -30), (1e9, -40)], 5)], (9, 5)).any()
    assert draw_strokes([u2.Stroke([(-50, 2.5), (1e9, 2.5)], 5)], (9, 5)).all()


def test_a_stroke_of_many_points_covers_what_its_parts_cover():
    points = np.random.default_rng(0).uniform((0, 0), (90, 60), (200, 2))
    whole = draw_strokes([u2.Stroke(points, 1.5)], (90, 60))
    parts = [u2.Stroke(points[i : i + 2], 1.5) for i in range(199)]
    np.testing.assert_array_equal(whole, draw_strokes(parts, (90, 60)))


@pytest.mark.parametrize("seed", range(20))
def test_a_stroke_covers_what_is_no_farther_than_its_radius(seed):
    random = np.random.default_rng(seed)
    points = random.uniform(-5, 35, (random.integers(1, 4), 2))
    radius = random.uniform(0.1, 6)
    y, x = np.mgrid[:20, :30] + 0.5
    covered = np.zeros((20, 30), bool)
    for start, end in zip(points, points[1:] if len(points) > 1 else points, strict=False):
        line = end - start
        length = line @ line
        along = ((x - start[0]) * line[0] + (y - start[1]) * line[1]) / (length or 1)
        along = along.clip(0, 1)
        away = np.hypot(x - start[0] - along * line[0], y - start[1] - along * line[1])
        covered |= away <= radius
    for column, row in points.astype(int):
        if points.min() >= 0 and column < 30 and row < 20:
            covered[row, column] = True
    drawn = draw_strokes([u2.Stroke([tuple(point) for point in points], radius)], (30, 20)) > 0
    assert not (covered & ~drawn).any()
    assert (drawn & ~covered).sum() <= len(points)  # pixels that a point of the stroke lies in


@pytest.mark.parametrize(
    "strokes",
    [None, 3, "strokes", u2.Stroke([(1, 2)], 3), [None], [(1, 2, 3)], [u2.Stroke("ab", 3)],
     [u2.Stroke([3], 3)], [u2.Stroke([(1, 2, 3)], 3)], [u2.Stroke([(1, None)], 3)],
     [u2.Stroke([(1, 2)], None)], [u2.Stroke([(1, 2)], 3, None)]],
)  # fmt: skip
def test_what_is_not_strokes_is_named(strokes):
    with pytest.raises(TypeError, match="expected"):
        check_strokes(strokes)


@pytest.mark.parametrize(
    "stroke",
    [u2.Stroke([], 3), u2.Stroke([(1, 2)], 0), u2.Stroke([(1, 2)], -1),
     u2.Stroke([(1, 2)], float("inf")), u2.Stroke([(1, float("nan"))], 3),
     u2.Stroke([(1, 1e99)], 3)],
)  # fmt: skip
def test_numbers_that_cannot_be_drawn_are_named(stroke):
    with pytest.raises(ValueError, match="expected"):
        check_strokes([stroke])
