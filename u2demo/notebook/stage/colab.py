"""page <-> kernel in Google Colab, where widgets of others are refused: the stage, by eval_js.

The page is asked again and again what it has to say, until the person is done. Colab's kernel hears
nothing else meanwhile.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping

import ipywidgets

from u2demo.notebook import colab
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.front_end import assets
from u2demo.notebook.notes import Notes

SCRIPTS = ("stage_view.js", "stage_tools.js", "stage_hands.js", "stage.js")  # the stage's page

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

        end_listening = self._listen(hear)
        try:
            colab.ask(page_script())
            said = colab.ask(_next([]))
            while said is not None:
                for message in said:
                    self._answer(message)
                question = _next(news)
                news.clear()
                said = colab.ask(question)
        finally:  # also when the cell is interrupted
            end_listening()
            colab.tell("globalThis.u2stage?.end()")


def page_script() -> str:
    """Return a JavaScript expression that builds the page, and ``u2stage`` to talk with it."""
    told = {"styles": assets("app.css", "stage.css")}
    scripts = assets(*SCRIPTS, "stage_colab.js")
    return f"(async (told) => {{\n{scripts}\n}})({json.dumps(told)})"


def _next(news: list[dict]) -> str:
    """Return the question what the page has to say; None answers it when the person is done."""
    return f"u2stage.next({json.dumps(news)})"
