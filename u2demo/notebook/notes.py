"""sentences -> HTML on the page, for a person to read."""

import html
import re
import traceback
from collections.abc import Callable

import ipywidgets

from u2demo.notebook.callbacks import on_this_thread
from u2demo.notebook.environment import PageError
from u2demo.notebook.layout import close


def escape(text: object) -> str:
    """Return ``text`` safe inside HTML; file names are user input."""
    return html.escape(str(text))


def linked(text: str) -> str:
    """Return ``text`` as HTML, with its addresses as links."""
    link = r'<a href="\g<0>" target="_blank" rel="noopener">\g<0></a>'
    return re.sub(r"https://[^\s()]+", link, escape(text))


class Notes(ipywidgets.VBox):
    """Short sentences, one below the other, until they are cleared or a person closes them."""

    def __init__(self):
        super().__init__()
        self.add_class("u2-notes")
        self.clear()

    @property
    def value(self) -> str:
        """The HTML of all sentences."""
        return "".join(note.markup for note in self.children)

    def clear(self) -> None:
        """Remove all sentences."""
        self._groups: dict[str, tuple[Note, list[str]]] = {}
        self._keep(())

    def say(self, text: str, *, kind: str = "info", group: str = "") -> None:
        """Add sentences, addresses as links; ``kind`` is "info", "done" or "problem".

        Several of one ``group``, such as "files could not be read", are counted in one note, which
        lists them.
        """
        note, texts = self._groups.get(group, (None, []))
        if note not in self.children:  # the first one, or the others have been closed
            note, texts = self.add_html(linked(text), kind=kind), []
        texts.append(text)
        if len(texts) > 1:
            note.show(_listed(texts, group), kind)
        if group:
            self._groups[group] = note, texts

    def report(self, error: Exception) -> None:
        """Show the text of an error; an unexpected one adds its details."""
        if isinstance(error, PageError | ValueError | OSError):
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

    def add_html(self, markup: str, *, kind: str = "info") -> "Note":
        """Add a note of HTML whose texts are already escaped; ``kind`` is as for ``say``."""
        note = Note(self.remove)
        note.show(markup, kind)
        self._keep((*self.children, note))
        return note

    def remove(self, note: "Note") -> None:
        """Remove one sentence; it may be gone already."""
        self._keep(tuple(each for each in self.children if each is not note))

    def _keep(self, notes: "tuple[Note, ...]") -> None:
        gone = [each for each in self.children if each not in notes]
        self.children = notes
        self.layout.display = "" if notes else "none"
        for note in gone:
            close(note)


class Note(ipywidgets.HBox):
    """A sentence, and a button that closes it, which calls ``on_close`` with this note."""

    def __init__(self, on_close: "Callable[[Note], None]"):
        self._text = ipywidgets.HTML()
        cross = ipywidgets.Button(tooltip="Close this message")  # the style sheet draws it
        cross.add_class("u2-close")
        cross.on_click(on_this_thread(lambda _: on_close(self)))
        super().__init__([self._text, cross])

    @property
    def markup(self) -> str:
        """The HTML of the sentence."""
        return self._text.value

    def show(self, markup: str, kind: str) -> None:
        """Show HTML whose texts are already escaped."""
        role = "alert" if kind == "problem" else "status"
        self._text.value = f'<div role="{role}">{markup}</div>'
        self.add_class("u2-note")
        self.add_class(f"u2-{kind}")


def _listed(texts: list[str], group: str) -> str:
    """Return how many ``texts`` there are, and behind a disclosure the texts, as HTML."""
    items = "".join(f"<li>{linked(text)}</li>" for text in texts)
    return (
        f"{len(texts)} {escape(group)}"
        f"<details><summary>Which, and why</summary><ul>{items}</ul></details>"
    )
