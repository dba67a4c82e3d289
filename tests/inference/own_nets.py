"""Nets of somebody's own, without a single weight."""

import torch

MIDDLE = (0.2, 0.2, 0.8, 0.8)  # too large to be zoomed on
SMALL = (0.4, 0.4, 0.6, 0.6)


class Mine(torch.nn.Module):
    """A net that answers with a function of what it is shown, and keeps all of that in ``seen``."""

    def __init__(self, answer=lambda batch: (torch.zeros_like(batch[:, :1]),), *, wants=None):
        super().__init__()
        self.answer = answer
        self.seen = []
        if wants is not None:
            self.input = wants

    def forward(self, batch):
        self.seen.append(batch)
        return self.answer(batch)


def square(level, around=0.0, place=MIDDLE):
    """Return an answer: ``level`` in ``place``, in parts of the photo, and ``around`` it."""

    def answer(batch):
        height, width = batch.shape[2:]
        left, top, right, bottom = place
        saliency = torch.full((len(batch), 1, height, width), float(around))
        rows = slice(round(top * height), round(bottom * height))
        columns = slice(round(left * width), round(right * width))
        saliency[..., rows, columns] = level
        return (saliency,)

    return answer


def in_turn(*answers):
    """Return an answer that is another one at each look."""
    remaining = iter(answers)
    return lambda batch: next(remaining)(batch)
