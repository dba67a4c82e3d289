"""Inside somebody's program: whatever PyTorch has been told, the mask is the same."""

import contextlib
import copy
import io
import random
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import u2demo as u2
from u2demo.nets.checkpoints import WeightsError
from u2demo.nets.load import load_model


@pytest.fixture(scope="module")
def photo(samples):
    """A photo that takes little time."""
    return samples["cat.jpeg"].resize((150, 100))


@pytest.fixture(scope="module")
def usual(model, photo):
    """Its mask in a program that has told PyTorch nothing."""
    return u2.predict_mask(model, photo)


@contextlib.contextmanager
def default_device(name):
    torch.set_default_device(name)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextlib.contextmanager
def errors_of_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


STATES = {
    "default device": lambda: default_device("meta"),
    "device context": lambda: torch.device("meta"),
    "default type": lambda: default_dtype(torch.float64),
    "half type": lambda: default_dtype(torch.bfloat16),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "gradients": torch.enable_grad,
    "anomalies": torch.autograd.detect_anomaly,
    "deterministic": deterministic,
    "warnings": errors_of_warnings,
}


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("state", STATES)
def test_net_and_mask_do_not_depend_on_what_the_host_has_told_pytorch(state, photo, usual):
    with STATES[state]():
        found = u2.predict_mask(load_model(device="cpu"), photo)
    np.testing.assert_array_equal(found, usual)


def test_no_random_number_is_drawn(photo):
    def state():
        return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()

    before = state()
    u2.remove_background(photo, u2.predict_mask(load_model(device="cpu"), photo))
    assert state() == before


@pytest.mark.parametrize("way", ["deepcopy", "torch.save"])
def test_a_net_that_has_been_used_is_copied_and_saved_whole(way, model, photo, usual):
    if way == "deepcopy":
        again = copy.deepcopy(model)
    else:
        torch.save(model, file := io.BytesIO())
        file.seek(0)
        again = torch.load(file, weights_only=False)
    assert again.input == model.input
    np.testing.assert_array_equal(u2.predict_mask(again, photo), usual)


def test_threads_share_a_net(photo, usual):
    net = load_model(device="cpu")
    with ThreadPoolExecutor(4) as pool:
        for mask in pool.map(lambda _: u2.predict_mask(net, photo), range(4)):
            np.testing.assert_array_equal(mask, usual)


@pytest.mark.parametrize("kind", ["half", "bfloat16", "double"])
def test_weights_saved_in_another_precision_load(kind, photo, usual, tmp_path):
    net = getattr(load_model(device="cpu", trainable=True), kind)()
    torch.save(net.state_dict(), tmp_path / "mine.pth")
    loaded = load_model(weights=tmp_path / "mine.pth", device="cpu")
    assert {weight.dtype for weight in loaded.parameters()} == {torch.float32}
    assert np.abs(u2.predict_mask(loaded, photo) - usual).mean() < 0.02


def test_a_whole_net_in_a_file_is_refused_with_what_to_save(model, tmp_path):
    torch.save(model, tmp_path / "whole.pth")
    with pytest.raises(WeightsError, match=r"save model\.state_dict\(\)"):
        load_model(weights=tmp_path / "whole.pth", device="cpu")


def test_a_net_without_values_is_named(photo):
    with pytest.raises(ValueError, match="shapes but no weights, expected one as from load_model"):
        u2.predict_mask(copy.deepcopy(load_model(device="cpu")).to("meta"), photo)


def test_a_net_in_training_is_not_changed_by_looking_at_a_photo(photo):
    net = load_model(device="cpu", trainable=True)
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match=r"in training mode, expected one after model\.eval\(\)"):
        u2.predict_mask(net, photo)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
