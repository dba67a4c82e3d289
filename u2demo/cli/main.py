"""argv -> runs: ``python -m u2demo PHOTO|FOLDER... -o RESULTS``, installed as ``u2demo``."""

import argparse
import signal
import sys
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

from u2demo.cli import weights
from u2demo.cli.arguments import parse
from u2demo.cli.sources import expand, find, unread_lines
from u2demo.cli.terminal import printable, progress, say, sentence, stopped_by_signals
from u2demo.effects import EFFECTS
from u2demo.effects.background import replace_background
from u2demo.machine.memory import keep_freed_memory
from u2demo.runs.boxes import OUTLINED, WRITERS, check_free
from u2demo.runs.records import Record, read_records
from u2demo.runs.run import Run, process_files

_SHOWN = 20  # photos of which parts are left out


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
    summary = "\n".join(lines)
    if not say(summary, sys.stdout):
        say(f"u2demo: could not print the summary; is the disk full?\n{summary}", sys.stderr)
        return 1
    return 0 if complete else 1


def _run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Return the lines of the summary, and whether all that was asked for was done."""
    photos, named, left_out = find(expand(options.photos))
    check_free(options.boxes, options.output)
    run = Run(
        _effects(options),
        options.quality,
        options.format,
        options.overwrite,
        metadata=options.metadata,
        max_pixels=options.max_pixels,
        outlines=not OUTLINED.isdisjoint(options.boxes),
    )
    from u2demo.nets.load import load_model  # imports torch: a second, not needed for a mistake

    keep_freed_memory()
    model = load_model(options.model, device=options.device, weights=options.weights)
    with progress(len(photos)) as report:
        records = process_files(model, photos, options.output, run, report=report)
    left_out += _write_boxes(options)
    failed = [
        record
        for record in records
        if record.status == "failed" or (record.status == "left out" and record.photo in named)
    ]
    lines = [*_summary(records, options.output), *unread_lines(records), *left_out]
    return lines, not failed and not left_out


def _write_boxes(options: argparse.Namespace) -> list[str]:
    """Write the boxes; return a line for each kind of file that was left out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in options.boxes:
            WRITERS[name](read_records(options.output), options.output)
    return [f"  {printable(warning.message)}" for warning in caught]


def _effects(options: argparse.Namespace) -> dict:
    usual = "background" if options.background else "cutout"
    names = options.effects or [usual]
    effects = {name: EFFECTS[name] for name in names}
    if options.background:
        effects["background"] = partial(replace_background, background=options.background)
    return effects


def _summary(records: list[Record], output: Path) -> list[str]:
    """Return what became of the photos, then a line for each that needs attention."""
    counts = Counter(record.status for record in records)
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    photos = "1 photo" if len(records) == 1 else f"{len(records)} photos"
    lines = [f"{photos}: {said}. Pictures and manifest.csv are in {printable(output)}"]
    lines += [
        f"  failed: {printable(record.error)}" for record in records if record.status == "failed"
    ]
    lines += [
        f"  no clear subject: {printable(record.photo)}"
        for record in records
        if record.status != "failed" and not record.clear
    ]
    lines += [
        f"  {printable(old)} stays as it is: u2demo did not write it, or it was changed since;"
        f" the new picture is {printable(new)}"
        for record in records
        if record.status == "done"
        for old, new in record.renamed.items()
    ]
    return lines + _part_lines(records)


def _part_lines(records: list[Record]) -> list[str]:
    """Return a line for each photo whose file held more than its pictures do, up to a number."""
    partly = [record for record in records if record.left_out and record.status != "failed"]
    lines = [
        f"  {printable(record.photo)}: left out: {printable(', '.join(record.left_out))}"
        for record in partly[:_SHOWN]
    ]
    if partly[_SHOWN:]:
        lines.append(
            f"  parts of {len(partly) - _SHOWN:,} more photos were left out;"
            " manifest.csv lists them as left_out"
        )
    return lines
