"""U²-Net as two tables: the published schema, and the official network's answer.

``tests/golden/u2netp.npz`` holds every 16th value of the seven maps that the official ONNX export
gives for ``drawing()``. It was written by ``python -m tests.test_model path/to/u2netp.onnx``.
"""

import copy
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from u2demo.inference.preprocess import to_tensor
from u2demo.nets import fuse
from u2demo.nets.fuse import fold_in_place
from u2demo.nets.u2net import ARCHITECTURES, ConvUnit, build_model

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
    """Both nets with drawn statistics, so that folding them is not folding identities."""
    torch.manual_seed(0)
    nets = {name: build_model(name).eval() for name in ARCHITECTURES}
    for net in nets.values():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.uniform_(-0.1, 0.1)
    return nets


@pytest.mark.parametrize("name, parameters", {"u2net": 44_009_869, "u2netp": 1_131_181}.items())
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
    with pytest.raises(ValueError, match="u2netp, u2net"):
        build_model("u3net")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_stage_has_the_width_and_depth_of_its_row(untrained, name):
    net, (encoder, decoder) = untrained[name], ARCHITECTURES[name]
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


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("size", [(64, 96), (33, 65), (1, 1)])
def test_folding_keeps_the_answer(untrained, name, size):
    batch = torch.randn(2, 3, *size)
    with torch.inference_mode():
        before = untrained[name](batch)
        net = copy.deepcopy(untrained[name])
        fold_in_place(net)
        after = net(batch)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    for one, other in zip(before, after, strict=True):
        assert (one - other).abs().max() <= TOLERANCE


@pytest.mark.parametrize("small", [0, 2**40])  # every part convolved alone, or none
@pytest.mark.parametrize("onednn", [True, False])
def test_whatever_shortcuts_a_folded_net_may_take_the_answer_is_one(
    model, monkeypatch, small, onednn
):
    batch = torch.randn(1, 3, 96, 64)
    with torch.inference_mode():
        before = model(batch)
        monkeypatch.setattr(fuse, "_SMALL", small)
        monkeypatch.setattr(fuse, "_has_fused_steps", lambda dtype: onednn)
        after = copy.deepcopy(model)(batch)  # it remembers no shortcut
    for one, other in zip(before, after, strict=True):
        assert (one - other).abs().max() <= TOLERANCE


def test_a_folded_net_can_be_copied_after_use(model):
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(model(batch)[0], copy.deepcopy(model)(batch)[0])


def test_a_folded_net_compiles_as_one_graph(model):
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        compiled = torch.compile(model, backend="eager", fullgraph=True)
        assert (compiled(batch)[0] - model(batch)[0]).abs().max() <= TOLERANCE


def test_gradients_reach_every_weight_of_an_unfolded_net():
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


def test_half_precision_keeps_photos_answers(model, samples):
    image = samples["astronaut.jpg"]
    with torch.inference_mode():
        exact = model(to_tensor(image))[0]
        with torch.autocast("cpu", torch.bfloat16):
            half = model(to_tensor(image))[0]
    assert (half.float() - exact).abs().mean() <= 0.005


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("without", [None, "_is_mkldnn_bf16_supported"])
def test_the_folded_net_computes_in_any_type_with_any_onednn(model, dtype, without, monkeypatch):
    net, x = copy.deepcopy(model).to(dtype), torch.rand(1, 3, 32, 32)
    if without:  # as on a processor without AVX-512
        monkeypatch.setattr(torch.ops.mkldnn, without, lambda: False)
        forgetful = fuse._has_fused_steps.__wrapped__
        monkeypatch.setattr(fuse, "_has_fused_steps", forgetful)
    with torch.inference_mode():
        exact, answer = model(x)[0], net(x.to(dtype))[0]
    assert answer.dtype == dtype
    assert (answer.float() - exact).abs().max() <= (0.1 if dtype.itemsize == 2 else TOLERANCE)


def test_a_great_offset_survives_half_precision():
    unit = ConvUnit(1, 1)
    nn.init.dirac_(unit.conv_s1.weight)
    nn.init.constant_(unit.conv_s1.bias, 300)
    net = nn.ModuleDict({"stage": nn.ModuleDict({"unit": unit})})
    net.down, net.up, net.sides = ["stage"], [], []
    fold_in_place(net)
    x = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8).bfloat16()  # a half's step at 300 is 2
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        answer = net["stage"]["unit"](x)
    assert (answer - 300 - x).abs().max() < 0.01


if __name__ == "__main__":
    ONNX = Path(sys.argv[1])
    official = np.stack([level[0, 0, ::16, ::16] for level in official_maps(drawing())])
    np.savez_compressed(GOLDEN, maps=official)
    print(f"{GOLDEN.name}: maximum {official.max():.3f}, deviation {official.std():.3f}")
