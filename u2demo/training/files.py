"""net to come -> the files beside it."""

from pathlib import Path


def unfinished_file(net: Path) -> Path:
    """Return the file that holds a training of which ``net`` shall come."""
    return net.with_name(f"{net.stem}.unfinished{net.suffix}")


def facts_file(net: Path) -> Path:
    """Return the file that says where ``net`` comes from."""
    return net.with_suffix(".json")


def worst_file(net: Path) -> Path:
    """Return the picture of the photos in which ``net`` finds least."""
    return net.with_name(f"{net.stem}_worst.png")
