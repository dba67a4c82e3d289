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
from u2demo.notebook.own_weights import Source, WeightsChoice, file_of, load_file, name_of
from u2demo.notebook.progress import Progress

if TYPE_CHECKING:
    from torch import nn

OWN = "own"  # the network that OneClick was given
FILE = "file"  # not a network yet: a file of weights is about to be chosen
FIRST = "u2netp"  # ships inside the package
_OFFLINE = "is this machine online?"  # what is said of a source whose host is not found


def check_net(model: object) -> None:
    """Raise ``TypeError`` unless ``model``, which a page is given, is None or could be a net."""
    if model is not None and not hasattr(model, "parameters"):  # torch comes later
        raise TypeError(f"expected a net, as from load_model, not {type(model).__name__}")


def networks() -> list[str]:
    """Return the names of the published networks that find subjects."""
    return [name for name, record in CHECKPOINTS.items() if record.makes == "mask"]


def title(name: str) -> str:
    """Return what the app calls a network."""
    return "Your own" if name == OWN else file_of(name) or name


def label(name: str) -> str:
    """Return a network's line in the menu: its name, what it is good for, and what it takes."""
    if name == FILE:
        return "A file of your own…"
    if name == OWN or file_of(name):
        return title(name)
    record = CHECKPOINTS[name]
    size = "ready" if _is_here(record) else _megabytes(record)
    return f"{name}: {record.purpose}" + (f" – {size}" if record.sources else "")


def about(name: str) -> str:
    """Return the description of a network: its purpose, download and license."""
    if name == FILE:
        return "Weights of a network that you have taught, such as mine.pth of u2demo train."
    if name == OWN:
        return ""
    if file_of(name):
        return "From a file of yours."
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
        self._file = WeightsChoice(self._open_file, self._notes)
        self._choose = guarded(self._choose_network, self._notes)
        self._menu.observe(self._choose, names="value")
        self._show_names()
        parts = [self._menu, self._about, self._file, self._progress, self._notes]
        self.box = ipywidgets.VBox(parts)
        self.box.add_class("u2-models")

    @property
    def is_fetching(self) -> bool:
        """Whether a chosen network is being downloaded."""
        return self._fetching is not None

    def load(self) -> "nn.Module":
        """Return the network in use, loaded if necessary."""
        if self.model is None:
            self.model = load_net(self.name)
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
        names = [*networks(), FILE]
        if self.name not in names:
            names = [self.name, *names]
        self._menu.unobserve(self._choose, names="value")
        self._menu.options = [(label(name), name) for name in names]
        self._menu.value = self.name
        self._menu.observe(self._choose, names="value")
        self._show_about(self.name)

    def _show_about(self, name: str) -> None:
        self._about.value = escape(about(name))
        self._file.layout.display = "" if name == FILE else "none"

    def _choose_network(self, change: dict) -> None:
        name = change["new"]
        self._show_about(name)
        # The list stays as it is: the page would miss a change to its own choice.
        self._drop_fetch()
        if name not in (self.name, FILE):
            self._begin(_Fetch(name, self._report, self._finish))

    def _open_file(self, name: str, source: Source) -> None:
        self._drop_fetch()
        self._begin(_Opening(name, source, self._finish))

    def _begin(self, fetch: "_Fetch") -> None:
        self._notes.clear()
        self._fetching = fetch
        fetch.start()

    def _report(self, fetch: "_Fetch", size: int) -> None:
        if fetch is self._fetching:
            self._progress.show_download(size, CHECKPOINTS[fetch.name].bytes)

    def _finish(self, fetch: "_Fetch", outcome: "nn.Module | Exception") -> None:
        if fetch is not self._fetching:
            return
        if isinstance(outcome, Exception):
            self.cancel()
            self._explain(fetch, outcome)
            return
        self.name, self.model = fetch.name_of(outcome), outcome
        self.cancel()
        self._on_change()

    def _explain(self, fetch: "_Fetch", error: Exception) -> None:
        """Say what a person needs in one sentence; full details go into a collapsible section."""
        if not isinstance(error, WeightsError):
            self._notes.report(error)
            return
        reason = str(error).partition("\n")[0].removesuffix(" What each source answered:")
        if _OFFLINE in str(error):
            reason += " This computer seems to be offline."
        advice = f"Still using {title(self.name)}. {fetch.advice}"
        self._notes.add_html(
            f"{escape(f'{reason} {advice}')}"
            f"<details><summary>Details</summary>{linked(str(error))}</details>",
            kind="problem",
        )


class _Fetch:
    """The download, check and loading of one network, in a thread if there is an event loop.

    ``advice`` is what a person can do if that fails.
    """

    def __init__(self, name: str, report: Callable, finish: Callable):
        self.name = name
        self.advice = f"Choose {name} again in the menu to try again."
        self.is_wanted = True
        self._report = on_this_thread(report)
        self._finish = on_this_thread(finish)

    def start(self) -> None:
        if callbacks.running_loop():
            threading.Thread(target=self._bring, name=f"fetch {self.name}", daemon=True).start()
        else:
            self._bring()

    def name_of(self, net: "nn.Module") -> str:
        """Return what the app calls the network, once it is loaded."""
        return self.name

    def _load(self) -> "nn.Module":
        from u2demo.nets.load import fetch_weights  # loads torch: the page comes first

        fetch_weights(self.name, progress=self._tell)
        return load_net(self.name)

    def _bring(self) -> None:
        try:
            outcome = self._load()
        except Stopped:
            return
        except Exception as error:
            outcome = error
        self._finish(self, outcome)

    def _tell(self, size: int) -> None:
        if not self.is_wanted:
            raise Stopped
        self._report(self, size)


class _Opening(_Fetch):
    """The loading of a network from a file of a person's own."""

    def __init__(self, name: str, source: Source, finish: Callable):
        super().__init__(name, lambda *_: None, finish)
        self.advice = "Choose A file of your own… in the menu for another file."
        self._source = source

    def name_of(self, net: "nn.Module") -> str:
        """Return what the app calls the network, once it is loaded."""
        return name_of(self.name, net)

    def _load(self) -> "nn.Module":
        keep_freed_memory()
        return load_file(self.name, self._source)


def load_net(name: str) -> "nn.Module":
    """Return a published net, for a page that is to look at photos from here on."""
    from u2demo.nets.load import load_model  # loads torch: the page comes first

    keep_freed_memory()
    return load_model(name)
