"""argument -> path, or a sentence."""

import os
from pathlib import Path

from u2demo.machine.places import is_url


def as_path(name: str, value: str | os.PathLike[str]) -> Path:
    """Return ``value`` as a path on this computer; ``name`` is the argument's.

    Raises:
        TypeError: it is not a path.
        ValueError: it is a URL.
    """
    if is_url(value):
        raise ValueError(
            f"{name} is {value}, expected a path on this computer; copy the files to or from the"
            " URL yourself"
        )
    if isinstance(value, bytes) or not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} is {value!r:.80}, expected a path")
    return Path(value)


def as_place(name: str, value: str | os.PathLike[str]) -> str | Path:
    """Return ``value`` as it is if it is a URL, else as a path; ``name`` is the argument's.

    Raises:
        TypeError: it is neither.
    """
    return value if is_url(value) else as_path(name, value)
