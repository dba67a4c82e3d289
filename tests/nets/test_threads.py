"""Threads: borrowed from PyTorch and given back, safe to fork, and sharing memory on request."""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import u2demo as u2
from u2demo.machine.cores import available_cores
from u2demo.nets.checkpoints import WeightsError
from u2demo.nets.threads import use_threads

FORK = """
import os
import sys
import torch
import u2demo as u2
from u2demo.nets.load import fingerprint

model = u2.load_model(device="cpu")
photo = u2.sample_images()["coffee.png"]  # its subject is clear: one look

def check(when):
    child = os.fork()
    if not child:
        os._exit(u2.predict_mask(model, photo).shape != (400, 600))
    if os.waitpid(child, 0)[1]:
        sys.exit(f"forked after {when}, it does not predict")

fingerprint(model)
check("loading")
torch.set_num_threads(2)
u2.predict_mask(model, photo)
check("predicting")
"""

ALLOCATE = """
import ctypes
import sys
import threading

import numpy as np
from u2demo.machine.cores import available_cores
from u2demo.machine.memory import keep_freed_memory

keep_freed_memory()
all_at_once = threading.Barrier(8 * available_cores())

def allocate():
    buffer = np.ones(100_000)
    all_at_once.wait()

threads = [threading.Thread(target=allocate) for _ in range(all_at_once.parties)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
glibc = ctypes.CDLL(None)
glibc.fopen.restype = ctypes.c_void_p
glibc.malloc_info(0, ctypes.c_void_p(glibc.fopen(sys.argv[1].encode(), b"w")))
glibc.fflush(None)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_after_loading_or_predicting_predicts():
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    run = subprocess.Popen(command, start_new_session=True)
    try:
        assert run.wait(timeout=100) == 0
    finally:  # a child that hangs outlives its parent
        if run.returncode is None:
            os.killpg(run.pid, 9)
            run.wait()


def test_threads_are_given_back_even_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), use_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_two_that_borrow_threads_at_once_leave_as_many_as_there_were():
    before = torch.get_num_threads()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        uses = {worker: use_threads(before + 1) for worker in (one, other)}
        for step in ("__enter__", "__exit__"):
            for worker, use in uses.items():
                error = () if step == "__enter__" else (None, None, None)
                worker.submit(getattr(use, step), *error).result()
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == before


def test_a_thread_keeps_what_it_borrowed_when_another_gives_back_its_own():
    before = torch.get_num_threads()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        first, second = use_threads(before + 1), use_threads(before + 2)
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        one.submit(first.__exit__, None, None, None).result()
        assert other.submit(torch.get_num_threads).result() == before + 2
        other.submit(second.__exit__, None, None, None).result()


def test_loading_leaves_the_number_of_threads_as_it_was(tmp_path):
    before = torch.get_num_threads()
    u2.load_model(device="cpu")
    (tmp_path / "my.pth").write_bytes(b"no weights")
    with pytest.raises(WeightsError):
        u2.load_model(weights=tmp_path / "my.pth")
    assert torch.get_num_threads() == before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries share memory")
def test_threads_share_what_they_free_in_a_program_that_asks_for_it(tmp_path):
    report = tmp_path / "heaps.xml"
    subprocess.run([sys.executable, "-c", ALLOCATE, report], check=True, timeout=100)
    assert report.read_text().count("<heap nr") <= available_cores()
