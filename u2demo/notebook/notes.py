"""sentences -> HTML on the page, for a person to read."""

import html
import re
import traceback

import ipywidgets

from u2demo.notebook.environment import PageError


def escape(text: object) -> str:
    """Return ``text`` safe inside HTML; file names are user input."""
    return html.escape(str(text))


def linked(text: str) -> str:
    """Return ``text`` as HTML, with its addresses as links."""
    link = r'<a href="\g<0>" target="_blank" rel="noopener">\g<0></a>'
    return re.sub(r"https://[^\s()]+", link, escape(text))


class Notes(ipywidgets.HTML):
    """Short sentences, one below the other, until they are cleared."""

    def __init__(self):
        super().__init__()
        self.add_class("u2-notes")
        self.clear()

    def clear(self) -> None:
        """Remove all sentences."""
        self._items: list[str] = []
        self.value = ""

    def say(self, text: str, *, kind: str = "info") -> None:
        """Add sentences, addresses as links; ``kind`` is "info", "done" or "problem"."""
        self.add_html(linked(text), kind=kind)

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

    def add_html(self, markup: str, *, kind: str = "info") -> None:
        """Add HTML whose texts are already escaped; ``kind`` is as for ``say``."""
        self._items.append(f'<div class="u2-note u2-{kind}">{markup}</div>')
        role = "alert" if kind == "problem" else "status"
        self.value = f'<div role="{role}">{"".join(self._items)}</div>'
