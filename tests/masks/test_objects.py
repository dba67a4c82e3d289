"""Separate objects, checked by hand."""

import numpy as np
import pytest

from u2demo.masks.box import Box, bounding_box
from u2demo.masks.objects import keep_objects, object_boxes, split_objects


def drawn(*rows):
    """A mask from rows of characters: '#' is 1, '+' is 0.4, anything else 0."""
    values = {"#": 1.0, "+": 0.4}
    return np.array([[values.get(c, 0.0) for c in row] for row in rows], np.float32)


def test_separate_objects_come_largest_first_each_with_its_soft_edge():
    mask = drawn("##+....", "##+....", "......#", "......#")
    first, second = split_objects(mask)
    assert np.array_equal(first, drawn("##+....", "##+....", ".......", "......."))
    assert np.array_equal(second, drawn(".......", ".......", "......#", "......#"))


def test_pixels_that_touch_at_a_corner_are_one_object():
    assert len(split_objects(drawn("#...", ".#..", "..##"))) == 1


def test_a_u_shape_is_one_object():
    assert len(split_objects(drawn("#.#.#", "#.#.#", "#####"))) == 1


def test_rows_do_not_run_into_each_other():
    assert len(split_objects(drawn("...#", "....", "#..."))) == 2
    assert len(split_objects(drawn("..#", "#.."))) == 2


def test_specks_are_not_objects():
    mask = np.zeros((100, 100), np.float32)
    mask[10:40, 10:40] = 1
    mask[80, 80:83] = 1
    (only,) = split_objects(mask)
    assert bounding_box(only) == Box(10, 10, 40, 40)


def with_specks():
    """Two objects, a speck far from both, and one in the soft edge of the first."""
    mask = np.zeros((200, 200), np.float32)
    mask[10:60, 10:60] = 1
    mask[10:60, 60:80] = 0.3
    mask[30, 70:74] = 0.9
    mask[120:170, 120:170] = 1
    mask[150:155, 40:45] = 0.3
    mask[152, 41:44] = 0.9
    return mask


@pytest.mark.parametrize("last", [200, 100])  # with and without the second object
def test_a_speck_is_left_out_with_its_soft_edge(last):
    mask = with_specks()[:, :last]
    whole = sum(split_objects(mask))
    assert whole[145:160, 35:50].max() == 0
    assert keep_objects(mask, [(20, 20)])[145:160, 35:50].max() == 0


@pytest.mark.parametrize("last", [200, 100])
def test_a_speck_in_an_objects_soft_edge_leaves_no_hole(last):
    mask = with_specks()[:, :last]
    np.testing.assert_array_equal(split_objects(mask)[0][:60, :80], mask[:60, :80])
    np.testing.assert_array_equal(keep_objects(mask, [(20, 20)])[:60, :80], mask[:60, :80])


def test_an_empty_mask_has_no_objects():
    assert split_objects(np.zeros((3, 3), np.float32)) == []


@pytest.mark.parametrize("seed", range(10))
def test_the_objects_share_out_the_mask(seed):
    mask = np.random.default_rng(seed).random((9, 13)).astype(np.float32)
    parts = split_objects(mask, threshold=0.7)
    assert np.array_equal(sum(parts), mask)


def test_the_soft_edge_of_a_thin_object_on_a_large_photo_stays():
    mask = np.zeros((800, 1200), np.float32)
    mask[:, 6:9], mask[:, 9] = 1, 0.4
    (line,) = split_objects(mask)
    np.testing.assert_array_equal(line, mask)


def test_the_only_object_keeps_all_of_its_mask_but_the_specks():
    mask = np.zeros((100, 100), np.float32)
    mask[10:40, 10:40] = 1
    mask[5:60, 5:60] = np.maximum(mask[5:60, 5:60], 0.3)
    mask[80, 80:83] = 1
    (only,) = split_objects(mask)
    mask[80, 80:83] = 0
    np.testing.assert_array_equal(only, mask)


def test_each_part_of_a_soft_edge_goes_to_the_object_nearest_to_it():
    """Far from the picture's corner, where the grid that tells them apart does not begin."""
    mask = np.zeros((700, 900), np.float32)
    mask[300:400, 500:800] = 0.2
    mask[300:400, 500:550] = 1
    mask[300:400, 760:800] = 1
    left, right = split_objects(mask)
    assert left[350, 600] == right[350, 710] == np.float32(0.2)
    assert left[350, 710] == right[350, 600] == 0
    np.testing.assert_array_equal(left + right, mask)


def test_masks_of_objects_are_the_callers_own():
    mask = drawn("##.", "##.", "...")
    (only,) = split_objects(mask)
    only[:] = 0.5
    assert mask[0, 0] == 1 and mask[2, 2] == 0


@pytest.mark.parametrize("seed", range(5))
def test_object_boxes_are_the_boxes_of_the_objects(seed):
    mask = np.random.default_rng(seed).random((9, 13)).astype(np.float32)
    assert object_boxes(mask) == [bounding_box(part) for part in split_objects(mask)]


TWO = drawn("##+....", "##+....", "....+##", "....+##")


def test_a_point_keeps_the_object_under_it_with_its_soft_edge():
    left, right = split_objects(TWO)
    np.testing.assert_array_equal(keep_objects(TWO, [(0.5, 1.5)]), left)
    np.testing.assert_array_equal(keep_objects(TWO, [(6.9, 3.9)]), right)
    np.testing.assert_array_equal(keep_objects(TWO, [(5, 2), (1, 1), (0, 0)]), TWO)


def test_a_point_on_no_object_keeps_nothing_more():
    left, _ = split_objects(TWO)
    np.testing.assert_array_equal(keep_objects(TWO, [(0, 0), (2.5, 0), (4, 0), (-3, 99)]), left)


@pytest.mark.parametrize("points", [[], [(4, 0)], [(2.5, 0.5)], [(-1, 0)], [(7, 3)], [(1e9, 0)]])
def test_without_a_point_on_an_object_the_mask_is_as_it_was(points):
    kept = keep_objects(TWO, points)
    np.testing.assert_array_equal(kept, TWO)
    assert kept is not TWO and not np.shares_memory(kept, TWO)


def test_a_point_on_a_speck_is_on_no_object():
    mask = np.zeros((100, 100), np.float32)
    mask[10:40, 10:40] = 1
    mask[80, 80:83] = 1
    np.testing.assert_array_equal(keep_objects(mask, [(81, 80.5)]), mask)
    only = split_objects(mask)[0]
    np.testing.assert_array_equal(keep_objects(mask, [(81, 80.5), (20, 20)]), only)


def test_an_empty_mask_has_nothing_to_keep():
    empty = np.zeros((3, 3), np.float32)
    np.testing.assert_array_equal(keep_objects(empty, [(1, 1)]), empty)
