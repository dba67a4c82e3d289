"""page <-> kernel in Google Colab, where widgets of others are refused: the stage, by eval_js."""

from base64 import b64encode
from collections.abc import Callable, Mapping

import ipywidgets

from u2demo.notebook import colab
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.front_end import assets
from u2demo.notebook.notes import Notes

SCRIPTS = (  # the stage's page
    "elements.js",
    "stage_view.js",
    "stage_tools.js",
    "stage_hands.js",
    "stage.js",
)

Tell = Callable[[dict, Mapping[str, bytes]], None]


class ByHand(ipywidgets.VBox):
    """A button that opens a page to correct the photo on the stage.

    ``listen`` lets a function hear what is on the stage and returns one that ends that; ``answer``
    does all that follows from a message of the page.
    """

    def __init__(
        self,
        listen: Callable[[Tell], Callable[[], None]],
        answer: Callable[[dict], None],
        notes: Notes,
    ):
        self._listen = listen
        self._answer = answer
        self._output = ipywidgets.Output()
        button = ipywidgets.Button(
            description="Correct by hand", tooltip="Open the photo with tools to correct its mask"
        )
        button.on_click(guarded(self._open, notes))
        super().__init__([button, self._output])

    def _open(self, _: ipywidgets.Button) -> None:
        colab.show_dialogs_in(self._output, self._serve)
        self._output.clear_output()

    def _serve(self) -> None:
        """Show the page and answer it until the person presses Done."""
        colab.check_page_answers()
        news: list[dict] = []

        def hear(message: dict, pictures: Mapping[str, bytes]) -> None:
            encoded = [b64encode(picture).decode() for picture in pictures.values()]
            news.append({"message": {**message, "pictures": list(pictures)}, "pictures": encoded})

        def answer(said: list[dict]) -> list[dict]:
            for message in said:
                self._answer(message)
            answers = list(news)
            news.clear()
            return answers

        end_listening = self._listen(hear)
        told = {"styles": assets("app.css", "stage.css")}
        try:
            colab.converse("u2stage", (*SCRIPTS, "stage_colab.js"), told, answer)
        finally:  # also when the cell is interrupted
            end_listening()
