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

if TYPE_CHECKING:  # "as" tells type checkers that a name is public
    from u2demo import notebook as notebook
    from u2demo import portrait as portrait
    from u2demo.effects.cutout import blur_background as blur_background
    from u2demo.effects.cutout import crop as crop
    from u2demo.effects.cutout import draw_box as draw_box
    from u2demo.effects.cutout import highlight as highlight
    from u2demo.effects.cutout import remove_background as remove_background
    from u2demo.effects.cutout import replace_background as replace_background
    from u2demo.figures import image_row as image_row
    from u2demo.images.read import find_images as find_images
    from u2demo.images.read import open_image as open_image
    from u2demo.images.read import sample_images as sample_images
    from u2demo.inference.predict import predict_mask as predict_mask
    from u2demo.inference.predict import predict_masks as predict_masks
    from u2demo.masks.edges import refine_mask as refine_mask
    from u2demo.masks.mask import Box as Box
    from u2demo.masks.mask import bounding_box as bounding_box
    from u2demo.masks.mask import split_objects as split_objects
    from u2demo.masks.mask import threshold_mask as threshold_mask
    from u2demo.nets.load import load_model as load_model
    from u2demo.pipeline import EFFECTS as EFFECTS
    from u2demo.pipeline import process as process
    from u2demo.pipeline import save as save
    from u2demo.runs.run import process_folder as process_folder

__version__ = "0.1.0"

# Where each public name lives, in the order in which a newcomer meets them.
_HOME = {
    "load_model": "nets.load",
    "open_image": "images.read",
    "find_images": "images.read",
    "sample_images": "images.read",
    "predict_mask": "inference.predict",
    "predict_masks": "inference.predict",
    "Box": "masks.mask",
    "bounding_box": "masks.mask",
    "split_objects": "masks.mask",
    "threshold_mask": "masks.mask",
    "refine_mask": "masks.edges",
    "remove_background": "effects.cutout",
    "replace_background": "effects.cutout",
    "blur_background": "effects.cutout",
    "highlight": "effects.cutout",
    "draw_box": "effects.cutout",
    "crop": "effects.cutout",
    "image_row": "figures",
    "EFFECTS": "pipeline",
    "process": "pipeline",
    "save": "pipeline",
    "process_folder": "runs.run",
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
