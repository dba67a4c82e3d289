"""Thousands of photos in one process: memory, threads and open files stay what they are."""

import ctypes
import itertools
import os
import platform
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from bright import Bright
from small_run import EFFECTS, make_photos

import u2demo as u2
from u2demo.runs.listing import Listing
from u2demo.runs.run import Run, process_files

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="reads /proc, and what glibc has not given back"
)

MEGABYTES = os.sysconf("SC_PAGESIZE") / 1e6 if sys.platform == "linux" else 0
QUICK = pytest.param(60, Bright, id="60 photos")
LONG = pytest.param(2000, u2.load_model, id="2000 photos, real net", marks=pytest.mark.slow)


class Usage:
    """What this process uses, looked at after each of ``count`` photos."""

    def __init__(self, count):
        self.count = count
        self.seen = []  # memory in MB, threads, open files

    def look(self, *_):
        # glibc keeps some 30 MB of freed memory in one moment and gives it back in the next.
        ctypes.CDLL(None).malloc_trim(0)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * MEGABYTES
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
        self.seen.append((resident, threading.active_count(), files))

    def check(self):
        """Assert that the last third of the photos took no more than the second.

        Other threads may have a file open at that moment; one left by each photo would be twenty.
        """
        assert len(self.seen) == self.count
        _, second, last = (np.median(part, 0) for part in np.array_split(self.seen, 3))
        print(f"MB, threads, files: {second} then {last}")
        memory, threads, files = last - second
        assert memory < 5 and threads < 5 and files < 5


@pytest.mark.parametrize(("count", "make_model"), [QUICK, LONG])
def test_photos_one_after_the_other_leave_nothing_behind(count, make_model, tmp_path):
    model, usage = make_model(), Usage(count)
    samples = itertools.cycle(u2.sample_images().items())
    photos = ((name, image.resize((160, 120))) for name, image in samples)
    small = {"canvas": partial(u2.EFFECTS["canvas"], size=(200, 200))}
    results = u2.process(model, photos, effects={**u2.EFFECTS, **small})
    for result in itertools.islice(results, count):
        for file in u2.save(result, tmp_path):
            file.unlink()
        usage.look()
    usage.check()


@pytest.mark.parametrize(("count", "make_model"), [QUICK, LONG])
def test_the_photos_of_a_folder_leave_nothing_behind(count, make_model, tmp_path):
    photos = Listing([make_photos(tmp_path / "photos", count, size=(160, 120))])
    usage = Usage(count)
    out = tmp_path / "out"
    records = process_files(make_model(), photos, out, Run(EFFECTS), report=usage.look)
    assert [record.status for record in records] == ["done"] * count
    usage.check()
