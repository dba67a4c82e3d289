"""a hand on the stage -> where the subject, or the photo behind it, is put, and how large.

All points and ways are in pixels of a picture of ``size``, (width, height).
"""

from collections.abc import Mapping
from dataclasses import replace

from PIL import Image

from u2demo.masks.mask import Mask
from u2demo.masks.strokes import Point, Size
from u2demo.notebook.actions import Settings
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo

SUBJECT, SCENE = "subject", "scene"  # what a hand can hold
_SUBJECT_ZOOMS = (0.1, 4.0)
_SCENE_ZOOMS = (1.0, 4.0)


class Hand:
    """A hand on the stage that moves and scales what ``panel`` puts there."""

    def __init__(self, panel: Panel):
        self._panel = panel
        self._held = SUBJECT
        self._exact: Settings | None = None  # what sliders have only in steps
        self._told: Settings | None = None

    def move(self, photo: Photo, message: dict) -> None:
        """Do what the page says of ``photo``: a way "by", or a "factor", of what is "at" a point.

        The "first" message of several takes hold of what is there; keys say what they "hold".
        """
        settings, (x, y) = self._settings(), message["at"]
        if message["first"]:
            at = (x * photo.scale, y * photo.scale)
            self._held = held_at(photo.small, photo.small_mask, settings, at)
        if message["hold"] or self._panel.toolbar.value != "scene":  # no photo to hold
            self._held = SUBJECT
        if message["factor"] != 1:
            changes = scaled(settings, self._held, message["factor"], (x, y), photo.size)
        else:
            changes = shifted(settings, self._held, tuple(message["by"]), photo.size)
        self._panel.change(changes)
        self._exact, self._told = replace(settings, **changes), self._panel.settings

    def _settings(self) -> Settings:
        """Return what the sliders say, or more exactly, if nobody has changed them since."""
        now = self._panel.settings
        return self._exact if self._told and now.is_like(self._told) else now


def held_at(image: Image.Image, mask: Mask, settings: Settings, point: Point) -> str:
    """Return what is at ``point``: the subject, or the photo behind it, if there is one."""
    if settings.scene is None:
        return SUBJECT
    _, moved = settings.moved(image, mask)
    height, width = moved.shape
    column, row = (int(side) for side in point)
    is_inside = 0 <= column < width and 0 <= row < height
    return SUBJECT if is_inside and moved[row, column] > 0.5 else SCENE


def shifted(settings: Settings, held: str, way: Point, size: Size) -> Mapping[str, float]:
    """Return what changes of ``settings`` when the thing held is moved by ``way``."""
    if held == SUBJECT:
        return {
            "subject_across": _within(settings.subject_across + way[0] / size[0], -1.0, 1.0),
            "subject_down": _within(settings.subject_down + way[1] / size[1], -1.0, 1.0),
        }
    across, down = _room(settings, size)
    return {
        "across": _within(settings.across - 2 * way[0] / across, -1.0, 1.0) if across else 0.0,
        "down": _within(settings.down - 2 * way[1] / down, -1.0, 1.0) if down else 0.0,
    }


def scaled(
    settings: Settings, held: str, factor: float, point: Point, size: Size
) -> Mapping[str, float]:
    """Return what changes when the thing held gets ``factor`` times larger.

    What of the subject is at ``point`` stays there; the photo behind keeps its middle.
    """
    if held == SCENE:
        return {"zoom": _within(settings.zoom * factor, *_SCENE_ZOOMS)}
    zoom = _within(settings.subject_zoom * factor, *_SUBJECT_ZOOMS)
    grown = zoom / settings.subject_zoom
    places = {}
    for name, at, length in zip(("subject_across", "subject_down"), point, size, strict=True):
        from_middle = at / length - 0.5
        moved = from_middle - (from_middle - getattr(settings, name)) * grown
        places[name] = _within(moved, -1.0, 1.0)
    return {"subject_zoom": zoom, **places}


def _room(settings: Settings, size: Size) -> Point:
    """Return how many pixels wider and higher than the picture the photo behind it is."""
    wide, high = settings.scene.photo.size
    scale = max(size[0] / wide, size[1] / high) * settings.zoom
    return tuple(
        room if (room := round(side * scale - length, 3)) > 0 else 0.0
        for side, length in zip((wide, high), size, strict=True)
    )


def _within(value: float, least: float, most: float) -> float:
    return min(most, max(least, value))
