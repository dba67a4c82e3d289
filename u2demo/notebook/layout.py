"""widgets -> page: the layout of the app, and the end of it."""

from collections.abc import Callable, Sequence

import ipywidgets

from u2demo.notebook.environment import environment
from u2demo.notebook.front_end import assets


def lay_out(
    top: Sequence[ipywidgets.Widget],
    toolbar: Sequence[ipywidgets.Widget],
    left: Sequence[ipywidgets.Widget],
    side: Sequence[ipywidgets.Widget],
    saver: ipywidgets.Widget,
    on_reset: Callable[[str], None],
) -> ipywidgets.Widget:
    """Return the app: a top, the toolbar, and below two columns, or one in a narrow window.

    ``saver`` stays in sight at the end of the column at the side. ``on_reset`` gets the label of a
    slider that is to be put back to its default.
    """
    settings = _named("u2-settings", side)
    columns = [_named("u2-left", left), _named("u2-side", [settings, saver])]
    main = ipywidgets.Box(columns)
    main.add_class("u2-main")
    parts = [style(), *_manners(on_reset), _named("u2-top", top), _named("u2-bar", toolbar), main]
    return _named("u2-app", parts)


def _manners(on_reset: Callable[[str], None]) -> list[ipywidgets.Widget]:
    if environment() == "colab":
        return []
    try:
        from u2demo.notebook.manners import Manners  # anywidget may be missing
    except ImportError:
        return []
    return [Manners(on_reset)]


def style(name: str = "app.css") -> ipywidgets.HTML:
    """Return a style sheet of the app as a widget."""
    return ipywidgets.HTML(
        f"<style>{assets(name)}</style>", layout=ipywidgets.Layout(display="none")
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
