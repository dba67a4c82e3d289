"""How long millions of photos take: shards, a Ray cluster, names and bytes, measured and planned.

    python benchmarks/scale.py                 # all of it; minutes
    python benchmarks/scale.py --only shards --photos 30

Shards are processes that are pinned to a core each, as on machines of their own. With fewer cores
than shards a row is left out. Run it on a computer that does nothing else.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from speed import draw_folder, installed

SHARDS = (1, 2, 4)
KINDS = {"auto": [], "webp": ["--format", "webp"]}
MACHINE = 16  # cores of the machine that the plan is for
# Runs the command line on one core.
PINNED = """
import os, sys
core = int(sys.argv.pop(1))
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {core})
from u2demo.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
# Starts a cluster on this computer, with one processor more than there are processes.
CLUSTER = """
import sys, time
import ray
from u2demo.cli.effects import chosen_effects
from u2demo.cli.arguments import parse
from u2demo.runs.cluster import process_on_ray
from u2demo.runs.settings import Run
from u2demo.runs.worker import Job
photos, results, processes = sys.argv[1:]
ray.init(address="local", num_cpus=int(processes) + 1, include_dashboard=False,
         log_to_driver=False, logging_level="ERROR")
run = Run(chosen_effects(parse([photos])))
begun = time.perf_counter()
outcome = process_on_ray(Job((photos,), (), results, run, device="cpu"), workers=int(processes))
assert not (outcome.failed or outcome.lost), outcome
print(time.perf_counter() - begun)
"""


class Cost(NamedTuple):
    """What some photos took."""

    photos: int
    wall: float  # seconds
    cpu: float  # seconds of processor time, of all processes together

    @property
    def rate(self) -> float:
        """Photos a second."""
        return self.photos / self.wall


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=60, help="of 2 megapixels, for each shard")
    parser.add_argument("--small", type=int, default=2000, help="photos for Ray, 0.3 megapixels")
    parser.add_argument("--only", help="some of shards,ray,bytes,names")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, run in _benchmarks(options, Path(folder)):
            if not options.only or name in options.only.split(","):
                run()


def _benchmarks(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Callable]]:
    yield "shards", partial(shards, options.photos, folder)
    yield "ray", partial(ray_beside_shards, options.small, folder)
    yield "bytes", partial(bytes_written, options.photos, folder)
    yield "names", names


def shards(photos: int, folder: Path) -> None:
    """Compare 1, 2 and 4 shards, each with as many photos as the one alone."""
    print(f"\n## Shards on a core each; {photos} photos of 2 megapixels for each; with start-up")
    cores = _cores()
    alone = None
    for count in SHARDS:
        if count > len(cores):
            print(f"{count} shards: left out, there are {len(cores)} cores")
            continue
        source = draw_folder(_new(folder / f"for {count}"), count * photos, 2)
        cost = _run_shards(source, folder / f"{count} shards", cores[:count])
        alone = alone or cost
        efficiency = cost.rate / (count * alone.rate)
        print(
            f"{count} shards: {cost.rate:.2f} photos/s, {cost.cpu / cost.photos:.3f} s of processor"
            f" a photo, {efficiency:.2f} of ideal"
        )


def ray_beside_shards(photos: int, folder: Path) -> None:
    """Compare a Ray cluster on this computer with as many bare shards."""
    print(f"\n## Ray beside bare shards, {photos} photos of 0.3 megapixels")
    if not installed("ray"):
        print("left out: pip install ray")
        return
    source = draw_folder(_new(folder / "for Ray"), photos, 0.3)
    cores = _cores()[: max(1, len(_cores()) - 1)]
    bare = _run_shards(source, folder / "bare", cores)
    command = [sys.executable, "-c", CLUSTER, str(source), str(folder / "ray"), str(len(cores))]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    whole = time.perf_counter() - begun
    at_work = float(done.stdout.split()[-1])
    print(f"{len(cores)} shards: {bare.wall:.1f} s, {bare.cpu:.1f} s of processor")
    print(f"Ray, {len(cores)} processes: {whole:.1f} s, {at_work:.1f} s of it with the cluster up")
    print(f"overhead: {at_work / bare.wall - 1:+.1%}")


def bytes_written(photos: int, folder: Path) -> None:
    """Show what a photo of 2 megapixels becomes, and plan a million and ten million of them."""
    print("\n## Bytes written, cut-outs of 2 megapixels, and what that plans")
    source = draw_folder(_new(folder / "for bytes"), photos, 2)
    for kind, options in KINDS.items():
        out = folder / f"as {kind}"
        cost = _run([(source, out, [*options])], _cores()[:1])
        size = sum(path.stat().st_size for path in out.rglob("*_cutout.*")) / photos
        print(f"--format {kind}: {size / 1e6:.2f} MB a photo; on one core {cost.rate:.2f} photos/s")
        for count in (10**6, 10**7):
            hours = count / (cost.rate * (MACHINE - 1)) / 3600
            print(
                f"  {count:,} photos: {count * size / 1e12:.1f} TB; {hours:,.0f} hours of one"
                f" machine with {MACHINE} cores, {hours / 10:,.1f} of ten"
            )


def names() -> None:
    """Plan and resume time and memory by the number of photos; see names.py."""
    print("\n## Names", flush=True)
    counts = ["10000", "100000", "1000000"]
    subprocess.run([sys.executable, Path(__file__).with_name("names.py"), *counts], check=True)


def _run_shards(source: Path, out: Path, cores: list[int]) -> Cost:
    count = len(cores)
    shards = [(source, out, ["--shard", f"{number}/{count}"]) for number in range(1, count + 1)]
    return _run(shards, cores)


def _run(work: list[tuple[Path, Path, list[str]]], cores: list[int]) -> Cost:
    """Run one command on each core, all at once."""
    begun, before = time.perf_counter(), _cpu()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PINNED, str(core), str(source), "-o", str(out), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for (source, out, options), core in zip(work, cores, strict=True)
    ]
    codes = [process.wait() for process in processes]
    assert codes == [0] * len(codes), codes
    wall, cpu = time.perf_counter() - begun, _cpu() - before
    photos = sum(path.suffix == ".jpg" for path in work[0][0].iterdir())
    return Cost(photos, wall, cpu)


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _cpu() -> float:
    """Return the processor time of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    main()
