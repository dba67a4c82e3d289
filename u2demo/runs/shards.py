"""runs that share a folder of photos: which part each does, and when all parts are done."""

import contextlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from u2demo.machine.disk import advise
from u2demo.machine.places import is_url
from u2demo.runs.manifest import locked
from u2demo.runs.records import NOTE, Shard, journal_of, journals, shard_journals
from u2demo.runs.store import add_note, fetch, manifest_of

_TAIL = 200  # bytes, more than a note has


class Merged(NamedTuple):
    """What became of the shards of a results folder."""

    statuses: Counter[str]  # how many photos and clips the manifest has, by status
    count: int  # how many shards there are, 0 for none
    missing: tuple[int, ...] = ()  # those that left no journal
    unfinished: tuple[int, ...] = ()  # those that were stopped, or are still at work

    @property
    def is_complete(self) -> bool:
        """Whether every shard has done its part."""
        return not (self.missing or self.unfinished)


def check_shard(shard: Shard | None) -> None:
    """Raise an error unless ``shard`` is a number, from 1, and how many there are, or None."""
    if shard is None:
        return
    if not isinstance(shard, tuple) or [type(part) for part in shard] != [int, int]:
        raise TypeError(
            f"shard is {shard!r:.80}, expected its number and how many there are: 3, 10"
        )
    number, count = shard
    if not 1 <= number <= count:
        raise ValueError(f"shard {number} of {count} does not exist; they are counted from 1")


def finish(results: str | Path, shard: Shard) -> None:
    """Note that a shard has done its part."""
    note = NOTE + f'"{shard[0]}/{shard[1]}", "status": "finished"}}\n'.encode()
    if is_url(results):
        add_note(str(results), shard, note)
        return
    results = Path(results).resolve()
    journal = journal_of(results, shard)
    with locked(journal):
        if not is_finished(journal):
            with journal.open("ab") as file:
                file.write(note)


def is_finished(journal: Path) -> bool:
    """Return whether a journal ends with the note that its shard has done its part."""
    with journal.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        last = file.read().splitlines(keepends=True)[-1:]
    return bool(last) and last[0].startswith(NOTE) and last[0].endswith(b"\n")


def merge(results: str | Path) -> Merged:
    """Take the records of all shards into one manifest, and say which shards are not done.

    Journals of shards stay until all are done. Another number of shards, from a later run, is what
    counts.

    Raises:
        ValueError: a shard is at work, a manifest is not u2demo's, or there is none.
    """
    with _journals_of(results) as folder:
        if not any(map(os.path.lexists, journals(folder))):  # or a wrong folder would get some
            raise ValueError(f"{results} has no manifest of u2demo, expected the results of a run")
        count, missing, unfinished = _state(shard_journals(folder))
    keep = bool(missing or unfinished)
    with advise(results), manifest_of(results, keep_shards=keep) as manifest:
        statuses = Counter(record.status for record in manifest.records.values())
        return Merged(statuses, count, missing, unfinished)


def divided(results: str | Path) -> int:
    """Return how many shards an earlier run has left in ``results``, 0 for none."""
    with _journals_of(results) as folder:
        count, _, _ = _state(shard_journals(folder))
    return count


@contextlib.contextmanager
def _journals_of(results: str | Path) -> Iterator[Path]:
    """Yield the folder that the journals of ``results`` are in; those of a store are fetched."""
    if not is_url(results):
        yield Path(results).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="u2demo-") as scratch:
        fetch(str(results), Path(scratch))
        yield Path(scratch)


def _state(found: Mapping[Path, Shard]) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Return how many shards the last run had, which are missing, and which unfinished."""
    if not found:
        return 0, (), ()
    last = max(found, key=lambda journal: journal.stat().st_mtime_ns)
    count = found[last][1]
    journals = {number: path for path, (number, total) in found.items() if total == count}
    missing = tuple(number for number in range(1, count + 1) if number not in journals)
    unfinished = tuple(number for number, path in journals.items() if not is_finished(path))
    return count, missing, unfinished


class _Place(NamedTuple):
    """Where a system says which of how many tasks this one is."""

    index: str
    count: str
    first: str = ""  # the variable of the first index, "" if that is 0
    step: str = ""


# Slurm's job arrays, AWS Batch's, Google's Cloud Run and Batch. Kubernetes gives an indexed job its
# index only; how many there are has to be put beside it.
_PLACES = (
    _Place("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
           "SLURM_ARRAY_TASK_STEP"),
    _Place("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    _Place("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    _Place("BATCH_TASK_INDEX", "BATCH_TASK_COUNT"),
    _Place("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
)  # fmt: skip


def parse_shard(text: str) -> Shard:
    """Return the shard that ``text``, such as ``3/10``, means.

    Raises:
        ValueError: it means none.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if not found:
        raise ValueError(f"{text!r:.80} is not a shard, expected its number and how many: 3/10")
    shard = int(found[1]), int(found[2])
    check_shard(shard)
    return shard


def shard_of_task(environment: Mapping[str, str]) -> tuple[Shard, str] | None:
    """Return the shard that the task of a cluster is, and the variable that says so, or None.

    Raises:
        ValueError: the system tells which task this is, but not which of how many.
    """
    place = next((place for place in _PLACES if place.index in environment), None)
    if place is None:
        return None
    said = environment[place.index]
    if place.count not in environment:
        raise ValueError(
            f"{place.index} is {said}, but {place.count} is not set; set it to how many tasks there"
            " are, or give --shard"
        )
    try:
        index, count = int(said), int(environment[place.count])
        first = int(environment.get(place.first, 0))
        step = int(environment.get(place.step) or 1)
        before, rest = divmod(index - first, step)
        if rest:
            raise ValueError("between two tasks")
        shard = before + 1, count
        check_shard(shard)
    except ValueError:
        raise ValueError(
            f"{place.index} is {said} of {place.count} {environment[place.count]}, which do not"
            " count the shards one by one; give --shard, such as --shard 3/10"
        ) from None
    return shard, place.index
