"""The app's callbacks, again and again in one process: nothing grows."""

import asyncio
import gc
import os
import threading
from pathlib import Path

import pytest
from bright import Bright
from live_app import as_file, find, on_a_page, part, press, spot
from PIL import Image

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")


def cost():
    """Return the memory in MB, and what must not change at all: threads, files, pictures."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    pictures = sum(issubclass(type(each), Image.Image) for each in gc.get_objects())
    return memory, (threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), pictures)


async def use(app, rounds):
    """Do what a person does, a redraw a round, with new photos and a save now and then."""
    for number in range(rounds):
        labels = [label for label, _ in part(app, "u2-toolbar").options]
        press(app, labels[number % len(labels)])
        find(app, "Less / more").value = 0.3 + number % 40 / 100
        press(app, app.photos[number % len(app.photos)].name)
        if number % 25 == 24:
            app.receive([("new.png", as_file(spot())), ("letter.txt", b"no photo")])
            press(app, "Save all to results/")
        if number % 100 == 99 or number == rounds - 1:
            press(app, "Cut out")
            app.run({"one.png": spot(), "two.png": spot()})
        while app.is_busy:
            await asyncio.sleep(0)
    await asyncio.sleep(1)  # until the gallery's slow redraw rests, too


@pytest.mark.parametrize("rounds", [40, pytest.param(2000, marks=pytest.mark.slow)])
def test_callbacks_leave_nothing_behind(rounds, results):
    async def visit(app):
        await use(app, rounds // 4)
        memory, rest = cost()
        await use(app, rounds)
        more_memory, same = cost()
        print(f"{rounds} rounds: {memory:.0f} MB, then {more_memory:.0f} MB; {rest}, then {same}")
        assert same == rest
        assert more_memory < memory + 25

    on_a_page(visit, Bright())
