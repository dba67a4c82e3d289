"""A fused net gives the answer of the net it was made from, whatever its layers are called."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from u2demo.inference.preprocess import to_tensor
from u2demo.nets import fuse as fusing
from u2demo.nets.architectures import ARCHITECTURES, build_model
from u2demo.nets.blocks import ConvUnit
from u2demo.nets.fuse import fuse

TOLERANCE = 1e-4  # the promise, in float32


def with_statistics(net):
    """Give batch normalization drawn statistics, so that fusing it is not fusing identities."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.1, 0.1)
    return net.eval()


def layers(net, kind):
    return [module for module in net.modules() if isinstance(module, kind)]


def norms(net):
    return layers(net, nn.BatchNorm2d)


@torch.inference_mode()
def difference(net, other, x):
    return float((net(x) - other(x)).abs().max())


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


class Residual(nn.Module):
    """As in torchvision's ResNet: other names, and one ReLU for two places."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.act(self.first_norm(self.first(x)))
        return self.act(self.second_norm(self.second(y)) + x)


class InLists(nn.Module):
    """Layers in containers that their owner calls, and a ReLU that is a method."""

    def __init__(self, channels):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(channels, channels, 3) for _ in range(2)])
        self.norms = nn.ModuleDict({"a": nn.BatchNorm2d(channels), "b": nn.BatchNorm2d(channels)})

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms.values(), strict=True):
            x = norm(conv(x)).relu()
        return x


class Concatenated(nn.Module):
    """Three inputs of different widths, by the keyword ``dim``, without ReLU."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(1 + 2 + 3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, a, b, c):
        return self.norm(self.mix(torch.cat([a, b, c], dim=1)))


class Reordered(Concatenated):
    """Concatenates in another order than it is called with."""

    def forward(self, c, b, a):
        return super().forward(a, b, c)


class Wrapped(nn.Module):
    def __init__(self, inside):
        super().__init__()
        self.inside = inside

    def forward(self, x):
        return self.inside(x[:, :1], x[:, 1:3], x[:, 3:])


class WrappedInReverse(Wrapped):
    def forward(self, x):
        return self.inside(x[:, 3:], x[:, 1:3], x[:, :1])


def sequential():
    return nn.Sequential(
        nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        Residual(8), InLists(8), nn.Conv2d(8, 1, 3, bias=False),
    )  # fmt: skip


GENERAL = {
    "sequential": sequential,
    "concatenated": lambda: Wrapped(Concatenated()),
    "concatenated in another order": lambda: WrappedInReverse(Reordered()),
    "grouped": lambda: nn.Sequential(nn.Conv2d(6, 6, 3, groups=3), nn.BatchNorm2d(6)),
    "same padding": lambda: nn.Sequential(nn.Conv2d(6, 6, 3, padding="same"), nn.BatchNorm2d(6)),
    "not affine": lambda: nn.Sequential(nn.Conv2d(6, 2, 5), nn.BatchNorm2d(2, affine=False)),
    "strided to one channel": lambda: nn.Conv2d(6, 1, 3, stride=2, padding=1, dilation=2),
}


@pytest.mark.parametrize("make", GENERAL.values(), ids=GENERAL)
def test_any_net_of_convolutions_is_fused_and_answers_the_same(make):
    net = with_statistics(make())
    fused = fuse(net)
    assert norms(fused) == []
    assert difference(net, fused, torch.randn(2, 6, 21, 30)) <= TOLERANCE
    assert (
        difference(net, pickle.loads(pickle.dumps(fused)), torch.randn(2, 6, 16, 16)) <= TOLERANCE
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_our_nets_are_fused_and_answer_the_same(name):
    net = with_statistics(build_model(name))
    fused = fuse(net)
    assert norms(fused) == []
    for size in [(64, 96), (33, 65), (1, 1)]:
        batch = torch.randn(2, 3, *size)
        with torch.inference_mode():
            for one, other in zip(net(batch), fused(batch), strict=True):
                assert (one - other).abs().max() <= TOLERANCE


class Twice(nn.Module):
    """A convolution that is called twice, and whose answer is also used as it is."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.other, self.other_norm = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)

    def forward(self, x):
        x = self.norm(self.conv(self.conv(x)))
        y = self.other(x)
        return self.other_norm(y) + y


class Lends(nn.Module):
    """Two modules that share a convolution and a ReLU, but not their norms."""

    def __init__(self):
        super().__init__()
        conv, act = nn.Conv2d(6, 6, 1), nn.ReLU()
        self.one = nn.Sequential(conv, nn.BatchNorm2d(6), act)
        self.two = nn.Sequential(conv, nn.BatchNorm2d(6), act, nn.Conv2d(6, 6, 1), nn.ReLU())

    def forward(self, x):
        return self.two(self.one(x) - 1)


class Branches(nn.Module):
    """A forward that looks at values, around a part that does not."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.part = nn.Sequential(nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6))

    def forward(self, x):
        return self.part(x) if x.mean() > 9 else self.part(self.norm(self.conv(x)))


def reflected():
    conv = nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect")
    return nn.Sequential(conv, nn.BatchNorm2d(6), nn.ReLU())


@pytest.mark.parametrize(("make", "kept"), [(Twice, 2), (Branches, 1), (reflected, 1), (Lends, 1)])
def test_what_cannot_be_fused_safely_is_left_as_it_is(make, kept):
    net = with_statistics(make())
    fused = fuse(net)
    assert len(norms(fused)) == kept
    assert difference(net, fused, torch.randn(2, 6, 9, 9)) <= TOLERANCE


def test_the_net_that_is_fused_stays_as_it_is():
    net = with_statistics(build_model("u2netp")).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    fuse(net)
    assert net.training and all(weight.requires_grad for weight in net.parameters())
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_a_fused_net_is_for_inference():
    fused = fuse(with_statistics(sequential()).train())
    assert not any(module.training for module in fused.modules())
    assert not any(weight.requires_grad for weight in fused.parameters())


def test_a_net_that_another_thread_runs_meanwhile_is_not_disturbed():
    call, seen = nn.Module.__call__, []

    class Looks(Residual):
        def forward(self, x):
            seen.append(nn.Module.__call__)
            return super().forward(x)

    fuse(Looks(4))
    assert seen == [call]


def test_gradients_pass_through_a_fused_net_to_its_input():
    net = with_statistics(sequential())
    slopes = []
    for one in (net, fuse(net)):
        x = torch.linspace(-1, 1, 6 * 20 * 20).view(1, 6, 20, 20).requires_grad_()
        one(x).sum().backward()
        slopes.append(x.grad)
    assert (slopes[0] - slopes[1]).abs().max() <= TOLERANCE


@pytest.mark.parametrize("small", [0, 2**40])  # every part convolved alone, or none
@pytest.mark.parametrize("onednn", [True, False])
def test_whatever_shortcuts_a_fused_net_may_take_the_answer_is_one(
    model, monkeypatch, small, onednn
):
    batch = torch.randn(1, 3, 96, 64)
    with torch.inference_mode():
        before = model(batch)
        monkeypatch.setattr(fusing, "_SMALL", small)
        monkeypatch.setattr(fusing, "_has_fused_steps", lambda dtype: onednn)
        after = copy.deepcopy(model)(batch)  # it remembers no shortcut
    for one, other in zip(before, after, strict=True):
        assert (one - other).abs().max() <= TOLERANCE


def test_a_fused_net_can_be_copied_after_use(model):
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        first = model(batch)[0]
    copied = copy.deepcopy(model)
    with torch.inference_mode():
        assert torch.equal(first, copied(batch)[0])


def test_a_net_copied_in_inference_mode_notices_changed_weights_as_well(model):
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        copied = copy.deepcopy(model)
        assert (copied(batch)[0] - model(batch)[0]).abs().max() <= TOLERANCE
        for weight in copied.parameters():
            weight.zero_()
        assert (copied(batch)[0] == 0.5).all()


def halve_in_place(net, other):
    for weight in net.parameters():
        weight.mul_(0.5)


def load_another(net, other):
    net.load_state_dict(other.state_dict())


def assign_another(net, other):
    for weight, value in zip(net.parameters(), other.parameters(), strict=True):
        weight.data = value.clone()


@pytest.mark.parametrize("change", [halve_in_place, load_another, assign_another])
def test_weights_changed_after_the_first_answer_count_from_the_next_one_on(change):
    net, other = (fuse(with_statistics(build_model("u2netp"))) for _ in range(2))
    batch = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        before = net(batch)[0]
        change(net, other)
        after = net(batch)[0]
        fresh = pickle.loads(pickle.dumps(net))(batch)[0]
    assert torch.equal(after, fresh) and not torch.equal(after, before)


def test_a_fused_net_compiles_as_one_graph(model):
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        compiled = torch.compile(model, backend="eager", fullgraph=True)
        assert (compiled(batch)[0] - model(batch)[0]).abs().max() <= TOLERANCE


@pytest.mark.filterwarnings("ignore")  # tracing is deprecated, and notes that sizes stay fixed
def test_a_fused_net_can_be_traced_as_for_torchscript_and_onnx(model):
    batch = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        traced = torch.jit.trace(model, batch, check_trace=False)  # its check allows 1e-5
        assert (traced(batch)[0] - model(batch)[0]).abs().max() <= TOLERANCE


def test_a_fused_net_runs_on_a_device_without_autocast():
    fused = fuse(build_model("u2netp")).to("meta")
    assert fused(torch.empty(1, 3, 32, 32, device="meta"))[0].shape == (1, 1, 32, 32)


def test_with_arm_s_library_below_onednn_no_fused_step_is_taken(model, monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_acl_supported", lambda: True)
    monkeypatch.setattr(fusing, "_has_fused_steps", fusing._has_fused_steps.__wrapped__)
    taken = lambda *_: pytest.fail("a fused step was taken")  # noqa: E731
    monkeypatch.setattr(torch.ops.mkldnn, "_convolution_pointwise", taken)
    with torch.inference_mode():
        assert copy.deepcopy(model)(torch.rand(1, 3, 32, 32))[0].shape == (1, 1, 32, 32)


def test_half_precision_keeps_photos_answers(model, samples):
    batch = to_tensor(samples["astronaut.jpg"], size=(160, 160))
    with torch.inference_mode():
        exact = model(batch)[0]
        with torch.autocast("cpu", torch.bfloat16):
            half = model(batch)[0]
    assert (half.float() - exact).abs().mean() <= 0.005


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("without", [None, "_is_mkldnn_bf16_supported"])
def test_a_fused_net_computes_in_any_type_with_any_onednn(model, dtype, without, monkeypatch):
    net, x = copy.deepcopy(model).to(dtype), torch.rand(1, 3, 32, 32)
    if without:  # as on a processor without AVX-512
        monkeypatch.setattr(torch.ops.mkldnn, without, lambda: False)
        monkeypatch.setattr(fusing, "_has_fused_steps", fusing._has_fused_steps.__wrapped__)
    with torch.inference_mode():
        exact, answer = model(x)[0], net(x.to(dtype))[0]
    assert answer.dtype == dtype
    assert (answer.float() - exact).abs().max() <= (0.1 if dtype.itemsize == 2 else TOLERANCE)


def test_a_great_offset_survives_half_precision():
    unit = ConvUnit(1, 1)
    nn.init.dirac_(unit.conv_s1.weight)
    nn.init.constant_(unit.conv_s1.bias, 300)
    fused = fuse(unit.eval())
    x = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8).bfloat16()  # a half's step at 300 is 2
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        answer = fused(x)
    assert (answer - 300 - x).abs().max() < 0.01


def test_a_convolution_to_one_channel_is_the_sum_of_its_nine_taps():
    conv = nn.Conv2d(5, 1, 3, padding=1)
    fused = fuse(conv)
    x = torch.randn(1, 5, 6, 7)
    with torch.inference_mode():
        assert torch.allclose(fused(x), F.conv2d(x, conv.weight, conv.bias, padding=1), atol=1e-6)
    assert layers(fused, nn.Conv2d) == []
