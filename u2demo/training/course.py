"""(net, samples) -> a net that is better on photos that it was not taught, or the old one.

Some photos are held out, chosen by their content: the same ones in every run, and those that look
alike are all on one side. With too few photos for that, each is held out once: as many nets are
taught as there are photos, each scored on the one that it has not seen, and then one net is taught
all.
"""

import copy
import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from u2demo.training.alike import group_alike
from u2demo.training.checkpoint import Checkpoint
from u2demo.training.fit import Fit, Settings, for_inference
from u2demo.training.samples import Sample
from u2demo.training.scores import Answer, Score, answers, mean

_HELD_OUT = 0.15  # share of the photos
_FEWEST, _MOST = 5, 100  # photos held out
_CHECKS = 12  # of the held-out photos, in a whole training
_APART = 4  # steps between two checks, at least
_GAIN = 0.001  # of the mean IoU; tables show no less
_SPREAD = 0.025  # of a photo's IoU, from one check to another; of a mean it is chance
MIXES = 0.3, 0.6, 1.0  # shares of the new weights in a net that is kept, in the order of trial
_MIX = 0.6  # where no photos are held out from it to tell
_PATIENCE = 5  # checks in a row of nets that are not kept, after which it ends
_SAVED_EVERY = 60.0  # seconds


class Check(NamedTuple):
    """The mean loss since the last check, and the scores on the photos held out, at a step."""

    step: int
    loss: float
    iou: float
    error: float


class Progress(NamedTuple):
    """How far a training has come: what it is doing, and how much of that is done.

    ``loss`` is that of the last step, ``check`` the check that has just been made, and ``later``
    how many more steps the nets take that are taught after this one.
    """

    doing: str
    done: int
    total: int
    loss: float | None = None
    check: Check | None = None
    later: int = 0


class Round(NamedTuple):
    """The places of samples that a net is taught, and of those that it is scored on."""

    taught: list[int]
    held_out: list[int]


class Course:
    """A training with its checks, and what has come of it once it has been ``run``, or so far.

    ``best`` are the weights of the last net that was better than the old one and not clearly worse
    than another, or None. ``before`` and ``after`` are what the old net and the best one, or the
    old one again, find in ``held_out``. ``history`` has all checks. ``stop`` ends it with what has
    been learned so far; ``is_compared`` is whether that was enough to compare a new net with the
    old one. Until it ``is_complete``, ``run`` goes on with it.
    """

    def __init__(
        self,
        net: nn.Module,
        own: Sequence[Sample],
        other: Sequence[Sample],
        settings: Settings,
        checkpoint: Checkpoint | None = None,
    ):
        self.rounds = split(own)
        self.history: list[Check] = []
        self.best: dict[str, Tensor] | None = None
        self.before: list[Answer] = []
        self.steps = 0  # of the net that is the result
        self.is_compared = False
        self.settings = settings
        self._net, self._own, self._other = net, own, other
        self._checkpoint = checkpoint
        self._round = 0
        self._fit: Fit | None = None  # of this round, once it has begun
        self._found: list[Answer] = []  # in held_out: by the best net, or by each round's own
        self._losses: list[float] = []
        self._patience = 0
        self._is_stopped = False
        self._saved = time.monotonic()

    @property
    def leaves_one_out(self) -> bool:
        """Whether there are so few photos that each is held out once."""
        return len(self.rounds) > 1

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self._round == len(self.rounds)

    @property
    def held_out(self) -> list[Sample]:
        """The samples that scores are of, in the order of ``before``."""
        return [self._own[place] for each in self.rounds for place in each.held_out]

    @property
    def after(self) -> list[Answer]:
        """What the result finds in ``held_out``."""
        return self.before if self.best is None else self._found

    def stop(self) -> None:
        """End the training after the present step, checking what was learned, if anything."""
        self._is_stopped = True

    def discard_checkpoint(self) -> None:
        """Forget the training on disk: its result has been saved."""
        if self._checkpoint:
            self._checkpoint.discard()

    def run(self) -> Iterator[Progress]:
        """Do everything, or what is left of it; yield after each step.

        Raises:
            ValueError: the loss is no number any more, or the checkpoint is not of this training.
            OSError: the checkpoint cannot be written.
        """
        state = self._checkpoint.load() if self._checkpoint else None
        if state:
            self._load_state(state)
        else:
            yield from self._score_old()
        while not (self._is_stopped or self.is_complete):
            yield from self._teach(self.rounds[self._round], state)
            state = None
        self._is_stopped = False

    def _score_old(self) -> Iterator[Progress]:
        samples = self.held_out
        old = for_inference(self._net)
        for answer in answers(old, samples[len(self.before) :]):
            self.before.append(answer)
            yield Progress("scoring the old net", len(self.before), len(samples))
            if self._is_stopped:
                return

    def _teach(self, part: Round, state: dict | None) -> Iterator[Progress]:
        settings = self.settings
        if self._fit is None:
            own = [self._own[place] for place in part.taught]
            self._fit = Fit(copy.deepcopy(self._net), own, self._other, settings)
        fit = self._fit
        if state:
            fit.load_state(state["fit"])
        every = max(_APART, math.ceil(settings.steps / _CHECKS))
        while fit.done < settings.steps and self._patience < _PATIENCE:
            loss = fit.step()
            self._losses.append(loss)
            is_last = fit.done == settings.steps or self._is_stopped
            check = self._check(fit, part) if fit.done % every == 0 or is_last else None
            if not is_last and (check or time.monotonic() - self._saved > _SAVED_EVERY):
                self._save(fit)
            later = settings.steps * (len(self.rounds) - self._round - 1)
            yield Progress(self._doing(), fit.done, settings.steps, loss, check, later)
            if is_last and fit.done < settings.steps:  # stopped
                return
        self._conclude(fit, part)
        self._fit = None
        self._round += 1

    def _doing(self) -> str:
        if not self.leaves_one_out:
            return "learning"
        return f"learning, net {self._round + 1} of {len(self.rounds)}"

    def _check(self, fit: Fit, part: Round) -> Check:
        """Note how far the net has come, and keep it unless an earlier one was clearly better.

        The last nets have learned most. To choose the best of a dozen by a few photos would be to
        choose by chance.
        """
        loss = sum(self._losses) / len(self._losses)
        self._losses = []
        if self.leaves_one_out:
            check = Check(fit.done, loss, math.nan, math.nan)
        else:
            net, found = _best_mix(fit, [self._own[place] for place in part.held_out])
            check = Check(fit.done, loss, *mean(found))
            self.is_compared = True
            self._patience += 1
            best = max([each.iou for each in self.history], default=0.0)
            if is_better(mean(found), mean(self.before)) and check.iou > best - _chance(found):
                self._keep(net, fit.done, found)
                self._patience = 0
        if part is self.rounds[-1]:
            self.history.append(check)
        return check

    def _conclude(self, fit: Fit, part: Round) -> None:
        """Where each photo is held out once, note what the net of a round finds in its own.

        The last net, which is taught all photos, is kept if those before it were better.
        """
        if not self.leaves_one_out:
            return
        if part.held_out:
            held_out = [self._own[place] for place in part.held_out]
            self._found += answers(for_inference(fit.taught(_MIX)), held_out)
        else:
            self.is_compared = True
            if is_better(mean(self._found), mean(self.before)):
                self._keep(fit.taught(_MIX), fit.done, self._found)
        self._losses = []

    def _keep(self, net: nn.Module, steps: int, found: list[Answer]) -> None:
        self.best, self.steps, self._found = net.state_dict(), steps, found

    def _save(self, fit: Fit) -> None:
        if self._checkpoint is None:
            return
        self._checkpoint.save(
            {
                "round": self._round,
                "fit": fit.state(),
                "best": self.best,
                "steps": self.steps,
                "before": _packed(self.before),
                "found": _packed(self._found),
                "history": [tuple(check) for check in self.history],
                "losses": self._losses,
                "patience": self._patience,
            }
        )
        self._saved = time.monotonic()

    def _load_state(self, state: dict) -> None:
        device = next(self._net.parameters()).device
        self._round, self.steps = state["round"], state["steps"]
        if state["best"] is not None:
            self.best = {name: value.to(device) for name, value in state["best"].items()}
        self.before, self._found = _unpacked(state["before"]), _unpacked(state["found"])
        self.history = [Check(*check) for check in state["history"]]
        self._losses, self._patience = state["losses"], state["patience"]


def is_better(new: Score, old: Score) -> bool:
    """Return whether a net with the mean scores ``new`` may take the place of one with ``old``."""
    return new.iou - old.iou >= _GAIN


def split(samples: Sequence[Sample]) -> list[Round]:
    """Return the rounds in which samples are taught and held out, by the content of their photos.

    Photos that look alike count as one and are on one side, unless too few would be left.

    Raises:
        ValueError: there are fewer than two different photos: nothing could be held out.
    """
    places: dict[str, list[int]] = {}
    for place, sample in enumerate(samples):
        places.setdefault(sample.key, []).append(place)
    if len(places) < 2:
        raise ValueError(
            f"{len(places)} photo is too few: expected two that differ, better fifty, because the"
            " net is scored on photos that it was not taught"
        )
    is_few = len(places) < 2 * _FEWEST
    groups = group_alike({sample.key: sample.thumbnail for sample in samples})
    if len(groups) < (2 if is_few else 2 * _FEWEST):
        groups = [{key} for key in sorted(places)]
    if is_few:
        rounds = [_round(places, [group]) for group in groups]
        return [*rounds, Round(list(range(len(samples))), [])]
    count = min(_MOST, max(_FEWEST, round(_HELD_OUT * len(groups))))
    return [_round(places, groups[:count])]


def _round(places: dict[str, list[int]], held_out: Sequence[set[str]]) -> Round:
    """Return the round that holds out these groups of photos, and scores one of each."""
    keys = set().union(*held_out)
    taught = [place for key, own in places.items() if key not in keys for place in own]
    return Round(sorted(taught), sorted(places[min(group)][0] for group in held_out))


def _best_mix(fit: Fit, held_out: Sequence[Sample]) -> tuple[nn.Module, list[Answer]]:
    """Return a net and what it finds: the nearest to the old one that none is clearly better than.

    The nearer it is, the less it has forgotten. Where photos and masks are like nothing that the
    old net knows, what lies between is worse than the new one.
    """
    nearest, *farther = MIXES
    best = fit.taught(nearest)
    of_best = list(answers(for_inference(best), held_out))
    for mix in farther:
        net = fit.taught(mix)
        found = list(answers(for_inference(net), held_out))
        if mean(found).iou <= mean(of_best).iou + _chance(found):
            break
        best, of_best = net, found
    return best, of_best


def _chance(found: Sequence[Answer]) -> float:
    """Return by how much two nets' mean IoU may differ with neither being better."""
    return _SPREAD / math.sqrt(len(found))


def _packed(found: Sequence[Answer]) -> list[tuple]:
    return [(*answer.score, answer.png) for answer in found]


def _unpacked(packed: Sequence[tuple]) -> list[Answer]:
    return [Answer(Score(iou, error), png) for iou, error, png in packed]
