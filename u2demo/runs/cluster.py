"""photos -> pictures, on the machines of a Ray cluster: many shards, one at a time in each process.

Each shard has its own journal, so whoever takes it up goes on where another was lost. That leaves
little to Ray: it starts processes, says which machines there are, and tells when one is gone. No
pixel goes through it: each process reads photos and writes pictures itself, so all machines must
see the same folders, or URLs.
"""

import math
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from u2demo.machine.attempts import first_line
from u2demo.machine.disk import advise
from u2demo.machine.lock import HeldError
from u2demo.machine.places import is_url
from u2demo.runs.records import Shard
from u2demo.runs.shards import divided, merge
from u2demo.runs.slots import Slot, more_machines, slots_of
from u2demo.runs.worker import (
    ClusterJob,
    Done,
    Introduction,
    check_alike,
    do_shard,
    introduce,
    listing_of,
)

if TYPE_CHECKING:
    from types import ModuleType

_PHOTOS = 300  # in a shard: what a lost process may have to look through again
_PER_SLOT = 8  # shards at most: each one lists all photos, so there should not be too many
_TRIES = 5  # of a shard whose process was lost; one photo may be what ends it
_OFTEN = 1.0  # seconds between two looks at what has become of the shards
_ANSWER = 10  # seconds in which a cluster has to answer
_END = 30  # seconds in which stopped shards may finish their photos


class Progress(NamedTuple):
    """How far a cluster has come."""

    photos: int  # that have a record
    total: int
    made: int  # of these, not skipped
    processes: int  # at work now
    machines: int


@dataclass
class Outcome(Done):
    """What became of all photos."""

    lost: list[str] = field(default_factory=list)  # a sentence for each shard that was given up
    unread: list[str] = field(default_factory=list)  # a sentence for each folder left out

    def add_shard(self, done: Done) -> None:
        """Add what became of a shard."""
        self.statuses.update(done.statuses)
        self.failed += done.failed
        self.clips += done.clips
        self.unclear += done.unclear
        self.renamed += done.renamed


def process_on_ray(
    job: ClusterJob,
    address: str = "auto",
    *,
    workers: int | None = None,
    report: Callable[[Progress], object] = lambda progress: None,
) -> Outcome:
    """Process the photos of ``job`` on the Ray cluster at ``address``; "auto" is the one here.

    ``workers`` is the most processes at a time, on all machines; by default there is one for each
    GPU or, on machines without, for each processor core but one, which stays free for Ray. More of
    them than the cluster has are asked for, where it can grow.

    What was done stays done: the same call goes on after anything, and finds what a run without
    Ray has done. In the end all records are in one manifest.

    Raises:
        ModuleNotFoundError: Ray is not installed; the text says how to.
        ValueError: there is no such cluster, or its machines have other versions of u2demo or other
            weights, or do not see the photos or ``results``; the text names them.
        OSError: ``results`` cannot be written to.
    """
    ray = _ray()
    began_here = not ray.is_initialized()
    if began_here:
        _connect(ray, address)
    try:
        return _Driver(ray, job, workers, report).run()
    finally:
        if began_here:
            ray.shutdown()


class _Driver:
    """Gives shards to processes until all are done."""

    def __init__(
        self,
        ray: "ModuleType",
        job: ClusterJob,
        workers: int | None,
        report: Callable[[Progress], object],
    ):
        self._ray, self._job, self._workers, self._report = ray, job, workers, report
        self._known: set[str] = set()  # machines that have introduced themselves
        self._waiting: deque[Shard] = deque()
        self._running: dict[Any, tuple[Shard, Slot]] = {}  # by what Ray returns for each
        self._tries: Counter[Shard] = Counter()
        self._rests: dict[str, float] = {}  # until when a machine gets nothing to do
        self._seen: dict[Shard, Mapping[str, int]] = {}
        self._outcome = Outcome()
        if not is_url(job.results):  # created here, so that a machine that does not see it is found
            with advise(Path(job.results)):
                Path(job.results).mkdir(parents=True, exist_ok=True)
        self._introduction = introduce(job)

    def run(self) -> Outcome:
        """Do all shards; return what became of the photos."""
        listing = listing_of(self._job, on_left_out=self._outcome.unread.append)
        kinds = Counter(entry.kind for entry in listing.entries())
        total = kinds.total() - kinds["made"]
        slots = self._slots()
        most = max(len(slots), self._workers or 0) * _PER_SLOT
        wanted = min(math.ceil(total / _PHOTOS), most)
        count = max(1, wanted, divided(self._job.results))
        self._waiting.extend((number, count) for number in range(1, count + 1))
        self._tally = self._started_tally()
        self._shared = self._ray.put(self._job)
        with more_machines(self._workers, len(slots)):
            try:
                while self._waiting or self._running:
                    self._start_shards()
                    self._take_results()
                    self._tell(total)
            except BaseException:
                self._stop()
                raise
        if not self._outcome.lost:
            merge(self._job.results)
        return self._outcome

    def _slots(self) -> list[Slot]:
        """Return what there is for processes now, on machines that are as this one is.

        Raises:
            ValueError: a machine differs.
        """
        slots = []
        for node in self._ray.nodes():
            if node["Alive"]:
                slots += slots_of(node, self._job.device)
        new = {slot.node: slot for slot in slots if slot.node not in self._known}
        for slot, said in zip(new.values(), self._introduced(list(new.values())), strict=True):
            if said is None:  # gone again
                slots = [other for other in slots if other.node != slot.node]
                continue
            check_alike(self._name(slot.node), said, self._introduction)
            self._known.add(slot.node)
        return slots

    def _introduced(self, slots: list[Slot]) -> list[Introduction | None]:
        asked = [self._remote(introduce, slot).remote(self._job) for slot in slots]
        said = []
        for slot, one in zip(slots, asked, strict=True):
            try:
                said.append(self._ray.get(one))
            except self._ray.exceptions.RayTaskError as error:
                raise ValueError(
                    f"machine {self._name(slot.node)} cannot take part: {_cause(error)}; is the"
                    " same u2demo installed there, with the same weights?"
                ) from error
            except self._ray.exceptions.RayError:
                said.append(None)
        return said

    def _start_shards(self) -> None:
        """Start a process in each free slot, as long as there are shards."""
        if not self._waiting:
            return
        busy = Counter(slot for _, slot in self._running.values())
        for slot in self._slots():
            if busy[slot] > 0:
                busy[slot] -= 1
            elif self._waiting and self._may_start(slot):
                shard = self._waiting.popleft()
                task = self._remote(do_shard, slot)
                one = task.remote(self._shared, shard, slot.cpus, self._tally)
                self._running[one] = shard, slot

    def _may_start(self, slot: Slot) -> bool:
        """Return whether there may be one more process, on a machine that has not just lost one."""
        is_full = self._workers is not None and len(self._running) >= self._workers
        return not is_full and time.monotonic() >= self._rests.get(slot.node, 0)

    def _take_results(self) -> None:
        """Take the results of what has ended; shards whose process was lost wait again."""
        if not self._running:
            time.sleep(_OFTEN)
            return
        running = list(self._running)
        ended, _ = self._ray.wait(running, num_returns=len(running), timeout=_OFTEN)
        for one in ended:
            shard, slot = self._running.pop(one)
            try:
                done = self._ray.get(one)
            except self._ray.exceptions.RayError as error:
                is_raised_there = isinstance(error, self._ray.exceptions.RayTaskError)
                if is_raised_there and not isinstance(error.cause, HeldError):
                    raise _as_here(error) from error
                self._try_again(shard, slot, error)
            else:
                self._seen[shard] = done.statuses
                self._outcome.add_shard(done)

    def _try_again(self, shard: Shard, slot: Slot, error: Exception) -> None:
        """Let a shard whose process was lost wait again, or give it up; its machine rests."""
        self._tries[shard] += 1
        self._rests[slot.node] = time.monotonic() + 2 ** self._tries[shard]
        if self._tries[shard] < _TRIES:
            self._waiting.append(shard)
        else:
            self._outcome.lost.append(_given_up(shard, error))

    def _tell(self, total: int) -> None:
        with_records = self._ray.get(self._tally.read.remote()) | self._seen
        statuses: Counter[str] = Counter()
        for some in with_records.values():
            statuses.update(some)
        machines = {slot.node for _, slot in self._running.values()}
        seen = statuses.total()
        made = seen - statuses["skipped"]
        self._report(Progress(seen, total, made, len(self._running), len(machines)))

    def _stop(self) -> None:
        """End all processes, after the photos that they are at."""
        running = list(self._running)
        for one in running:
            self._ray.cancel(one)
        if running:
            self._ray.wait(running, num_returns=len(running), timeout=_END)

    def _remote(self, function: Callable, slot: Slot) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return self._ray.remote(function).options(
            num_cpus=slot.cpus,
            num_gpus=slot.gpus,
            max_retries=0,  # see _try_again
            scheduling_strategy=NodeAffinitySchedulingStrategy(slot.node, soft=False),
        )

    def _started_tally(self) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = self._ray.get_runtime_context().get_node_id()
        strategy = NodeAffinitySchedulingStrategy(here, soft=False)
        return self._ray.remote(_Tally).options(num_cpus=0, scheduling_strategy=strategy).remote()

    def _name(self, node: str) -> str:
        found = (one for one in self._ray.nodes() if one["NodeID"] == node)
        return next(f"{one['NodeManagerHostname']} ({one['NodeManagerAddress']})" for one in found)


class _Tally:
    """How many photos of each shard have which status; runs where the driver does."""

    def __init__(self):
        self._seen: dict[Shard, Mapping[str, int]] = {}

    def note(self, shard: Shard, statuses: Mapping[str, int]) -> None:
        self._seen[shard] = statuses

    def read(self) -> dict[Shard, Mapping[str, int]]:
        return self._seen


def _connect(ray: "ModuleType", address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        if host and port.isdecimal():  # Ray itself would try for minutes
            socket.create_connection((host, int(port)), _ANSWER).close()
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"no Ray cluster at {address}: {first_line(error)}. Start one with: ray start --head;"
            " then, on each other machine: ray start --address ADDRESS"
        ) from error
    except ray.exceptions.RayError as error:  # as for a token that is missing: its words help
        raise ValueError(f"the Ray cluster at {address} refuses: {first_line(error)}") from error


def _ray() -> "ModuleType":
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "many machines at once need Ray: pip install ray, on each of them"
        ) from error
    return ray


def _cause(error: Any) -> str:
    return first_line(error.cause if isinstance(error.cause, Exception) else error)


def _as_here(error: Any) -> Exception:
    """Return the error that a process raised as if it had been raised here."""
    cause = error.cause
    return cause if isinstance(cause, OSError | ValueError) else RuntimeError(_cause(error))


def _given_up(shard: Shard, error: Exception) -> str:
    return (
        f"shard {shard[0]}/{shard[1]} was given up: its process was lost {_TRIES} times"
        f" ({first_line(error)}); what it finished is kept"
    )
