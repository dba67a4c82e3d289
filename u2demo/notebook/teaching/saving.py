"""net as bytes -> files in a folder."""

from pathlib import Path

from u2demo.machine.disk import advise, at_free_name, discard, write_new_file

NAME = "mine.pth"


def save_pair(folder: Path, data: bytes, facts: bytes) -> Path:
    """Write a net, and the JSON file beside it, under one name that is free; return its path."""

    def put(net: Path) -> None:
        beside = net.with_suffix(".json")
        write_new_file(beside, facts)
        try:
            write_new_file(net, data)
        except BaseException:
            discard(beside)
            raise

    with advise(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return at_free_name(folder.resolve() / NAME, put)
