"""argv -> runs: ``python -m u2demo PHOTO|FOLDER... -o RESULTS``, installed as ``u2demo``."""

import argparse
import os
import re
import signal
import sys
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

from u2demo.cli import weights
from u2demo.cli.arguments import parse
from u2demo.cli.terminal import printable, progress, say, stopped_by_signals
from u2demo.effects import EFFECTS
from u2demo.effects.background import replace_background
from u2demo.machine.memory import keep_freed_memory
from u2demo.runs.boxes import WRITERS, check_free
from u2demo.runs.manifest import Record, read_records
from u2demo.runs.plan import list_photos, pictures_of_runs
from u2demo.runs.run import Run, process_files


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, 128 + N for signal N, 1 if anything failed."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["weights"]:
        return weights.main(argv[1:])
    options = parse(argv)
    try:
        with stopped_by_signals():
            records, left_out = _run(options)
    except KeyboardInterrupt as stop:
        again = "the same command resumes"
        if options.overwrite:  # without it, pictures of an earlier run would count as done
            again = "with --overwrite the same command starts over"
        say(f"\nstopped; {again}", sys.stderr)
        return 128 + (stop.args[0] if stop.args else signal.SIGINT)
    except (ValueError, OSError) as error:
        sentence = "\n".join(map(printable, _sentence(error).splitlines()))
        say(f"u2demo: {sentence}", sys.stderr)
        return 1
    summary = "\n".join([_summary(records, options.output), *left_out])
    if not say(summary, sys.stdout):
        say(f"u2demo: could not print the summary; is the disk full?\n{summary}", sys.stderr)
        return 1
    failed = any(record.status == "failed" for record in records)
    return 1 if failed or left_out else 0


def _run(options: argparse.Namespace) -> tuple[list[Record], list[str]]:
    """Return the records of a run, and a line for each folder that could not be read."""
    photos, left_out = _find(options.photos)
    check_free(options.boxes, options.output)
    run = Run(
        _effects(options),
        options.quality,
        options.format,
        options.overwrite,
        metadata=options.metadata,
    )
    from u2demo.nets.load import load_model  # imports torch: a second, not needed for a mistake

    keep_freed_memory()
    model = load_model(options.model, device=options.device, weights=options.weights)
    with progress(len(photos)) as report:
        records = process_files(model, photos, options.output, run, report=report)
    for name in options.boxes:
        WRITERS[name](read_records(options.output), options.output)
    return records, left_out


def _find(sources: list[Path]) -> tuple[dict[Path, Path], list[str]]:
    """Return the photos with their places, and a line for each folder that could not be read."""
    if not any(map(os.path.lexists, sources)):
        raise ValueError(f"not found: {', '.join(map(str, sources))}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        photos = list_photos(sources)
        made = [] if photos else pictures_of_runs(sources)
    left_out = [f"  left out: {warning.message}" for warning in caught]
    if not photos:
        lines = [f"no photos found in {', '.join(map(str, sources))}", *dict.fromkeys(left_out)]
        if made:
            count = "1 picture" if len(made) == 1 else f"{len(made)} pictures"
            lines.append(
                f"  left out: {count} that u2demo made, such as {made[0]};"
                " to process them, name the files instead of the folder"
            )
        raise ValueError("\n".join(lines))
    return photos, list(map(printable, left_out))


def _sentence(error: Exception) -> str:
    """Return what an error says, without the system's error number."""
    return re.sub(r"^\[(Errno|WinError) -?\d+\] ", "", str(error))


def _effects(options: argparse.Namespace) -> dict:
    names = options.effects or (["background"] if options.background else ["cutout"])
    effects = {name: EFFECTS[name] for name in names}
    if options.background:
        effects["background"] = partial(replace_background, background=options.background)
    return effects


def _summary(records: list[Record], output: Path) -> str:
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
    return "\n".join(lines)
