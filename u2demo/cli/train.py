"""argv -> a net of your own: ``u2demo train PHOTOS MASKS -o mine.pth``."""

import argparse
import io
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from u2demo.cli.terminal import carry_out, duration, printable, say, sentence
from u2demo.cli.values import path, place
from u2demo.machine.disk import at_free_name, write_new_file
from u2demo.nets.checkpoints import CHECKPOINTS
from u2demo.training.files import unfinished_file, worst_file

if TYPE_CHECKING:
    from u2demo.training.course import Progress
    from u2demo.training.teach import Trained

_USAGE = """u2demo train [-h] [options] PHOTOS MASKS [-o mine.pth]
for a folder of photos called train: u2demo ./train"""
_EPILOG = """The mask of cat.jpg is called cat.png, cat_mask.png or cat_cutout.png: white is
the subject, black the background; for a cut-out, its alpha counts. Photos with
the app's corrections next to them, cat.strokes.json, need no mask. If PHOTOS
and MASKS are the same folder, cut-outs count as both.

Some photos are held out and never taught; mine.pth is written only if the new
net scores better on them; a perfect mask has an IoU of 1 and an error of 0.
mine.json says where it comes from and how good it is; mine_worst.png shows the
worst of them before and after. Use it as
  u2demo photos --weights mine.pth
The same command resumes a training that was stopped.
Exit code: 0; 1 if the net did not get better, something failed or was not
found, or an option does not fit; 2 if the command line cannot be parsed;
128 + N if signal N stopped it."""
_EVERY = 10  # seconds between two lines


def main(argv: list[str]) -> int:
    """Run ``u2demo train`` and return its exit code."""
    options = _parse(argv)
    return carry_out(partial(_train, options), partial(_what_is_left, options.output))


def _train(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Return the lines of the summary, and whether a better net was saved."""
    trained = _teach(options)
    report = trained.report
    lines = [printable(line) for line in report.table().splitlines()]
    lines.append(printable(report.summary()))
    if trained.file:
        lines.append(f"{printable(trained.file)}; use it with --weights {printable(trained.file)}")
    return lines, trained.file is not None


def _what_is_left(net: Path) -> str:
    """Return what a training that was stopped has left on disk, as the end of a sentence."""
    if not unfinished_file(net).exists():
        if net.exists():  # the picture of the worst photos takes a second
            return f"; the training is complete, and its net is {printable(net)}"
        return " before anything was saved; the same command begins anew"
    kept = f"; the best net so far is {printable(net)}" if net.exists() else ""
    return f"; the same command goes on{kept}"


def _teach(options: argparse.Namespace) -> "Trained":
    from u2demo.training.teach import fine_tune  # imports torch: a second, not needed for help

    trained = fine_tune(
        options.photos,
        options.masks,
        model=options.model,
        weights=options.weights,
        steps=options.steps,
        results=options.output,
        keep=options.keep,
        rate=options.rate,
        batch=options.batch,
        side=options.side,
        seed=options.seed,
        gate=options.gate,
        device=options.device,
        report=TrainingLines().report,
    )
    if trained.file:
        try:
            _save_worst(trained)
        except OSError as error:  # the net itself is saved
            say(f"no picture of the worst photos: {sentence(error)}", sys.stderr)
    return trained


def _save_worst(trained: "Trained") -> None:
    """Write a picture of the worst photos beside the net, under a free name."""
    file = io.BytesIO()
    trained.report.figure().savefig(file, format="png")
    at_free_name(worst_file(trained.file), partial(write_new_file, data=file.getvalue()))


class TrainingLines:
    """How far a training has come, its loss and scores, and time left: a line now and then."""

    def __init__(
        self,
        show: Callable[[str], object] = lambda said: say(said, sys.stderr),
        clock: Callable[[], float] = time.monotonic,
    ):
        self._show, self._clock = show, clock
        self._doing = ""
        self._first, self._began, self._said = 0, clock(), clock()

    def report(self, progress: "Progress") -> None:
        """Show a line if something new begins, a check has been made, or the last line is old."""
        now = self._clock()
        if progress.doing != self._doing:
            self._doing, self._first, self._began = progress.doing, progress.done, now
        elif not progress.check and now - self._said < _EVERY:
            return
        self._said = now
        said = f"{progress.doing}, {progress.done:,} of {progress.total:,}"
        if progress.loss is not None:
            said += f", loss {progress.loss:.2f}"
        if progress.check and not math.isnan(progress.check.iou):
            said += f", IoU {progress.check.iou:.3f} on the photos held out"
        done = progress.done - self._first
        if done >= 3:  # the first steps take longer than those that follow
            steps = progress.total - progress.done + progress.later
            left = steps * (now - self._began) / done
            said += f", {duration(left)} left"
        self._show(said)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="u2demo train",
        usage=_USAGE,  # also shown when a folder of this name was meant
        description="Teach a net what the masks of your photos show.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", type=place, metavar="PHOTOS", help="folder of photos")
    parser.add_argument("masks", type=place, metavar="MASKS", help="folder of their masks")
    parser.add_argument(
        "-o",
        "--output",
        type=path,
        default=Path("mine.pth"),
        metavar="FILE",
        help="the weights file to write (default: mine.pth)",
    )
    _add_net(parser)
    _add_training(parser)
    return parser.parse_args(argv)


def _add_net(parser: argparse.ArgumentParser) -> None:
    nets = [name for name, record in CHECKPOINTS.items() if record.makes == "mask"]
    parser.add_argument(
        "--model", choices=nets, default="u2netp", help="the net to start from (default: u2netp)"
    )
    parser.add_argument(
        "--weights",
        type=path,
        metavar="FILE",
        help="weights to start from instead, such as those of a net taught before",
    )
    parser.add_argument("--device", help="cpu, cuda or mps (default: the fastest available)")


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keep",
        type=place,
        metavar="FOLDER",
        help="other photos, without masks, for which the net is to keep its present answers"
        " (default: the packaged ones)",
    )
    parser.add_argument(
        "--no-gate",
        action="store_false",
        dest="gate",
        help="do not look for swapped folders, inverted masks and the like",
    )
    for name, (kind, default, metavar, text) in _TRAINING.items():
        parser.add_argument(f"--{name}", type=kind, default=default, metavar=metavar, help=text)


# Numbers of a training, in the words of ``fine_tune``: type, default, name of the value, help.
_TRAINING = {
    "steps": (int, None, "N", "batches to learn (default: 30 a photo, from 300 to 3,000)"),
    "rate": (float, 1e-4, "RATE", "the highest learning rate (default: 1e-4)"),
    "batch": (int, None, "N", "photos per step (default: 4 on a CPU, 8 on mps, 16 on an NVIDIA"
              " GPU; fewer for isnet)"),
    "side": (int, None, "PIXELS", "side of the squares that the net is shown (default: 0.9 of its"
             " own; smaller is faster but worse)"),
    "seed": (int, 0, "N", "random seed; no value is better than another"),
}  # fmt: skip
