"""Open files of every kind: what a stream lacks is made up for, or said."""

import gzip
import io
import os
import tempfile
import zipfile

import pytest
from PIL import Image

from u2demo.images import streams
from u2demo.images.read import open_image

file = io.BytesIO()
Image.new("RGB", (40, 30), "red").save(file, "PNG")
PHOTO = file.getvalue()


class Reads:
    """A stream whose ``read`` is a function of ours."""

    def __init__(self, read):
        self.read = read


class Few(io.BytesIO):
    """A stream that gives a few bytes at a time, as a socket may."""

    def read(self, size=-1):
        return super().read(min(size, 7) if size > 0 else 7)


def zipped():
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        archive.writestr("a.png", PHOTO)
    return zipfile.ZipFile(packed).open("a.png")


def piped():
    read, write = os.pipe()
    os.write(write, PHOTO)
    os.close(write)
    return os.fdopen(read, "rb")


def temporary(kind):
    opened = kind()
    opened.write(PHOTO)
    return opened


GOOD = {
    "few bytes": lambda: Few(PHOTO),
    "only read": lambda: Reads(io.BytesIO(PHOTO).read),
    "bytearray": lambda: Reads(lambda size, left=[PHOTO]: bytearray(left.pop() if left else b"")),
    "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(PHOTO))),
    "in a zip": zipped,
    "pipe": piped,
    "temporary": lambda: temporary(tempfile.TemporaryFile),
    "spooled": lambda: temporary(tempfile.SpooledTemporaryFile),
    "unbuffered": lambda: io.BufferedReader(io.BytesIO(PHOTO)),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_photo_is_read_from_any_open_file(kind):
    opened = GOOD[kind]()
    assert open_image(opened).size == (40, 30)
    if hasattr(opened, "close"):
        opened.close()


def closed():
    opened = io.BytesIO(PHOTO)
    opened.close()
    return opened


BAD = {
    "closed": (closed, "a closed file, expected an open one"),
    "text": (lambda: Reads(lambda size: "text"), "a stream of str, expected one of bytes"),
    "nothing yet": (lambda: Reads(lambda size: None), "a stream of NoneType, expected one of by"),
    "endless": (lambda: Reads(lambda size: b"P" * size), "a stream that never ends, expected"),
    "no image": (lambda: Reads(io.BytesIO(b"no image").read), "not an image"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_with_a_stream_is_said(kind, monkeypatch):
    monkeypatch.setattr(streams, "_MOST", 10**6)
    make, reason = BAD[kind]
    with pytest.raises(ValueError, match=f"the uploaded file: {reason}"):
        open_image(make())


def test_a_file_open_for_writing_is_named(tmp_path):
    with (
        (tmp_path / "new.png").open("wb") as opened,
        pytest.raises(ValueError, match=r"new\.png: a file open for writing, expected one open"),
    ):
        open_image(opened)
