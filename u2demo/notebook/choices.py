"""a person's choice -> a color, a fade, a size, a photo: controls that ipywidgets does not have.

Each is a box of plain controls with a ``value``, which can be set and observed like a slider's.
"""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets
import traitlets
from PIL import Image

from u2demo.effects.arguments import as_color
from u2demo.effects.canvas import LONGEST
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.layout import close
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.photo_picker import Files, make_photo_picker
from u2demo.notebook.preview import encode, fit
from u2demo.notebook.widgets import toggle_class

TRANSPARENT = "transparent"
_SWATCHES = {
    "White": "#ffffff",
    "Light gray": "#f2f2f2",
    "Gray": "#c4c9cf",
    "Black": "#000000",
    "Sand": "#efe6d8",
    "Sky": "#d3e5f6",
    "Mint": "#d9efe1",
    "Rose": "#f6dcdc",
    "Transparent": TRANSPARENT,
}
_MOST_RECENT = 5
_THUMBNAIL = (96, 72)
_SIZES = {
    "2000 × 2000": (2000, 2000),
    "1500 × 1500": (1500, 1500),
    "1080 × 1080": (1080, 1080),
    "1080 × 1350": (1080, 1350),
    "1920 × 1080": (1920, 1080),
    "Square, as it is": None,  # no pixel is scaled
}
_OTHER = "Other size"


class NamedPhoto(NamedTuple):
    """A photo, and what it is called."""

    name: str
    photo: Image.Image


class ColorChoice(ipywidgets.VBox):
    """A color: one of the usual ones, of those chosen lately, of the page's dialog, or #rrggbb."""

    value = traitlets.Unicode()

    def __init__(self, label: str, value: str):
        self._picker = ipywidgets.ColorPicker(description=label, concise=True)
        self._hex = ipywidgets.Text(continuous_update=False, placeholder="#rrggbb")
        self._hex.add_class("u2-hex")
        self._wrong = ipywidgets.HTML()
        self._recent: list[str] = []
        self._usual = ipywidgets.Box([self._swatch(*each) for each in _SWATCHES.items()])
        self._lately = ipywidgets.Box()
        for row in (self._usual, self._lately):
            row.add_class("u2-swatches")
        exact = ipywidgets.HBox([self._picker, self._hex])
        exact.add_class("u2-exact")
        super().__init__([self._usual, self._lately, exact, self._wrong])
        self.add_class("u2-choice")
        self._picker.observe(lambda change: self._choose(change["new"]), names="value")
        self._hex.observe(lambda change: self._read(change["new"]), names="value")
        self.observe(lambda _: self._show(), names="value")
        self.value = value

    def _swatch(self, name: str, color: str) -> ipywidgets.Button:
        button = ipywidgets.Button(tooltip=name)
        button.add_class("u2-swatch")
        if color == TRANSPARENT:
            button.add_class("u2-checked")
        else:
            button.style.button_color = color
        button.on_click(lambda _: self._choose(color))
        return button

    def _choose(self, color: str) -> None:
        if color != self.value:
            self.value = color

    def _read(self, text: str) -> None:
        """Take a color that was typed, or say that it is none."""
        self._wrong.value = ""
        if not text or text == self.value:
            return
        try:
            self._choose(as_hex(text.strip()))
        except ValueError:
            sentence = f"“{escape(text)}” is not a color; type one such as #3c78ff or teal."
            self._wrong.value = f'<div class="u2-about" role="alert">{sentence}</div>'

    def _show(self) -> None:
        color = self.value
        self._wrong.value = ""
        self._hex.value = color
        if color != TRANSPARENT:
            self._picker.value = color
        if color not in (*_SWATCHES.values(), *self._recent):
            self._recent = [color, *self._recent][:_MOST_RECENT]
            old = self._lately.children
            self._lately.children = [self._swatch(each, each) for each in self._recent]
            for button in old:
                close(button)
        swatches = [*self._usual.children, *self._lately.children]
        colors = [*_SWATCHES.values(), *self._recent]
        for button, each in zip(swatches, colors, strict=True):
            toggle_class(button, "u2-on", each == color)


class FadeChoice(ipywidgets.VBox):
    """The color that a background fades to, None if it does not."""

    value = traitlets.Unicode(None, allow_none=True)

    def __init__(self, value: str | None = None):
        self._is_showing = False  # a value that nobody has chosen here
        self._fades = ipywidgets.Checkbox(description="Fade to another color", indent=False)
        self._picker = ipywidgets.ColorPicker(value="#c4cdd6", description="Fade to", concise=True)
        super().__init__([self._fades, self._picker])
        self.add_class("u2-choice")
        self._fades.observe(lambda _: self._tell(), names="value")
        self._picker.observe(lambda _: self._tell(), names="value")
        self.observe(lambda _: self._show(), names="value")
        self.value = value
        self._show()

    def _tell(self) -> None:
        if not self._is_showing:
            self.value = self._picker.value if self._fades.value else None

    def _show(self) -> None:
        color = self.value
        self._is_showing = True
        self._fades.value = color is not None
        self._picker.value = color or self._picker.value
        self._is_showing = False
        self._picker.layout.display = "none" if color is None else ""


class LessOrMore(ipywidgets.VBox):
    """How much counts as the subject, more to the right; the ``value`` is a threshold, 0 to 1."""

    value = traitlets.Float()
    description = "Less / more"

    def __init__(self, value: float):
        slider = ipywidgets.FloatSlider(
            min=0.05, max=0.95, step=0.01, description=self.description, readout_format=".0%"
        )
        super().__init__([slider])
        self.value = value
        traitlets.link((self, "value"), (slider, "value"), transform=(_rest, _rest))


class SizeChoice(ipywidgets.VBox):
    """The width and height of a canvas in pixels; None is a square around the subject as it is."""

    value = traitlets.Tuple(allow_none=True)

    def __init__(self, value: tuple[int, int] | None):
        self._is_showing = False  # a value that nobody has chosen here
        self._usual = ipywidgets.Dropdown(options=[*_SIZES, _OTHER], description="Canvas")
        self._sides = [
            ipywidgets.BoundedIntText(value=2000, min=1, max=LONGEST, description=side)
            for side in ("Width", "Height")
        ]
        super().__init__([self._usual, *self._sides])
        self.add_class("u2-choice")
        for control in (self._usual, *self._sides):
            control.observe(lambda _: self._tell(), names="value")
        self.observe(lambda _: self._show(), names="value")
        self.value = value
        self._show()

    def _tell(self) -> None:
        if self._is_showing:
            return
        sides = tuple(side.value for side in self._sides)
        self.value = sides if self._usual.value == _OTHER else _SIZES[self._usual.value]
        self._show_sides()

    def _show(self) -> None:
        size = self.value
        self._is_showing = True
        for side, pixels in zip(self._sides, size or (), strict=False):
            side.value = pixels
        if size is None or self._usual.value != _OTHER:
            names = [name for name, each in _SIZES.items() if each == size]
            self._usual.value = names[0] if names else _OTHER
        self._is_showing = False
        self._show_sides()

    def _show_sides(self) -> None:
        for side in self._sides:
            side.layout.display = "" if self._usual.value == _OTHER else "none"


class SceneChoice(ipywidgets.VBox):
    """A photo for the background: what is chosen, another one, and the way back to the first.

    ``opened`` returns the photo in an uploaded file, or raises ``ValueError``, which ``explain``
    puts into words.
    """

    value = traitlets.Instance(NamedPhoto)

    def __init__(
        self,
        first: NamedPhoto,
        opened: Callable[[str, bytes], Image.Image],
        explain: Callable[[ValueError], str],
    ):
        self.first = first
        self._opened = opened
        self._explain = explain
        self._notes = Notes()
        self._picture = ipywidgets.Image(format="webp")
        self._name = ipywidgets.HTML()
        self._back = ipywidgets.Button(description=f"Back to {first.name}")
        self._back.on_click(lambda _: self._go_back())
        picker = make_photo_picker(
            guarded(self._take, self._notes),
            self._notes,
            label="Choose background",
            hint="or drop it here",
            multiple=False,
            camera=False,
        )
        shown = ipywidgets.HBox([self._picture, self._name])
        shown.add_class("u2-scene")
        super().__init__([shown, picker, self._back, self._notes])
        self.add_class("u2-choice")
        self.observe(lambda _: self._show(), names="value")
        self.value = first

    def _take(self, files: Files) -> None:
        self._notes.clear()
        for name, data in files[:1]:
            try:
                self.value = NamedPhoto(name, self._opened(name, data))
            except ValueError as error:
                self._notes.say(self._explain(error), kind="problem")

    def _go_back(self) -> None:
        self._notes.clear()
        self.value = self.first

    def _show(self) -> None:
        self._picture.value = encode(fit(self.value.photo, _THUMBNAIL))
        self._name.value = f'<div class="u2-about">{escape(self.value.name)}</div>'
        self._back.layout.display = "none" if self.value is self.first else ""


def as_hex(color: object) -> str:
    """Return a color as "#rrggbb"; "transparent" stays.

    Raises:
        ValueError: it is unknown.
    """
    if color == TRANSPARENT:
        return TRANSPARENT
    return "#{:02x}{:02x}{:02x}".format(*as_color("color", color))


def _rest(share: float) -> float:
    return round(1 - share, 6)
