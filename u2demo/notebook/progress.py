"""items, one by one -> a bar on the page, with a button that stops them."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import ipywidgets

from u2demo.notebook.callbacks import on_this_thread

T = TypeVar("T")

# The kernel hears of a click only after the current photo, which may take seconds. So the page
# answers by itself, then presses the hidden button that the kernel listens to.
_STOP = """<button type="button" class="u2-button" data-run="{run}"
 onclick="this.disabled = true; this.textContent = '{answer}';
 this.closest('.u2-progress').querySelector('.u2-hidden').click()">Stop</button>"""


class Progress(ipywidgets.VBox):
    """A bar with a sentence and a Stop button, on the page only while something runs.

    ``answer`` is what the page says at once after a click on Stop.
    """

    def __init__(self, on_stop: Callable[[], None], *, answer: str = "Stopping…"):
        self._answer = answer
        self._text = ipywidgets.Label()
        self._bar = ipywidgets.FloatProgress(min=0, max=1)
        self._run = 0
        self._stop = ipywidgets.HTML()
        self.stop = ipywidgets.Button(description="Stop")
        self.stop.add_class("u2-hidden")
        self.stop.on_click(on_this_thread(lambda _: on_stop()))
        super().__init__([ipywidgets.HBox([self._text, self._stop, self.stop]), self._bar])
        self.add_class("u2-progress")
        self.hide()

    def show(self, text: str, share: float) -> None:
        """Say ``text``, with ``share`` of the work done, 0 to 1."""
        if self.layout.display == "none":  # a new run: the page's button must be new, too
            self._run += 1
            self._stop.value = _STOP.format(run=self._run, answer=self._answer)
        self._text.value = text
        self._bar.value = share
        self.layout.display = ""

    def show_download(self, size: int, total: int) -> None:
        """Say how many of ``total`` bytes have come, after the last that they are checked."""
        text = f"Fetching, {size / 1e6:.0f} of {total / 1e6:.0f} MB"
        self.show(text if size < total else "Checking", min(1, size / total))

    def hide(self) -> None:
        """Hide the bar."""
        self.layout.display = "none"

    def over(
        self, items: Iterable[T], total: int, verb: str, name: Callable[[T], str]
    ) -> Iterator[T]:
        """Yield the items, saying "``verb``, 5 of 30: NAME"; the page cuts a long name.

        ``total`` is how many items there are expected to be.
        """
        try:
            for count, item in enumerate(items):
                number = f", {count + 1} of {total}" if total > 1 else ""
                self.show(f"{verb}{number}: {name(item)}", min(1, count / total))
                yield item
        finally:
            self.hide()


def time_left(seconds: float) -> str:
    """Return how long something still takes, as a person reads it: "1:05 left"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} left"
