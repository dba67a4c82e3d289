"""page -> what it has still to say: a slider's last values, before a click that came after them.

While the kernel is busy, ipywidgets holds a slider's values back, but not a click. So the click
would come first, and the value would be taken for that of the next photo.
"""

from collections.abc import Callable

from u2demo.notebook import callbacks

Settle = Callable[[Callable[[], None]], None]

# Seconds from the page's sign to the click: JupyterLab may give it another thread than the values
# that it sent before, and a busy computer hands over to that one a little later.
_LAG = 0.1
_PATIENCE = 30.0  # seconds until the page is taken for gone; a busy computer takes a while


def at_once(act: Callable[[], None]) -> None:
    """Call ``act``, as where no page holds anything back."""
    act()


class Settling:
    """Asks the page for a sign and waits for it: by then, all that it held back is here.

    ``ask`` sends the page a number, which it should pass to ``hear``. Until the page has shown that
    it can answer, nothing waits.
    """

    def __init__(self, ask: Callable[[int], None]):
        self._ask = ask
        self._is_there = False
        self._asked = 0
        self._waiting: dict[int, Callable[[], None]] = {}
        self.hear = callbacks.on_this_thread(self._hear)

    def __call__(self, act: Callable[[], None]) -> None:
        """Call ``act`` when the page has said all that it had to say at this moment."""
        loop = callbacks.running_loop()
        if not loop or not self._is_there:
            act()
            return
        self._asked += 1
        self._waiting[self._asked] = act
        loop.call_later(_PATIENCE, self._give_up, self._asked)
        self._ask(self._asked)

    def _hear(self, number: int) -> None:
        """Take a sign of the page: 0 when it opens, else the number that it was asked for."""
        self._is_there = True
        act = self._waiting.pop(number, None)
        if act:  # the page may be shown twice
            callbacks.running_loop().call_later(_LAG, act)

    def _give_up(self, number: int) -> None:
        if number in self._waiting:
            self._is_there = False
            self._waiting.pop(number)()
