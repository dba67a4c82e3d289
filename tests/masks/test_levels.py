"""What levels do to a map or a mask."""

import numpy as np
import pytest
import torch

from u2demo.masks.levels import SURE_BACKGROUND, Levels

VALUES = np.linspace(0, 1, 201, dtype=np.float32).reshape(3, 67)


def test_black_becomes_0_white_becomes_1_and_a_line_joins_them():
    mask = Levels(0.2, 0.6).apply(np.float32([[0, 0.2, 0.3, 0.4, 0.6, 1]]))
    np.testing.assert_allclose(mask, [[0, 0, 0.25, 0.5, 1, 1]], atol=1e-6)


@pytest.mark.parametrize("levels", [Levels(0.2, 0.6), Levels(0.01, 0.9, haze=0.4), Levels()])
def test_a_tensor_and_an_array_get_the_same_levels(levels):
    mask = levels.apply(VALUES, certainty=0.8)
    tensor = levels.apply(torch.from_numpy(VALUES), certainty=0.8)
    assert mask.dtype == np.float32 and tensor.dtype == torch.float32
    np.testing.assert_allclose(mask, tensor, atol=1e-6)


def test_levels_by_default_change_nothing_not_even_a_veil():
    np.testing.assert_array_equal(Levels().apply(VALUES), VALUES)


def test_values_stay_as_they_were():
    before = VALUES.copy()
    Levels(0.1, 0.8, haze=0.3).apply(VALUES)
    np.testing.assert_array_equal(VALUES, before)


def test_a_veil_over_the_background_becomes_0():
    mask = Levels(0.0, 0.9).apply(VALUES)
    assert mask[(mask > 0)].min() > SURE_BACKGROUND
    assert not mask[VALUES <= 0.9 * SURE_BACKGROUND].any()


@pytest.mark.parametrize("levels", [Levels(0.2, 0.65), Levels(0.1, 0.5)])
def test_what_is_below_solid_can_be_set_in_two_steps(levels):
    first = Levels(0.0, 0.9).apply(VALUES)
    np.testing.assert_allclose(levels.below(0.9).apply(first), levels.apply(VALUES), atol=1e-6)


def test_the_surer_a_subject_is_found_the_more_of_its_haze_goes():
    faint = np.float32([[0.15]])
    left = [
        float(Levels(0.0, 1.0, haze=0.4).apply(faint, certainty=certainty)[0, 0])
        for certainty in (0.0, 0.5, 1.0)
    ]
    assert left[0] == pytest.approx(0.15) and left == sorted(left, reverse=True)
    assert left[2] == pytest.approx(0.15 * (0.15 / 0.4) ** 0.5)


@pytest.mark.parametrize(("black", "white"), [(0.5, 0.5), (0.9, 0.1), (float("nan"), 1.0)])
def test_black_above_white_is_refused(black, white):
    with pytest.raises(ValueError, match="expected less than white"):
        Levels(black, white)
