"""what has just happened -> a sentence with buttons: an undo for ten seconds, or a question."""

import asyncio
from collections.abc import Callable, Mapping

import ipywidgets

from u2demo.notebook.callbacks import guarded, running_loop
from u2demo.notebook.layout import close
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.settling import Settle, at_once

_PATIENCE = 10.0  # seconds that an undo is offered


class Offer(ipywidgets.HBox):
    """A sentence and its buttons, on the page until one is pressed or their time is over.

    ``notes`` shows the errors of what the buttons do. An offer whose time is over waits, as
    ``settle`` says, for a click that is on its way to a busy kernel.
    """

    def __init__(self, notes: Notes, settle: Settle = at_once):
        self._notes = notes
        self._settle = settle
        self._text = ipywidgets.HTML()
        self._timer: asyncio.Handle | None = None
        self._undo: Callable[[], None] | None = None
        super().__init__([self._text])
        self.add_class("u2-offer")
        self.hide()

    @property
    def is_open(self) -> bool:
        """Whether the offer is on the page."""
        return self.layout.display == ""

    def offers(self, undo: Callable[[], None]) -> bool:
        """Whether ``undo`` is what a person can ask for now."""
        return self._undo == undo

    @property
    def text(self) -> str:
        """The sentence, HTML."""
        return self._text.value

    def undo(self, text: str, undo: Callable[[], None], *, seconds: float = _PATIENCE) -> None:
        """Say what has happened, and call ``undo`` if a person asks for it in time."""
        self._show(text, {"Undo": undo})
        self._undo = undo
        loop = running_loop()
        if loop:
            self._timer = loop.call_later(seconds, self._end)

    def ask(self, text: str, answers: Mapping[str, Callable[[], None]]) -> None:
        """Ask a question; the one of ``answers`` that a person chooses is called."""
        self._show(text, answers)

    def hide(self) -> None:
        """Take the offer off the page, with all that its buttons would do."""
        if self._timer:
            self._timer.cancel()
        self._timer = self._undo = None
        self.layout.display = "none"
        buttons = self.children[1:]
        self.children = self.children[:1]
        for button in buttons:
            close(button)

    def _end(self) -> None:
        offered = self.children

        def end() -> None:
            if self.children is offered:
                self.hide()

        self._settle(end)

    def _show(self, text: str, answers: Mapping[str, Callable[[], None]]) -> None:
        self.hide()
        self._text.value = f'<div role="status">{escape(text)}</div>'
        buttons = [self._button(name, answer) for name, answer in answers.items()]
        self.children = (self._text, *buttons)
        self.layout.display = ""

    def _button(self, name: str, answer: Callable[[], None]) -> ipywidgets.Button:
        def press(_: ipywidgets.Button) -> None:
            self.hide()
            answer()

        button = ipywidgets.Button(description=name, tooltip=name)
        button.on_click(guarded(press, self._notes))
        return button
