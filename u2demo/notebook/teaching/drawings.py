"""samples, losses, report -> HTML: pairs, a curve, and photos before and after."""

import math
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from u2demo.masks.mask import Mask
from u2demo.notebook.notes import escape
from u2demo.notebook.preview import TILE, encode, fit

if TYPE_CHECKING:
    from u2demo.training.course import Check
    from u2demo.training.report import Report
    from u2demo.training.samples import Sample

_SHOWN = 12  # pairs
_WORST = 4  # photos before and after
_WIDTH, _HEIGHT = 600, 140  # of the curve
_FAINT = 0.4  # how much of a photo is left where its mask is black


def draw_pairs(samples: "Sequence[Sample]") -> str:
    """Return the first pairs: each photo, faint where it is background."""
    tiles = [_figure(sample.open()[0], sample.truth(), sample.name) for sample in samples[:_SHOWN]]
    return f'<div class="u2-pairs">{"".join(tiles)}</div>'


def draw_before_and_after(report: "Report") -> str:
    """Return the worst photos that were held out, as meant, as found before, and after."""
    from u2demo.training.draw import shown  # loads torch: the page comes first

    rows = []
    for row in report.rows[:_WORST]:
        photo = shown(row.sample)
        rows.append(_figure(photo, row.sample.truth(), f"{row.sample.name}, as meant"))
        for when, answer in (("before", row.before), ("after", row.after)):
            rows.append(_figure(photo, answer.mask(), f"{when}, IoU {answer.score.iou:.2f}"))
    return f'<div class="u2-rows">{"".join(rows)}</div>'


def draw_curve(losses: Sequence[float], history: "Sequence[Check]", steps: int) -> str:
    """Return a chart: the loss of each step as a line, and the IoU of each check as dots.

    The loss goes up to its highest value, the IoU from 0 to 1.
    """
    if not losses:
        return ""
    highest = max(losses)
    line = " ".join(
        f"{_across(step, steps):.1f},{_HEIGHT * (1 - loss / highest):.1f}"
        for step, loss in enumerate(losses, start=1)
    )
    scored = [check for check in history if not math.isnan(check.iou)]
    dots = "".join(
        f'<circle cx="{_across(check.step, steps):.1f}" cy="{_HEIGHT * (1 - check.iou):.1f}" r="4">'
        f"<title>step {check.step}: IoU {check.iou:.3f}</title></circle>"
        for check in scored
    )
    said = f"step {len(losses)} of {steps}, loss {losses[-1]:.2f}"
    if scored:
        said += f", IoU {scored[-1].iou:.3f} on the pairs held out"
    return (
        f'<figure class="u2-curve"><svg viewBox="-6 -8 {_WIDTH + 12} {_HEIGHT + 16}" role="img"'
        f' aria-label="{escape(said)}"><polyline points="{line}"/>{dots}</svg>'
        "<figcaption><b>—</b> loss (lower is better) &nbsp; <i>●</i> IoU (1 is perfect) &nbsp;"
        f" {escape(said)}</figcaption></figure>"
    )


def _across(step: int, steps: int) -> float:
    return _WIDTH * step / max(1, steps)


def _figure(photo: Image.Image, mask: Mask, caption: str) -> str:
    small = fit(photo, TILE)
    share = np.asarray(Image.fromarray(mask).resize(small.size, Image.Resampling.BILINEAR))
    light = (_FAINT + (1 - _FAINT) * share)[..., None]
    pixels = np.asarray(small, np.float32) * light + 255 * (1 - light)
    data = b64encode(encode(Image.fromarray(pixels.astype(np.uint8)))).decode()
    text = escape(caption)
    return (
        f'<figure><img src="data:image/webp;base64,{data}" alt="{text}">'
        f"<figcaption>{text}</figcaption></figure>"
    )
