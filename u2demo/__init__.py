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

_HOME = {
    "weights": ("load_model",),
    "images": ("open_image", "find_images", "sample_images"),
    "inference": ("predict_mask", "predict_masks"),
    "masks": ("Box", "bounding_box", "split_objects", "threshold_mask"),
    "edges": ("refine_mask",),
    "effects": (
        "remove_background",
        "replace_background",
        "blur_background",
        "highlight",
        "draw_box",
        "crop",
    ),
    "figures": ("image_row",),
    "pipeline": ("EFFECTS", "process", "save"),
    "folder": ("process_folder",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
_SUBMODULES = {"notebook", "portrait"}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name in _MODULE_OF:
        return getattr(import_module(f"u2demo.{_MODULE_OF[name]}"), name)
    if name in _SUBMODULES:
        return import_module(f"u2demo.{name}")
    raise AttributeError(f"module 'u2demo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBMODULES, "__version__"])
