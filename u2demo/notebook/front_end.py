"""names of assets -> their text: the scripts and styles of all pages."""

from importlib import resources


def assets(*names: str) -> str:
    """Return the text of some of the notebook's assets, one after another."""
    folder = resources.files("u2demo.notebook") / "assets"
    return "\n".join((folder / name).read_text("utf-8") for name in names)
