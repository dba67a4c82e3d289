"""what a photo's settings differ in -> buttons: for all photos, or back to the defaults."""

from collections.abc import Callable

import ipywidgets

from u2demo.notebook.album import Album
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.notes import Notes
from u2demo.notebook.panel import Panel
from u2demo.notebook.settling import Settle


class Differences(ipywidgets.HBox):
    """Two buttons, each on the page only while it would change something.

    ``on_change`` is called after each change. A click waits, as ``settle`` says, for what the page
    still has to say of its sliders.
    """

    def __init__(
        self,
        album: Album,
        panel: Panel,
        settle: Settle,
        notes: Notes,
        on_change: Callable[[], None],
    ):
        self._album = album
        self._panel = panel
        self._settle = settle
        self._notes = notes
        self._on_change = on_change
        self._first = panel.settings
        self._apply = self._button(
            "Apply to all", "Give all photos the settings of this one", album.change_all
        )
        self._reset = self._button(
            "Reset settings", "Put this photo's settings back to their defaults", self._put_back
        )
        super().__init__([self._apply, self._reset])
        self.add_class("u2-differences")

    def fit(self) -> None:
        """Show the buttons that the photo on the stage needs."""
        self._apply.layout.display = "" if self._album.differs else "none"
        is_new = self._panel.settings.is_like(self._first)
        self._reset.layout.display = "none" if is_new else ""
        self.layout.display = "" if self._album.differs or not is_new else "none"

    def _put_back(self) -> None:
        self._panel.show(self._first)
        self._album.change()

    def _button(self, text: str, title: str, act: Callable[[], None]) -> ipywidgets.Button:
        def do() -> None:
            act()
            self._on_change()

        safely = guarded(do, self._notes)
        button = ipywidgets.Button(description=text, tooltip=title)
        button.on_click(guarded(lambda _: self._settle(safely), self._notes))
        return button
