"""What names and records cost: time and memory of a run in which nothing else is done.

    python benchmarks/names.py 10000 100000 1000000

makes as many small photos in folders of a thousand (hard links, deleted afterwards), and runs over
them in processes of their own, first into an empty folder and then again with nothing to do. In
place of the net and its pictures, each photo gets a link to one small picture. Printed are the
seconds until the first photo, those of each run, of wall clock and of processor time, and the
memory beyond what a run of one photo takes; then the exponent with which each grows.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image

_IN_FOLDER = 1000  # photos
_LINKS = 50_000  # names of one file; some disks allow no more than 65,000
_SIZE = 32, 24


class Cost(NamedTuple):
    """What a run over so many photos took."""

    photos: int
    first: float  # seconds until work on the first photo begins
    seconds: float
    processor: float  # seconds of processor time
    megabytes: float  # memory at its peak, beyond that of a run of one photo


def measure(count: int, folder: Path) -> dict[str, Cost]:
    """Return the costs of a first run over ``count`` photos and of a second with nothing to do.

    ``folder`` gets the photos and the results.
    """
    photos, one = make_photos(folder / "photos", count), make_photos(folder / "one", 1)
    base = _run_apart(one, folder / "of one")["kilobytes"]
    costs = {}
    for name in ("first", "again"):
        took = _run_apart(photos, folder / "results")
        assert took["done" if name == "first" else "skipped"] == count, took
        more = (took["kilobytes"] - base) / 1024
        costs[name] = Cost(count, took["first"], took["seconds"], took["processor"], more)
    return costs


def exponent(costs: list[Cost], field: str) -> float:
    """Return the power of the number of photos with which a cost grows, from least to most."""
    few, many = costs[0], costs[-1]
    growth = getattr(many, field) / max(getattr(few, field), 1e-3)
    return math.log(growth) / math.log(many.photos / few.photos)


def make_photos(folder: Path, count: int) -> Path:
    """Fill ``folder`` with names of photos, a thousand in each subfolder."""
    for number in range(count):
        inside = folder / f"{number // _IN_FOLDER:05}"
        if number % _IN_FOLDER == 0:
            inside.mkdir(parents=True)
        if number % _LINKS == 0:
            source = folder / f".{number}.jpg"
            Image.new("RGB", _SIZE, "gray").save(source)
        os.link(source, inside / f"photo_{number:07}.jpg")
    return folder


def _run_apart(photos: Path, results: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--run", photos, results]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _run(photos: Path, results: Path) -> Mapping[str, float]:
    """Run over ``photos`` in this process, with a stand-in for all that is done with pixels."""
    import torch

    from u2demo.runs import run
    from u2demo.runs.checksums import file_checksum
    from u2demo.runs.plan import Job
    from u2demo.runs.record import Record

    picture = _picture(results.parent)
    written = file_checksum(picture)
    seen: dict[str, float] = {"first": 0.0}
    start, used = time.perf_counter(), time.process_time()

    def finish(work: run._Work, job: Job) -> Record:
        seen["first"] = seen["first"] or time.perf_counter() - start
        file = results / f"{job.stem}_cutout.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        os.link(_picture(results.parent, int(job.stem[-7:]) // _LINKS), file)
        name = f"{job.stem}_cutout.png"
        return job.record(
            status="done",
            effects=work._run.checksums,
            files=(name,),
            written={name: written},
            content="9-" + "0" * 32,
        )

    def report(record: Record) -> None:
        seen[record.status] = seen.get(record.status, 0) + 1

    run._Work._process_alone = finish
    net = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(net.weight)  # the same net in every process
    torch.nn.init.zeros_(net.bias)
    run.process_folder(net, photos, results, report=report)
    return {
        **seen,
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - used,
        "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _picture(folder: Path, number: int = 0) -> Path:
    """Return a small picture, one of several that have the same content."""
    file = folder / f".picture{number}.png"
    if not file.exists():
        Image.new("RGBA", _SIZE).save(file)
    return file


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("counts", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--run", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(_run(*options.run)))
        return
    table: dict[str, list[Cost]] = {"first": [], "again": []}
    print("run      photos  first photo   seconds  processor   MB")
    for count in options.counts:
        with tempfile.TemporaryDirectory() as folder:
            for name, cost in measure(count, Path(folder)).items():
                table[name].append(cost)
                print(f"{name:6} {cost.photos:>9,} {cost.first:>10.1f} s {cost.seconds:>8.1f} s"
                      f" {cost.processor:>8.1f} s {cost.megabytes:>5.0f}", flush=True)  # fmt: skip
    if len(options.counts) > 1:
        for name, costs in table.items():
            grows = {field: exponent(costs, field) for field in ("processor", "megabytes")}
            print(f"{name}: " + ", ".join(f"{field} ^{by:.2f}" for field, by in grows.items()))


if __name__ == "__main__":
    main()
