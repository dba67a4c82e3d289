"""U²-Net and IS-Net as tables: the published schemas, and the official network's answer.

``tests/golden/u2netp.npz`` holds every 16th value of the seven maps that the official ONNX export
gives for ``drawing()``. It was written by ``python tests/nets/test_model.py path/to/u2netp.onnx``.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from u2demo.inference.preprocess import to_tensor
from u2demo.nets.architectures import ARCHITECTURES, build_model
from u2demo.nets.blocks import ConvUnit
from u2demo.nets.isnet import ISNET
from u2demo.nets.u2net import U2NET, U2NETP

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parents[1] / "golden" / "u2netp.npz"
ONNX = Path(os.environ.get("U2DEMO_ONNX", ROOT.parent / "shared" / "weights" / "u2netp.onnx"))
TOLERANCE = 1e-4  # the promise: the official answer, in float32


def drawing() -> np.ndarray:
    """A disc with a rim on a slope of color, as the network wants it: (1, 3, 320, 320)."""
    y, x = np.mgrid[-1:1:320j, -1:1:320j].astype(np.float32)
    slope = np.stack([x, y, -x])
    disc = 1.5 - 2 * (np.hypot(x - 0.2, y) > 0.4)
    return np.where(np.hypot(x - 0.2, y) < 0.5, disc, slope)[None].astype(np.float32)


def official_maps(batch: np.ndarray) -> list[np.ndarray]:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(ONNX), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})


@torch.inference_mode()
def maps(model: nn.Module, batch: np.ndarray) -> list[np.ndarray]:
    return [level.numpy() for level in model(torch.from_numpy(batch))]


@pytest.fixture(scope="module")
def untrained():
    """Every net, as it is before training."""
    torch.manual_seed(0)
    return {name: build_model(name).eval() for name in ARCHITECTURES}


SIZES = {"u2net": 44_009_869, "u2netp": 1_131_181, "isnet": 44_046_790}
TABLES = {"u2net": U2NET, "u2netp": U2NETP, "isnet": ISNET}


@pytest.mark.parametrize("name, parameters", SIZES.items())
def test_nets_have_the_published_size_and_schema(untrained, name, parameters):
    net = untrained[name]
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == 112
    assert len(net.state_dict()) == 798


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_state_dict_loads_strictly_into_a_fresh_net(untrained, name):
    fresh = build_model(name)
    fresh.load_state_dict(untrained[name].state_dict(), strict=True)
    assert all(map(torch.equal, fresh.state_dict().values(), untrained[name].state_dict().values()))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="u2netp, u2net, isnet"):
        build_model("u3net")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_stage_has_the_width_and_depth_of_its_row(untrained, name):
    net, (encoder, decoder) = untrained[name], TABLES[name]
    for stage, row in zip((*net.down, *net.up), (*encoder, *decoder), strict=True):
        units = dict(net[stage].items())
        assert len(units) == 2 * row.depth
        assert units["rebnconvin"].conv_s1.weight.shape == (row.outputs, row.inputs, 3, 3)
        assert units["rebnconv1"].conv_s1.weight.shape == (row.middle, row.outputs, 3, 3)
        assert units["rebnconv1d"].conv_s1.weight.shape == (row.outputs, 2 * row.middle, 3, 3)


def test_dilations_are_those_of_the_paper(untrained):
    def dilations(stage):
        units = untrained["u2netp"][stage].items()
        return {name: unit.conv_s1.dilation[0] for name, unit in units if "in" not in name}

    assert list(dilations("stage1").values()) == [1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1]
    assert list(dilations("stage4").values()) == [1, 1, 1, 2, 1, 1, 1]
    for stage in ("stage5", "stage6", "stage5d"):
        assert list(dilations(stage).values()) == [1, 2, 4, 8, 4, 2, 1]


def test_pooling_halves_and_rounds_up_and_dilated_stages_keep_their_resolution(untrained):
    net, seen = untrained["u2netp"], {}
    hooks = [
        unit.register_forward_hook(lambda m, i, out, name=name: seen.update({name: out.shape[2:]}))
        for name, unit in net.named_modules()
        if isinstance(unit, ConvUnit)
    ]
    with torch.inference_mode():
        net(torch.zeros(1, 3, 33, 65))
    for hook in hooks:
        hook.remove()
    down = [tuple(seen[f"stage1.rebnconv{level}"]) for level in range(1, 8)]
    assert down == [(33, 65), (17, 33), (9, 17), (5, 9), (3, 5), (2, 3), (2, 3)]
    stages = [tuple(seen[f"stage{level}.rebnconvin"]) for level in range(1, 7)]
    assert stages == [(33, 65), (17, 33), (9, 17), (5, 9), (3, 5), (2, 3)]
    assert {tuple(size) for name, size in seen.items() if "stage5." in name} == {(3, 5)}


@pytest.mark.parametrize("size", [(33, 65), (321, 479), (1, 1), (320, 320)])
def test_seven_maps_in_the_input_s_own_size_whatever_it_is(model, size):
    answer = maps(model, np.full((2, 3, *size), 0.5, np.float32))
    assert [level.shape for level in answer] == [(2, 1, *size)] * 7
    assert all(level.min() >= 0 and level.max() <= 1 for level in answer)


@pytest.mark.parametrize("size", [(33, 65), (64, 48), (1, 1)])
def test_is_net_gives_six_maps_in_the_input_s_own_size_whatever_it_is(untrained, size):
    answer = maps(untrained["isnet"], np.full((2, 3, *size), 0.5, np.float32))
    assert [level.shape for level in answer] == [(2, 1, *size)] * 6
    assert all(level.min() >= 0 and level.max() <= 1 for level in answer)


def test_is_net_has_the_official_layout(untrained):
    keys = untrained["isnet"].state_dict().keys()
    expected = {key for key in untrained["u2net"].state_dict() if "outconv" not in key}
    assert keys == expected | {"conv_in.weight", "conv_in.bias"}
    assert untrained["isnet"]["conv_in"].stride == (2, 2)
    assert untrained["isnet"].state_dict()["conv_in.weight"].shape == (64, 3, 3, 3)


def test_a_net_is_in_float32_whatever_the_host_s_default():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        net = build_model("u2netp")
    finally:
        torch.set_default_dtype(before)
    assert {weight.dtype for weight in net.parameters()} == {torch.float32}


def test_gradients_reach_every_weight_of_a_net_that_is_not_fused():
    net = build_model("u2netp")
    net(torch.randn(1, 3, 64, 64))[0].sum().backward()
    used = {name for name, weight in net.named_parameters() if weight.grad is not None}
    assert used == {name for name, _ in net.named_parameters()}


def test_the_answer_to_a_drawing_is_the_official_one(model):
    golden = np.load(GOLDEN)["maps"]  # (7, 20, 20)
    answer = np.stack([level[0, 0, ::16, ::16] for level in maps(model, drawing())])
    assert golden.std() > 0.1  # the drawing has a subject
    assert np.abs(answer - golden).max() <= TOLERANCE


@pytest.mark.skipif(not ONNX.exists(), reason=f"U2DEMO_ONNX names no u2netp.onnx ({ONNX.name})")
def test_the_answer_to_photos_is_the_official_one(model, samples):
    for image in samples.values():
        batch = to_tensor(image).numpy()
        for ours, official in zip(maps(model, batch), official_maps(batch), strict=True):
            assert np.abs(ours - official).max() <= TOLERANCE


if __name__ == "__main__":
    ONNX = Path(sys.argv[1])
    official = np.stack([level[0, 0, ::16, ::16] for level in official_maps(drawing())])
    np.savez_compressed(GOLDEN, maps=official)
    print(f"{GOLDEN.name}: maximum {official.max():.3f}, deviation {official.std():.3f}")
