"""page -> its manners: the gallery's keys, sliders put back, a question before work is left."""

from collections.abc import Callable

import anywidget

from u2demo.notebook.front_end import assets
from u2demo.notebook.settling import Settling


class Manners(anywidget.AnyWidget):
    """An invisible widget inside the app; the page asks before it closes if that is u2-unsaved.

    ``on_reset`` gets the label of a slider that a person has clicked twice. ``settle`` is a
    ``Settling`` of this page.
    """

    _esm = assets("elements.js", "manners.js")

    def __init__(self, on_reset: Callable[[str], None]):
        super().__init__(layout={"display": "none"})  # or the app would have a gap for it
        self.settle = Settling(lambda number: self.send({"settle": number}))
        self._on_reset = on_reset
        self.on_msg(lambda _, message, buffers: self._receive(message))

    def _receive(self, message: dict) -> None:
        if "reset" in message:
            self.settle(lambda: self._on_reset(message["reset"]))
        else:
            self.settle.hear(message["settled"])
