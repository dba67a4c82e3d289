"""argv -> one manifest of all shards: ``u2demo merge RESULTS``."""

import argparse
import warnings
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from u2demo.cli import values
from u2demo.cli.terminal import carry_out, counted, first_of, printable
from u2demo.machine.places import is_url, join
from u2demo.runs.boxes import OUTLINED, WRITERS, Present, check_free
from u2demo.runs.manifest import locked
from u2demo.runs.record import Record
from u2demo.runs.records import journal_of, read_records
from u2demo.runs.shards import Merged, merge

_USAGE = """u2demo merge [-h] [--boxes FORMAT,...] RESULTS
for a folder of photos called merge: u2demo ./merge"""
_SHOWN = 20  # numbers of shards


def main(argv: list[str]) -> int:
    """Run ``u2demo merge``; return its exit code: 0, 128 + N for signal N, 1 if not all is done."""
    options = _parse(argv)
    return carry_out(partial(_merge, options), lambda: "; the same command starts over")


def _merge(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Return the lines of the summary, and whether all shards are done."""
    if is_url(options.results) and options.boxes:
        raise ValueError("--boxes are written into a folder, expected no URL; leave them out")
    if options.boxes:
        check_free(options.boxes, options.results)
    merged = merge(options.results)
    lines = [*_lines(merged, options.results), *write_boxes(options.boxes, options.results)]
    if not OUTLINED.isdisjoint(options.boxes):
        lines += _unlined(Present(read_records(options.results)))
    return lines, merged.is_complete


def write_boxes(formats: Sequence[str], results: Path) -> list[str]:
    """Write the boxes; return a line for each kind of file that was left out.

    Raises:
        ValueError: another run is writing there, or a file would be replaced that is not u2demo's.
    """
    if not formats:
        return []
    # Another run would clear away what is half written.
    with locked(journal_of(results, None)), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        records = Present(read_records(results))
        for name in formats:
            WRITERS[name](records, results)
    return [f"  {printable(warning.message)}" for warning in caught]


def _unlined(records: Iterable[Record]) -> list[str]:
    """Return a line on photos for which nobody has asked for outlines, if there are any."""
    number = sum(
        record.outlines is None for record in records if record.subjects and not record.frames
    )
    if not number:
        return []
    return [
        f"  {counted(number, 'photo has', 'photos have')} boxes, but no outlines: for these, pass"
        " --boxes to the shards as well"
    ]


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="u2demo merge",
        usage=_USAGE,  # also shown when a folder of this name was meant
        description="Combine all shards' records into one manifest.jsonl and manifest.csv, and say"
        " which shards are missing or unfinished.",
    )
    parser.add_argument(
        "results",
        type=values.place,
        metavar="RESULTS",
        help="the folder or URL that all shards wrote into",
    )
    parser.add_argument(
        "--boxes",
        type=partial(values.names, choices=WRITERS),
        default=[],
        metavar="FORMAT,...",
        help="also write the subjects' boxes, for training: coco, yolo or yolo-seg; for outlines,"
        " pass it to every shard run too",
    )
    return parser.parse_args(argv)


def _lines(merged: Merged, results: str | Path) -> list[str]:
    """Return what became of the shards."""
    table = join(results, "manifest.csv") if is_url(results) else results / "manifest.csv"
    total = merged.statuses.total()
    number = counted(total, "photo or clip", "photos and clips")
    said = ", ".join(f"{many:,} {status}" for status, many in merged.statuses.most_common())
    files = f"{number} {'is' if total == 1 else 'are'} in {printable(table)}: {said or 'none'}"
    if not merged.count:
        return [f"no shards are waiting; {files}"]
    if merged.is_complete:
        return [f"{counted(merged.count, 'shard')} done; {files}"]
    lines = [f"{counted(merged.count, 'shard')}, but not all are done; so far {files}"]
    for what, numbers in (("missing", merged.missing), ("unfinished", merged.unfinished)):
        if numbers:
            shown = first_of(numbers, _SHOWN)
            lines.append(f"  {what}: {shown}; --shard {numbers[0]}/{merged.count} does one")
    return lines
