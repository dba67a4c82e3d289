"""a shard of a cluster's run -> pictures: what each machine does, and says of itself before."""

import functools
import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from u2demo import __version__
from u2demo.machine.cores import on_cores
from u2demo.machine.lock import HeldError
from u2demo.machine.memory import keep_freed_memory
from u2demo.machine.places import is_url
from u2demo.runs.listing import Entry
from u2demo.runs.records import Shard
from u2demo.runs.run import process_files
from u2demo.runs.settings import Run
from u2demo.runs.shards import finish
from u2demo.runs.stored import StoredListing

if TYPE_CHECKING:
    from torch import nn

    from u2demo.runs.record import Record

_OFTEN = 1.0  # seconds between two reports of a shard
_PATIENCE = 120  # seconds to wait for the lock of a lost process: a network drive keeps it a while


@dataclass(frozen=True)
class ClusterJob:
    """What all machines are to do, as on the command line."""

    sources: tuple[str, ...]  # absolute paths and URLs
    listed: tuple[str, ...]  # single files: absolute paths and URLs
    results: str
    run: Run
    read_besides: tuple[str, ...] = ()  # absolute paths of files that the run's effects read
    model: str = "u2netp"
    weights: str | None = None
    device: str | None = None
    is_clip: Callable[[str], bool] = lambda photo: False  # which files that look like photos are

    @property
    def paths(self) -> list[str]:
        """The paths that every machine has to see."""
        given = [*self.sources, *self.listed[:1], *self.read_besides, self.weights]
        paths = [path for path in given if path and not is_url(path)]
        return paths if is_url(self.results) else [*paths, self.results]


@dataclass
class Done:
    """What became of photos, such as those of one shard."""

    statuses: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)  # the sentence of each photo
    clips: list[str] = field(default_factory=list)  # that were left out
    unclear: int = 0  # how many show no clear subject
    renamed: int = 0  # how many have pictures with another name, for a file was in the way

    def add(self, record: "Record") -> None:
        """Count a photo."""
        self.statuses[record.status] += 1
        if record.status == "failed":
            self.failed.append(record.error)
        elif not record.clear:
            self.unclear += 1
        if record.status == "done" and record.renamed:
            self.renamed += 1

    def leave_out(self, clip: Entry) -> None:
        """Count a clip, which is not done on a cluster."""
        self.statuses["left out"] += 1
        self.clips.append(clip.photo)


class Introduction(NamedTuple):
    """What a machine says of itself."""

    code: str
    weights: str
    missing: tuple[str, ...]  # paths that it does not see


def do_shard(job: ClusterJob, shard: Shard, cores: int, tally: Any) -> Done:
    """Do one shard, in a process of the cluster; tell ``tally`` now and then how far it is."""
    done = Done()
    told = time.monotonic()

    def report(record: "Record") -> None:
        nonlocal told
        done.add(record)
        if time.monotonic() - told > _OFTEN:
            told = time.monotonic()
            tally.note.remote(shard, dict(done.statuses))

    keep_freed_memory()  # the process is the job's own
    model = _model(job.model, job.weights, job.device)
    listing = listing_of(job)
    with on_cores(cores):
        _patiently(
            lambda: process_files(
                model,
                listing,
                job.results,
                job.run,
                shard=shard,
                report=report,
                leave=done.leave_out,
            )
        )
    finish(job.results, shard)
    return done


def listing_of(job: ClusterJob, **how: Callable) -> StoredListing:
    """Return the photos of all shards; ``how`` is that of ``Listing``."""
    return StoredListing(job.sources, job.listed, is_clip=job.is_clip, **how)


def _patiently(work: Callable[[], object]) -> None:
    """Do ``work``; wait for the lock of a process that is gone, as long as a network drive may."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            work()
            return
        except HeldError:
            if time.monotonic() > until:
                raise
        time.sleep(2)


def introduce(job: ClusterJob) -> Introduction:
    """Return what this machine has to have in common with the others."""
    from u2demo.nets.load import fingerprint  # imports torch: a second, not needed earlier

    missing = tuple(path for path in job.paths if not Path(path).exists())
    weights = fingerprint(_model(job.model, job.weights, job.device))
    return Introduction(_code(), weights, missing)


@functools.cache
def _model(name: str, weights: str | None, device: str | None) -> "nn.Module":
    """Return the net, loaded once in each process."""
    from u2demo.nets.load import load_model  # imports torch: a second, not needed earlier

    return load_model(name, device=device, weights=weights)


@functools.cache
def _code() -> str:
    """Return the version of u2demo with a checksum of its code: versions under work differ, too."""
    digest = hashlib.blake2b(digest_size=4)
    folder = Path(__file__).parents[1]  # the package
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return f"{__version__} ({digest.hexdigest()})"


def check_alike(name: str, theirs: Introduction, ours: Introduction) -> None:
    """Raise ``ValueError`` unless the machine ``name`` can do what this one would."""
    if theirs.code != ours.code:
        raise ValueError(
            f"machine {name} has u2demo {theirs.code}, expected {ours.code} as here; install the"
            " same on all"
        )
    if theirs.weights != ours.weights:
        raise ValueError(
            f"machine {name} has other weights ({theirs.weights}, here {ours.weights}); copy the"
            " same file to all"
        )
    if theirs.missing:
        raise ValueError(
            f"machine {name} does not see {theirs.missing[0]}; use a network drive that all have"
            " under this path, or URLs such as s3://"
        )
