"""AVIF files, and properties that Pillow does not write."""

import io
import struct

import pytest


def avif_of(picture):
    """Return ``picture`` as the bytes of an AVIF; skip the test where Pillow writes none."""
    file = io.BytesIO()
    try:
        picture.save(file, "AVIF", quality=100, subsampling="4:4:4")
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write AVIF: {error}")
    return file.getvalue()


def with_property(avif, content, *, used):
    """Return ``avif`` with one more property, the first; its picture has it if it is ``used``."""
    added = struct.pack(">I", 4 + len(content)) + content
    data = bytearray(avif)
    places = {kind: data.index(kind) for kind in (b"meta", b"iloc", b"iprp", b"ipco", b"ipma")}
    table = places[b"ipma"] + 12  # of the only item: its number, how many properties, and which
    count = data[table + 2]
    for at in range(table + 3, table + 3 + count):
        data[at] += 1
    _add(data, places[b"iloc"] + 18, len(added) + used)  # libavif's: one item of one part
    for kind in (b"meta", b"iprp"):
        _add(data, places[kind] - 4, len(added) + used)
    _add(data, places[b"ipco"] - 4, len(added))
    if used:
        _add(data, places[b"ipma"] - 4, 1)
        data[table + 2] += 1
        data[table + 3 : table + 3] = b"\x81"
    start = places[b"ipco"] + 4
    data[start:start] = added
    return bytes(data)


def _add(data, place, more):
    (number,) = struct.unpack_from(">I", data, place)
    struct.pack_into(">I", data, place, number + more)
