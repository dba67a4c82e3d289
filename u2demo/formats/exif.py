"""EXIF block <-> its fields, of which those that make sense in another picture are kept.

An EXIF block is a small TIFF file with directories about the image, the photo taken, and the place
(Exif 2.32, section 4.6). Fields stay the bytes they are, in their own byte order. Their number and
size are bounded before they are read, so that no block can make much of little.
"""

import contextlib
import io
import struct
from collections.abc import Collection, Mapping
from itertools import islice
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

from u2demo.formats.directory import Directories, Entry

Field = tuple[int, bytes]  # its type, a key of _SIZES, and its values
Fields = Mapping[int, Field]  # by tag
_NONE: Fields = MappingProxyType({})

_HEAD = b"Exif\0\0"  # before the block in a JPEG, and in Pillow always
# Bytes of a value, by type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 129: 1}
ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7
_IFD, _LONG8, _IFD8 = 13, 16, 18  # of places, the last two in a BigTIFF
_NUMBERS = {SHORT: "H", LONG: "I", _IFD: "I", _LONG8: "Q", _IFD8: "Q"}  # as in struct
_KINDS_OF_PLACES = {LONG, _IFD, _LONG8, _IFD8}
_MOST_FIELDS = 500  # of a directory
_LONGEST = 50_000  # bytes of all fields that are read; a JPEG holds a block of 65,527

DESCRIPTION, CHANGED, ARTIST, COPYRIGHT, TAKEN = 0x010E, 0x0132, 0x013B, 0x8298, 0x9003
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, UNIT = 0x0112, 0x011A, 0x011B, 0x0128
COLOR_SPACE, IPTC = 0xA001, 0x83BB
_PHOTO, _PLACE, _INTEROPERABILITY = 0x8769, 0x8825, 0xA005  # where other directories begin
_PLACES = {_PHOTO, _PLACE, _INTEROPERABILITY}
_INDEX = 1  # of interoperability
_VERSION = 0x9000

_XP_TITLE, _XP_AUTHOR = 0x9C9B, 0x9C9D  # of Windows
_CREDITS_OF_IMAGE = {DESCRIPTION, CHANGED, ARTIST, COPYRIGHT, _XP_TITLE, _XP_AUTHOR}
_CREDITS_OF_PHOTO = {_VERSION, TAKEN, 0x9004, *range(0x9010, 0x9013), *range(0x9290, 0x9293)}
# Make, Model, Software, HostComputer, two of Rating, and Windows' Comment, Keywords and Subject
_REST_OF_IMAGE = {0x010F, 0x0110, 0x0131, 0x013C, 0x4746, 0x4749, 0x9C9C, 0x9C9E, 0x9C9F}
_NEVER_READ = {0x927C, 0xEA1C, 0xEA1D}  # MakerNote, which is full of secrets, and padding
_NEVER_KEPT = {COLOR_SPACE, 0xA002, 0xA003, _INTEROPERABILITY}  # two are the size in pixels


class Exif(NamedTuple):
    """The fields of an EXIF block, by directory; ``order`` is their byte order as in ``struct``."""

    order: str = "<"
    image: Fields = _NONE
    photo: Fields = _NONE
    place: Fields = _NONE
    index: bytes = b""  # InteroperabilityIndex

    def number(self, tag: int) -> int | None:
        """Return the value of a whole number of image or photo, None if there is none."""
        kind, data = self.image.get(tag) or self.photo.get(tag) or (None, b"")
        letter = _NUMBERS.get(kind)
        return struct.unpack_from(self.order + letter, data)[0] if letter and data else None

    def ratio(self, tag: int) -> float | None:
        """Return the value of a fraction of the image, None if there is none."""
        kind, data = self.image.get(tag, (None, b""))
        if kind != RATIONAL or not data:
            return None
        above, below = struct.unpack_from(self.order + "2I", data)
        return above / below if below else None


def read_exif(source: bytes | BinaryIO) -> Exif:
    """Return the fields of an EXIF block, or of a TIFF's first directory, as far as legible."""
    file = io.BytesIO(source.removeprefix(_HEAD)) if isinstance(source, bytes) else source
    try:
        reader = _Reader(Directories(file))
    except (KeyError, OSError, ValueError, struct.error):
        return Exif()
    needed = {ORIENTATION, X_RESOLUTION, Y_RESOLUTION, UNIT, IPTC, _PHOTO, _PLACE}
    image = reader.fields(reader.first, _CREDITS_OF_IMAGE | _REST_OF_IMAGE | needed)
    exif = Exif(reader.order, image)
    photo = reader.fields(exif.number(_PHOTO), None)
    exif = Exif(reader.order, image, photo, reader.fields(exif.number(_PLACE), None))
    _, index = reader.fields(exif.number(_INTEROPERABILITY), {_INDEX}).get(_INDEX, (0, b""))
    return exif._replace(index=index)


def kept(exif: Exif, *, credits_only: bool = False) -> Exif:
    """Return the fields that stay true of a picture made from the photo.

    With ``credits_only`` they are description, author, copyright and dates.
    """
    if credits_only:
        image = _only(exif.image, _CREDITS_OF_IMAGE)
        return Exif(exif.order, image, _only(exif.photo, _CREDITS_OF_PHOTO))
    image = _only(exif.image, _CREDITS_OF_IMAGE | _REST_OF_IMAGE)
    return Exif(exif.order, image, _only(exif.photo, exif.photo.keys() - _NEVER_KEPT), exif.place)


def with_texts(exif: Exif, texts: Mapping[int, str]) -> Exif:
    """Return ``exif`` with those of ``texts``, by tag, that it lacks: UTF-8, as is the custom."""
    new = {
        tag: (ASCII, text.encode(errors="replace") + b"\0") for tag, text in texts.items() if text
    }
    image = {tag: field for tag, field in new.items() if tag != TAKEN} | dict(exif.image)
    photo = {tag: field for tag, field in new.items() if tag == TAKEN} | dict(exif.photo)
    return exif._replace(image=image, photo=photo)


def with_resolution(exif: Exif, dpi: tuple[float, float]) -> Exif:
    """Return ``exif`` with the resolution in pixels per inch, (x, y)."""
    x, y = (struct.pack(exif.order + "2I", round(1000 * value), 1000) for value in dpi)
    inch = struct.pack(exif.order + "H", 2)
    fields = {X_RESOLUTION: (RATIONAL, x), Y_RESOLUTION: (RATIONAL, y), UNIT: (SHORT, inch)}
    return exif._replace(image=dict(exif.image) | fields)


def write_exif(exif: Exif) -> bytes:
    """Return the block of these fields, empty if there are none."""
    directories = (exif.image, exif.photo, exif.place)
    image, photo, place = (_only(fields, fields.keys() - _PLACES) for fields in directories)
    if photo.keys() - {_VERSION}:
        photo.setdefault(_VERSION, (UNDEFINED, b"0232"))
    else:
        photo = {}
    content = b""
    for tag, fields in ((_PHOTO, photo), (_PLACE, place)):
        if fields:
            image[tag] = (LONG, struct.pack(exif.order + "I", 8 + len(content)))
            content += _directory(fields, exif.order, 8 + len(content))
    if not image:
        return b""
    mark = b"II" if exif.order == "<" else b"MM"
    head = mark + struct.pack(exif.order + "HI", 42, 8 + len(content))
    return _HEAD + head + content + _directory(image, exif.order, 8 + len(content))


def _only(fields: Fields, tags: Collection[int]) -> dict[int, Field]:
    return {tag: field for tag, field in fields.items() if tag in tags}


class _Reader:
    """Reads fields of directories, all in all not more than ``_LONGEST`` bytes."""

    def __init__(self, directories: Directories):
        self.order, self.first = directories.order, directories.first
        self._directories, self._room = directories, _LONGEST

    def fields(self, place: int | None, tags: Collection[int] | None) -> Fields:
        """Return those fields of the directory at ``place`` that are in ``tags``; None for all."""
        found: dict[int, Field] = {}
        if place is None:
            return found
        # Damage costs no more than what follows it.
        with contextlib.suppress(OSError, OverflowError, ValueError, struct.error):
            entries = self._directories.read(place).entries
            for tag, entry in islice(entries.items(), _MOST_FIELDS):
                if tag not in _NEVER_READ and (tags is None or tag in tags):
                    self._read(found, tag, entry)
        return found

    def _read(self, found: dict[int, Field], tag: int, entry: Entry) -> None:
        kinds = _KINDS_OF_PLACES if tag in _PLACES else _SIZES
        if entry.kind not in kinds or not 0 < entry.size <= self._room - 12:
            return
        data = self._directories.data(entry, entry.size)
        says_something = entry.kind != ASCII or data.strip(b"\0 ")  # cameras write blank names
        if len(data) == entry.size and says_something:
            found[tag] = entry.kind, data
            self._room -= 12 + entry.size


def _directory(fields: Fields, order: str, place: int) -> bytes:
    """Return a directory that begins at ``place``, with its fields in order and their values."""
    entries, values = [], b""
    start = place + 2 + 12 * len(fields) + 4
    for tag, (kind, data) in sorted(fields.items()):
        value = data
        if len(data) > 4:
            value = struct.pack(order + "I", start + len(values))
            values += data + bytes(len(data) % 2)
        entries.append(struct.pack(order + "HHI4s", tag, kind, len(data) // _SIZES[kind], value))
    return struct.pack(order + "H", len(fields)) + b"".join(entries) + bytes(4) + values
