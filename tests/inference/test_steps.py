"""What predict_mask does on its way, shown: it ends where predict_mask does."""

import numpy as np
import pytest
from bright import Bright

import u2demo as u2
from u2demo.inference.recipes import QUALITIES
from u2demo.inference.steps import mask_steps, view_maps


@pytest.mark.parametrize("size", [(150, 100), (1300, 60)])
def test_the_last_step_is_the_mask_and_all_have_the_photos_size(size, model, samples):
    image = samples["cat.jpeg"].resize(size)
    steps = mask_steps(model, image)
    assert {step.shape for step in steps.values()} == {(size[1], size[0])}
    assert all(step.min() >= 0 and step.max() <= 1 for step in steps.values())
    assert np.array_equal(list(steps.values())[-1], u2.predict_mask(model, image))


def test_of_a_sure_subject_there_are_two_views_and_of_a_doubtful_one_more(model, samples):
    sure, doubtful = (view_maps(model, samples[name]) for name in ("coffee.png", "rocket.jpg"))
    first, second = "upside down, half squeezed", "mirrored, half squeezed, larger"
    assert list(sure) == [first, second, "their mean"]
    assert len(doubtful) == len(QUALITIES["best"].views) + 1, "each view has a title of its own"
    mean = sure["their mean"]
    assert mean.shape == samples["coffee.png"].size[::-1]


def test_looking_changes_no_photo(samples):
    image = samples["cat.jpeg"].resize((90, 60))
    before = image.tobytes()
    mask_steps(Bright(), image)
    view_maps(Bright(), image)
    assert image.tobytes() == before
