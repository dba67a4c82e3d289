"""A photo is read without a word, and the process is afterwards as it was before."""

import contextlib
import ctypes
import io
import logging
import os
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

import u2demo as u2
from u2demo.images.find import find_images
from u2demo.images.write import encode


def encoded(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, format=file_format, **options)
    return file.getvalue()


def odd_jpeg():
    """A photo whose metadata Pillow warns of."""
    return encoded(Image.new("RGB", (40, 24)), "JPEG", exif=b"Exif\0\0II*\0\xff")


def odd_tiff(compression):
    """A photo whose pixels libtiff prints about."""
    noise = Image.effect_noise((64, 64), 90)
    picture = noise.convert("1") if compression == "group4" else noise
    data = bytearray(encoded(picture, "TIFF", compression=compression))
    data[8:60] = b"\x5a" * 52  # the pixels; the directory follows
    return bytes(data)


def logged_tiff():
    """A TIFF of more samples than Pillow takes, which it logs."""
    data = bytearray(encoded(Image.new("RGB", (4, 4)), "TIFF"))
    entry = data.index(b"\x15\x01\x03\0")  # SamplesPerPixel, a SHORT
    data[entry + 8] = 99
    return bytes(data)


def heic():
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (40, 24))).save(file)
    return file.getvalue()


PHOTOS = {
    "jpeg": odd_jpeg,
    "png": lambda: encoded(Image.new("LA", (9, 9)), "PNG"),
    "tiff": lambda: odd_tiff("group4"),
    "logged": logged_tiff,
    "heic": heic,
    "damaged": lambda: heic()[:300],
    "unknown": lambda: b"not a photo",
}


def libtiff_handler():
    """Return the address of libtiff's error handler, None where it is out of reach."""
    try:
        exchange = ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError, TypeError):
        return None
    exchange.argtypes, exchange.restype = [ctypes.c_void_p], ctypes.c_void_p
    handler = exchange(None)
    exchange(handler)
    return handler


def host():
    """Return what a library could leave changed in the process that called it."""
    Image.init()
    return {
        "filters": list(warnings.filters),
        "log": (list(logging.getLogger("PIL").handlers), logging.getLogger("PIL").level),
        "registries": [dict(r) for r in (Image.OPEN, Image.SAVE, Image.MIME, Image.EXTENSION)],
        "formats": list(Image.ID),
        "limit": Image.MAX_IMAGE_PIXELS,
        "libtiff": libtiff_handler(),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "threads": threading.active_count(),
    }


def read(data):
    """Read a photo, good or damaged."""
    with contextlib.suppress(ValueError):
        u2.open_image(io.BytesIO(data))


@pytest.mark.parametrize("kind", PHOTOS)
def test_reading_a_photo_leaves_the_host_as_it_was(kind):
    data = PHOTOS[kind]()
    before = host()
    read(data)
    assert host() == before


def test_photos_read_side_by_side_leave_the_host_as_it_was():
    photos = [odd_jpeg(), odd_tiff("group4"), logged_tiff(), b"not a photo"] * 15
    before = host()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, photos))
    assert host() == before


def test_finding_effects_and_saving_leave_the_host_as_it_was(tmp_path, scene):
    image, mask = scene
    (tmp_path / "photo.png").write_bytes(encoded(image, "PNG"))
    before = host()
    find_images(tmp_path)
    for effect in u2.EFFECTS.values():
        picture = effect(image, mask)
        for suffix in (".png", ".webp"):
            encode(picture, suffix, like=image)
    assert host() == before


class Slow(io.BytesIO):
    """A file during whose reading something happens."""

    def __init__(self, data, happens):
        super().__init__(data)
        self.happens = happens

    def read(self, *size):
        self.happens()
        return super().read(*size)


def test_a_filter_that_the_host_adds_while_a_photo_is_read_stays():
    with warnings.catch_warnings():
        u2.open_image(Slow(odd_jpeg(), lambda: warnings.simplefilter("error", ResourceWarning)))
        assert warnings.filters[0][:3] == ("error", None, ResourceWarning)


def test_a_photo_does_not_make_python_repeat_a_warning():
    def warn():
        warnings.warn("once a line", stacklevel=1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            warn()
            read(odd_jpeg())
    assert len(caught) == 1


def test_nothing_is_reported_about_photos_read_side_by_side(capfd):
    photos = [odd_jpeg(), odd_tiff("group4"), logged_tiff()] * 15
    with warnings.catch_warnings(record=True) as caught, ThreadPoolExecutor(8) as pool:
        warnings.simplefilter("always")
        list(pool.map(read, photos))
    assert not caught
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "group4"])
def test_only_the_error_reports_a_damaged_tiff(compression, capfd):
    try:
        u2.open_image(io.BytesIO(odd_tiff(compression)))
    except ValueError as error:
        assert "damaged" in str(error)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_forked_while_photos_are_read_reads_photos_too():
    photo, stop = odd_jpeg(), threading.Event()
    open_image = u2.open_image  # named once: Python 3.10 locks its imports for each name

    def read_on():
        while not stop.is_set():
            open_image(io.BytesIO(photo))

    def reads_and_restores():
        open_image(io.BytesIO(photo))
        return warnings.filters == before

    before = list(warnings.filters)
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(read_on)
        try:
            ends = [in_child(reads_and_restores) for _ in range(30)]
        finally:
            stop.set()
    assert ends == [0] * 30


def in_child(call):
    """Return the exit status of a forked process that returns 0 if ``call`` is true."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if call() else 2
        finally:
            os._exit(status)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"
