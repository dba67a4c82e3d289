"""Fixtures: a scene small enough to check by eye, and the packaged network."""

import importlib
import os
import sys
import tempfile
import threading
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image

import u2demo as u2
from u2demo.machine import attempts
from u2demo.machine.cores import available_cores

pytest.register_assert_rewrite("small_run")  # so that what it asserts is explained

# PyTorch's threads, which wait busily, would pile up. It reads this when it is imported, which the
# conftest.py of a folder may do before pytest_configure.
if "PYTEST_XDIST_WORKER" in os.environ:
    workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_cores() // workers)))


def pytest_addoption(parser):
    """Leave out what takes minutes, unless it is asked for."""
    parser.addoption("--slow", action="store_true", help="run only the tests marked slow")


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--slow")
    others = [item for item in items if bool(item.get_closest_marker("slow")) != wanted]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def pytest_configure(config):
    """Send what the notebooks save to a private folder: nbval's kernels inherit this."""
    config.addinivalue_line("markers", "slow: takes minutes; `make test-slow` runs it")
    if "U2DEMO_SAVE_DIR" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="u2demo-results-")
        config.add_cleanup(folder.cleanup)
        os.environ["U2DEMO_SAVE_DIR"] = folder.name
    os.environ.setdefault("U2DEMO_OFFLINE", "1")  # weights are fetched from 127.0.0.1 or not at all


@pytest.fixture
def scene():
    """A 9×6 photo of noise and its read-only mask: a 4×3 subject at (2, 1), one soft column."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    mask = np.zeros((6, 9), np.float32)
    mask[1:4, 2:6] = 1
    mask[1:4, 6] = 0.4
    mask.setflags(write=False)
    return Image.fromarray(pixels), mask


@pytest.fixture
def memory_store(monkeypatch):
    """fsspec's store in memory, empty; attempts follow each other at once."""
    monkeypatch.setattr(attempts, "PAUSES", (0, 0, 0))
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    yield store
    store.store.clear()


@pytest.fixture(scope="session")
def model():
    """The network that ships inside the package."""
    return u2.load_model(device="cpu")


@pytest.fixture
def bright_loaded(monkeypatch):
    """The command line loads a net that is quick, and takes what is bright for the subject."""
    from bright import Bright

    monkeypatch.setattr("u2demo.nets.load.load_model", lambda *_, **options: Bright())


@pytest.fixture(scope="session")
def samples():
    """The packaged photos by name."""
    return u2.sample_images()


@pytest.fixture
def colab(monkeypatch):
    """The person at a Colab page, played by the stand-in in tests/fakes."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "fakes"))
    monkeypatch.setenv("U2DEMO_ENV", "colab")
    person = importlib.import_module("google.colab._person")
    person.MessageError = importlib.import_module("google.colab._message").MessageError
    yield person
    for name in [name for name in sys.modules if name.startswith("google.colab")]:
        del sys.modules[name]


@pytest.fixture
def saved(monkeypatch):
    """The files that reach the person's downloads."""
    from u2demo.notebook.file_transfer import FileSaver

    files = {}
    monkeypatch.setattr(
        FileSaver, "save", lambda self, name, data, *, type: files.update({name: (type, data)})
    )
    return files


@pytest.fixture
def no_loop(monkeypatch):
    """Let no event loop run in this thread, where Playwright's may be: jobs are done at once."""
    from u2demo.notebook import callbacks

    running = callbacks.running_loop
    main = threading.main_thread()
    monkeypatch.setattr(
        callbacks, "running_loop", lambda: None if threading.current_thread() is main else running()
    )


@pytest.fixture
def small_maps(monkeypatch):
    """Maps as small as the tests' clips, to save time."""
    monkeypatch.setattr("u2demo.video.steady._PIXELS", 64 * 48)
