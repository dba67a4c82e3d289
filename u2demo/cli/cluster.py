"""options -> a run on the machines of a Ray cluster, and what is said of it."""

import argparse
from dataclasses import replace
from pathlib import Path

from u2demo.cli.merge import write_boxes
from u2demo.cli.sources import animation_test, expand
from u2demo.cli.summary import first_lines
from u2demo.cli.terminal import counted, printable, progress_of_cluster
from u2demo.images.read import pixel_limit
from u2demo.machine.places import is_url
from u2demo.runs.cluster import Outcome, process_on_ray
from u2demo.runs.settings import Run
from u2demo.runs.worker import ClusterJob
from u2demo.video.clip import Clip


def run_on_ray(options: argparse.Namespace, run: Run) -> tuple[list[str], bool]:
    """Do all photos; return the lines of the summary, and whether all of them were done."""
    behind = options.background
    job = ClusterJob(
        sources=tuple(map(_everywhere, expand(options.photos))),
        listed=tuple(map(_everywhere, options.listed)),
        results=_everywhere(options.output),
        run=replace(run, max_pixels=pixel_limit(run.max_pixels)),  # whatever their environments say
        read_besides=(str(behind.path),) if isinstance(behind, Clip) else (),
        model=options.model,
        weights=options.weights and _everywhere(options.weights),
        device=options.device,
        is_clip=animation_test(first_frame=options.first_frame),
    )
    with progress_of_cluster() as report:
        outcome = process_on_ray(job, options.ray, workers=options.workers, report=report)
    if not (outcome.statuses or outcome.clips or outcome.lost):
        raise ValueError(f"no photos found in {', '.join(map(str, options.photos))}")
    lines = _lines(outcome, job.results)
    left_out = [] if outcome.lost else write_boxes(options.boxes, options.output)
    complete = not (outcome.failed or outcome.lost or outcome.unread or left_out)
    return [*lines, *left_out], complete


def _everywhere(place: str | Path) -> str:
    """Return a path as other machines that see the same folders know it, or a URL as it is."""
    return str(place) if is_url(place) else str(Path(place).absolute())


def _lines(outcome: Outcome, results: str) -> list[str]:
    said = ", ".join(f"{count:,} {status}" for status, count in outcome.statuses.items())
    total = outcome.statuses.total()
    where = "Pictures are in" if outcome.lost else "Pictures and manifest.csv are in"
    failed = [f"  failed: {printable(error)}" for error in outcome.failed]
    return [
        f"{counted(total, 'photo')}: {said or 'none found'}. {where} {printable(results)}",
        *first_lines(failed, len(failed)),
        *_noted_lines(outcome),
        *_clip_lines(outcome.clips),
        *(f"  left out: {printable(sentence)}" for sentence in outcome.unread),
        *(f"  {printable(sentence)}" for sentence in outcome.lost),
        *(["  the same command goes on from there"] if outcome.lost else []),
    ]


def _noted_lines(outcome: Outcome) -> list[str]:
    noted = [
        (outcome.unclear, "no clear subject: {}; manifest.csv says which, under clear"),
        (
            outcome.renamed,
            "files that u2demo did not write stay as they are: the new pictures of {} have other"
            " names; manifest.csv says which, under renamed",
        ),
    ]
    return [f"  {line.format(counted(number, 'photo'))}" for number, line in noted if number]


def _clip_lines(clips: list[str]) -> list[str]:
    if not clips:
        return []
    return [
        f"  left out: {counted(len(clips), 'clip')}, such as {printable(clips[0])}; for clips, run"
        " the same command without --ray"
    ]
