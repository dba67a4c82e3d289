"""Half and twice the size: what PyTorch's own functions give, by faster ways."""

import pytest
import torch
import torch.nn.functional as F

from u2demo.nets import blocks
from u2demo.nets.blocks import enlarge, halve

SIZES = [(8, 12), (7, 12), (8, 5), (3, 3), (2, 2), (1, 1), (1, 6)]


@pytest.fixture(autouse=True)
def every_size_is_large(monkeypatch):
    monkeypatch.setattr(blocks, "_LARGE", 0)


def drawn(size):
    torch.manual_seed(0)
    return torch.randn(2, 5, *size).to(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", SIZES)
def test_halving_takes_the_greatest_of_four_and_rounds_up(size):
    x = drawn(size)
    with torch.no_grad():
        assert torch.equal(halve(x), F.max_pool2d(x, 2, ceil_mode=True))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("target", [(16, 24), (13, 24), (6, 6), (2, 2), (2, 12)])
def test_enlarging_is_bilinear(size, target):
    x, like = drawn(size), torch.zeros(1, 1, *target)
    with torch.no_grad():
        expected = F.interpolate(x, target, mode="bilinear", align_corners=False)
        assert torch.allclose(enlarge(x, like), expected, atol=1e-6)


def test_a_tensor_of_the_right_size_is_returned_as_it_is():
    x = drawn((8, 8))
    assert enlarge(x, x) is x


def test_halves_are_enlarged_to_their_own_precision():
    x = drawn((8, 8))
    with torch.no_grad():
        half = enlarge(x.bfloat16(), torch.zeros(1, 1, 16, 16))
        assert half.dtype == torch.bfloat16
        assert torch.allclose(half.float(), enlarge(x, half), atol=0.04)


def test_a_gradient_reaches_the_greatest_of_each_four():
    x = drawn((8, 8)).requires_grad_()
    (enlarge(halve(x), x).sum() + halve(x).sum()).backward()
    assert x.grad.count_nonzero() == x.numel() // 4
