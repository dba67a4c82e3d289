"""widgets -> page: the layout of the app, and the end of it."""

from collections.abc import Sequence
from importlib import resources

import ipywidgets


def lay_out(
    top: Sequence[ipywidgets.Widget],
    toolbar: ipywidgets.Widget,
    left: Sequence[ipywidgets.Widget],
    side: Sequence[ipywidgets.Widget],
) -> ipywidgets.Widget:
    """Return the app: a top, the toolbar, and below two columns, or one in a narrow window."""
    columns = [_named("u2-left", left), _named("u2-side", side)]
    main = ipywidgets.Box(columns)
    main.add_class("u2-main")
    return _named("u2-app", [style(), _named("u2-top", top), toolbar, main])


def style(name: str = "app.css") -> ipywidgets.HTML:
    """Return a style sheet of the app as a widget."""
    sheet = resources.files("u2demo.notebook") / "assets" / name
    return ipywidgets.HTML(
        f"<style>{sheet.read_text('utf-8')}</style>", layout=ipywidgets.Layout(display="none")
    )


def _named(name: str, parts: Sequence[ipywidgets.Widget]) -> ipywidgets.VBox:
    box = ipywidgets.VBox(list(parts))
    box.add_class(name)
    return box


def close(widget: ipywidgets.Widget) -> None:
    """Close ``widget`` and everything in it: ipywidgets keeps open widgets alive forever."""
    for value in widget.trait_values().values():
        parts = value if isinstance(value, tuple) else (value,)
        for part in parts:
            if isinstance(part, ipywidgets.Widget) and part.comm:
                close(part)
    widget.close()
