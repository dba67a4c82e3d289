"""The app's menu of networks; one is downloaded while the app keeps working with another."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from u2demo.machine.memory import keep_freed_memory
from u2demo.nets import store
from u2demo.nets.checkpoints import CHECKPOINTS, Checkpoint, WeightsError
from u2demo.nets.download import Stopped
from u2demo.notebook import callbacks
from u2demo.notebook.callbacks import guarded, on_this_thread
from u2demo.notebook.notes import Notes, escape, linked
from u2demo.notebook.progress import Progress

if TYPE_CHECKING:
    from torch import nn

OWN = "own"  # the network that OneClick was given
FIRST = "u2netp"  # ships inside the package
_OFFLINE = "is this machine online?"  # what is said of a source whose host is not found


def networks() -> list[str]:
    """Return the names of the published networks that find subjects."""
    return [name for name, record in CHECKPOINTS.items() if record.makes == "mask"]


def title(name: str) -> str:
    """Return what the app calls a network."""
    return "Your own" if name == OWN else name


def label(name: str) -> str:
    """Return a network's entry in the menu: its name and download size."""
    if name == OWN:
        return title(name)
    record = CHECKPOINTS[name]
    if not record.sources:
        return f"{name} – built in"
    return f"{name} – ready" if _is_here(record) else f"{name} – {_megabytes(record)}"


def about(name: str) -> str:
    """Return the description of a network: its purpose, download and license."""
    if name == OWN:
        return ""
    record = CHECKPOINTS[name]
    sentences = [record.purpose[0].upper() + record.purpose[1:]]
    if record.sources and not _is_here(record):
        sentences.append(f"A download of {_megabytes(record)}, kept for the next time")
    sentences.append(f"License: {record.license}")
    return ". ".join(sentences) + "."


def _is_here(record: Checkpoint) -> bool:
    return any(path.stat().st_size == record.bytes for path in store.present(record))


def _megabytes(record: Checkpoint) -> str:
    return f"{record.bytes / 1e6:.0f} MB"


class ModelMenu:
    """A menu of networks; ``on_change`` is called once the chosen one is in use.

    ``name`` and ``model`` are the network in use; ``model`` is None until the first ``load``. A
    network that is not on this machine is downloaded in a thread. Another choice ends the download,
    and the bytes received are kept.
    """

    def __init__(self, on_change: Callable[[], None], model: "nn.Module | None"):
        self.name = FIRST if model is None else OWN
        self.model = model
        self._notes = Notes()
        self._on_change = guarded(on_change, self._notes)
        self._fetching: _Fetch | None = None
        self._menu = ipywidgets.Dropdown(description="Network")
        self._about = ipywidgets.HTML()
        self._about.add_class("u2-about")
        self._progress = Progress(self.cancel)
        self._choose = guarded(self._choose_network, self._notes)
        self._menu.observe(self._choose, names="value")
        self._show_names()
        self.box = ipywidgets.VBox([self._menu, self._about, self._progress, self._notes])
        self.box.add_class("u2-models")

    @property
    def is_fetching(self) -> bool:
        """Whether a chosen network is being downloaded."""
        return self._fetching is not None

    def load(self) -> "nn.Module":
        """Return the network in use, loaded if necessary."""
        if self.model is None:
            self.model = _load(self.name)
        return self.model

    def cancel(self) -> None:
        """Stop a download and stay with the network in use."""
        self._drop_fetch()
        self._show_names()

    def _drop_fetch(self) -> None:
        if self._fetching:
            self._fetching.is_wanted = False
        self._fetching = None
        self._progress.hide()

    def _show_names(self) -> None:
        """List the networks as they are now, with the one in use selected."""
        names = networks()
        if self.name == OWN:
            names = [OWN, *names]
        self._menu.unobserve(self._choose, names="value")
        self._menu.options = [(label(name), name) for name in names]
        self._menu.value = self.name
        self._menu.observe(self._choose, names="value")
        self._show_about(self.name)

    def _show_about(self, name: str) -> None:
        self._about.value = escape(about(name))

    def _choose_network(self, change: dict) -> None:
        name = change["new"]
        self._show_about(name)
        if self._fetching and self._fetching.name == name:
            return
        # The list stays as it is: the page would miss a change to its own choice.
        self._drop_fetch()
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
        if isinstance(outcome, Exception):
            self.cancel()
            self._explain(fetch.name, outcome)
            return
        self.name, self.model = fetch.name, outcome
        self.cancel()
        self._on_change()

    def _explain(self, name: str, error: Exception) -> None:
        """Say what a person needs in one sentence; full details go into a collapsible section."""
        if not isinstance(error, WeightsError):
            self._notes.report(error)
            return
        reason = str(error).partition("\n")[0].removesuffix(" What each source answered:")
        if _OFFLINE in str(error):
            reason += " This computer seems to be offline."
        advice = f"Still using {title(self.name)}. Choose {name} again in the menu to try again."
        self._notes.add_html(
            f"{escape(f'{reason} {advice}')}"
            f"<details><summary>Details</summary>{linked(str(error))}</details>",
            kind="problem",
        )


class _Fetch:
    """The download, check and loading of one network, in a thread if there is an event loop."""

    def __init__(self, name: str, report: Callable, finish: Callable):
        self.name = name
        self.is_wanted = True
        self._report = on_this_thread(report)
        self._finish = on_this_thread(finish)

    def start(self) -> None:
        if callbacks.running_loop():
            threading.Thread(target=self._bring, name=f"fetch {self.name}", daemon=True).start()
        else:
            self._bring()

    def _bring(self) -> None:
        from u2demo.nets.load import fetch_weights  # loads torch: the page comes first

        try:
            fetch_weights(self.name, progress=self._tell)
            outcome = _load(self.name)
        except Stopped:
            return
        except Exception as error:
            outcome = error
        self._finish(self, outcome)

    def _tell(self, size: int) -> None:
        if not self.is_wanted:
            raise Stopped
        self._report(self, size)


def _load(name: str) -> "nn.Module":
    from u2demo.nets.load import load_model  # loads torch: the page comes first

    keep_freed_memory()
    return load_model(name)
