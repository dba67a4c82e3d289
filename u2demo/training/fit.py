"""(net, samples) -> better net: one training, step by step, that can be put aside at any step."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from u2demo.inference.preprocess import input_of, normalize
from u2demo.machine.cores import on_all_cores
from u2demo.nets.device import fast_half, needs_32_bits
from u2demo.nets.fuse import fuse
from u2demo.nets.threads import use_threads
from u2demo.training.draw import draw
from u2demo.training.losses import structure_loss
from u2demo.training.samples import Sample

_WEIGHT_DECAY = 1e-4  # of AdamW
_ENCODER = 0.3  # of the rate: what the encoder sees is of use for anything
_WARM_UP = 0.05  # share of the steps in which the rate grows
_LAST = 0.02  # share of the rate that is left at the end
_GRADIENT_NORM = 5.0  # to which gradients are cut
_EMA_DECAY = 0.99


@dataclass(frozen=True)
class Settings:
    """How a net is taught.

    ``side`` is that of the crops that it is shown. ``kept`` is the share of other photos, for which
    its answers are to stay as they are.
    """

    steps: int
    rate: float = 1e-4
    batch: int = 4
    side: int = 288
    kept: float = 0.25
    seed: int = 0


class Batch(NamedTuple):
    """Photos (B, 3, H, W), masks (B, 1, H, W), and 1 where that is a mask, 0 where soft: (B,)."""

    photos: Tensor
    truths: Tensor
    hard: Tensor


class Fit:
    """One training: the ``net`` that ``step`` teaches, and ``ema``, the moving average of it.

    Batch normalization is frozen. The weights inside the package have theirs folded away: what is
    left are identities, and to train with them as usual destroys the net. ``own`` are samples to
    learn, ``other`` those whose answers are to stay as they are.
    """

    def __init__(
        self, net: nn.Module, own: Sequence[Sample], other: Sequence[Sample], settings: Settings
    ):
        self.net = freeze_norms(net)
        self._old = copy.deepcopy(net).requires_grad_(False)
        self.ema = copy.deepcopy(net).requires_grad_(False)
        self.done = 0  # steps
        self._own, self._other, self._settings = own, other, settings
        self._lenders = (*own, *other)  # of backgrounds
        self._next: Batch | None = None  # drawn while a GPU was at work
        self._weights = [weight for weight in net.parameters() if weight.requires_grad]
        self._device = self._weights[0].device
        self._optimizer = torch.optim.AdamW(
            _groups(net), lr=settings.rate, weight_decay=_WEIGHT_DECAY
        )
        _keep_exact(net, self._device)
        self._half = self._choose_half()
        self._scaler = torch.amp.GradScaler("cuda", enabled=self._half is torch.float16)

    def step(self) -> float:
        """Teach the net one batch; return its loss.

        Raises:
            ValueError: the loss is no number any more.
            MemoryError: a GPU has too little.
        """
        try:
            return self._step()
        except torch.OutOfMemoryError as error:
            batch, side = self._settings.batch, self._settings.side
            raise MemoryError(
                f"the GPU has too little memory for {batch} photos of {side}x{side} pixels at a"
                " time; expected a smaller batch"
            ) from error

    def _step(self) -> float:
        with as_for_training(self._device):
            drawn = self._next or self._draw_batch(self.done)
            photos, truths, hard = self._on_device(drawn)
            self._set_rate()
            with _autocast(self._device, self._half):
                logits = self.net.logits(photos)
            loss = structure_loss(logits, truths, hard)
            self._optimizer.zero_grad(set_to_none=True)
            self._scaler.scale(loss).backward()
            is_last = self.done + 1 == self._settings.steps
            self._next = None if is_last else self._draw_batch(self.done + 1)
            value = float(loss.detach())  # waits for the GPU
            if not math.isfinite(value):
                raise ValueError(
                    f"the loss of step {self.done + 1} is {value}: training diverged;"
                    f" use a learning rate below {self._settings.rate:g}"
                )
            self._scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self._weights, _GRADIENT_NORM)
            self._scaler.step(self._optimizer)
            self._scaler.update()
            self.done += 1
            self._update_ema()
        return value

    @torch.no_grad()
    def taught(self, mix: float) -> nn.Module:
        """Return a net between the old one, ``mix`` 0, and the moving average, ``mix`` 1.

        Wortsman et al., "Robust fine-tuning of zero-shot models" (CVPR 2022), Eq. 1: what lies
        between knows nearly all of the new, and more of the old.
        """
        net = copy.deepcopy(self._old)
        for weight, new in zip(net.parameters(), self.ema.parameters(), strict=True):
            weight.lerp_(new, mix)
        return net

    def state(self) -> dict[str, object]:
        """Return all that the training has changed: tensors and numbers, none of them copied."""
        return {
            "done": self.done,
            "net": self.net.state_dict(),
            "mean": self.ema.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load_state(self, state: dict) -> None:
        """Take over what ``state`` returned in another process: all later steps are the same."""
        self.done = state["done"]
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["mean"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        self._next = None

    @torch.no_grad()
    def _choose_half(self) -> torch.dtype | None:
        half, side = half_precision(self._device), self._settings.side
        if half is None:
            return None
        photo = torch.zeros(1, 3, side, side, dtype=torch.float32, device=self._device)
        with _autocast(self._device, half):
            maps = self.net.logits(photo)
        is_right = all(each.isfinite().all() for each in maps)  # on GTX 16xx, any half gives NaN
        return half if is_right else None

    def _on_device(self, batch: Batch) -> Batch:
        return Batch(
            batch.photos.to(self._device, memory_format=torch.channels_last),
            batch.truths.to(self._device),
            batch.hard.to(self._device),
        )

    def _draw_batch(self, step: int) -> Batch:
        """Return what the net is shown at a step; it follows from the settings alone."""
        places = range(self._settings.batch)
        if self._device.type == "cpu":  # whose cores are needed for the net itself
            drawn = [self._draw(step, place) for place in places]
        else:
            drawn = on_all_cores(partial(self._draw_on_one_core, step), places)
        photos, truths, hard = zip(*drawn, strict=True)
        return Batch(torch.cat(photos), torch.cat(truths), torch.tensor(hard, dtype=torch.float32))

    def _draw_on_one_core(self, step: int, place: int) -> tuple[Tensor, Tensor, float]:
        with use_threads(1):
            return self._draw(step, place)

    def _draw(self, step: int, place: int) -> tuple[Tensor, Tensor, float]:
        """Return a photo (1, 3, H, W), its mask (1, 1, H, W), and 1 if that is a mask, not soft."""
        dice = np.random.default_rng([self._settings.seed, step, place])
        sample = self._sample(step, place, dice)
        layers = draw(sample, self._lenders, self._settings.side, dice)
        photo = normalize(layers[None, :3], input_of(self.net))
        return photo, layers[None, 3:] / 255, 0.0 if sample.is_soft else 1.0

    def _sample(self, step: int, place: int, dice: np.random.Generator) -> Sample:
        """Return what the net is shown next: each of its own once, then each once more."""
        if self._other and dice.random() < self._settings.kept:
            return self._other[dice.integers(len(self._other))]
        count = len(self._own)
        turn, index = divmod(step * self._settings.batch + place, count)
        order = np.random.default_rng([self._settings.seed, turn, count]).permutation(count)
        return self._own[order[index]]

    def _set_rate(self) -> None:
        share = _share_of_rate(self.done, self._settings.steps)
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.rate * share * group["share"]

    @torch.no_grad()
    def _update_ema(self) -> None:
        """Move the average a little toward the net; at first it follows closely."""
        decay = min(_EMA_DECAY, (1 + self.done) / (10 + self.done))
        for average, weight in zip(self.ema.parameters(), self.net.parameters(), strict=True):
            average.lerp_(weight, 1 - decay)


def freeze_norms(net: nn.Module) -> nn.Module:
    """Put ``net`` into evaluation mode and take its normalizations out of training; return it."""
    net.eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.requires_grad_(False)
    return net


def for_inference(net: nn.Module) -> nn.Module:
    """Return a copy of ``net`` that is fused and shares nothing with it."""
    with torch.inference_mode(False):
        return fuse(copy.deepcopy(net))


@contextmanager
def as_for_training(device: torch.device) -> Iterator[None]:
    """Let gradients be taken in full precision inside, whatever the host has set."""
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autocast(device.type, enabled=False))
        yield


def _groups(net: nn.Module) -> list[dict]:
    """Return the weights of the encoder, which learn slowly, and all others."""
    encoder, rest = [], []
    for name, weight in net.named_parameters():
        if weight.requires_grad:
            is_encoder = name.partition(".")[0] in ("conv_in", *net.down)
            (encoder if is_encoder else rest).append(weight)
    return [{"params": encoder, "share": _ENCODER}, {"params": rest, "share": 1.0}]


def _share_of_rate(step: int, steps: int) -> float:
    """Return the share of the rate for a step: it grows, then falls along a cosine."""
    rising = max(1.0, _WARM_UP * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    way = (step - rising) / max(1.0, steps - rising)
    return _LAST + (1 - _LAST) * (1 + math.cos(math.pi * min(1.0, way))) / 2


def half_precision(device: torch.device) -> torch.dtype | None:
    """Return the type of 16 bits in which ``device`` computes, None for full precision.

    GPUs that have both types learn in bfloat16, whose gradients do not vanish.
    """
    half = fast_half(device.type)
    if half is torch.float16 and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return half


def _autocast(device: torch.device, half: torch.dtype | None) -> AbstractContextManager[None]:
    if half is None:
        return nullcontext()
    # Inside a host's own autocast, weights that were cached would outlive the step.
    return torch.autocast(device.type, half, cache_enabled=False)


def _keep_exact(net: nn.Module, device: torch.device) -> None:
    """Let convolutions with a large bias compute in full precision, whatever the others do."""
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    for layer in layers:
        if layer.bias is not None and needs_32_bits(layer.bias):
            layer.forward = partial(_in_full_precision, layer.forward, device.type)


def _in_full_precision(layer: Callable[[Tensor], Tensor], device: str, x: Tensor) -> Tensor:
    with torch.autocast(device, enabled=False):
        return layer(x.float())
