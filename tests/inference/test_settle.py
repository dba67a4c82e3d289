"""Which half transparent pixels are decided, and which stay as they are."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from own_nets import Mine
from PIL import Image

import u2demo as u2
from u2demo.inference.settle import settle
from u2demo.nets.checkpoints import Input

SUBJECT, PATCH, HOLE = np.s_[12:52, 8:56], np.s_[20:44, 64:88], np.s_[22:42, 22:42]
AS_IT_IS = Input(96, (0.0,) * 3, (1.0,) * 3, by_maximum=False)


def mask_of(subject, patch, hole=None, quality="fast"):
    """The mask of a photo for a net that finds a subject, and beside it a patch; or a hole."""
    saliency = np.zeros((64, 96), np.float32)
    saliency[SUBJECT], saliency[PATCH] = subject, patch
    if hole is not None:
        saliency[HOLE] = hole
    photo = Image.fromarray(np.rint(saliency * 255).astype(np.uint8)).convert("RGB")
    seen = Mine(lambda batch: (batch[:, :1],), wants=AS_IT_IS)
    return u2.predict_mask(seen, photo, quality=quality)


def inside(area):
    """The middle of an area, where its own edges do not reach."""
    rows, columns = area
    return np.s_[rows.start + 8 : rows.stop - 8, columns.start + 8 : columns.stop - 8]


@pytest.mark.parametrize("quality", ["fast", "best"])
@pytest.mark.parametrize(("patch", "becomes"), [(0.15, 0), (0.6, 1)])
def test_a_wide_half_transparent_patch_beside_a_sure_subject_is_decided(patch, becomes, quality):
    mask = mask_of(1.0, patch, quality=quality)
    np.testing.assert_allclose(mask[inside(PATCH)], becomes, atol=1e-3)


def test_a_hole_that_the_net_is_not_sure_of_is_closed():
    mask = mask_of(1.0, 0.0, hole=0.5)
    assert mask[inside(HOLE)].min() > 0.99


def test_where_the_net_hesitates_all_over_nothing_is_decided():
    mask = torch.zeros(1, 1, 64, 96)
    mask[0, 0][SUBJECT], mask[0, 0][PATCH] = 0.8, 0.4
    torch.testing.assert_close(settle(mask, certainty=0.5), mask)


def ramp(width, *, scale=1):
    """An edge that takes ``width`` pixels from 0 to 1, of a map of 400 pixels."""
    values = ((torch.arange(400 * scale) / scale - 200) / width + 0.5).clamp(0, 1)
    return values.expand(1, 1, 120 * scale, -1)


def test_an_edge_keeps_its_softness():
    torch.testing.assert_close(settle(ramp(8), 1.0), ramp(8), atol=0.1, rtol=0)


def test_a_blur_as_wide_as_a_ghost_becomes_steeper_but_no_step():
    settled = settle(ramp(60), 1.0)[0, 0, 60]
    assert (settled.diff() >= 0).all() and settled.diff().max() < 0.1
    assert ((settled > 0.1) & (settled < 0.9)).sum() < 30


def test_hairs_are_not_lost():
    hairs = torch.zeros(1, 1, 120, 400)
    hairs[..., ::6] = 0.6
    settled = settle(hairs, 1.0)
    assert settled[..., ::6].min() >= 0.6 and not settled[..., 3::6].any()


def test_a_large_map_is_settled_as_a_small_one():
    small = settle(ramp(60), 1.0)
    large = settle(ramp(60, scale=3), 1.0)
    torch.testing.assert_close(F.avg_pool2d(large, 3), small, atol=0.05, rtol=0)


@pytest.mark.parametrize("certainty", [0.0, 0.6, 0.75, 1.0])
def test_what_is_settled_is_a_map_and_the_one_given_stays(certainty):
    patches = torch.rand(1, 1, 5, 7, generator=torch.Generator().manual_seed(0))
    given = F.interpolate(patches, (150, 210), mode="bilinear")
    before = given.clone()
    settled = settle(given, certainty)
    assert settled.shape == given.shape and 0 <= settled.min() <= settled.max() <= 1
    torch.testing.assert_close(given, before, atol=0, rtol=0)
    assert torch.equal(settled, given) == (certainty <= 0.6)
