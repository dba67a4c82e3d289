"""net -> net: the same answer in less time, for any net of convolutions.

Batch normalization is folded into the convolution before it. On a CPU, each convolution and what
follows it become one step of oneDNN, PyTorch's library for convolutions. Which layer follows which
is found by recording each module's ``forward``; no layer is known by its name. ``torch.autocast``
sets the type in which a layer computes, as for any net.
"""

import copy
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from u2demo.nets.device import is_autocast_on, is_recorded, needs_32_bits

_SMALL = 2 * 2**20  # bytes; concatenating parts smaller than this is faster than another step
_CONTAINERS = (nn.ModuleList, nn.ModuleDict)  # their layers are called by their owner


def fuse(model: nn.Module) -> nn.Module:
    """Return a net for inference that gives the same answer as ``model`` (to 1e-4 in float32).

    Each ``Conv2d`` (padded with zeros) followed by a ``BatchNorm2d``, and perhaps by a ReLU,
    becomes one layer. The net is in evaluation mode and takes no gradients. ``model`` is not
    changed; the new net shares the tensors of all other layers with it. Hooks on replaced layers
    are lost. A module whose ``forward`` cannot be recorded, such as one that branches on values,
    stays as it is, though the modules inside it may be fused.

    The weights of the new net may be changed in place, and by ``load_state_dict``. Like autograd,
    it does not notice changes through ``.data`` or NumPy once it has computed on a CPU.
    """
    owners = Counter(id(layer) for module in model.modules() for layer in module.children())
    tensors = {id(weight): _without_gradient(weight) for weight in model.parameters()}
    tensors |= {id(buffer): buffer for buffer in model.buffers()}
    layers = {}
    with torch.no_grad():
        for module in model.modules():
            if id(module) not in layers:
                layers |= _replacements(module, owners)
    # deepcopy takes the objects with these ids from the two tables, instead of copying them.
    return copy.deepcopy(model, tensors | layers).eval().requires_grad_(False)


def _without_gradient(weight: nn.Parameter) -> nn.Parameter:
    return nn.Parameter(weight.detach(), requires_grad=False)


def _replacements(module: nn.Module, owners: Counter[int]) -> dict[int, nn.Module]:
    """Return the replacements for ``module`` or for its layers, by their id."""
    if _is_to_single_channel(module):
        return {id(module): _NineTaps(module)}
    graph = _record(module)
    steps = _steps(module, graph) if graph else []
    if len(steps) == 1 and _is_whole(graph, steps[0]):
        conv, norm, _ = _layers(module, steps[0])
        return {id(module): _FusedUnit(conv, norm, relu=steps[0].relu is not None)}
    replacements = {}
    for step in steps:
        conv, norm, relu = _layers(module, step)
        if owners[id(conv)] > 1 or owners[id(norm)] > 1:
            continue  # a shared layer is still needed as it is in another module
        has_own_relu = relu is not None and owners[id(relu)] == 1
        replacements[id(conv)] = _FusedUnit(conv, norm, relu=has_own_relu)
        replacements[id(norm)] = nn.Identity()
        if has_own_relu:
            replacements[id(relu)] = nn.Identity()
    return replacements


# Which layer follows which


class _Step(NamedTuple):
    """The calls of a recorded ``forward`` that become one layer."""

    conv: fx.Node
    norm: fx.Node
    relu: fx.Node | None


def _layers(module: nn.Module, step: _Step) -> list[nn.Module | None]:
    """Return the layers that are called, None for a ReLU that is a function or missing."""
    return [
        module.get_submodule(call.target) if call is not None and call.op == "call_module" else None
        for call in step
    ]


def _record(module: nn.Module) -> fx.Graph | None:
    """Return the layers and functions that ``forward`` calls, None if there is nothing to fuse.

    ``fx.symbolic_trace`` would replace ``nn.Module.__call__`` for all threads while it traces, and
    disturb a net that another thread is running. Here ``forward`` is called on a stand-in.
    """
    kinds = {type(layer) for layer in _own_layers(module)}
    if not {nn.Conv2d, nn.BatchNorm2d} <= kinds:
        return None
    graph = fx.Graph()
    tracer = fx.proxy.GraphAppendingTracer(graph)
    inputs = [fx.Proxy(graph.placeholder(name), tracer) for name in _input_names(module)]
    try:
        answer = type(module).forward(_stand_in(module, tracer), *inputs)
        graph.output(tracer.create_arg(answer))
    except Exception:  # forward may do anything with values, and there are none here
        return None
    return graph


def _own_layers(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers that the ``forward`` of ``module`` calls itself."""
    for child in module.children():
        if type(child) in _CONTAINERS:
            yield from _own_layers(child)
        else:
            yield child


def _input_names(module: nn.Module) -> Iterator[str]:
    for name, parameter in inspect.signature(module.forward).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            yield from (f"{name}_1", f"{name}_2")  # two are enough to see what is done to each
        elif parameter.kind is not parameter.VAR_KEYWORD and parameter.default is parameter.empty:
            yield name


def _stand_in(module: nn.Module, tracer: fx.proxy.TracerBase, path: str = "") -> nn.Module:
    """Return a module that looks like ``module`` and notes the calls of its layers."""
    layers = {}
    for name, child in module.named_children():
        place = f"{path}.{name}" if path else name
        is_container = type(child) in _CONTAINERS
        layers[name] = _stand_in(child, tracer, place) if is_container else _note(tracer, place)
    stand_in = copy.copy(module)
    stand_in._modules = layers
    return stand_in


def _note(tracer: fx.proxy.TracerBase, path: str) -> Callable[..., fx.Proxy]:
    return lambda *args, **kwargs: tracer.create_proxy("call_module", path, args, kwargs)


def _steps(module: nn.Module, graph: fx.Graph) -> list[_Step]:
    """Return every convolution whose output only a batch normalization uses."""
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")

    def is_only_call(node: fx.Node, kind: type) -> bool:
        if node.op != "call_module" or calls[node.target] > 1 or node.kwargs:
            return False
        return type(module.get_submodule(node.target)) is kind

    steps = []
    for conv in graph.nodes:
        norm = _only_user(conv)
        if norm is None or not is_only_call(conv, nn.Conv2d):
            continue
        if not is_only_call(norm, nn.BatchNorm2d) or not _can_be_joined(module, conv, norm):
            continue
        relu = _only_user(norm)
        if relu is not None and not is_only_call(relu, nn.ReLU) and not _is_relu(relu):
            relu = None
        steps.append(_Step(conv, norm, relu))
    return steps


def _only_user(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _can_be_joined(module: nn.Module, conv: fx.Node, norm: fx.Node) -> bool:
    has_statistics = module.get_submodule(norm.target).running_mean is not None
    return has_statistics and module.get_submodule(conv.target).padding_mode == "zeros"


def _is_relu(node: fx.Node) -> bool:
    if node.op == "call_method":
        return node.target in ("relu", "relu_")
    return node.op == "call_function" and node.target in (torch.relu, torch.relu_, F.relu, F.relu_)


def _is_whole(graph: fx.Graph, step: _Step) -> bool:
    """Return whether ``forward`` is nothing but ``step``, on one input or on all, concatenated.

    Then its inputs need not be concatenated first; see ``_FusedUnit``.
    """
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    start = step.conv.args[0]
    last = step.norm if step.relu is None else step.relu
    answer = next(node for node in graph.nodes if node.op == "output").args[0]
    between = len(graph.nodes) - len(inputs) - 1 - sum(call is not None for call in step)
    if answer is not last:
        return False
    if between == 0:
        return inputs == [start]
    return between == 1 and _is_concatenation(start, inputs)


def _is_concatenation(node: fx.Node, inputs: list[fx.Node]) -> bool:
    if node.target is not torch.cat or not node.args:
        return False
    axis = node.args[1] if len(node.args) == 2 else node.kwargs.get("dim")
    return axis == 1 and list(node.args[0]) == inputs


# The layers that replace them


class _FusedUnit(nn.Module):
    """Convolution, normalization and perhaps ReLU, of one input or of all, concatenated."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, *, relu: bool):
        super().__init__()
        self.weight, self.bias = fuse_conv_bn_weights(
            conv.weight, conv.bias,
            norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias,
        )  # fmt: skip
        self.relu = relu
        self.exact = needs_32_bits(self.bias)
        self._options = (conv.stride, conv.padding, conv.dilation, conv.groups)
        self._prepared: dict[tuple[torch.dtype, int], _Prepared] = {}

    def forward(self, *parts: Tensor) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        device, dtype = parts[0].device.type, self.weight.dtype
        if is_autocast_on(device):
            dtype = torch.get_autocast_dtype(device)
            if self.exact:
                with torch.autocast(device, enabled=False):
                    return self(*(part.float() for part in parts))
        if device == "cpu" and self._takes_few_steps(dtype):
            return self._in_few_steps([p if p.dtype == dtype else p.to(dtype) for p in parts])
        answer = F.conv2d(torch.cat(parts, 1), self.weight, self.bias, *self._options)
        return F.relu_(answer) if self.relu else answer

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_prepared": {}}  # oneDNN's own tensors cannot be copied

    def _takes_few_steps(self, dtype: torch.dtype) -> bool:
        if is_recorded() or self.weight.is_inference() or isinstance(self._options[1], str):
            return False  # the last two: tensors without a version, and padding given as a word
        return _has_fused_steps(dtype)

    def _in_few_steps(self, parts: list[Tensor]) -> Tensor:
        """Return the same by the oneDNN operators that ``torch.compile`` uses.

        ReLU is applied while the last part is convolved and added to the others, so that large
        parts need not be concatenated.
        """
        is_little = sum(part.nbytes for part in parts) < _SMALL
        stride, padding, dilation, groups = self._options
        if len(parts) > 2 or groups > 1 or is_little:
            parts = [torch.cat(parts, 1)]
        options = (padding, stride, dilation, groups)  # in oneDNN's order
        weights, bias = self._prepare(parts, options)
        steps, last = torch.ops.mkldnn, "relu" if self.relu else "none"
        first = (parts[0], weights[0], bias, *options)
        if len(parts) == 1:
            return steps._convolution_pointwise(*first, last, [], "")
        total = steps._convolution_pointwise(*first, "none", [], "")
        second = (parts[1], weights[1], None, *options)
        unary = last if self.relu else None
        return steps._convolution_pointwise_.binary(total, *second, "add", 1, unary, [], None)

    def _prepare(self, parts: list[Tensor], options: tuple) -> tuple[list[Tensor], Tensor]:
        """Return the weights for each part in the layout that oneDNN prefers, and the bias."""
        key = parts[0].dtype, len(parts)
        weight, bias = self.weight.detach(), self.bias.detach()
        state = (weight.data_ptr(), weight._version, bias.data_ptr(), bias._version)
        prepared = self._prepared.get(key)
        if prepared is None or prepared.state != state:
            widths = [part.shape[1] for part in parts]
            whole = weight.to(key[0])
            shares = whole.split(widths, 1) if len(parts) > 1 else [whole]
            reorder = torch.ops.mkldnn._reorder_convolution_weight
            weights = [
                reorder(share.contiguous(), *options, list(part.shape))
                for share, part in zip(shares, parts, strict=True)
            ]
            prepared = _Prepared(weights, bias.to(key[0], copy=True), state, (weight, bias))
            self._prepared[key] = prepared
        return prepared.weights, prepared.bias


class _Prepared(NamedTuple):
    """A unit's weights in oneDNN's layout, and the weights that they were made from."""

    weights: list[Tensor]
    bias: Tensor
    state: tuple[int, int, int, int]  # addresses and versions of the weights
    source: tuple[Tensor, Tensor]  # kept, so that no other weights can be given their addresses


@cache
def _has_fused_steps(dtype: torch.dtype) -> bool:
    """Return whether PyTorch has oneDNN, which computes in ``dtype`` on this processor."""
    steps = torch.ops.mkldnn
    if not torch.backends.mkldnn.is_available() or not hasattr(steps, "_convolution_pointwise_"):
        return False
    # On top of Arm's library, oneDNN has no fused steps, and PyTorch itself uses none.
    if hasattr(steps, "_is_mkldnn_acl_supported") and steps._is_mkldnn_acl_supported():
        return False
    halves = {
        torch.bfloat16: "_is_mkldnn_bf16_supported",
        torch.float16: "_is_mkldnn_fp16_supported",
    }
    if dtype in halves:
        return hasattr(steps, halves[dtype]) and getattr(steps, halves[dtype])()
    return dtype == torch.float32


def _is_to_single_channel(module: nn.Module) -> bool:
    if type(module) is not nn.Conv2d or module.padding_mode != "zeros":
        return False
    return module.kernel_size == (3, 3) and module.out_channels == module.groups == 1


class _NineTaps(nn.Module):
    """A 3×3 convolution to a single channel: nine 1×1 convolutions, shifted and summed.

    3×3 kernels compute 16 channels at a time. Here 15 would be thrown away, which is cheap only
    with few input channels.
    """

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        weight = conv.weight.detach()
        taps = weight[0].flatten(1).T[:, :, None, None].contiguous()  # (9, C, 1, 1)
        shifts = torch.eye(9, dtype=weight.dtype, device=weight.device).view(1, 9, 3, 3)
        self.taps = nn.Parameter(taps, requires_grad=False)
        self.bias = None if conv.bias is None else _without_gradient(conv.bias)
        self.register_buffer("shifts", shifts)
        self._options = (conv.stride, conv.padding, conv.dilation)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, 1, H, W)
        return F.conv2d(F.conv2d(x, self.taps), self.shifts, self.bias, *self._options)
