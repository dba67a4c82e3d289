"""The choice of a network in the app, fetched while the app goes on with the one it has."""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from u2demo.nets import store
from u2demo.nets.checkpoints import CHECKPOINTS, WeightsError
from u2demo.notebook import turns
from u2demo.notebook.progress import Progress
from u2demo.notebook.widgets import Notes, escape, linked

if TYPE_CHECKING:
    from torch import nn

OWN = "own"  # the network that OneClick was given
TITLES = {"u2netp": "Small", "u2net": "Full size", "u2net_human_seg": "People"}


def label(name: str) -> str:
    """Return what the menu says of a network: what it is for, and what it costs to have it."""
    if name == OWN:
        return "Your own"
    record = CHECKPOINTS[name]
    state = f"{record.bytes / 1e6:.0f} MB download"
    if not record.sources:
        state = "built in"
    elif any(path.stat().st_size == record.bytes for path in store.present(record)):
        state = "ready"
    return f"{TITLES[name]} – {state}"


class ModelMenu:
    """A menu of networks; ``on_change`` is called once the chosen one is at work.

    ``name`` says which is, and ``model`` is it, None until somebody asks with ``load``. What is not
    on this machine is fetched in a thread; another choice ends that, and what has arrived is kept.
    """

    def __init__(self, on_change: Callable[[], None], notes: Notes, model: "nn.Module | None"):
        self.name = OWN if model else "u2netp"
        self.model = model
        self._on_change = notes.guard(on_change)
        self._notes = notes
        self._fetching: _Fetch | None = None
        self._menu = ipywidgets.Dropdown(description="Network")
        self._progress = Progress(self.cancel)
        self._choose = notes.guard(self._choose)
        self._menu.observe(self._choose, names="value")
        self._show_names()
        self.box = ipywidgets.VBox([self._menu, self._progress])
        self.box.add_class("u2-models")

    @property
    def title(self) -> str:
        """What the menu calls the network that is at work."""
        return TITLES.get(self.name, "Your own")

    def load(self) -> "nn.Module":
        """Return the network that is at work."""
        from u2demo.nets.load import load_model

        self.model = self.model or load_model(self.name)
        return self.model

    def cancel(self) -> None:
        """Stay with the network that is at work."""
        self._drop()
        self._show_names()

    def _drop(self) -> None:
        if self._fetching:
            self._fetching.is_wanted = False
        self._fetching = None
        self._progress.hide()

    def _show_names(self) -> None:
        """List the networks as they are now, the one at work chosen."""
        names = [*([OWN] if self.name == OWN else []), *TITLES]
        self._menu.unobserve(self._choose, names="value")
        self._menu.options = [(label(name), name) for name in names]
        self._menu.value = self.name
        self._menu.observe(self._choose, names="value")

    def _choose(self, change: dict) -> None:
        name = change["new"]
        if self._fetching and self._fetching.name == name:
            return
        self._drop()  # the list stays: the page would not hear of a choice made on its behalf
        if name != self.name:
            self._notes.clear()
            self._fetching = _Fetch(name, self._report, self._finish)
            self._fetching.start()

    def _report(self, fetch: "_Fetch", size: int) -> None:
        if fetch is self._fetching:
            total = CHECKPOINTS[fetch.name].bytes
            text = f"Fetching, {size / 1e6:.0f} of {total / 1e6:.0f} MB"
            self._progress.show(text if size < total else "Checking", size / total)

    def _finish(self, fetch: "_Fetch", outcome: "nn.Module | Exception") -> None:
        if fetch is not self._fetching:
            return
        worked = not isinstance(outcome, Exception)
        if worked:
            self.name, self.model = fetch.name, outcome
        self.cancel()
        if worked:
            self._on_change()
        else:
            self._explain(fetch.name, outcome)

    def _explain(self, name: str, error: Exception) -> None:
        """Say in a sentence what a person needs; what the library says is for who wants to know."""
        if not isinstance(error, WeightsError):
            self._notes.tell(error)
            return
        reason = str(error).partition("\n")[0].removesuffix(" What each source answered:")
        self._notes.add_html(
            f"{escape(reason)} Going on with: {self.title}. Choose {TITLES[name]} again in the "
            f"menu to try again.<details><summary>Details</summary>{linked(str(error))}</details>",
            kind="problem",
        )


class _Fetch:
    """One way to a network: download, check, load; in a thread where an event loop runs."""

    def __init__(self, name: str, report: Callable, finish: Callable):
        self.name = name
        self.is_wanted = True
        self._report = turns.in_turn(report)
        self._finish = turns.in_turn(finish)

    def start(self) -> None:
        if turns.running_loop():
            threading.Thread(target=self._bring, name=f"fetch {self.name}", daemon=True).start()
        else:
            self._bring()

    def _bring(self) -> None:
        from u2demo.nets.load import fetch_weights, load_model

        try:
            fetch_weights(self.name, progress=self._tell)
            outcome = load_model(self.name)
        except asyncio.CancelledError:
            return
        except Exception as error:
            outcome = error
        self._finish(self, outcome)

    def _tell(self, size: int) -> None:
        if not self.is_wanted:
            raise asyncio.CancelledError  # passes all that looks for errors of the download
        self._report(self, size)
