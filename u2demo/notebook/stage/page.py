"""page <-> kernel: the stage in JupyterLab, Voila and Colab's own widgets, as an anywidget."""

from collections.abc import Callable, Mapping

import anywidget

from u2demo.notebook.front_end import assets
from u2demo.notebook.stage.colab import SCRIPTS


class StagePage(anywidget.AnyWidget):
    """The stage's page; ``on_message`` gets what it says."""

    _esm = assets(*SCRIPTS, "stage_widget.js")
    _css = assets("stage.css")

    def __init__(self, on_message: Callable[[dict], None]):
        super().__init__()
        self.on_msg(lambda _, message, buffers: on_message(message))

    def tell(self, message: dict, pictures: Mapping[str, bytes]) -> None:
        """Send a message with ``pictures``, encoded, by name."""
        if self.comm is not None:  # it may have been closed meanwhile
            self.send({**message, "pictures": list(pictures)}, buffers=list(pictures.values()))
