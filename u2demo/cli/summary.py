"""records -> the summary of a run: what became of its photos and clips, line by line."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from u2demo.cli.sources import is_animation, unread_lines
from u2demo.cli.terminal import counted, first_of, printable
from u2demo.runs.corrected import corrections_file
from u2demo.runs.record import Record

_SHOWN = 20  # lines of a kind; manifest.csv has them all
_IS_DONE = {"done", "skipped"}
_KEPT = 1000  # records of a kind, and reasons: a run of millions has little memory
_NOTHING = "0 photos: what u2demo has made in this folder is left alone"


class Tally:
    """What is to be said of the photos or clips of a run, gathered while it goes on."""

    def __init__(self):
        self.counts: Counter[str] = Counter()  # by status
        self.reasons: Counter[str] = Counter()  # why photos failed
        self._numbers: Counter[str] = Counter()  # by kind, see _kinds
        self._first: dict[str, list[Record]] = {}

    def add(self, record: Record) -> None:
        """Count a record, and keep it if there is something to be said of it."""
        self.counts[record.status] += 1
        for kind in _kinds(record):
            self._numbers[kind] += 1
            if self._numbers[kind] <= _KEPT:
                self._first.setdefault(kind, []).append(record)
        if record.status == "failed":
            reason = record.error.removeprefix(f"{record.photo}: ")
            if reason in self.reasons or len(self.reasons) < _KEPT:
                self.reasons[reason] += 1

    def first(self, kind: str) -> list[Record]:
        """Return the first records of a kind."""
        return self._first.get(kind, [])

    def number(self, kind: str) -> int:
        """Return how many records of a kind there are."""
        return self._numbers[kind]

    def more(self, kind: str) -> int:
        """Return how many records of a kind there are besides the first."""
        return self._numbers[kind] - len(self.first(kind))


def summary(
    photos: Tally,
    clips: list[Record],
    output: str | Path,
    *,
    is_shard: bool = False,
    boxes: Sequence[str] = (),
) -> list[str]:
    """Return what became of the photos and clips, then a line for each that needs attention.

    ``boxes`` are the formats in which a shard's boxes are wanted, which only a merge writes.
    """
    where = printable(output)
    there = f"Pictures and manifest.csv are in {where}"
    if is_shard:
        merge = f"u2demo merge {where}"
        if boxes:
            merge += f" --boxes {','.join(boxes)}"
        there = f"Pictures are in {where}; when all shards are done: {merge}"
    of_clips = Tally()
    for clip in clips:
        of_clips.add(clip)
    said = [_count("photo", photos)] if photos.counts else []
    said += [_count("clip", of_clips)] if clips else []
    if not said:
        said = ["0 photos in this shard" if is_shard else _NOTHING]
    both = [photos, of_clips]
    return [
        f"{'; '.join(said)}. {there}",
        *_failed_lines(both),
        *_listed("unclear", both, lambda record: f"no clear subject: {printable(record.photo)}"),
        *_listed("renamed", both, _renamed),
        *_corrected_lines(photos),
        *_part_lines(both),
        *_clip_lines(clips),
        *_unused_lines(photos, clips),
        *_unread_lines(both),
    ]


def _kinds(record: Record) -> Iterator[str]:
    """Yield what is to be said of a record: in most cases nothing."""
    if record.status == "failed":
        yield "failed"
    elif record.status == "left out":
        yield "unread"
    if not record.clear and record.status != "failed":
        yield "unclear"
    if record.renamed and record.status == "done":
        yield "renamed"
    if record.corrections and record.status == "done":
        yield "corrected"
    if record.left_out and record.status != "failed":
        yield "partly"


def _count(kind: str, tally: Tally) -> str:
    number = tally.counts.total()
    said = ", ".join(f"{count:,} {status}" for status, count in tally.counts.items())
    return f"{counted(number, kind)}: {said}"


def _listed(kind: str, tallies: list[Tally], line: Callable[[Record], str]) -> list[str]:
    """Return a line for each of the first records of a kind, and one on how many more there are."""
    lines = [f"  {line(record)}" for tally in tallies for record in tally.first(kind)]
    return first_lines(lines, sum(tally.number(kind) for tally in tallies))


def first_lines(lines: Sequence[str], number: int) -> list[str]:
    """Return the first of ``lines``, and one on how many more there are, of ``number`` in all."""
    shown = list(lines[:_SHOWN])
    more = number - len(shown)
    if more:
        shown.append(f"  and {more:,} more like these, which manifest.csv lists")
    return shown


def _failed_lines(tallies: list[Tally]) -> list[str]:
    """Return a line for each photo and clip that failed; if they are many, one for each reason."""
    lines = _listed("failed", tallies, lambda record: f"failed: {printable(record.error)}")
    if len(lines) > _SHOWN:
        reasons = sum((tally.reasons for tally in tallies), Counter())
        often = [(why, number) for why, number in reasons.most_common(_SHOWN) if number > 1]
        lines += [f"  in all {number:,} failed: {printable(why)}" for why, number in often]
    return lines


def _renamed(record: Record) -> str:
    return "\n  ".join(
        f"{printable(old)} stays as it is: u2demo did not write it, or it was changed since;"
        f" the new picture is {printable(new)}"
        for old, new in record.renamed.items()
    )


def _corrected_lines(photos: Tally) -> list[str]:
    """Return a line that names the photos that are done with a person's corrections."""
    corrected = photos.first("corrected")
    if not corrected:
        return []
    names = [record.photo for record in corrected]
    shown = first_of(names, _SHOWN, total=photos.number("corrected"))
    return [f"  with the corrections beside them: {shown}"]


def _unused_lines(photos: Tally, clips: list[Record]) -> list[str]:
    """Return a line for each clip with corrections beside it, unless they are those of a photo."""
    used = {corrections_file(Path(record.photo)) for record in photos.first("corrected")}
    done = [record.photo for record in clips if record.status in _IS_DONE]
    beside = {clip: corrections_file(Path(clip)) for clip in done}
    return [
        f"  not used: {printable(file)}, for corrections are of photos, and {printable(clip)} is"
        " done as a clip"
        for clip, file in beside.items()
        if file and file not in used
    ]


def _clip_lines(clips: list[Record]) -> list[str]:
    """Return a line for each clip that is damaged, and one on animations."""
    lines = [
        f"  {printable(record.photo)}: {printable(record.damage)}; done as far as it goes"
        for record in clips
        if record.damage
    ]
    animations = [
        record.photo for record in clips if record.status in _IS_DONE and is_animation(record.photo)
    ]
    if animations:
        lines.append(
            f"  animations are done with all their frames: {first_of(animations, _SHOWN)};"
            " --first-frame takes the first only"
        )
    return lines


def _unread_lines(tallies: list[Tally]) -> list[str]:
    """Return a line for each reason why photos and clips are left out."""
    records = [record for tally in tallies for record in tally.first("unread")]
    return unread_lines(records, sum(tally.more("unread") for tally in tallies))


def _part_lines(tallies: list[Tally]) -> list[str]:
    """Return a line for each photo whose file held more than its pictures do, up to a number."""
    partly = [record for tally in tallies for record in tally.first("partly")]
    lines = [
        f"  {printable(record.photo)}: left out: {printable(', '.join(record.left_out))}"
        for record in partly[:_SHOWN]
    ]
    number = sum(tally.number("partly") for tally in tallies)
    if number > _SHOWN:
        lines.append(
            f"  parts of {counted(number - _SHOWN, 'more photo')} were left out;"
            " manifest.csv lists them as left_out"
        )
    return lines
