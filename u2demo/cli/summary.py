"""records -> the summary of a run: what became of its photos and clips, line by line."""

from collections import Counter
from pathlib import Path

from u2demo.cli.sources import is_animation
from u2demo.cli.terminal import printable
from u2demo.runs.records import Record

_SHOWN = 20  # photos of which parts are left out, and animations


def summary(photos: list[Record], clips: list[Record], output: Path) -> list[str]:
    """Return what became of the photos and clips, then a line for each that needs attention."""
    records = [*photos, *clips]
    said = [_count("photo", photos)] if photos or not clips else []
    said += [_count("clip", clips)] if clips else []
    lines = [f"{'; '.join(said)}. Pictures and manifest.csv are in {printable(output)}"]
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
    return lines + _corrected_lines(photos) + _part_lines(records) + _clip_lines(clips)


def _count(kind: str, records: list[Record]) -> str:
    counts = Counter(record.status for record in records)
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    kinds = kind if len(records) == 1 else f"{kind}s"
    return f"{len(records)} {kinds}: {said}"


def _corrected_lines(photos: list[Record]) -> list[str]:
    """Return a line that names the photos that are done with a person's corrections."""
    corrected = [record for record in photos if record.corrections and record.status == "done"]
    if not corrected:
        return []
    shown = ", ".join(printable(record.photo) for record in corrected[:_SHOWN])
    more = f" and {len(corrected) - _SHOWN:,} more" if corrected[_SHOWN:] else ""
    return [f"  with the corrections beside them: {shown}{more}"]


def _clip_lines(clips: list[Record]) -> list[str]:
    """Return a line for each clip that is damaged, and one on animations."""
    lines = [
        f"  {printable(record.photo)}: {printable(record.damage)}; the rest is done"
        for record in clips
        if record.damage
    ]
    animations = [
        record.photo
        for record in clips
        if record.status != "failed" and is_animation(Path(record.photo))
    ]
    if animations:
        shown = ", ".join(map(printable, animations[:_SHOWN]))
        more = f" and {len(animations) - _SHOWN:,} more" if animations[_SHOWN:] else ""
        lines.append(
            f"  animations are done with all their frames: {shown}{more};"
            " --first-frame takes the first only"
        )
    return lines


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
