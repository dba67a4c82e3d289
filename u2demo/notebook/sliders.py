"""function of numbers -> a figure on the page that follows sliders."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display

from u2demo.notebook.callbacks import guarded
from u2demo.notebook.environment import environment
from u2demo.notebook.notes import Notes

if TYPE_CHECKING:
    from u2demo.figures import Titled


def show_with_sliders(draw: "Callable[..., Titled]", **sliders: ipywidgets.Widget) -> None:
    """Display what ``draw`` returns, as ``image_row`` does, below a slider for each argument.

    Where nobody can move a slider, the figure is displayed alone.
    """
    # Not ipywidgets.interact: it shows figures in an Output widget, whose messages nbclient answers
    # on the socket on which it waits for the cell to end. So a page of Voila may wait for ever.
    if environment() == "headless":
        display(draw(**_values(sliders)))
        return
    figure, notes = ipywidgets.HTML(), Notes()

    drawn: dict[str, object] = {}  # the values drawn last, or that could not be

    def follow(_: object = None) -> None:
        values = _values(sliders)
        if values == drawn:  # sliders moved on while the figure was drawn, and all calls come now
            return
        drawn.update(values)
        figure.value = draw(**values)._repr_html_()
        notes.clear()

    for name, slider in sliders.items():
        slider.description = slider.description or name
        slider.observe(guarded(follow, notes), "value")
    follow()
    display(ipywidgets.VBox([*sliders.values(), notes, figure]))


def _values(sliders: dict[str, ipywidgets.Widget]) -> dict[str, object]:
    return {name: slider.value for name, slider in sliders.items()}
