"""course -> what came of it: scores before and after, a table, and pictures of the worst photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from u2demo.figures import image_row
from u2demo.training.course import Course
from u2demo.training.draw import shown
from u2demo.training.samples import Sample
from u2demo.training.scores import Answer, Score, mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDEST = 32  # characters of a name


class Row(NamedTuple):
    """A photo that was held out: what the old net found in it, and what the new one does."""

    sample: Sample
    before: Answer
    after: Answer


@dataclass(frozen=True)
class Report:
    """What a training has brought, on photos that it was not taught.

    ``rows`` are these photos, the worst after it first. ``left_out`` says by name why other photos
    were not used. ``leaves_one_out``: each photo was held out once, from a net taught the others.
    ``is_compared``: the training was not stopped before a new net was compared with the old one.
    """

    rows: tuple[Row, ...]
    taught: int  # photos
    steps: int  # of the net that was kept, 0 if that is the old one
    left_out: Mapping[str, str]
    leaves_one_out: bool
    is_compared: bool = True

    @property
    def before(self) -> Score:
        """The mean scores of the old net."""
        return mean([row.before for row in self.rows])

    @property
    def after(self) -> Score:
        """The mean scores of the net that was kept."""
        return mean([row.after for row in self.rows])

    @property
    def is_better(self) -> bool:
        """Whether the new net was better; if not, the old one stays."""
        return self.steps > 0

    def summary(self) -> str:
        """Return a sentence on what has changed."""
        if self.leaves_one_out:
            where = f"on {len(self.rows)} photos, each scored by a net that had not seen it"
        else:
            where = f"on {len(self.rows)} photos that it was not taught"
        if not (self.is_better or self.is_compared):
            return "Stopped before the new net could be compared, so the old one stays"
        if not self.is_better:
            return f"No better than the old net, which stays: IoU {self.before.iou:.3f} {where}"
        return f"Better: IoU {self.before.iou:.3f} before, {self.after.iou:.3f} after, {where}"

    def table(self, most: int = 12) -> str:
        """Return a line for each of the worst photos, then the means, then who was left out."""
        lines = [f"{'held out':{_WIDEST}}  IoU before  after  error before  after"]
        lines += [
            _line(row.sample.name, row.before.score, row.after.score) for row in self.rows[:most]
        ]
        if self.rows[most:]:
            lines.append(f"… and {len(self.rows) - most} more")
        lines.append(_line("mean", self.before, self.after))
        lines += [f"left out: {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)

    def figure(self, most: int = 3) -> "Figure":
        """Return a figure of the worst photos: what is meant, what was found before and after."""
        pictures = {}
        for row in self.rows[:most]:
            name = row.sample.name
            pictures[name] = shown(row.sample)
            pictures[f"{name}: truth"] = row.sample.truth()
            pictures[f"before: IoU {row.before.score.iou:.2f}, {name}"] = row.before.mask()
            pictures[f"after: IoU {row.after.score.iou:.2f}, {name}"] = row.after.mask()
        return image_row(pictures)


def report_on(course: Course, samples: Sequence[Sample], left_out: Mapping[str, str]) -> Report:
    """Return the report on a course that has been run, or stopped."""
    found = zip(course.held_out, course.before, course.after, strict=False)
    rows = sorted((Row(*each) for each in found), key=lambda row: row.after.score.iou)
    held_out = 0 if course.leaves_one_out else len(course.held_out)
    return Report(
        tuple(rows),
        taught=len(samples) - held_out,
        steps=0 if course.best is None else course.steps,
        left_out=dict(left_out),
        leaves_one_out=course.leaves_one_out,
        is_compared=course.is_compared,
    )


def _line(name: str, before: Score, after: Score) -> str:
    short = name if len(name) <= _WIDEST else f"{name[: _WIDEST - 1]}…"
    return (
        f"{short:{_WIDEST}}  {before.iou:10.3f}  {after.iou:5.3f}"
        f"  {before.error:12.3f}  {after.error:5.3f}"
    )
