"""photo with its mask -> the stage: big, zoomed, and corrected by hand."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import ipywidgets
from PIL import Image

from u2demo.effects.cutout import remove_background
from u2demo.masks.box import Box
from u2demo.masks.corrections import Corrections, from_json, to_json
from u2demo.masks.mask import Mask
from u2demo.notebook.callbacks import Debounced, guarded
from u2demo.notebook.correcting import (
    History,
    Retouch,
    corrections_name,
    count,
    draw_objects,
    stroke_of,
    toggle_object,
)
from u2demo.notebook.environment import environment
from u2demo.notebook.jobs import Job
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo
from u2demo.notebook.preview import encode, encode_exactly
from u2demo.notebook.stage_sheet import Sheet, View, cut, shade, sheet_scale
from u2demo.notebook.widgets import Compare

OnCorrected = Callable[[Photo, Photo], None]
Tell = Callable[[dict, Mapping[str, bytes]], None]

_REST = 0.15  # seconds without a change after which the stage is drawn with all its detail


class Stage(ipywidgets.Box):
    """A photo and what is made of it, as ``panel`` says: at once in small, then with all detail.

    With ``on_corrected`` there are tools to correct the mask: it gets the photo and the same one
    with another history, which it should put in its place. Without anywidget, the stage is a
    ``Compare``.
    """

    def __init__(self, panel: Panel, notes: Notes, on_corrected: OnCorrected | None = None):
        self._panel = panel
        self._on_corrected = on_corrected
        self.receive = guarded(self._receive, notes)
        self._page = _make_page(self.receive)
        super().__init__([self._page])
        self.add_class("u2-stage-box")
        self.pictures: dict[str, bytes] = {}  # encoded, by name: what the stage shows now
        self.told: dict = {}  # the page's last message of a whole photo
        self._listeners: list[Tell] = []
        if not isinstance(self._page, Compare):
            self._listeners.append(self._page.tell)
        self._photo: Photo | None = None
        self._shown: Image.Image | None = None
        self._number = 0  # of the photo on the stage, from 1
        self._version = 0  # of what is shown of it
        self._tool = "move"
        self._answered = 0
        self._said = ""
        self._view = View()
        self._retouch: tuple[bytes, Retouch] | None = None
        self._sheet: Sheet | None = None
        self._drawn: tuple[int, Image.Image, Mask] | None = None
        self._detail_soon = Debounced(self._draw_detail, seconds=_REST)

    def show(
        self, photo: Image.Image, picture: Image.Image | None = None, *, alone: bool = False
    ) -> None:
        """Show ``picture`` over ``photo``, or ``alone``, as when their sizes differ."""
        self.clear()
        self._put(photo, picture or photo, photo.size, alone=alone)

    def show_photo(self, photo: Photo) -> None:
        """Show a photo of the app with its result."""
        if self._photo is None or self._photo.source is not photo.source:
            self.clear()
        self._photo = photo
        picture, is_alone = self._draw(photo.small, photo.small_mask)
        scale = photo.small.width / photo.size[0]
        world = photo.size
        if is_alone:
            world = tuple(max(1, round(side / scale)) for side in picture.size)
        self._put(photo.small, picture, world, alone=is_alone)
        self._detail_soon()

    def clear(self) -> None:
        """Forget the photo, and all that was prepared for it; the page keeps its picture."""
        self._detail_soon.cancel()
        self._photo = self._retouch = self._sheet = self._drawn = None

    def listen(self, tell: Tell) -> None:
        """Tell another page, too, what is on the stage, from now on."""
        self._listeners.append(tell)

    # What is shown

    def _draw(self, image: Image.Image, mask: Mask) -> tuple[Image.Image, bool]:
        """Return what the panel makes of the photo, and whether that stands alone."""
        is_alone = self._panel.action.close
        if is_alone and self._tool != "move":  # strokes need the whole photo
            return remove_background(image, mask), False
        return self._panel.picture(image, mask), is_alone

    def _put(
        self, photo: Image.Image, picture: Image.Image, world: tuple[int, int], *, alone: bool
    ) -> None:
        """Show pictures of the whole photo, which has ``world`` (width, height) pixels in full."""
        alone = alone or picture.size != photo.size or picture is photo
        if isinstance(self._page, Compare):
            self._page.show(photo, picture, alone=alone)
        pictures = {"picture": encode(picture)}
        if photo is self._shown:
            pictures["photo"] = self.pictures["photo"]
        else:
            pictures["photo"] = encode(photo)
            self._number += 1
        has_new_photo, self._shown = photo is not self._shown, photo
        pictures |= self._marks()
        self.pictures = pictures
        self._version += 1
        self.told = {
            "kind": "show",
            "photo": str(self._number),
            "version": self._version,
            "size": list(world),
            "alone": alone,
            "clear": "RGBA" in (photo.mode, picture.mode),
            **self._state(),
        }
        sent = dict(pictures)
        if not has_new_photo:
            del sent["photo"]
        self._tell(self.told, sent)

    def _marks(self) -> dict[str, bytes]:
        """Return what a tool shows over the photo: a tint, and the objects to click."""
        photo = self._photo
        if photo is None or self._tool == "move":
            return {}
        marks = {"shade": encode(shade(photo.small_mask))}
        if self._tool == "objects":
            marks["objects"] = encode_exactly(Image.fromarray(draw_objects(photo.small_found) * 8))
        return marks

    def _state(self) -> dict:
        history = self._photo.history if self._photo else History()
        within = history.now.within
        said, self._said = self._said, ""
        return {
            "tools": self._photo is not None and self._on_corrected is not None,
            "canUndo": bool(history.past),
            "canRedo": bool(history.future),
            "count": count(history.now),
            "within": within and list(within),
            "answered": self._answered,
            "said": said,
        }

    def _tell(self, message: dict, pictures: Mapping[str, bytes]) -> None:
        for tell in self._listeners:
            tell(message, pictures)

    # Detail

    def _draw_detail(self) -> Job:
        """Show the part that the page shows, with as many pixels as it has on the screen."""
        photo, version, view = self._photo, self._version, self._view
        if photo is None or not self.told:
            return
        world = tuple(self.told["size"])
        scale = sheet_scale(photo, view, world)
        if scale is None:
            return
        if self._sheet is None or not self._sheet.fits(photo, scale):
            self._sheet = self._drawn = None
            yield
            self._sheet = Sheet(photo, scale)
            yield
        sheet = self._sheet
        if self._drawn is None or self._drawn[0] != version:
            mask = sheet.mask(photo)
            picture, _ = self._draw(sheet.image, mask)
            self._drawn = (version, picture, mask)
            yield
        self._send_detail(sheet, view, world)

    def _send_detail(self, sheet: Sheet, view: View, world: tuple[int, int]) -> None:
        _, picture, mask = self._drawn
        part = view.part or (0, 0, *world)
        pixels = view.scale or 1.0
        is_alone = self.told["alone"]
        if is_alone and isinstance(self._page, Compare):
            self._page.show(self._shown, picture, alone=True)
        pictures = {"picture": encode(cut(picture, part, world, pixels))}
        if not is_alone:
            pictures["photo"] = encode(cut(sheet.image, part, world, pixels))
        if self._tool != "move":
            pictures["shade"] = encode(cut(shade(mask), part, world, pixels))
        self.pictures |= {f"detail {name}": data for name, data in pictures.items()}
        message = {"kind": "detail", "photo": self.told["photo"], "version": self._version}
        self._tell({**message, "part": list(part)}, pictures)

    # What the page says

    def _receive(self, message: dict) -> None:
        kind = message["kind"]
        if kind == "ready":
            if self.told:
                self._tell(self.told, self._whole())
            return
        if kind == "view":
            self._view = View(tuple(message["part"]), message["scale"])
            self._detail_soon()
            return
        if self._photo is None or self._on_corrected is None:
            return
        if kind == "tool":
            self._tool = message["tool"]
            self.show_photo(self._photo)
        elif kind == "save":
            self._save()
        else:
            self._answered = message["number"]
            self._correct(message)

    def _whole(self) -> dict[str, bytes]:
        """Return the encoded pictures, by name, but for those of details."""
        return {
            name: data for name, data in self.pictures.items() if not name.startswith("detail ")
        }

    def _correct(self, message: dict) -> None:
        photo = self._photo
        try:
            history, said = self._follow(photo.history, message)
        except ValueError as error:  # of a file
            said = f"{message['name']}: {error}."
            self._tell({"kind": "say", "answered": self._answered, "said": said}, {})
            return
        number = count(history.now)
        many = "no corrections" if not number else f"{number} correction{'s' * (number > 1)}"
        self._said = f"{said} {many.capitalize()}."
        self._on_corrected(photo, photo.corrected(history, self._retouch_of(photo)))

    def _retouch_of(self, photo: Photo) -> Retouch:
        """Return the small photo, prepared; kept for as long as the net's mask is the same."""
        if self._retouch is None or self._retouch[0] is not photo.packed_mask:
            self._retouch = photo.packed_mask, photo.retouch()
        return self._retouch[1]

    def _follow(self, history: History, message: dict) -> tuple[History, str]:
        """Return the history after what the page says, and a sentence on it."""
        kind, now = message["kind"], history.now
        if kind == "stroke":
            stroke = stroke_of(message["points"], message["radius"], message["keep"])
            said = "Kept." if stroke.keep else "Erased."
            return history.say(replace(now, strokes=(*now.strokes, stroke))), said
        if kind == "box":
            box = Box(*(int(edge) for edge in message["box"]))
            return history.say(replace(now, within=box, objects=())), "Looking in the box."
        if kind == "object":
            return history.say(self._toggled(now, message["point"])), "Objects chosen."
        if kind == "load":
            return history.say(from_json(message["text"], self._photo.size)), "Loaded."
        if kind == "undo":
            return history.undo(), "Undone."
        if kind == "redo":
            return history.redo(), "Done again."
        return history.reset(), "Reset."

    def _toggled(self, now: Corrections, point: list[float]) -> Corrections:
        photo = self._photo
        scale = photo.small.width / photo.size[0]
        x, y = point
        return toggle_object(now, (float(x), float(y)), draw_objects(photo.small_found), scale)

    def _save(self) -> None:
        photo = self._photo
        text = to_json(photo.history.now, photo.size)
        self._tell({"kind": "file", "name": corrections_name(photo.name), "text": text}, {})


def _make_page(receive: Callable[[dict], None]) -> ipywidgets.Widget:
    if environment() == "colab":
        return Compare()
    try:
        from u2demo.notebook.stage_widget import StagePage  # needs anywidget, which is optional
    except ImportError:
        return Compare()
    return StagePage(receive)
