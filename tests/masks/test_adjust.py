"""The edge of a mask: moved, hardened, grown, feathered, without holes and specks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from u2demo.masks.adjust import adjust_mask

quick = settings(derandomize=True, deadline=None, max_examples=40, database=None)
LEVELS = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1, width=32)
SHAPES = st.tuples(st.integers(1, 24), st.integers(1, 24))
MASKS = arrays.arrays(np.float32, SHAPES, elements=LEVELS)
OPTIONS = st.fixed_dictionaries(
    {
        "threshold": st.floats(0.01, 0.99),
        "softness": st.floats(0, 1),
        "fill_holes": st.floats(0, 1),
        "drop_specks": st.floats(0, 1),
        "grow": st.floats(-30, 30),
        "feather": st.floats(0, 30),
    }
)


def mask_of(*values):
    return np.array([values], np.float32)


def disc(radius, size=41):
    """A mask of a disc in the middle, with an edge two pixels wide."""
    middle = size // 2
    rows, columns = np.mgrid[:size, :size]
    away = np.hypot(rows - middle, columns - middle)
    return ((radius - away) / 2 + 0.5).clip(0, 1).astype(np.float32)


def radius_of(mask):
    return float(np.sqrt(mask.sum() / np.pi))


@quick
@given(MASKS)
def test_the_defaults_change_nothing(mask):
    before = mask.copy()
    same = adjust_mask(mask)
    np.testing.assert_array_equal(same, before)
    assert same is not mask


@quick
@given(MASKS, OPTIONS)
def test_whatever_is_asked_for_a_mask_comes_back_and_the_old_one_stays(mask, options):
    before = mask.copy()
    adjusted = adjust_mask(mask, **options)
    assert (adjusted.shape, adjusted.dtype) == (mask.shape, np.float32)
    assert adjusted.min() >= 0 and adjusted.max() <= 1
    np.testing.assert_array_equal(mask, before)


@quick
@given(MASKS, st.floats(0, 12), st.floats(0, 12))
def test_the_more_it_grows_the_more_there_is(mask, one, other):
    less, more = sorted((one, other))
    smaller, larger = adjust_mask(mask, grow=less), adjust_mask(mask, grow=more)
    assert (mask <= smaller + 1e-6).all() and (smaller <= larger + 1e-6).all()


@quick
@given(MASKS, st.integers(1, 9))
def test_what_grows_and_then_shrinks_loses_nothing(mask, pixels):
    closed = adjust_mask(adjust_mask(mask, grow=pixels), grow=-pixels)
    opened = adjust_mask(adjust_mask(mask, grow=-pixels), grow=pixels)
    assert (opened <= mask).all() and (mask <= closed).all()


@quick
@given(MASKS, MASKS, OPTIONS)
def test_of_two_masks_the_larger_stays_the_larger(one, other, options):
    """But for holes and specks, which depend on everything around them."""
    rows, columns = np.minimum(one.shape, other.shape)
    one, other = one[:rows, :columns], other[:rows, :columns]
    options = options | {"fill_holes": 0, "drop_specks": 0}
    lower, higher = np.minimum(one, other), np.maximum(one, other)
    difference = adjust_mask(higher, **options) - adjust_mask(lower, **options)
    assert difference.min() >= -1e-6


@pytest.mark.parametrize("pixels", [-6.5, -3, -0.5, 0.5, 1, 4.25, 7])
def test_a_disc_grows_by_the_pixels_asked_for_on_all_sides(pixels):
    grown = adjust_mask(disc(12), grow=pixels)
    assert radius_of(grown) == pytest.approx(radius_of(disc(12)) + pixels, abs=0.45)
    np.testing.assert_array_equal(grown, grown.T)
    np.testing.assert_array_equal(grown, grown[::-1])


def test_a_large_mask_grows_across_its_tiles():
    mask = np.zeros((1100, 600), np.float32)
    mask[300:800, 505:508] = 1
    grown = adjust_mask(mask, grow=20)
    assert np.flatnonzero(grown[512] > 0).tolist() == list(range(485, 528))
    assert np.flatnonzero(grown[:, 506] > 0).tolist() == list(range(280, 820))


def test_a_subject_that_the_picture_cuts_off_stays_cut_off():
    mask = np.zeros((20, 30), np.float32)
    mask[8:, 10:20] = 1
    shrunk = adjust_mask(mask, grow=-2)
    assert shrunk[-1, 12:18].tolist() == [1] * 6
    assert shrunk[9].max() == 0


def test_growing_keeps_the_edge_as_soft_as_it_is():
    mask = np.tile(np.linspace(-2, 3, 26, dtype=np.float32).clip(0, 1), (5, 1))
    grown = adjust_mask(mask, grow=3)
    np.testing.assert_array_equal(grown[:, :-3], mask[:, 3:])


def holed():
    """A subject of 400 pixels, two holes of 1 and 30 pixels in it, and a speck beside it."""
    mask = np.zeros((30, 40), np.float32)
    mask[5:25, 5:25] = 1
    mask[8, 8] = 0
    mask[12:18, 12:17] = 0.2
    mask[12:18, 11] = mask[12:18, 17] = 0.7  # a soft rim
    mask[10:12, 32:34] = 1
    mask[12, 32:34] = 0.3
    return mask


def test_holes_are_filled_with_their_rim_up_to_a_share_of_the_subject():
    assert adjust_mask(holed(), fill_holes=0.01)[8, 8] == 1
    np.testing.assert_array_equal(
        adjust_mask(holed(), fill_holes=0.01)[12:18, 11:18], holed()[12:18, 11:18]
    )
    filled = adjust_mask(holed(), fill_holes=0.2)
    assert (filled[5:25, 5:25] == 1).all()
    np.testing.assert_array_equal(filled[:, 25:], holed()[:, 25:])


def test_what_lies_open_to_the_border_is_no_hole():
    mask = np.ones((10, 10), np.float32)
    mask[4, 3:] = 0  # a slit from the right side
    np.testing.assert_array_equal(adjust_mask(mask, fill_holes=1), mask)
    mask[4, 9] = 1
    assert (adjust_mask(mask, fill_holes=1) == 1).all()


def test_specks_are_dropped_with_their_soft_edge_and_the_largest_part_stays():
    dropped = adjust_mask(holed(), drop_specks=0.02)
    assert not dropped[:, 26:].any()
    np.testing.assert_array_equal(dropped[:, :26], holed()[:, :26])
    np.testing.assert_array_equal(adjust_mask(holed(), drop_specks=0.001), holed())
    np.testing.assert_array_equal(adjust_mask(dropped, drop_specks=1), dropped)


def test_a_feather_softens_the_edge_and_only_the_edge():
    mask = np.zeros((40, 40), np.float32)
    mask[:, 20:] = 1
    feathered = adjust_mask(mask, feather=2)
    assert (feathered[:, :10] == 0).all()
    assert (feathered[:, 30:] == 1).all()
    assert (np.diff(feathered[20]) >= 0).all()
    from_edge = np.arange(12, 28) + 0.5 - 20
    gaussian = [(1 + math.erf(pixels / 2 / 2**0.5)) / 2 for pixels in from_edge]
    np.testing.assert_allclose(feathered[20, 12:28], gaussian, atol=0.02)


def test_a_feather_wider_than_the_mask_counts_as_that_wide():
    mask = np.zeros((9, 12), np.float32)
    mask[:, 6:] = 1
    widest = adjust_mask(mask, feather=12)
    np.testing.assert_array_equal(adjust_mask(mask, feather=1e9), widest)


def test_zero_softness_makes_a_hard_mask():
    mask = np.linspace(0, 1, 11, dtype=np.float32)[None]
    hard = adjust_mask(mask, threshold=0.3, softness=0)
    np.testing.assert_array_equal(hard, mask > np.float32(0.3))
    assert adjust_mask(mask_of(0.2, 0.5, 0.6), softness=0).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("softness", [0.2, 0.6, 1.0])
def test_the_threshold_comes_to_one_half_and_the_subject_stays_opaque(softness):
    mask = mask_of(-0.0005, 0.3, 1)  # below 0 by rounding
    adjusted = adjust_mask(mask, threshold=0.3, softness=softness)
    np.testing.assert_allclose(adjusted, [[0, 0.5, 1]], atol=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5, 2.0, float("nan")])
@pytest.mark.parametrize("softness", [0.0, 1.0])
def test_a_middle_at_either_end_is_refused(threshold, softness):
    with pytest.raises(ValueError, match=f"threshold is {threshold}, expected more than 0 and le"):
        adjust_mask(mask_of(0, 0.5, 1), threshold=threshold, softness=softness)


@pytest.mark.parametrize("name", ["softness", "fill_holes", "drop_specks", "feather", "grow"])
@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_an_amount_that_makes_no_sense_is_refused(name, amount):
    if (name, amount) == ("grow", -1.0):
        amount = -float("inf")
    with pytest.raises(ValueError, match=f"{name} is {amount}, expected "):
        adjust_mask(mask_of(0, 0.5, 1), **{name: amount})


def test_no_softness_makes_the_background_show_and_the_subject_transparent():
    with pytest.raises(ValueError, match=r"softness is 2, .* feather makes an edge softer"):
        adjust_mask(mask_of(0, 0.5, 1), softness=2)


@pytest.mark.parametrize("options", [{"fill_holes": 0.2}, {"drop_specks": 0.2}])
def test_it_does_not_matter_how_a_mask_lies_in_memory(options):
    expected = adjust_mask(holed(), **options)
    assert not np.array_equal(expected, holed())
    for mask in (np.asfortranarray(holed()), holed()[::-1].copy()[::-1]):
        np.testing.assert_array_equal(adjust_mask(mask, **options), expected)


def test_half_transparent_places_amid_the_subject_are_filled_too():
    mask = np.ones((20, 20), np.float32)
    mask[5:8, 5:8] = 0.7
    assert (adjust_mask(mask, fill_holes=0.1) == 1).all()
