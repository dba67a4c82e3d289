"""name -> untrained net, and how it wants its photos: the table to which a new network is added."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from u2demo.nets.checkpoints import DIS_INPUT, Input
from u2demo.nets.isnet import ISNET, ISNet
from u2demo.nets.u2net import U2NET, U2NETP, U2Net


class Architecture(NamedTuple):
    """How to build a net, and the ``model.input`` of weights that say nothing else."""

    build: Callable[[], nn.Module]
    input: Input


ARCHITECTURES = {
    "u2netp": Architecture(partial(U2Net, *U2NETP), Input()),
    "u2net": Architecture(partial(U2Net, *U2NET), Input()),
    "isnet": Architecture(partial(ISNet, *ISNET), DIS_INPUT),
}


def build_model(name: str) -> nn.Module:
    """Return an untrained float32 net in training mode; ``name`` is a key of ``ARCHITECTURES``.

    Raises:
        ValueError: unknown ``name``.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {name!r}; choose from {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name].build().float()  # whatever default type the host has set
