"""(net, photos) -> figures and files, for unattended runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from IPython.display import display
from PIL import Image

from u2demo.figures import image_row
from u2demo.notebook.photo import left_out
from u2demo.notebook.saving import results_folder
from u2demo.pipeline import process
from u2demo.runs.save import save

if TYPE_CHECKING:
    from torch import nn


def show_and_save(model: "nn.Module", photos: Mapping[str, Image.Image]) -> None:
    """Display a row of pictures for each photo, and save the default results."""
    for result in process(model, photos.items()):
        display(image_row({"photo": result.image, "mask": result.mask, **result.pictures}))
        save(result, results_folder())
        if left_out(result.image):
            print(f"{result.name}: {left_out(result.image)}")
    print(f"This run is unattended, so the results are in {results_folder().resolve()}")
