"""A name or a file becomes a net that is ready to use, and the host stays as it was."""

import copy
import dataclasses
import logging
import warnings

import pytest
import torch
from torch import nn

from u2demo.nets.architectures import build_model
from u2demo.nets.checkpoints import CHECKPOINTS, Input, WeightsError
from u2demo.nets.load import load_model


@pytest.fixture
def full_size(request, tmp_path):
    """A random net, and its weights laid out as in the published files: legacy, no counters."""
    torch.manual_seed(0)
    net = build_model(request.param)
    for module in net.modules():
        module.momentum = 1.0
    with torch.no_grad():
        net.train()(torch.randn(2, 3, 64, 64))  # statistics, without which its maps would be flat
    state = net.eval().state_dict()
    for key in [key for key in state if key.endswith("num_batches_tracked")]:
        del state[key]
    path = tmp_path / "full_size.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return net, path


@pytest.mark.parametrize(
    ("name", "full_size"),
    [("u2net_human_seg", "u2net"), ("isnet", "isnet")],
    indirect=["full_size"],
)
def test_a_full_size_net_loads_strictly(name, full_size, home, monkeypatch):
    net, path = full_size
    published = CHECKPOINTS[name]
    home.mkdir()
    size = path.rename(home / published.file).stat().st_size
    assert abs(size - published.bytes) < 200_000
    record = dataclasses.replace(published, bytes=size, sha256=None)
    monkeypatch.setitem(CHECKPOINTS, name, record)
    with pytest.warns(UserWarning, match="trusted"):
        loaded = load_model(name, device="cpu")
    assert loaded.input == published.input
    with torch.inference_mode():
        image = torch.randn(1, 3, 64, 48)
        expected, found = net(image), loaded(image)
    assert expected[0].std() > 0.01
    assert torch.allclose(expected[0], found[0], atol=1e-4)
    assert {level.shape for level in found} == {(1, 1, 64, 48)}
    assert all(level.min() >= 0 and level.max() <= 1 for level in found)


@pytest.mark.parametrize("zipped", [True, False])
def test_own_weights_load_whatever_the_name_says(zipped, tmp_path):
    path = tmp_path / "my.weights.pth"
    net = build_model("u2netp")
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=zipped)
    for name in ("u2netp", "u2net"):
        model = load_model(name, weights=str(path), device="cpu")
        assert torch.equal(model["outconv"].weight, net["outconv"].weight)


def has_norms(model):
    return any(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def test_a_loaded_net_is_fused_and_ready_for_inference():
    model = load_model(device="cpu")
    assert not model.training and not has_norms(model)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_net_to_be_trained_further_has_its_norms_and_gradients_and_the_same_answer(model):
    trainable = load_model(device="cpu", trainable=True)
    assert trainable.training and has_norms(trainable)
    assert all(parameter.requires_grad for parameter in trainable.parameters())
    assert trainable.input == model.input
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert (copy.deepcopy(trainable).eval()(x)[0] - model(x)[0]).abs().max() <= 1e-4
    trainable(torch.randn(2, 3, 64, 64))[0].mean().backward()
    before = copy.deepcopy(trainable.state_dict())
    torch.optim.SGD(trainable.parameters(), lr=0.1).step()
    after = trainable.state_dict()
    assert not torch.equal(before["outconv.weight"], after["outconv.weight"])


def test_a_net_can_be_trained_from_a_file_that_holds_one_tensor_for_many_weights(state, tmp_path):
    key = "stage2.rebnconvin.conv_s1.bias"
    state[key] = torch.zeros(1).expand(state[key].shape)
    torch.save(state, tmp_path / "my.pth")
    net = load_model(weights=tmp_path / "my.pth", device="cpu", trainable=True)
    with torch.no_grad():
        net["stage2"]["rebnconvin"].conv_s1.bias[0] += 1
    assert net.state_dict()[key].count_nonzero() == 1


def test_what_a_trained_net_has_learned_loads_again(tmp_path):
    torch.save(load_model(device="cpu", trainable=True).state_dict(), tmp_path / "mine.pth")
    assert load_model(weights=tmp_path / "mine.pth", device="cpu").input == Input()


def test_the_weights_of_a_fused_net_are_refused_with_what_to_save_instead(tmp_path):
    torch.save(load_model(device="cpu").state_dict(), tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=r"folded .*trainable=True\)\.state_dict\(\) instead"):
        load_model(weights=tmp_path / "mine.pth", device="cpu")


def test_weights_of_a_wrapped_net_are_refused_with_advice(tmp_path):
    wrapped = torch.nn.DataParallel(build_model("u2netp"))
    torch.save(wrapped.state_dict(), tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=r"save model\.module\.state_dict\(\) instead"):
        load_model(weights=tmp_path / "mine.pth")


def test_the_host_is_the_same_after_loading_as_before(home):
    def host():
        return {
            "random numbers": torch.get_rng_state().tolist(),
            "threads": torch.get_num_threads(),
            "type": torch.get_default_dtype(),
            "gradients": torch.is_grad_enabled(),
            "forward": nn.Module.__call__,
            "warnings": list(warnings.filters),
            "logging": list(logging.getLogger().handlers),
        }

    before = host()
    load_model(device="cpu")
    load_model(device="cpu", trainable=True)
    with pytest.raises(WeightsError):
        load_model(weights=home / "missing.pth", device="cpu")
    assert host() == before


def test_loading_asks_malloc_for_nothing(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: pytest.fail("a C library was asked"))
    assert load_model(device="cpu")


def test_the_host_s_default_type_does_not_matter(model):
    x = torch.randn(1, 3, 64, 64)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        loaded = load_model(device="cpu")
    finally:
        torch.set_default_dtype(before)
    with torch.inference_mode():
        assert torch.equal(loaded(x)[0], model(x)[0])


def test_a_net_loaded_in_inference_mode_is_a_net_like_any_other():
    with torch.inference_mode():
        model = load_model(device="cpu", trainable=True)
    model(torch.randn(2, 3, 32, 32))[0].mean().backward()


def test_a_file_given_as_a_name_raises_where_it_goes():
    with pytest.raises(ValueError, match=r"no weights named 'u2net\.pth'; .+ pass weights=FILE"):
        load_model("u2net.pth")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "cuda", "meta"])
def test_a_device_that_is_not_there_is_answered_with_those_that_are(device, monkeypatch):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this computer has one")
    monkeypatch.setattr("u2demo.nets.store.fetch", lambda *_, **__: pytest.fail("fetched in vain"))
    with pytest.raises(
        ValueError, match=f"no device '{device}' on this computer; choose from .*cpu"
    ):
        load_model(device=device)
