"""Outlines of objects as polygons: filled, they are the mask again."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from u2demo.masks.objects import object_boxes
from u2demo.masks.outlines import outlines


def disc(size, center, radius):
    """Return a mask (H, W) with a disc."""
    y, x = np.mgrid[: size[1], : size[0]]
    return (np.hypot(x + 0.5 - center[0], y + 0.5 - center[1]) < radius).astype(np.float32)


def corners(outline):
    return np.array(outline.split(), int).reshape(-1, 2)


def filled(polygon, shape):
    """Return the pixels whose centers lie in a polygon, by the even-odd rule."""
    x = np.arange(shape[1]) + 0.5
    inside = np.zeros(shape, bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        crossed = slice(min(y1, y2), max(y1, y2))
        y = np.arange(crossed.start, crossed.stop)[:, None] + 0.5
        inside[crossed] ^= x < x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    return inside


def agreement(mask):
    """Return the intersection of a mask and its only outline, over their union."""
    (outline,) = outlines(mask)
    drawn, subject = filled(corners(outline), mask.shape), mask > 0.5
    return (drawn & subject).sum() / (drawn | subject).sum()


def test_a_rectangle_has_four_corners_of_pixels():
    mask = np.zeros((60, 90), np.float32)
    mask[10:30, 20:50] = 1
    (outline,) = outlines(mask)
    assert set(map(tuple, corners(outline))) == {(20, 10), (50, 10), (50, 30), (20, 30)}
    assert len(corners(outline)) == 4


def test_a_disc_needs_few_corners_and_is_found_again():
    mask = disc((200, 150), (90, 70), 50)
    (outline,) = outlines(mask)
    assert len(corners(outline)) < 80
    assert agreement(mask) > 0.98


def test_a_hole_stays_a_hole():
    ring = disc((200, 150), (90, 70), 60) - disc((200, 150), (95, 70), 30)
    assert agreement(ring) > 0.97


def test_a_speck_of_a_hole_is_filled():
    mask = disc((200, 150), (90, 70), 60)
    mask[70, 90] = 0
    assert outlines(mask) == outlines(disc((200, 150), (90, 70), 60))


def test_each_object_has_its_own_in_the_order_of_the_boxes():
    mask = disc((200, 100), (40, 50), 20) + disc((200, 100), (140, 50), 35)
    for outline, box in zip(outlines(mask), object_boxes(mask), strict=True):
        found = corners(outline)
        assert (found.min(0) >= box[:2]).all() and (found.max(0) <= box[2:]).all()


def test_parts_that_touch_at_a_corner_are_one_outline():
    mask = np.zeros((40, 40), np.float32)
    mask[5:15, 5:15] = mask[15:25, 15:25] = 1
    assert len(outlines(mask)) == 1
    assert agreement(mask) > 0.99


def test_a_subject_that_fills_the_photo_has_the_photos_corners():
    (outline,) = outlines(np.ones((3, 4), np.float32))
    assert set(map(tuple, corners(outline))) == {(0, 0), (4, 0), (4, 3), (0, 3)}


def test_the_outline_of_a_large_photo_is_drawn_on_a_grid():
    mask = disc((3000, 400), (1500, 200), 150)
    assert agreement(mask) > 0.96
    (box,) = object_boxes(mask)
    (outline,) = outlines(mask)
    found = corners(outline)
    assert (found.min(0) >= box[:2]).all() and (found.max(0) <= box[2:]).all()


def test_an_empty_mask_has_no_outline():
    assert outlines(np.zeros((9, 9), np.float32)) == []


def test_parts_that_hang_together_by_a_hair_are_all_drawn():
    size = (2400, 800)
    mask = disc(size, (400, 400), 300) + disc(size, (2000, 400), 300)
    mask[400, 600:1800] = 1
    assert agreement(mask) > 0.98


@pytest.mark.parametrize("width", [3, 8])
def test_what_is_thin_is_drawn_finely_in_a_large_photo_too(width):
    size = (2400, 800)
    ring = disc(size, (1200, 400), 350) - disc(size, (1200, 400), 350 - width)
    assert agreement(ring) > 0.6


def test_a_ragged_mask_has_no_more_corners_than_can_be_drawn():
    noise = np.random.default_rng(0).random((1000, 1000)) > 0.5
    assert 4 <= sum(len(corners(outline)) for outline in outlines(noise.astype(np.float32))) < 2**17


def test_polygons_are_those_that_pillow_fills():
    mask = disc((200, 150), (90, 70), 50)
    (outline,) = outlines(mask)
    picture = Image.new("1", (200, 150))
    ImageDraw.Draw(picture).polygon([tuple(corner) for corner in corners(outline).tolist()], fill=1)
    drawn, subject = np.asarray(picture), mask > 0.5
    assert (drawn & subject).sum() > 0.95 * (drawn | subject).sum()


def test_what_is_not_a_valid_mask_is_refused():
    with pytest.raises(ValueError, match="expected a float32 array"):
        outlines(np.zeros((3, 3)))
