"""What a process has freed can be given back."""

import subprocess
import sys

import pytest

_FREE_200_MB = """
import numpy as np
from u2demo.machine.memory import keep_freed_memory, return_freed_memory

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

keep_freed_memory()
buffers = [np.ones(2**20, np.uint8) for _ in range(200)]
last = np.ones(2**20, np.uint8)  # keeps the end of the heap in use
del buffers
before = held()
return_freed_memory()
print(before - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is the C library of Linux")
def test_what_was_freed_and_kept_is_given_back():
    run = subprocess.run(
        [sys.executable, "-c", _FREE_200_MB], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) > 150
