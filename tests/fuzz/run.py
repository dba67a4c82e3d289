"""``python tests/fuzz/run.py [COUNT [FIRST]]``: mutants of real files, tried in worker processes.

A worker that dies or hangs is a fault of the mutant it was at, and another one goes on after it.
Mutant N is the same each time: ``python tests/fuzz/run.py 1 N`` tries it alone, and
``make_mutant(N).data`` is the file.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[:2]))
from mutants import make_mutant
from survive import Outcome, survive
from tqdm import tqdm

HANGS = 60  # seconds without an answer; a mutant needs a hundredth of one
_WHOLE_WAY = 4  # each that many mutants are worked on and saved as well
_SHIFT = 500  # mutants for one worker


def main(count: int = 20_000, first: int = 0) -> int:
    """Try ``count`` mutants, print what became of them, and return 1 if a promise was broken."""
    shifts = [
        range(start, min(start + _SHIFT, first + count))
        for start in range(first, first + count, _SHIFT)
    ]
    outcomes = []
    with ThreadPoolExecutor(os.cpu_count()) as pool, tqdm(total=count, unit=" mutants") as bar:
        for done in pool.map(lambda shift: _supervise(shift, bar), shifts):
            outcomes += done
    faulty = [outcome for outcome in outcomes if outcome.faults]
    for outcome in faulty:
        print(f"FAULT {make_mutant(outcome.number).name}\n  " + "\n  ".join(outcome.faults))
    read = sum(outcome.size is not None for outcome in outcomes)
    worked_on = sum(outcome.worked_on for outcome in outcomes)
    print(
        f"{len(outcomes):,} mutants: {read:,} read, {worked_on:,} of them worked on and saved, "
        f"{len(outcomes) - read:,} refused by name and reason; {len(faulty)} faults.\n"
        f"Slowest: {max(outcome.seconds for outcome in outcomes):.2f} s; most memory above the "
        f"photo's own pixels: {max(outcome.extra_megabytes for outcome in outcomes):.0f} MB."
    )
    return int(bool(faulty))


def _supervise(numbers: range, bar: tqdm) -> list[Outcome]:
    """Return the outcome of every mutant, whatever becomes of the workers."""
    outcomes = []
    while len(outcomes) < len(numbers):
        for outcome in _work(numbers[len(outcomes) :]):
            outcomes.append(outcome)
            bar.update()
    return outcomes


def _work(numbers: range) -> Iterator[Outcome]:
    """Yield outcomes from a new process, up to the last or one that ended it."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    worker = multiprocessing.get_context("spawn").Process(target=_try, args=(numbers, theirs))
    worker.start()
    theirs.close()
    try:
        for number in numbers:
            if not ours.poll(HANGS):
                yield Outcome(number, faults=[f"no answer in {HANGS} s"])
                return
            try:
                yield ours.recv()
            except EOFError:
                worker.join()
                yield Outcome(number, faults=[f"the process died, exit code {worker.exitcode}"])
                return
    finally:
        worker.kill()
        worker.join()


def _try(numbers: range, report: Connection) -> None:
    for number in numbers:
        report.send(survive(number, whole_way=number % _WHOLE_WAY == 0))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
