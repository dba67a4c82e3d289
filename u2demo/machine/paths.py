"""argument -> path, or a sentence."""

import os
from pathlib import Path


def as_path(name: str, value: str | os.PathLike[str]) -> Path:
    """Return ``value`` as a path; ``name`` is the argument's.

    Raises:
        TypeError: it is not a path.
    """
    if isinstance(value, bytes) or not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} is {value!r:.80}, expected a path")
    return Path(value)
