"""photo -> photo and mask at the size at which a screen shows it, in parts."""

from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from u2demo.masks.box import Box
from u2demo.masks.mask import Mask
from u2demo.notebook.photo import Photo
from u2demo.notebook.preview import encode, encode_exactly, fit_mask
from u2demo.notebook.stage.correcting import Retouch, draw_objects

LOOKING = ("move", "place")  # tools that do not change the mask
MOST_PIXELS = 60_000_000  # of a photo that is drawn in full to show a part of it
_TINT = (196, 30, 74)  # of what is not kept, as on the page
_DENSITY = 158  # of the tint, 0 to 255


Part = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the photo


@dataclass(frozen=True)
class View:
    """What the page shows: a part of the photo, None for all, and screen pixels per photo pixel."""

    part: Part | None = None
    scale: float | None = None  # None: unknown yet


class Drawn(NamedTuple):
    """What a sheet shows in one version: both sides of the divider, and the mask of the photo."""

    version: int
    left: Image.Image
    picture: Image.Image
    mask: Mask


class Sheet:
    """A photo at ``scale``, at most 1, with what the net found there, prepared for corrections."""

    def __init__(self, photo: Photo, scale: float):
        self.scale = scale
        self._packed = photo.packed_mask
        image, found = photo.open_image(), photo.unpack_found()
        if scale < 1:
            size = tuple(max(1, round(side * scale)) for side in photo.size)
            image = image.resize(size, Image.Resampling.BOX, reducing_gap=3.0)
            found = fit_mask(found, size)
        self._retouch = Retouch(photo.model, image, found, photo.size)

    @property
    def image(self) -> Image.Image:
        """The photo, RGB or RGBA."""
        return self._retouch.image

    def fits(self, photo: Photo, scale: float) -> bool:
        """Whether this is a sheet of what the net found in ``photo``, at this scale."""
        return self._packed is photo.packed_mask and self.scale == scale

    def mask(self, photo: Photo) -> Mask:
        """Return the mask as the photo's history corrects it."""
        return self._retouch.mask(photo.history.now)


def sheet_scale(photo: Photo, view: View, world: tuple[int, int]) -> float | None:
    """Return at which scale the photo must be drawn for ``view``, None if its small copy will do.

    ``world`` is the size, in pixels of the photo, of what is on the stage: the photo or a part.
    """
    most = min(1.0, (MOST_PIXELS / (photo.size[0] * photo.size[1])) ** 0.5)
    wanted = min(most, view.scale or photo.scale * _room(photo, world))
    if wanted <= photo.scale * 1.1:
        return None
    is_whole = view.part is None or _covers(view.part, world)
    is_the_photo = world == photo.size
    return wanted if is_whole and is_the_photo else most


def _room(photo: Photo, world: tuple[int, int]) -> float:
    """Return how many times a part of the photo is enlarged to be as large as the photo."""
    return min(photo.size[0] / world[0], photo.size[1] / world[1])


def _covers(part: Part, world: tuple[int, int]) -> bool:
    left, top, right, bottom = part
    return left <= 0 and top <= 0 and right >= world[0] and bottom >= world[1]


def cut(picture: Image.Image, part: Part, world: tuple[int, int], scale: float) -> Image.Image:
    """Return a part of ``picture``, which shows ``world``, at the screen's ``scale`` or less."""
    across, down = picture.width / world[0], picture.height / world[1]
    left, top, right, bottom = part
    box = Box(round(left * across), round(top * down), round(right * across), round(bottom * down))
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    if size[0] >= box.width:
        return picture.crop(box)
    return picture.resize(size, Image.Resampling.BOX, box, reducing_gap=2.0)


def marks(photo: Photo, tool: str) -> dict[str, bytes]:
    """Return what a tool shows over ``photo``, encoded: a tint, and the objects to click."""
    if tool in LOOKING:
        return {}
    shown = {"shade": encode(shade(photo.small_mask))}
    if tool == "objects":
        shown["objects"] = encode_exactly(Image.fromarray(draw_objects(photo.small_found) * 8))
    return shown


def shade(mask: Mask) -> Image.Image:
    """Return a tint, RGBA, that covers what ``mask`` leaves out."""
    cover = Image.new("RGBA", mask.shape[::-1], _TINT)
    cover.putalpha(Image.fromarray(((1 - mask) * _DENSITY + 0.5).astype("uint8")))
    return cover
