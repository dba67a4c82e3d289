"""(net, clip) -> figures and a file, for unattended runs."""

from contextlib import closing
from typing import TYPE_CHECKING

from IPython.display import display

from u2demo.effects.cutout import remove_background
from u2demo.figures import image_row
from u2demo.notebook.clips.making import Way, stills
from u2demo.notebook.clips.source import Source, reason_of
from u2demo.notebook.saving import results_folder
from u2demo.video.clip import Clip
from u2demo.video.read import open_video
from u2demo.video.run import process_video

if TYPE_CHECKING:
    from torch import nn


def show_and_save_clip(model: "nn.Module", source: Source) -> None:
    """Display three frames of a clip with their cut-outs, save the clip's cut-out, and close it.

    Where PyAV is missing, or too old, say how to install it instead.
    """
    with closing(source):
        try:
            clip = open_video(source.path)
        except ModuleNotFoundError as error:
            print(reason_of(error, source))
            return
        _show_and_save(model, clip, source)


def _show_and_save(model: "nn.Module", clip: Clip, source: Source) -> None:
    for photo in stills(clip, model, Way("own", "fast")):
        image, mask = photo.open_image(), photo.unpack_mask()
        pictures = {"mask": mask, "cutout": remove_background(image, mask)}
        display(image_row({f"{source.name} at {photo.name}": image, **pictures}))
    record = process_video(
        model, source.path, results_folder(), effects={"cutout": remove_background}
    )
    where = results_folder().resolve()
    print(f"This run is unattended, so {', '.join(record.files)} is in {where}")
