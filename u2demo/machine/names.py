"""name -> name: safe on any disk or terminal, free, and sorted as people count."""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePath

_LONGEST_NAME = 180  # bytes; file systems allow 255, and effect, number and suffix follow
# Device names on Windows, with any suffix (Microsoft, "Naming Files").
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)

_NUMBER = re.compile(r"([0-9]+)")


def numbered(name: str, *, suffix: str | None = None, first: int = 1) -> Iterator[str]:
    """Yield names for a file without end: ``cat.png``, ``cat (2).png`` and so on.

    The number stands before ``suffix``, by default the suffix of ``name``; pass "" for a name that
    has no suffix but may have dots. ``first`` is the number to begin with.
    """
    suffix = PurePath(name).suffix if suffix is None else suffix
    stem = name.removesuffix(suffix)
    for number in itertools.count(first):
        yield name if number == 1 else f"{stem} ({number}){suffix}"


def safe_name(name: str) -> str:
    """Return ``name`` without folders, fit to be part of a file name on any system."""
    last = re.split(r"[/\\]", name)[-1]
    allowed = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last)
    short = allowed.encode()[:_LONGEST_NAME].decode(errors="ignore")
    plain = short.lstrip("-. ").rstrip(". ") or "photo"
    return f"_{plain}" if _DEVICE.match(plain) else plain


def expand_home(path: str | Path) -> Path:
    """Return ``path`` with a home folder in place of ``~`` or ``~name`` at its beginning.

    Raises:
        ValueError: that user is unknown, or has no home, as in some containers.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        whose = Path(path).parts[0]
        raise ValueError(
            f"{path}: {whose} is not a home folder on this computer;"
            " expected one, or a path without ~"
        ) from None


def fold_name(name: str) -> str:
    """Return ``name`` without what some disks ignore: upper case, and how accents are encoded."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def printable(text: object) -> str:
    """Return ``text`` on one line, with all that may drive a terminal escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def natural_order(path: str | Path) -> list:
    """Return a sort key that compares numbers inside names by value, folder by folder."""
    return [natural_order_of(part) for part in Path(path).parts]


def natural_order_of(name: str) -> list[str | int]:
    """Return the part of that key which one file or folder has: text, number, text, and so on."""
    pieces: list[str | int] = _NUMBER.split(name.casefold())
    pieces[1::2] = map(int, pieces[1::2])
    return pieces
