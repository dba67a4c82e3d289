"""The one-click app where an event loop runs, as a kernel's does."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from u2demo.notebook import OneClick


def spot(size=(60, 40), left=10):
    """A black photo with a white square of 20 pixels."""
    photo = Image.new("RGB", size)
    photo.paste("white", (left, 10, left + 20, 30))
    return photo


def as_file(photo, form="PNG", **options):
    file = io.BytesIO()
    photo.save(file, form, **options)
    return file.getvalue()


def on_a_page(visit, model=None):
    """Let ``visit(app)``, a coroutine, use an app that has two photos."""

    async def stay():
        app = OneClick(model)
        app.run({"one.png": spot(), "two.png": spot()})
        await until(lambda: len(app._album.photos) == 2 and is_idle(app))
        await visit(app)
        app.close()

    with ThreadPoolExecutor(1) as thread:  # in this one Playwright's loop may be running
        thread.submit(asyncio.run, stay()).result()


async def until(condition):
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


def is_idle(app):
    """Tell whether no progress is on the page."""
    return "none" == app._progress.layout.display == app._models._progress.layout.display
