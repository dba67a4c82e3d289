"""photo with its mask -> the stage: big, zoomed, and corrected by hand."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import ipywidgets
from PIL import Image

from u2demo.effects.cutout import remove_background
from u2demo.masks.corrections import to_json
from u2demo.masks.mask import Mask
from u2demo.notebook import callbacks
from u2demo.notebook.actions import PLACE
from u2demo.notebook.environment import environment
from u2demo.notebook.jobs import Job
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.photo import Photo
from u2demo.notebook.placing import Hand
from u2demo.notebook.preview import STAGE, encode, fit
from u2demo.notebook.stage.colab import ByHand, Tell
from u2demo.notebook.stage.correcting import Retouch, corrections_name
from u2demo.notebook.stage.messages import describe, follow
from u2demo.notebook.stage.sheet import LOOKING, Drawn, Sheet, View, cut, marks, shade, sheet_scale
from u2demo.notebook.widgets import Compare

if TYPE_CHECKING:
    from u2demo.notebook.stage.page import StagePage

OnCorrected = Callable[[Photo, Photo], None]
Names = Callable[[], Iterable[str]]

_PATIENCE = 15.0  # seconds in which Colab's page should have opened
_REST = 0.15  # seconds without a change after which the stage is drawn with all its detail


class Stage(ipywidgets.Box):
    """A photo and what is made of it, as ``panel`` says: at once in small, then with all detail.

    With ``on_corrected`` there are tools to correct the mask: it gets the photo and the same one
    with another history, which it should put in its place; ``finish`` does at once what follows
    from that for the photo. ``names`` returns those of all photos. Without anywidget, the stage is
    a ``Compare``.
    """

    def __init__(self, panel: Panel, notes: Notes, on_corrected: OnCorrected | None, names: Names):
        self._panel = panel
        self._on_corrected = on_corrected
        self._names = names
        self.finish: Callable[[], None] = lambda: None
        self._notes = notes
        self._page = _make_page(callbacks.guarded(self._receive, notes))
        # Colab may refuse the page, and says so by silence.
        has_plain = self._page is None or environment() == "colab"
        self._plain = Compare() if has_plain else None
        super().__init__([each for each in (self._plain, self._page) if each])
        self.add_class("u2-stage-box")
        self.pictures: dict[str, bytes] = {}  # encoded, by name: what the stage shows now
        self.told: dict = {}  # the page's last message of a whole photo
        self._listeners: list[Tell] = [self._page.tell] if self._page else []
        self._photo: Photo | None = None
        self._beside: Photo | None = None
        self._shown: Image.Image | None = None
        self._number = 0  # of the photo on the stage, from 1
        self._version = 0  # of what is shown of it
        self._tool = "move"
        self._hand = Hand(panel)
        self._answered = 0  # the number of the last message that was done
        self._said = ""  # what that did, in words, until the page is told
        self._view = View()
        self._retouches: dict[str, tuple[bytes, Retouch]] = {}  # by the quality that found the mask
        self._sheet: Sheet | None = None
        self._sheet_beside: Sheet | None = None
        self._drawn: Drawn | None = None
        self._detailed: tuple[int, View] | None = None  # of which version a view has its detail
        self._detail_soon = callbacks.Debounced(self._draw_detail, seconds=_REST)
        self._patience: asyncio.Handle | None = None
        if environment() == "colab":
            self._wait_for_page()

    def show(
        self, photo: Image.Image, picture: Image.Image | None = None, *, alone: bool = False
    ) -> None:
        """Show ``picture`` over ``photo``, or ``alone``, as when their sizes differ."""
        self.clear()
        self._number += 1
        self._put(photo, picture or photo, photo.size, alone=alone)

    def show_photo(self, photo: Photo, beside: Photo | None = None) -> None:
        """Show a photo of the app with its result, or with ``beside``: its results both ways.

        ``beside`` is the same photo, found with the other quality; it is corrected as ``photo`` is.
        """
        if not photo.is_same(self._photo):
            self.clear()
            self._number += 1
        self._photo, self._beside = photo, beside
        picture, is_alone = self._draw(photo.small, photo.small_mask)
        world = photo.size
        if is_alone:
            world = tuple(max(1, round(side / photo.scale)) for side in picture.size)
        left = photo.small
        if self._compares:
            other, _ = self._draw(beside.small, self._retouch_of(beside).mask(photo.history.now))
            left, picture = self._in_order(picture, other)
        self._put(left, picture, world, alone=is_alone)
        self._detail_soon()

    @property
    def _compares(self) -> bool:
        """Whether both sides of the divider are results; strokes need the photo itself."""
        return self._beside is not None and self._tool in LOOKING

    def _in_order(self, one: Image.Image, other: Image.Image) -> tuple[Image.Image, Image.Image]:
        """Return the pictures of the photo and of the one beside it as they stand, Fast first."""
        return (one, other) if self._photo.quality == "fast" else (other, one)

    def clear(self) -> None:
        """Forget the photo, and all that was prepared for it; the page keeps its picture."""
        self._detail_soon.cancel()
        self._photo = self._beside = None
        self._retouches = {}
        self._sheet = self._sheet_beside = self._drawn = None

    def close(self) -> None:
        """Forget all, and leave the page."""
        self.clear()
        if self._patience:
            self._patience.cancel()
        super().close()

    def listen(self, tell: Tell) -> Callable[[], None]:
        """Tell another page, too, what is on the stage, until the function returned is called."""
        self._listeners.append(tell)
        return lambda: self._listeners.remove(tell)

    def _wait_for_page(self) -> None:
        """In Colab: if the page stays silent, offer one by Colab's own means."""
        loop = callbacks.running_loop()
        if loop and self._page:
            self._patience = loop.call_later(_PATIENCE, self._give_up_page)
        else:
            self._give_up_page()

    def _give_up_page(self) -> None:
        if self._plain.layout.display == "none":  # the page is there
            return
        if self._page:
            self._listeners.remove(self._page.tell)
            self._page.close()
            self._page = None
        can_correct = self._on_corrected is not None
        by_hand = [ByHand(self.listen, self._answer_all, self._notes)] if can_correct else []
        self.children = [self._plain, *by_hand]

    def _answer_all(self, message: dict) -> None:
        """Do now all that follows for the photo from what a page says: it waits for that."""
        self._receive(message)
        self.finish()
        self._detail_soon.cancel()
        for _ in self._draw_detail():
            pass

    # What is shown

    def _draw(self, image: Image.Image, mask: Mask) -> tuple[Image.Image, bool]:
        """Return what the panel makes of the photo, and whether that stands alone."""
        is_alone = self._panel.action.close
        if is_alone and (self._tool not in LOOKING or self._compares):  # they need the whole photo
            return remove_background(image, mask), False
        return self._panel.picture(image, mask), is_alone

    def _put(
        self, left: Image.Image, picture: Image.Image, world: tuple[int, int], *, alone: bool
    ) -> None:
        """Show pictures of the whole photo, which has ``world`` (width, height) pixels in full.

        ``left`` is the photo, or what ``picture`` is compared with.
        """
        alone = alone or picture.size != left.size or picture is left
        if self._plain:
            self._plain.show(left, picture, alone=alone)
        has_new_photo = left is not self._shown
        photo = encode(left) if has_new_photo else self.pictures["photo"]
        pictures = {"picture": encode(picture), "photo": photo}
        self._shown = left
        if self._photo:
            pictures |= marks(self._photo, self._tool)
        self.pictures = pictures
        self._version += 1
        self.told = {
            "kind": "show",
            "photo": str(self._number),
            "version": self._version,
            "size": list(world),
            "alone": alone,
            "clear": "RGBA" in (left.mode, picture.mode),
            "sides": ["Fast", "Best"] if self._compares else None,
            **self._state(),
        }
        self._said = ""
        sent = dict(pictures)
        if not has_new_photo:
            del sent["photo"]
        self._tell(self.told, sent)

    def _state(self) -> dict:
        return {
            "tools": self._photo is not None and self._on_corrected is not None,
            "effect": self._panel.toolbar.value,
            "places": PLACE[0] in self._panel.action.controls,
            "answered": self._answered,
            "said": self._said,
            **(describe(self._photo) if self._photo else {}),
        }

    def _tell(self, message: dict, pictures: Mapping[str, bytes]) -> None:
        for tell in self._listeners:
            tell(message, pictures)

    # Detail

    def _draw_detail(self) -> Job:
        """Show the part that the page shows, with as many pixels as it has on the screen."""
        photo, version, view = self._photo, self._version, self._view
        if photo is None or not self.told or self._detailed == (version, view):
            return
        world = tuple(self.told["size"])
        scale = sheet_scale(photo, view, world)
        if scale is None:
            return
        if self._sheet is None or not self._sheet.fits(photo, scale):
            self._sheet = self._sheet_beside = self._drawn = None
            yield
            self._sheet = Sheet(photo, scale)
            yield
        sheet = self._sheet
        if self._drawn is None or self._drawn.version != version:
            mask = sheet.mask(photo)
            picture, _ = self._draw(sheet.image, mask)
            yield
            left = sheet.image
            if self._compares:
                left, picture = self._in_order(picture, self._draw_beside(self._beside, scale))
            self._drawn = Drawn(version, left, picture, mask)
            yield
        self._detailed = (version, view)
        self._send_detail(self._drawn, view, world)

    def _draw_beside(self, beside: Photo, scale: float) -> Image.Image:
        if self._sheet_beside is None or not self._sheet_beside.fits(beside, scale):
            self._sheet_beside = Sheet(beside, scale)
        return self._draw(self._sheet_beside.image, self._sheet_beside.mask(self._photo))[0]

    def _send_detail(self, drawn: Drawn, view: View, world: tuple[int, int]) -> None:
        part = view.part or (0, 0, *world)
        pixels = view.scale or 1.0
        is_alone = self.told["alone"]
        if is_alone and self._plain:
            self._plain.show(self._shown, fit(drawn.picture, STAGE), alone=True)
        pictures = {"picture": encode(cut(drawn.picture, part, world, pixels))}
        if not is_alone:
            pictures["photo"] = encode(cut(drawn.left, part, world, pixels))
        if self._tool not in LOOKING:
            pictures["shade"] = encode(cut(shade(drawn.mask), part, world, pixels))
        self.pictures |= {f"detail {name}": data for name, data in pictures.items()}
        message = {"kind": "detail", "photo": self.told["photo"], "version": self._version}
        self._tell({**message, "part": list(part)}, pictures)

    # What the page says

    def _receive(self, message: dict) -> None:
        kind = message["kind"]
        if kind == "ready":
            self._show_page()
            return
        if kind == "view":
            self._view = View(tuple(message["part"]), message["scale"])
            self._detail_soon()
            return
        if kind == "tool":
            self._tool = message["tool"]
        if self._photo is None or self._on_corrected is None:
            return
        if kind == "tool":
            self.show_photo(self._photo, self._beside)
        elif kind == "save":
            self._save()
        else:
            self._answered = message["number"]
            self._follow(message)

    def _follow(self, message: dict) -> None:
        """Do what a person's hand says of the photo on the stage."""
        if message["photo"] != self.told["photo"]:  # drawn before the page knew
            self._say("Another photo is on the stage now: nothing was changed.")
        elif message["kind"] == "place":
            self._hand.move(self._photo, message)
        else:
            self._correct(message)

    def _show_page(self) -> None:
        """Tell a page that has just opened what is on the stage."""
        if self._page and self._plain:
            self._plain.layout.display = "none"
        self._detailed = None
        if self.told:
            pictures = self.pictures.items()
            whole = {name: data for name, data in pictures if not name.startswith("detail ")}
            self._tell(self.told, whole)

    def _correct(self, message: dict) -> None:
        photo = self._photo
        try:
            history, self._said = follow(photo, message)
        except ValueError as error:  # of a file
            self._say(f"{message['name']}: {error}.")
            return
        self._on_corrected(photo, photo.corrected(history, self._retouch_of(photo)))

    def _say(self, text: str) -> None:
        self._tell({"kind": "say", "answered": self._answered, "said": text}, {})

    def _retouch_of(self, photo: Photo) -> Retouch:
        """Return the small photo, prepared; kept for as long as the net's mask is the same."""
        packed, retouch = self._retouches.get(photo.quality, (None, None))
        if packed is not photo.packed_mask:
            retouch = photo.retouch()
            self._retouches[photo.quality] = photo.packed_mask, retouch
        return retouch

    def _save(self) -> None:
        photo = self._photo
        text = to_json(photo.history.now, photo.size, photo=photo.name)
        name = corrections_name(photo.name, self._names())
        self._tell({"kind": "file", "name": name, "text": text}, {})


def _make_page(receive: Callable[[dict], None]) -> "StagePage | None":
    try:
        from u2demo.notebook.stage.page import StagePage  # anywidget may be missing
    except ImportError:
        return None
    return StagePage(receive)
