"""The live camera: a page on which the background disappears while a person moves."""

from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display

from u2demo.notebook.cells import close_on_rerun
from u2demo.notebook.environment import PageError, environment
from u2demo.notebook.live import colab
from u2demo.notebook.live.sample import show_sample
from u2demo.notebook.models import FIRST, check_net, load_net

if TYPE_CHECKING:
    from torch import nn


class Live:
    """A page with a camera's picture, its background gone, replaced or blurred as it moves.

    The page draws; the kernel gets small frames and answers with masks. ``model`` is a net from
    ``load_model`` or one of your own, by default the small one, which ships inside. ``page`` is the
    widget that ``show`` displays in JupyterLab and Voila, None before.
    """

    def __init__(self, model: "nn.Module | None" = None):
        check_net(model)
        self._model = model
        self.page: ipywidgets.DOMWidget | None = None

    def show(self) -> None:
        """Display the page, on which a sample plays until a person starts the camera.

        In Colab the cell runs until the person presses Done. In an unattended run, a short sample
        is displayed with its masks. When a cell runs again, the page that it showed before ends.

        Raises:
            PageError: anywidget is missing, or Colab's page does not answer.
        """
        where = environment()
        if where == "headless":
            show_sample(self._load())
        elif where == "colab":
            colab.serve(self._load)
        else:
            self.close()
            close_on_rerun(self.close)
            self.page = self._make_page()
            display(self.page)

    def close(self) -> None:
        """End the page: the camera's light goes out, and the kernel rests."""
        if self.page is not None:
            self.page.close()
        self.page = None

    def _make_page(self) -> ipywidgets.DOMWidget:
        try:
            from u2demo.notebook.live.page import LivePage  # anywidget may be missing
        except ImportError:
            raise PageError(
                "The live camera needs anywidget: run %pip install anywidget, restart the kernel,"
                " and run the cells again."
            ) from None
        return LivePage(self._load)

    def _load(self) -> "nn.Module":
        """Return the net, loaded if necessary."""
        if self._model is None:
            self._model = load_net(FIRST)
        return self._model
