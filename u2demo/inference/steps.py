"""(net, photo) -> what ``predict_mask`` does on its way: for those who want to see how."""

import numpy as np
import torch
from PIL import Image
from torch import nn

from u2demo.inference.predict import along_edges, enlarged, predict_raw, solid
from u2demo.inference.preprocess import input_of
from u2demo.inference.recipes import QUALITIES, View, suited
from u2demo.inference.views import MeanMap, add_up, run
from u2demo.masks.mask import Mask


@torch.inference_mode()
def mask_steps(model: nn.Module, image: Image.Image) -> dict[str, Mask]:
    """Return the steps of one look: {title: (H, W) float32 in [0, 1]}, in their order.

    All have the photo's size: the net's map with its pixels as squares, the same enlarged evenly,
    along the photo's edges, and made solid, which is what ``predict_mask`` returns for an opaque
    photo with a clear subject.
    """
    recipe, side = QUALITIES["fast"], input_of(model).side
    raw = Image.fromarray(predict_raw(model, image))
    photo = add_up(model, [image], recipe.views)[0]
    even = photo.mean()
    along = along_edges(even, photo.canvas, side)
    return {
        "the network's map": np.asarray(raw.resize(image.size, Image.Resampling.NEAREST)),
        "enlarged": enlarged(even.clamp(0, 1), image.size),
        "along edges": enlarged(along.clamp(0, 1), image.size),
        "made solid": solid(along, recipe.levels, image.size),
    }


@torch.inference_mode()
def view_maps(model: nn.Module, image: Image.Image) -> dict[str, Mask]:
    """Return the map of each view of the photo that quality "best" takes, and their mean.

    Maps are as the net gave them, (h, w) float32 in [0, 1]: upside down where it saw the photo so.
    The mean, of which the mask is made, is upright and has the size of a small copy of the photo.
    """
    views = suited(QUALITIES["best"].views, input_of(model))
    photo = MeanMap(image, input_of(model))
    maps = {}
    for view in views:
        area = photo.area(view)
        if area is None:
            continue
        saliency = run(model, photo.input_for(view, area))
        photo.add(view, area, saliency)
        maps[_title(view)] = saliency[0, 0].clamp(0, 1).numpy()
    maps["their mean"] = photo.mean()[0, 0].clamp(0, 1).numpy()
    return maps


def _title(view: View) -> str:
    words = {
        "upside down": view.upside_down,
        "mirrored": view.mirrored,
        "half squeezed": 0 < view.aspect < 1,
        "unsqueezed": view.aspect == 1,
        "smaller": view.scale < 1,
        "larger": view.scale > 1,
        "closer": view.zoomed,
    }
    return ", ".join(word for word, is_so in words.items() if is_so) or "as it is"
