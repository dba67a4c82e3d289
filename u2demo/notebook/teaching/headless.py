"""source -> figures and files, for unattended runs."""

from typing import TYPE_CHECKING

from IPython.display import display

from u2demo.notebook.saving import results_folder
from u2demo.notebook.teaching.lesson import Lesson, Wish
from u2demo.notebook.teaching.saving import save_pair
from u2demo.notebook.teaching.source import Source

if TYPE_CHECKING:
    from torch import nn


def teach_and_save(source: Source) -> "nn.Module":
    """Teach the pairs, display the table and the worst photos, save the net, and return it."""
    lesson = Lesson(source, Wish())
    for steps in (lesson.read(), lesson.learn()):
        for _ in steps:
            pass
    report = lesson.trained.report
    print(f"{len(lesson.samples)} pairs {source.title}")
    print(report.table())
    print(report.summary())
    display(report.figure())
    if report.is_better:
        saved = save_pair(results_folder(), *lesson.weights())
        print(f"This run is unattended, so the net is {saved}")
    return lesson.trained.model
