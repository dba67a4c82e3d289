"""widgets -> page: the layout of the app, and the end of it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets

from u2demo.notebook.environment import environment
from u2demo.notebook.front_end import assets

if TYPE_CHECKING:
    from u2demo.notebook.manners import Manners


def lay_out(
    top: Sequence[ipywidgets.Widget],
    toolbar: Sequence[ipywidgets.Widget],
    left: Sequence[ipywidgets.Widget],
    side: Sequence[ipywidgets.Widget],
    saver: ipywidgets.Widget,
    manners: "Manners | None",
) -> ipywidgets.Widget:
    """Return the app: a top, the toolbar, and below two columns, or one in a narrow window.

    ``saver`` stays in sight at the end of the column at the side.
    """
    settings = _named("u2-settings", side)
    columns = [_named("u2-left", left), _named("u2-side", [settings, saver])]
    main = ipywidgets.Box(columns)
    main.add_class("u2-main")
    hidden = [style(), manners] if manners else [style()]
    parts = [*hidden, _named("u2-top", top), _named("u2-bar", toolbar), main]
    return _named("u2-app", parts)


def make_manners(on_reset: Callable[[str], None]) -> "Manners | None":
    """Return what the page can do by itself; None where it takes no widgets but Jupyter's own.

    ``on_reset`` gets the label of a slider that is to be put back to its default.
    """
    if environment() == "colab":
        return None
    try:
        from u2demo.notebook.manners import Manners  # anywidget may be missing
    except ImportError:
        return None
    return Manners(on_reset)


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
