"""pictures -> the stage and the gallery, made of controls that ipywidgets 7.7 and 8 share."""

from collections.abc import Callable

import ipywidgets
from PIL import Image

from u2demo.notebook.callbacks import on_this_thread
from u2demo.notebook.layout import close
from u2demo.notebook.preview import TILE, encode, fit
from u2demo.notebook.settling import Settle, at_once

# The knob of the divider moves a custom property, which both pictures' clip paths follow.
_DIVIDER = """<input type="range" min="0" max="100" value="50" step="0.1"
 aria-label="Divider between the photo and the result"
 oninput="this.closest('.u2-compare').style.setProperty('--split', this.value + '%')">"""

_MARKS = {"u2-unclear": "please check", "u2-own": "with settings of its own"}  # of a tile


def toggle_class(widget: ipywidgets.DOMWidget, name: str, on: bool) -> None:
    """Add the CSS class ``name`` to ``widget``, or remove it."""
    if on:
        widget.add_class(name)
    else:
        widget.remove_class(name)


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
        """Show ``picture`` over ``photo``, or ``alone``, as when their sizes differ."""
        if photo is not self._shown:
            self._before.value = encode(photo)
            self._shown = photo
        picture = picture or photo
        self._after.value = encode(picture)
        alone = alone or picture.size != photo.size or picture is photo
        toggle_class(self, "u2-single", alone)
        toggle_class(self, "u2-clear", "RGBA" in (photo.mode, picture.mode))


class Gallery(ipywidgets.Box):
    """Small pictures in a row, each with a button that chooses it and one that removes it.

    ``on_choose`` and ``on_remove`` get the picture's place, from 0. A click waits, as ``settle``
    says, for what the page still has to say.
    """

    def __init__(
        self,
        on_choose: Callable[[int], None],
        on_remove: Callable[[int], None],
        settle: Settle = at_once,
    ):
        super().__init__()
        self.add_class("u2-gallery")
        self._on_choose = on_choose
        self._on_remove = on_remove
        self._settle = settle

    def insert(self, place: int, name: str, picture: Image.Image) -> None:
        """Put a tile before the one that is at ``place`` now."""
        shown = ipywidgets.Image(value=encode(fit(picture, TILE)), format="webp")
        button = ipywidgets.Button(description=name, tooltip=name)
        cross = ipywidgets.Button(tooltip=f"Remove {name}")  # the style sheet draws it
        cross.add_class("u2-remove")
        tile = ipywidgets.Box([shown, button, cross])
        tile.add_class("u2-tile")
        button.on_click(on_this_thread(lambda _: self._pass_on(tile, self._on_choose)))
        cross.on_click(on_this_thread(lambda _: self._pass_on(tile, self._on_remove)))
        self.children = (*self.children[:place], tile, *self.children[place:])

    def _pass_on(self, tile: ipywidgets.Box, callback: Callable[[int], None]) -> None:
        def pass_on() -> None:
            if tile in self.children:  # a second click may come after the tile is gone
                callback(self.children.index(tile))

        self._settle(pass_on)

    def remove(self, place: int) -> None:
        """Remove a tile."""
        tile = self.children[place]
        self.children = self.children[:place] + self.children[place + 1 :]
        close(tile)

    def update(self, place: int, picture: Image.Image, *, clear: bool) -> None:
        """Show another picture on a tile, and mark it if it has no ``clear`` subject."""
        tile = self.children[place]
        toggle_class(tile, "u2-unclear", not clear)
        tile.children[0].value = encode(fit(picture, TILE))
        toggle_class(tile, "u2-clear", picture.mode == "RGBA")
        _describe(tile)

    def mark(self, place: int) -> None:
        """Frame the tile that is on the stage."""
        for index, tile in enumerate(self.children):
            toggle_class(tile, "u2-chosen", index == place)

    def mark_own(self, place: int, on: bool) -> None:
        """Mark a tile whose settings are its own, or take the mark away."""
        toggle_class(self.children[place], "u2-own", on)
        _describe(self.children[place])

    def clear(self) -> None:
        """Remove all tiles."""
        tiles, self.children = self.children, ()
        for tile in tiles:
            close(tile)


def _describe(tile: ipywidgets.Box) -> None:
    """Say in words what the style sheet shows on a tile."""
    button = tile.children[1]
    marks = [said for mark, said in _MARKS.items() if mark in tile._dom_classes]
    button.tooltip = ", ".join([button.description, *marks])
