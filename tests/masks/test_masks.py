"""What a mask is, its box, clear subjects: checked by hand."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from u2demo.masks.adjust import adjust_mask
from u2demo.masks.box import Box, bounding_box
from u2demo.masks.mask import check_fit, confidence_in, has_clear_subject
from u2demo.masks.objects import object_boxes, split_objects


def drawn(*rows):
    """A mask from rows of characters: '#' is 1, '+' is 0.4, anything else 0."""
    values = {"#": 1.0, "+": 0.4}
    return np.array([[values.get(c, 0.0) for c in row] for row in rows], np.float32)


def test_a_box_is_half_open():
    mask = drawn("....", ".##.", ".#..", "....")
    assert bounding_box(mask) == Box(left=1, top=1, right=3, bottom=3)
    assert Image.new("RGB", (4, 4)).crop(bounding_box(mask)).size == (2, 2)


def test_an_empty_mask_has_no_box():
    assert bounding_box(np.zeros((3, 5), np.float32)) is None


@pytest.mark.parametrize("shape", [(300, 1000), (1000, 300)])
def test_the_box_of_a_wide_or_tall_photo_starts_where_the_subject_does(shape):
    mask = np.zeros(shape, np.float32)
    mask[100:200, 150:180] = 1
    assert bounding_box(mask) == Box(150, 100, 180, 200)


@pytest.mark.parametrize("seed", range(20))
def test_a_box_encloses_every_pixel_above_the_threshold_and_is_minimal(seed):
    mask = np.random.default_rng(seed).random((7, 11)).astype(np.float32) ** 8
    left, top, right, bottom = bounding_box(mask, threshold=0.3)
    above = mask > 0.3
    assert above[top:bottom, left:right].sum() == above.sum()
    for edge in (above[top, :], above[bottom - 1, :], above[:, left], above[:, right - 1]):
        assert edge.any()


def test_a_mask_of_another_photo_is_refused():
    with pytest.raises(ValueError, match="mask is 4x3 but the image is 3x4"):
        check_fit(Image.new("RGB", (3, 4)), np.zeros((3, 4), np.float32))


TAKE_A_MASK = [adjust_mask, bounding_box, split_objects, object_boxes, confidence_in,
               has_clear_subject, partial(check_fit, Image.new("RGB", (3, 4)))]  # fmt: skip


@pytest.mark.parametrize("function", TAKE_A_MASK)
@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 3), np.uint8), np.zeros((4, 3, 1), np.float32), Image.new("L", (3, 4))],
)
def test_anything_but_a_mask_is_refused(function, wrong):
    with pytest.raises(ValueError, match="expected a float32 array of shape"):
        function(wrong)


@pytest.mark.parametrize(
    ("wrong", "convert"),
    [
        (np.eye(3, dtype=bool), np.float32),
        (np.eye(3), np.float32),
        (np.eye(3, dtype=np.uint8) * 255, lambda mask: np.float32(mask) / 255),
        (Image.new("L", (3, 3), "white"), lambda mask: np.float32(mask) / 255),
    ],
)
def test_the_refusal_of_a_mask_says_how_to_convert_it(wrong, convert):
    advice = r"np.float32\(mask\) converts True and False .* np.float32\(mask\) / 255 whole numbers"
    with pytest.raises(ValueError, match=advice):
        bounding_box(wrong)
    assert bounding_box(convert(wrong)) == (0, 0, 3, 3)


@pytest.mark.parametrize("function", TAKE_A_MASK)
@pytest.mark.parametrize("level", [-0.2, 1.7, 255, np.nan, np.inf])
def test_a_mask_with_a_pixel_beyond_0_and_1_is_refused(function, level):
    mask = np.zeros((4, 3), np.float32)
    mask[2, 1] = level
    with pytest.raises(ValueError, match=r"expected 0 \(background\) to 1 \(subject\)"):
        function(mask)


@pytest.mark.parametrize("function", TAKE_A_MASK)
def test_what_rounding_makes_of_0_and_1_is_a_mask(function):
    mask = np.zeros((4, 3), np.float32)
    mask[1:3, 1] = 1
    function(mask * np.float32(1.0001) - np.float32(0.00005))


def mask_of(*values):
    return np.array([values], np.float32)


def square(value, side=40):
    mask = np.zeros((100, 100), np.float32)
    mask[:side, :side] = value
    return mask


def test_what_is_decided_everywhere_is_found_with_full_confidence():
    assert confidence_in(square(1)) == 1


def test_confidence_is_less_by_how_undecided_the_pixels_of_the_subject_are():
    even = [confidence_in(np.full((100, 100), value, np.float32)) for value in (0.9, 0.7, 0.5)]
    assert even == pytest.approx([0.9, 0.7, 0.5])
    assert confidence_in(square(0.7)) == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("faint", [0, 0.1, 0.39])
def test_where_no_subject_is_found_there_is_no_confidence(faint):
    assert confidence_in(square(faint)) == 0


def test_a_thin_subject_with_edges_of_the_usual_softness_is_clear():
    mask = np.zeros((320, 320), np.float32)
    mask[100:250, 150:158] = [0.2, 0.5, 0.9, 1, 1, 0.9, 0.5, 0.2]
    wide = mask.repeat(8, axis=1)[:, 1072:1392]
    assert has_clear_subject(mask) and not has_clear_subject(wide)


@pytest.mark.parametrize("times", [2, 5, 8])
def test_confidence_does_not_depend_on_the_size_of_a_picture(times):
    small = np.zeros((100, 150), np.float32)
    small[20:80, 30:100] = 0.8
    small[40:60, 50:90] = 1
    large = small.repeat(times, axis=0).repeat(times, axis=1)
    assert confidence_in(large) == pytest.approx(confidence_in(small), abs=0.01)


def test_a_faint_subject_is_unclear_and_a_soft_edge_is_not():
    faint = np.zeros((20, 20), np.float32)
    faint[3:17, 3:17] = 0.6
    edged = np.zeros((20, 20), np.float32)
    edged[3:17, 3:17] = 0.5
    edged[4:16, 4:16] = 1
    assert has_clear_subject(edged) and not has_clear_subject(faint)


@pytest.mark.parametrize(("share", "clear"), [(0.4, True), (0.6, False)])
def test_a_subject_of_which_more_than_half_is_undecided_is_unclear(share, clear):
    doubtful = np.zeros((20, 20), np.float32)
    doubtful[4:14, 4:16] = 1
    doubtful[4 : round(4 + 10 * share), 4:16] = 0.5
    assert has_clear_subject(doubtful) == clear


def test_a_solid_mask_is_unclear_if_the_net_had_little_confidence():
    assert has_clear_subject(square(1)) and not has_clear_subject(square(1), confidence=0.5)


@pytest.mark.parametrize("mask", [np.zeros((4, 3)), square(7)])
def test_a_mask_is_checked_whatever_the_confidence(mask):
    with pytest.raises(ValueError, match="the mask"):
        has_clear_subject(mask, confidence=0.9)


@pytest.mark.parametrize("confidence", [-0.1, 1.5, float("nan")])
def test_confidence_is_from_0_to_1(confidence):
    with pytest.raises(ValueError, match="confidence"):
        has_clear_subject(square(1), confidence=confidence)


def test_no_subject_and_nothing_but_subject_are_unclear():
    assert not has_clear_subject(np.zeros((10, 10), np.float32))
    assert not has_clear_subject(np.ones((10, 10), np.float32))


NOT_A_SHARE = pytest.mark.parametrize("threshold", [-0.1, 1.5, 50, float("nan"), float("inf")])


@NOT_A_SHARE
@pytest.mark.parametrize("function", [bounding_box, split_objects])
def test_a_threshold_that_no_mask_can_have_is_refused(function, threshold):
    with pytest.raises(ValueError, match=f"threshold is {threshold}, expected 0 to 1"):
        function(mask_of(0, 0.5, 1), threshold=threshold)


def test_above_a_threshold_of_1_there_is_no_box():
    assert bounding_box(mask_of(0, 0.5, 1), threshold=1.0) is None
