"""argv -> runs: ``python -m u2demo PHOTO|CLIP|FOLDER... -o RESULTS``, installed as ``u2demo``."""

import argparse
import signal
import sys
import warnings

from u2demo.cli import weights
from u2demo.cli.arguments import EDGE, parse
from u2demo.cli.effects import chosen_effects
from u2demo.cli.sources import expand, find, unread_lines
from u2demo.cli.summary import summary
from u2demo.cli.terminal import (
    printable,
    progress,
    progress_of_clips,
    say,
    sentence,
    stopped_by_signals,
)
from u2demo.images.write import FORMATS
from u2demo.machine.memory import keep_freed_memory
from u2demo.masks.adjust import UNCHANGED, Edge
from u2demo.runs.boxes import OUTLINED, WRITERS, check_free
from u2demo.runs.records import read_records
from u2demo.runs.run import Run, process_files
from u2demo.video.run import check_clip_format, process_clips


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, 128 + N for signal N, 1 if anything failed."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["weights"]:
        return weights.main(argv[1:])
    options = parse(argv)
    try:
        with stopped_by_signals():
            lines, complete = _run(options)
    except KeyboardInterrupt as stop:
        again = "the same command resumes"
        if options.overwrite:  # without it, pictures of an earlier run would count as done
            again = "with --overwrite the same command starts over"
        say(f"\nstopped; {again}", sys.stderr)
        return 128 + (stop.args[0] if stop.args else signal.SIGINT)
    except (ValueError, OSError) as error:
        say(f"u2demo: {sentence(error)}", sys.stderr)
        return 1
    text = "\n".join(lines)
    if not say(text, sys.stdout):
        say(f"u2demo: could not print the summary; is the disk full?\n{text}", sys.stderr)
        return 1
    return 0 if complete else 1


def _run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Return the lines of the summary, and whether all that was asked for was done."""
    photos, clips, named, left_out = find(expand(options.photos), first_frame=options.first_frame)
    check_free(options.boxes, options.output)
    run = _settled(options, with_clips=bool(clips))
    from u2demo.nets.load import load_model  # imports torch: a second, not needed for a mistake

    keep_freed_memory()
    model = load_model(options.model, device=options.device, weights=options.weights)
    of_photos, of_clips = [], []
    if photos:
        with progress(len(photos)) as report:
            of_photos = process_files(model, photos, options.output, run, report=report)
    if clips:
        with progress_of_clips() as report:
            of_clips = process_clips(model, clips, options.output, run, report=report)
    left_out += _write_boxes(options)
    failed = [
        record
        for record in [*of_photos, *of_clips]
        if record.status == "failed" or (record.status == "left out" and record.photo in named)
    ]
    lines = summary(of_photos, of_clips, options.output)
    lines += [*unread_lines(of_photos), *left_out]
    if clips and not {"yolo", "yolo-seg"}.isdisjoint(options.boxes):
        lines.append("  labels in YOLO's format are for photos; coco has a box for each frame")
    return lines, not failed and not left_out


def _settled(options: argparse.Namespace, *, with_clips: bool) -> Run:
    """Return what is to be done with each photo and clip.

    Raises:
        ValueError: the format is for clips and there are none, or it cannot hold what is asked for.
    """
    if options.format not in FORMATS and not with_clips:
        raise ValueError(
            f"{options.format} is a format of clips, and there are none here; for photos choose"
            f" {' or '.join(FORMATS)}"
        )
    edge = Edge(**{name: getattr(options, name) for name in EDGE})
    run = Run(
        chosen_effects(options),
        options.quality,
        options.format if options.format in FORMATS else "auto",
        options.overwrite,
        metadata=options.metadata,
        max_pixels=options.max_pixels,
        outlines=not OUTLINED.isdisjoint(options.boxes),
        clip_format=options.format,
        within=options.within or "",
        edge=edge,
        corrections=options.corrections,
    )
    if with_clips and options.within:
        raise ValueError("--within is for photos, expected no clips; leave it out, or them")
    if with_clips and edge != UNCHANGED:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in EDGE)
        raise ValueError(f"{names} are for photos, expected no clips; leave them out")
    if with_clips:
        check_clip_format(run)
    return run


def _write_boxes(options: argparse.Namespace) -> list[str]:
    """Write the boxes; return a line for each kind of file that was left out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in options.boxes:
            WRITERS[name](read_records(options.output), options.output)
    return [f"  {printable(warning.message)}" for warning in caught]
