"""machines of a Ray cluster -> slots: what one process may use of each."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Slot(NamedTuple):
    """What one process may use of a machine."""

    node: str
    cpus: float
    gpus: float


def slots_of(node: Mapping[str, Any], device: str | None) -> list[Slot]:
    """Return the slots of a machine: GPUs whole, or cores; one core stays free."""
    resources = node["Resources"]
    cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    free = max(1, cpus - 1)
    if cpus == 0:
        return []
    if gpus and (device or "cuda").startswith("cuda"):
        return [Slot(node["NodeID"], max(1, free // gpus), 1)] * gpus
    return [Slot(node["NodeID"], 1, 0)] * free


@contextlib.contextmanager
def more_machines(wanted: int | None, slots: int) -> Iterator[None]:
    """Ask for a core for each process that is wanted; let the cluster shrink again after.

    ``slots`` is how many processes there is room for now.
    """
    if not wanted or wanted <= slots:
        yield
        return
    from ray.autoscaler.sdk import request_resources

    request_resources(num_cpus=wanted)
    try:
        yield
    finally:
        request_resources(num_cpus=0)  # Ray would keep that many for good
