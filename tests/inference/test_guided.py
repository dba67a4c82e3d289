"""What a photo's edges do to a coarse map."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from u2demo.inference.guided import _sums, follow_edges


def test_a_soft_edge_is_steepest_where_the_photo_s_is():
    photo = torch.zeros(1, 1, 40, 40)
    photo[..., 20:] = 1
    soft = ((torch.arange(40) - 16.5) / 4).clamp(0, 1).expand(1, 1, 40, 40)  # center at 18.5
    steps = follow_edges(soft, photo)[0, 0, 20].diff()
    assert steps.argmax() == 19
    assert steps[19] > 1.3 * soft[0, 0, 20].diff().max()


def test_an_even_photo_leaves_a_mask_in_place():
    soft = torch.zeros(1, 1, 40, 40)
    soft[..., 20:] = 1
    smooth = follow_edges(soft, torch.full((1, 1, 40, 40), 0.5))
    np.testing.assert_allclose(smooth[..., [0, 10, 30, 39]], soft[..., [0, 10, 30, 39]], atol=1e-5)
    assert smooth.mean() == pytest.approx(0.5, abs=1e-3)


def test_a_large_photo_s_edge_lies_where_a_small_one_s_does():
    photo = torch.zeros(1, 1, 30, 1500)
    photo[..., 800:] = 1
    soft = ((torch.arange(1500) - 740) / 100).clamp(0, 1).expand(1, 1, 30, 1500)
    steps = follow_edges(soft, photo)[0, 0, 15].diff()
    assert steps.argmax() == 799
    assert steps[799] > 5 * soft.diff().max()


@pytest.mark.parametrize("count", [1, 2, 3, 11, 20])
@pytest.mark.parametrize("axis", [2, 3])
def test_sums_are_those_of_a_window(count, axis):
    x = torch.rand(1, 1, 20, 23)
    window = (count, 1) if axis == 2 else (1, count)
    np.testing.assert_allclose(_sums(x, count, axis), F.avg_pool2d(x, window, 1) * count, rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (3, 2), (3, 1601)])
def test_any_size_is_filtered(size):
    even = torch.full((1, 1, *size), 0.25)
    np.testing.assert_allclose(follow_edges(even, torch.rand(1, 1, *size)), even, atol=1e-5)
