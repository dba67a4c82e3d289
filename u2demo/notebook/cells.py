"""cell -> what it shows, which closes when the cell runs again."""

from collections.abc import Callable

import IPython

_closers: dict[str | None, Callable[[], object]] = {}  # by the id of the cell; one kernel, one dict


def close_on_rerun(close: Callable[[], object]) -> object:
    """Call ``close`` when the current cell runs again and shows something new.

    Return what closing the last one has returned, None if there was none. It stays open if it is
    what the cell shows again: if ``close`` is the same function or method. Where cells have no id,
    any later cell that calls this counts as the same cell.
    """
    cell = _running_cell()
    close_previous = _closers.pop(cell, None)
    is_new = close_previous not in (None, close)
    left = close_previous() if is_new else None
    _closers[cell] = close
    return left


def _running_cell() -> str | None:
    shell = IPython.get_ipython()
    if not hasattr(shell, "get_parent"):
        return None
    metadata = shell.get_parent().get("metadata") or {}
    return metadata.get("cellId")
