"""previews -> two clips on the page that play side by side."""

from collections.abc import Mapping

import ipywidgets

from u2demo.notebook.clips.making import Preview
from u2demo.notebook.environment import environment
from u2demo.notebook.layout import close
from u2demo.notebook.notes import escape
from u2demo.notebook.widgets import toggle_class


class Player(ipywidgets.VBox):
    """Clips side by side, each under its title, and a line of text below; hidden while empty."""

    def __init__(self):
        self._screen = _make_screen()
        self._text = ipywidgets.HTML()
        super().__init__([self._screen, self._text])
        self.add_class("u2-player")
        self.clear()

    def show(self, clips: Mapping[str, Preview], text: str) -> None:
        """Play ``clips``, by title."""
        self._screen.play(clips)
        self.say(text)
        self.layout.display = ""

    def say(self, text: str) -> None:
        """Replace the line below the clips."""
        self._text.value = escape(text)

    def clear(self) -> None:
        """Hide all."""
        self.layout.display = "none"
        self._screen.play({})


class _PlainScreen(ipywidgets.HBox):
    """Clips in controls that every page has; each is sent whole."""

    def __init__(self):
        super().__init__()
        self.add_class("u2-screen")

    def play(self, clips: Mapping[str, Preview]) -> None:
        """Play ``clips``, by title, instead of those before."""
        before, self.children = self.children, [_plain(*each) for each in clips.items()]
        for each in before:
            close(each)


def _plain(title: str, preview: Preview) -> ipywidgets.VBox:
    form = preview.type.partition("/")[2]
    video = ipywidgets.Video(value=preview.data, format=form, autoplay=False, loop=True)
    toggle_class(video, "u2-clear", form == "webm")
    return ipywidgets.VBox([ipywidgets.Label(title), video])


def _make_screen() -> ipywidgets.Widget:
    if environment() == "colab":  # without a manager of its own it has no anywidget
        return _PlainScreen()
    try:
        from u2demo.notebook.clips.transfer import Screen  # anywidget may be missing
    except ImportError:
        return _PlainScreen()
    return Screen()
