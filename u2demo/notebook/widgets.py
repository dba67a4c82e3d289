"""Building blocks of the app, made of plain controls that ipywidgets 7.7 and 8 share."""

import functools
import html
import re
import traceback
from collections.abc import Callable

import ipywidgets
from PIL import Image

from u2demo.notebook import page
from u2demo.notebook.preview import TILE, encode, fit
from u2demo.notebook.turns import in_turn

# The knob of the divider moves a custom property, which both pictures' clip paths follow.
_DIVIDER = """<input type="range" min="0" max="100" value="50" step="0.1"
 aria-label="Divider between the photo and the result"
 oninput="this.closest('.u2-compare').style.setProperty('--split', this.value + '%')">"""


def escape(text: object) -> str:
    """Return ``text`` safe inside HTML; names of files are a person's own words."""
    return html.escape(str(text))


def linked(text: str) -> str:
    """Return ``text`` as HTML, addresses as links."""
    link = r'<a href="\g<0>" target="_blank" rel="noopener">\g<0></a>'
    return re.sub(r"https://[^\s()]+", link, escape(text))


def toggle_class(widget: ipywidgets.DOMWidget, name: str, on: bool) -> None:
    """Give ``widget`` the CSS class ``name``, or take it away."""
    (widget.add_class if on else widget.remove_class)(name)


class Compare(ipywidgets.Box):
    """A photo and its result on a checkerboard, with a divider to drag between them."""

    def __init__(self):
        self._before = ipywidgets.Image(format="webp")
        self._after = ipywidgets.Image(format="webp")
        self._divider = ipywidgets.HTML(_DIVIDER)
        super().__init__([self._before, self._after, self._divider])
        self.add_class("u2-compare")
        self._before.add_class("u2-before")
        self._after.add_class("u2-after")
        self._divider.add_class("u2-divider")
        self._shown: Image.Image | None = None

    def show(
        self, photo: Image.Image, picture: Image.Image | None = None, *, alone: bool = False
    ) -> None:
        """Show ``picture`` over ``photo``; ``alone`` if it is a part, or if their sizes differ."""
        if photo is not self._shown:
            self._before.value = encode(photo)
            self._shown = photo
        picture = picture or photo
        self._after.value = encode(picture)
        alone = alone or picture.size != photo.size or picture is photo
        toggle_class(self, "u2-single", alone)
        toggle_class(self, "u2-clear", picture.mode == "RGBA")


class Gallery(ipywidgets.Box):
    """Small pictures in rows, each a button and with one to remove it: they call with its place."""

    def __init__(self, on_choose: Callable[[int], None], on_remove: Callable[[int], None]):
        super().__init__()
        self.add_class("u2-gallery")
        self._on_choose = on_choose
        self._on_remove = on_remove

    def add(self, name: str, picture: Image.Image) -> None:
        """Append a tile."""
        shown = ipywidgets.Image(value=encode(fit(picture, TILE)), format="webp")
        button = ipywidgets.Button(description=name, tooltip=name)
        cross = ipywidgets.Button(tooltip=f"Remove {name}")  # the style sheet draws it
        cross.add_class("u2-remove")
        tile = ipywidgets.Box([shown, button, cross])
        tile.add_class("u2-tile")
        button.on_click(in_turn(lambda _: self._pass_on(tile, self._on_choose)))
        cross.on_click(in_turn(lambda _: self._pass_on(tile, self._on_remove)))
        self.children = (*self.children, tile)

    def _pass_on(self, tile: ipywidgets.Box, callback: Callable[[int], None]) -> None:
        if tile in self.children:  # no second click on what is gone
            callback(self.children.index(tile))

    def remove(self, place: int) -> None:
        """Take a tile away."""
        tile = self.children[place]
        self.children = self.children[:place] + self.children[place + 1 :]
        close(tile)

    def update(self, place: int, picture: Image.Image, *, clear: bool) -> None:
        """Show another picture on a tile, and on it whether there is no ``clear`` subject."""
        toggle_class(self.children[place], "u2-unclear", not clear)
        self.children[place].children[0].value = encode(fit(picture, TILE))
        toggle_class(self.children[place], "u2-clear", picture.mode == "RGBA")

    def mark(self, place: int) -> None:
        """Frame the tile that is on the stage."""
        for index, tile in enumerate(self.children):
            toggle_class(tile, "u2-chosen", index == place)

    def clear(self) -> None:
        """Remove all tiles."""
        tiles, self.children = self.children, ()
        for tile in tiles:
            close(tile)


class Notes(ipywidgets.HTML):
    """What a person must know, as short sentences under the photos."""

    def __init__(self):
        super().__init__()
        self.add_class("u2-notes")
        self.clear()

    def clear(self) -> None:
        """Say nothing."""
        self._items: list[str] = []
        self.value = ""

    def guard(self, callback: Callable) -> Callable:
        """Return ``callback`` in its turn, with its errors shown here: Jupyter hides them."""

        @functools.wraps(callback)
        def call(*arguments: object) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                self.tell(error)

        return in_turn(call)

    def tell(self, error: Exception) -> None:
        """Say what an error says; one that nobody foresaw brings its details."""
        if isinstance(error, page.PageError | ValueError | OSError):
            errno = getattr(error, "errno", None)
            self.say(str(error).removeprefix(f"[Errno {errno}] "), kind="problem")
            return
        trace = escape("".join(traceback.format_exception(error)))
        what = escape(f"{type(error).__name__}: {error}")
        self.add_html(
            f"Something went wrong: {what}<details><summary>Details</summary>"
            f"<pre>{trace}</pre></details>",
            kind="problem",
        )

    def say(self, text: str, *, kind: str = "info") -> None:
        """Add sentences, addresses as links; ``kind`` is info, done or problem."""
        self.add_html(linked(text), kind=kind)

    def add_html(self, markup: str, *, kind: str = "info") -> None:
        """Add what is HTML already, its own texts escaped."""
        self._items.append(f'<div class="u2-note u2-{kind}">{markup}</div>')
        role = "alert" if kind == "problem" else "status"
        self.value = f'<div role="{role}">{"".join(self._items)}</div>'


def close(widget: ipywidgets.Widget) -> None:
    """Close ``widget`` and all it holds: ipywidgets keeps every open one alive for ever."""
    for value in widget.trait_values().values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, ipywidgets.Widget) and part.comm:
                close(part)
    widget.close()
