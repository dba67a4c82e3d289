"""a photo, on a disk or in a store -> its bytes, and the corrections beside it."""

import io
from pathlib import Path

from u2demo.images.kinds import is_clip, why_unread
from u2demo.machine.places import is_url, join, name_of, read_bytes, stored
from u2demo.masks.corrections import Corrections
from u2demo.runs.checksums import content_checksum, readable_checksum
from u2demo.runs.corrected import LARGEST, corrections_in, read_corrections


def open_photo(photo: str, length: int | None) -> tuple[str, Path | io.BytesIO]:
    """Return the checksum of a photo's content, and what ``open_image`` takes.

    From a store it comes whole: with ``length`` bytes, where that is known.

    Raises:
        ValueError: it is in a store, and of a kind that is not read; so it is not even fetched.
        StoreError: it cannot be fetched.
    """
    if not is_url(photo):
        return readable_checksum(Path(photo)), Path(photo)
    if why := why_not_fetched(photo):
        raise ValueError(why)
    data = read_bytes(photo, length)
    file = io.BytesIO(data)
    file.name = photo  # for what is said of it
    return content_checksum(data), file


def why_not_fetched(url: str) -> str:
    """Return why what a store has under this name is left out; "" if it is a photo."""
    name = Path(name_of(url))
    if is_clip(name, b""):
        return "a clip; clips are read on this computer, so copy it here"
    return why_unread(name, b"")


def corrections_beside(photo: str, name: str, size: tuple[int, int]) -> Corrections:
    """Return the corrections in the file ``name`` beside a photo of ``size``, (width, height).

    Raises:
        ValueError: they cannot be read, or are those of another photo.
    """
    if not is_url(photo):
        return read_corrections(Path(photo).with_name(name), size)
    url = join(photo.rpartition("/")[0], name)

    def text() -> str:
        found = stored(url)
        if found is None or (found.size or 0) > LARGEST:
            raise ValueError("gone or too large, expected corrections saved by u2demo")
        return read_bytes(url, found.size).decode("utf-8-sig", "replace")

    return corrections_in(text, name, size)
