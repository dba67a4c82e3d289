"""argument -> path, or a sentence."""

import os
from pathlib import Path

from u2demo.machine.names import expand_home
from u2demo.machine.places import is_url


def as_path(name: str, value: str | os.PathLike[str]) -> Path:
    """Return ``value`` as a path on this computer, see ``from_home``; ``name`` is the argument's.

    Raises:
        TypeError: it is not a path.
        ValueError: it is a URL, or in the home of a user who has none.
    """
    if is_url(value):
        raise ValueError(
            f"{name} is {value}, expected a path on this computer; copy the files to or from the"
            " URL yourself"
        )
    if isinstance(value, bytes) or not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} is {value!r:.80}, expected a path")
    return from_home(value)


def from_home(path: str | os.PathLike[str]) -> Path:
    """Return ``path`` with the home folder in place of a first part ``~``.

    Not every shell does that, and none in ``--output=~/results``. A photo may be called ``~cat``.

    Raises:
        ValueError: the user has no home, as in some containers.
    """
    path = Path(path)
    return expand_home(path) if path.parts[:1] == ("~",) else path


def as_place(name: str, value: str | os.PathLike[str]) -> str | Path:
    """Return ``value`` as it is if it is a URL, else as a path; ``name`` is the argument's.

    Raises:
        TypeError: it is neither.
    """
    return value if is_url(value) else as_path(name, value)
