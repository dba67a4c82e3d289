"""folders of photos and masks -> a net of your own."""

import copy
import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from u2demo import __version__
from u2demo.inference.preprocess import input_of
from u2demo.machine.disk import advise, discard_partial_files
from u2demo.machine.lock import Lock
from u2demo.machine.names import expand_home
from u2demo.machine.numbers import check_number
from u2demo.machine.paths import as_path
from u2demo.nets.checkpoints import CHECKPOINTS
from u2demo.nets.load import fetch_weights, load_model
from u2demo.nets.store import file_sha256
from u2demo.training.checkpoint import Checkpoint
from u2demo.training.course import Check, Course, Progress
from u2demo.training.files import unfinished_file
from u2demo.training.fit import Settings, for_inference
from u2demo.training.pairs import find_pairs
from u2demo.training.reading import check_samples, find_kept, read_kept, read_samples
from u2demo.training.report import Report, report_on
from u2demo.training.samples import Sample
from u2demo.training.saving import check_name, save_net

_FEWEST_STEPS, _STEPS_A_PHOTO, _MOST_STEPS = 300, 30, 3000
_BATCH = {"cuda": 16, "mps": 8}  # photos of 288x288; on a CPU 4
_CROP = 0.9  # of the net's side, as in the authors' training: 288 of 320


@dataclass(frozen=True, eq=False)
class Trained:
    """A net that was taught, or the old one if that stayed better.

    ``model`` is ready for ``predict_mask`` and all else. ``history`` are the checks on the way:
    step, loss, and the scores on the photos held out. ``report`` has the scores before and after,
    a table and a figure. ``file`` are its weights on disk, None if the old net stays.
    """

    model: nn.Module
    history: tuple[Check, ...]
    report: Report
    file: Path | None = None


@dataclass(frozen=True, eq=False)
class Start:
    """The net that is to be taught, and where its weights come from."""

    net: nn.Module
    name: str
    sha256: str

    @classmethod
    def load(
        cls, model: str = "u2netp", *, weights: str | Path | None = None, device: str | None = None
    ) -> "Start":
        """Return a published net, or the one in the file ``weights``."""
        known = [name for name, record in CHECKPOINTS.items() if record.makes == "mask"]
        if model not in known:
            raise ValueError(f"no net {model!r:.80} to teach, expected one of {', '.join(known)}")
        net = load_model(model, device=device, weights=weights, trainable=True)
        file = fetch_weights(model) if weights is None else expand_home(weights)
        return cls(net, model if weights is None else file.name, file_sha256(file))


def fine_tune(
    photos: str | Path,
    masks: str | Path,
    *,
    model: str = "u2netp",
    weights: str | Path | None = None,
    steps: int | None = None,
    results: str | Path = "mine.pth",
    keep: str | Path | None = None,
    rate: float = 1e-4,
    batch: int | None = None,
    side: int | None = None,
    seed: int = 0,
    gate: bool = True,
    device: str | None = None,
    report: Callable[[Progress], object] | None = None,
) -> Trained:
    """Teach a net what the masks of your photos show; return it if it is better than before.

    Photos and masks pair by name: the mask of ``cat.jpg`` is ``cat.png``, or what ``u2demo`` has
    saved of it, ``cat_mask.png`` or ``cat_cutout.png``. Photos that were corrected in the app, with
    ``cat.strokes.json`` beside them, need no mask. If both folders are the same, cut-outs count as
    photo and mask in one. Pairs that cannot be used are left out, with the reason, in
    ``Trained.report``.

    Some photos are held out by their content, 15 % and 5 at least; the scores are on those. With
    fewer than ten photos each is held out once, which teaches as many nets. The last of the nets
    on the way, unless an earlier one is clearly better, is written to ``results``, in the authors'
    layout, for ``load_model(weights=)``, and a JSON file beside it says where it comes from; if
    none is better than the old net, nothing is written and ``model`` is the old net. The same call
    resumes a training that was interrupted, and gives on a CPU, bit for bit, what it would have
    given undisturbed. Ctrl-C keeps the best so far.

    Args:
        photos: folder of photos, with its subfolders.
        masks: folder of their masks, black for background and white for the subject.
        model: the published net to start from, see ``load_model``.
        weights: a file to start from instead, such as one that was taught before.
        steps: batches that are learned; by default 30 for each photo, from 300 to 3,000. It ends
            earlier if the held-out photos get worse.
        results: the weights file to write, with the suffix .pth.
        keep: folder of other photos for which the net is to keep its present answers, those of
            quality="best"; by default the packaged ones. They are a quarter of what it is shown.
        rate: the highest learning rate.
        batch: photos in a step; by default 4 on a CPU, 8 on mps, 16 on an NVIDIA GPU; fewer for
            isnet.
        side: pixels of the squares that the net is shown; by default 0.9 of its own side. Smaller
            is faster but worse.
        seed: a different one gives a different, equally good run.
        gate: look for swapped folders, inverted masks and other mistakes first.
        device: "cpu", "cuda" or "mps"; by default the fastest available.
        report: called with a ``Progress`` after each photo read and each step.

    Raises:
        ValueError: the folders hold no pairs, or what looks like a mistake in them; ``results`` is
            there already; the training diverged.
        WeightsError: the weights cannot be had.
        OSError: the disk refuses a file; the training up to the last whole one stays.
        MemoryError: a GPU has too little for so large a batch.
    """
    photos, masks = as_path("photos", photos), as_path("masks", masks)
    target = as_path("results", results)
    say = report or (lambda progress: None)
    if not callable(say):
        raise TypeError(f"report is {report!r:.80}, expected a function that takes a Progress")
    _check_numbers(steps=steps, batch=batch, side=side, seed=seed, rate=rate)
    check_name(target)
    found = find_pairs(photos, masks)
    kept = None if keep is None else find_kept(as_path("keep", keep))
    lock = Lock(target.with_name(f".{target.name}.lock"))
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))  # its tensors cannot be taught
        with advise(target.absolute().parent):
            lock.acquire()
        stack.callback(lock.release)
        discard_partial_files(target.absolute().parent, shared=True)
        start = Start.load(model, weights=weights, device=device)
        samples, left_out = _finish(read_samples(found, start.net), say)
        if gate:
            _finish(check_samples(start.net, samples), say)
        other, unread = _finish(read_kept(start.net, samples, kept), say)
        settings = settings_for(
            start.net, len(samples), steps=steps, rate=rate, batch=batch, side=side, seed=seed
        )
        checkpoint = Checkpoint(target, plan_of(start, samples, other, settings))
        course = Course(start.net, samples, other, settings, checkpoint)
        return _carry_out(course, start, samples, {**unread, **left_out}, target, say)


def _carry_out(
    course: Course,
    start: Start,
    samples: Sequence[Sample],
    left_out: Mapping[str, str],
    target: Path,
    say: Callable[[Progress], object],
) -> Trained:
    def save() -> Path | None:
        if course.best is None:
            return None
        report = report_on(course, samples, left_out)
        save_net(target, course.best, facts_of(start, report, course, samples))
        return target

    try:
        for progress in course.run():
            say(progress)
    except BaseException as error:
        kept = None
        if unfinished_file(target).exists():  # or the same call would not replace the net
            with suppress(OSError, ValueError):  # the first error says more
                kept = save()
        if isinstance(error, ValueError) and kept:
            raise ValueError(f"{error}. The best net so far is in {kept}") from error
        raise
    file = save()
    course.discard_checkpoint()
    return trained(course, start, samples, left_out, file)


def trained(
    course: Course,
    start: Start,
    samples: Sequence[Sample],
    left_out: Mapping[str, str],
    file: Path | None = None,
) -> Trained:
    """Return what came of a course that was run, or stopped."""
    net = start.net
    if course.best is not None:
        net = copy.deepcopy(net)
        net.load_state_dict(course.best)
    model = for_inference(net)
    return Trained(model, tuple(course.history), report_on(course, samples, left_out), file)


def settings_for(
    net: nn.Module,
    count: int,
    *,
    steps: int | None = None,
    rate: float = 1e-4,
    batch: int | None = None,
    side: int | None = None,
    seed: int = 0,
) -> Settings:
    """Return how ``net`` is taught ``count`` photos, with the usual in place of each None."""
    own = input_of(net).side
    usual = int(_BATCH.get(next(net.parameters()).device.type, 4) * min(1, (320 / own) ** 2))
    return Settings(
        int(steps or min(_MOST_STEPS, max(_FEWEST_STEPS, _STEPS_A_PHOTO * count))),
        rate=float(rate),
        batch=int(batch or max(1, usual)),
        side=int(side or 32 * round(_CROP * own / 32)),
        seed=int(seed),
    )


def plan_of(
    start: Start, samples: Sequence[Sample], other: Sequence[Sample], settings: Settings
) -> str:
    """Return a text that differs between trainings that would give different nets."""
    plan = hashlib.sha256(json.dumps([start.sha256, asdict(settings)]).encode())
    for sample in (*samples, *other):
        plan.update(sample.photo)
        if not sample.is_soft:  # or it follows from the net, in digits that another GPU has not
            plan.update(sample.mask)
    return plan.hexdigest()


def facts_of(
    start: Start, report: Report, course: Course, samples: Sequence[Sample]
) -> dict[str, object]:
    """Return what is to be known of a taught net, for a JSON file."""
    return {
        "u2demo": __version__,
        "torch": torch.__version__,
        "from": {"weights": start.name, "sha256": start.sha256},
        "photos": len(samples),
        "photos taught": report.taught,
        "photos held out": [row.sample.name for row in report.rows],
        "each photo held out once": report.leaves_one_out,
        "steps": report.steps,
        "settings": asdict(course.settings),
        "before": report.before._asdict(),
        "after": report.after._asdict(),
        "left out": dict(report.left_out),
    }


def _finish(steps: Generator, say: Callable[[Progress], object]) -> object:
    """Take all steps and report each; return what the generator returns."""
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return end.value
        say(progress)


def _check_numbers(
    *, steps: object, batch: object, side: object, seed: object, rate: object
) -> None:
    check_number("rate", rate, expected="a learning rate such as 1e-4", least=1e-12, most=1.0)
    _check_whole("seed", seed, 0, 2**31)
    limits = {"steps": (steps, 1, 10**7), "batch": (batch, 1, 4096), "side": (side, 32, 4096)}
    for name, (value, least, most) in limits.items():
        if value is not None:
            _check_whole(name, value, least, most)


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    expected = f"a whole number from {least} to {most:,}"
    if check_number(name, value, expected=expected, least=least, most=most) % 1:
        raise ValueError(f"{name} is {value}, expected {expected}")
