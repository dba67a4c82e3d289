"""a person's choice -> how pictures are saved: their format, quality, size and details."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import ipywidgets
from PIL import Image

from u2demo.images.rgb import as_rgb
from u2demo.machine.disk import at_free_name, write_new_file
from u2demo.machine.names import numbered, safe_name
from u2demo.masks.adjust import UNCHANGED, Edge
from u2demo.masks.corrections import SUFFIX
from u2demo.masks.mask import Mask
from u2demo.pipeline import Result
from u2demo.runs.save import save

_FORMATS = {  # title -> name, and whether it has a quality
    "JPEG, or PNG if transparent": ("auto", False),
    "JPEG": ("jpeg", True),
    "PNG": ("png", False),
    "WebP": ("webp", True),
}
_SIZES = {"Full size": None} | {f"At most {side} pixels": side for side in (2560, 1600, 1080, 640)}
_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Work(Result):
    """A result in the app: also how its mask's edge is changed, and what else is saved with it.

    ``extra`` has more files by their names, such as the corrections in "cat.strokes.json".
    ``is_clear`` is that of the photo. ``total`` is how many photos are saved together.
    """

    edge: Edge = UNCHANGED
    extra: Mapping[str, bytes] = field(default_factory=dict)
    is_clear: bool = True
    total: int = 1

    @property
    def adjusted(self) -> Mask:
        """The mask with its edge changed: what the pictures show."""
        return self.edge.apply(self.mask)


class Form(NamedTuple):
    """How pictures are saved; ``quality`` is for JPEG and WebP, ``longest`` the longer side."""

    format: str = "auto"
    quality: int | None = None
    longest: int | None = None
    metadata: str = "private"

    def shaped(self, picture: Image.Image) -> Image.Image:
        """Return ``picture`` as it is saved: made smaller, on white if JPEG cannot hold it."""
        scale = self.longest / max(picture.size) if self.longest else 1
        if scale < 1:
            size = tuple(max(1, round(side * scale)) for side in picture.size)
            picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        if self.format == "jpeg" and picture.mode != "RGB":
            picture = as_rgb(picture)
        return picture

    def save(self, result: Work, folder: Path) -> list[Path]:
        """Write the pictures of ``result`` into ``folder``, as ``save`` does, and its other files.

        The pictures come first.
        """
        pictures = {name: self.shaped(picture) for name, picture in result.pictures.items()}
        files = save(
            replace(result, pictures=pictures),
            folder,
            format="auto" if self.format == "jpeg" else self.format,
            metadata=self.metadata,
            quality=self.quality,
        )
        for name, data in result.extra.items():
            file = folder / safe_name(name)
            put = partial(write_new_file, data=data)
            files.append(at_free_name(file, put, suffix=_suffix_of(file)))
        return files


class FormChoice(ipywidgets.VBox):
    """Menus for a ``Form``, shown at a click: most people never need them."""

    def __init__(self):
        self._format = ipywidgets.Dropdown(options=list(_FORMATS), description="Format")
        self._quality = ipywidgets.IntSlider(
            value=_QUALITY, min=50, max=100, description="Quality", readout_format="d"
        )
        self._size = ipywidgets.Dropdown(options=list(_SIZES), description="Largest size")
        self._details = ipywidgets.Dropdown(
            options=[
                ("Author and dates", "private"),
                ("All, also camera and place", "keep"),
                ("None", "none"),
            ],
            description="Photo details to save",
        )
        self._more = ipywidgets.ToggleButton(
            description="Format and size", tooltip="Format, size and details of what is saved"
        )
        self._more.add_class("u2-rare")
        super().__init__([self._more, self._format, self._quality, self._size, self._details])
        self.add_class("u2-choice")
        for control in (self._more, self._format):
            control.observe(lambda _: self._arrange(), names="value")
        self._arrange()

    @property
    def form(self) -> Form:
        """What is chosen now."""
        name, has_quality = _FORMATS[self._format.value]
        quality = self._quality.value if has_quality else None
        return Form(name, quality, _SIZES[self._size.value], self._details.value)

    def _arrange(self) -> None:
        _, has_quality = _FORMATS[self._format.value]
        for menu in (self._format, self._quality, self._size, self._details):
            menu.layout.display = "" if self._more.value else "none"
        if not has_quality:
            self._quality.layout.display = "none"


def keep(file: Path, folder: Path) -> tuple[Path, bool]:
    """Copy ``file`` into ``folder``, which exists; return the copy, and whether it is a new one.

    It gets the next free name, unless one of those taken already is a file of the same content.
    """
    data = file.read_bytes()
    suffix = _suffix_of(file)
    for name in numbered(file.name, suffix=suffix):
        there = folder / name
        if not os.path.lexists(there):
            break
        if _holds(there, data):
            return there, False
    put = partial(write_new_file, data=data)
    return at_free_name(folder / file.name, put, suffix=suffix), True


def _suffix_of(file: Path) -> str:
    return SUFFIX if file.name.endswith(SUFFIX) else file.suffix


def _holds(file: Path, data: bytes) -> bool:
    try:
        return file.stat().st_size == len(data) and file.read_bytes() == data
    except OSError:  # not a file, or not ours to read
        return False
