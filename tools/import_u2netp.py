"""Make u2demo/data/u2netp.pth, in the official checkpoint layout, from the official ONNX export.

    python tools/import_u2netp.py u2netp.onnx

The export (rembg's u2netp.onnx, see NOTICE) has batch normalization folded into its convolutions,
and has lost most of their names. But ONNX lists nodes in execution order, which is the order of the
network's own convolutions; shapes, dilations and the names that survived are checked. Each folded
convolution is stored as ``conv_s1`` beside an identity ``bn_s1``, so that the file loads like any
published checkpoint. Needs the ``onnx`` package.
"""

import argparse
import hashlib
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from u2demo.nets.architectures import build_model
from u2demo.nets.blocks import ConvUnit

SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
TARGET = Path(__file__).parents[1] / "u2demo" / "data" / "u2netp.pth"


def convolutions_in_execution_order(model: nn.Module) -> dict[str, nn.Conv2d]:
    """Return every convolution by name, in the order in which a forward pass runs them."""
    order: dict[str, nn.Conv2d] = {}
    hooks = [
        module.register_forward_hook(lambda module, *_, name=name: order.update({name: module}))
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.inference_mode():
        model.eval()(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    return order


def copy_convolution(node: onnx.NodeProto, tensors: dict, name: str, conv: nn.Conv2d) -> None:
    """Copy one node's weight and bias into ``conv``; raise if the two cannot match."""
    weight, bias = (torch.from_numpy(tensors[key].copy()) for key in node.input[1:])
    attributes = {a.name: list(a.ints) for a in node.attribute}
    kept_name = node.input[1].removesuffix(".weight")
    if kept_name.startswith(("side", "outconv")) and kept_name != name:
        raise ValueError(f"the export has {kept_name} where {name} should be")
    if attributes["dilations"] != list(conv.dilation) or weight.shape != conv.weight.shape:
        raise ValueError(f"{name}: shape or dilation differ from node {node.name} of the export")
    conv.weight.data.copy_(weight)
    conv.bias.data.copy_(bias)


def set_identity(norm: nn.BatchNorm2d) -> None:
    """Make batch normalization return its input: (x - 0) / sqrt(1 - eps + eps) * 1 + 0."""
    norm.reset_parameters()
    norm.running_var.fill_(1 - norm.eps)


def main() -> None:
    """Convert, check, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onnx", type=Path, help="the official export, u2netp.onnx")
    source = parser.parse_args().onnx
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{source} has sha256 {found}, the official export has {SHA256}")

    graph = onnx.load(source).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    model = build_model("u2netp")
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    convs = convolutions_in_execution_order(model).items()
    for node, (name, conv) in zip(nodes, convs, strict=True):
        copy_convolution(node, tensors, name, conv)
    for module in model.modules():
        if isinstance(module, ConvUnit):
            set_identity(module.bn_s1)
    torch.save(model.state_dict(), TARGET)
    print(f"{TARGET}: sha256 {hashlib.sha256(TARGET.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
