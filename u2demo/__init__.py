"""Find the subject of a photo with U²-Net, then cut it out, box, crop or highlight it.

    import u2demo as u2

    model = u2.load_model()
    image = u2.open_image("cat.jpeg")
    mask = u2.predict_mask(model, image)
    u2.remove_background(image, mask).save("cat.png")

Names are imported when first used: ``import u2demo`` itself loads neither torch nor Pillow.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from u2demo.edges import refine_mask
    from u2demo.effects import (
        blur_background,
        crop,
        draw_box,
        highlight,
        remove_background,
        replace_background,
    )
    from u2demo.figures import image_row
    from u2demo.folder import process_folder
    from u2demo.images import find_images, open_image, sample_images
    from u2demo.inference import predict_mask, predict_masks
    from u2demo.masks import Box, bounding_box, split_objects, threshold_mask
    from u2demo.pipeline import EFFECTS, process, save
    from u2demo.weights import load_model

__version__ = "0.1.0"

# Where each public name lives, in the order in which a newcomer meets them.
_HOME = {
    "load_model": "weights",
    "open_image": "images",
    "find_images": "images",
    "sample_images": "images",
    "predict_mask": "inference",
    "predict_masks": "inference",
    "Box": "masks",
    "bounding_box": "masks",
    "split_objects": "masks",
    "threshold_mask": "masks",
    "refine_mask": "edges",
    "remove_background": "effects",
    "replace_background": "effects",
    "blur_background": "effects",
    "highlight": "effects",
    "draw_box": "effects",
    "crop": "effects",
    "image_row": "figures",
    "EFFECTS": "pipeline",
    "process": "pipeline",
    "save": "pipeline",
    "process_folder": "folder",
}
_SUBMODULES = {"notebook", "portrait"}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"u2demo.{_HOME[name]}"), name)
    if name in _SUBMODULES:
        return import_module(f"u2demo.{name}")
    raise AttributeError(f"module 'u2demo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBMODULES, "__version__"])
