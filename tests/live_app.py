"""The one-click app as a person sees it: find its controls by name, press them, read the page.

``on_a_page`` gives it an event loop, as a kernel does.
"""

import asyncio
import html
import io
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import ipywidgets
from PIL import Image

from u2demo.notebook import OneClick
from u2demo.notebook.notes import Notes

PIECE = 1024 * 1024  # bytes that the page sends at a time


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
        await until(lambda: not app.is_busy)
        assert [photo.name for photo in app.photos] == ["one.png", "two.png"]
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


# The page


def classes(widget):
    """Return the CSS classes of a widget; ipywidgets has no public name for them."""
    return widget._dom_classes


def visible(widget):
    """Yield the widget and all it holds, in the order of the page, but for what is hidden."""
    if widget.layout.display == "none":
        return
    yield widget
    for child in getattr(widget, "children", ()):
        yield from visible(child)


def part(app, name):
    """Return the part of the page with the CSS class ``name``."""
    (found,) = [each for each in visible(app.page) if name in classes(each)]
    return found


def names_of(widget):
    """Return what a person can call a control: its label, its tooltip, or one of its options."""
    options = getattr(widget, "options", ()) if is_toggle(widget) else ()
    texts = [getattr(widget, trait, "") for trait in ("description", "tooltip", "label")]
    return {*filter(None, texts), *(label for label, _ in options)}


def is_toggle(widget):
    return isinstance(widget, ipywidgets.ToggleButtons)


def find(app, name, where="u2-app"):
    """Return the first visible control called ``name`` in a part of the page."""
    return find_in(part(app, where), name)


def find_in(whole, name):
    """Return the first visible control called ``name`` in a widget."""
    for widget in visible(whole):
        if name in names_of(widget):
            return widget
    raise AssertionError(f"no control {name!r} on the page")


def press(app, name, where="u2-app"):
    """Click the button, or choose the option, called ``name``."""
    control = find(app, name, where)
    if is_toggle(control):
        control.value = dict(control.options)[name]
    else:
        control.click()


def send(app, name, files):
    """Choose ``files``, (name, bytes) pairs, in the photo picker called ``name``."""
    send_to(find(app, name), files)


def send_to(picker, files):
    """Let ``files`` arrive in a photo picker, in pieces, as the page sends them."""
    batch = str(uuid.uuid4())
    for index, (file, data) in enumerate(files):
        for start in range(0, max(len(data), 1), PIECE):
            message = {"batch": batch, "index": index, "name": file}
            from_page(picker, message, [data[start : start + PIECE]])
    from_page(picker, {"batch": batch, "end": True})


def from_page(widget, message, buffers=()):
    """Deliver a message of the page; ipywidgets has no public name for that."""
    widget._handle_custom_msg(message, list(buffers))


def only_zip(files):
    """Return what is kept under the one name among ``files`` that is a zip's."""
    (name,) = [name for name in files if name.endswith(".zip")]
    return files[name]


# What it shows


def said(app, where="u2-top"):
    """Return the HTML of the notes in a part of the page: u2-top, u2-side or u2-saver."""
    return said_in(part(app, where))


def said_in(widget):
    return "".join(each.value for each in visible(widget) if isinstance(each, Notes))


def said_of_saving(app):
    return said(app, "u2-saver")


def stage(app):
    """Return the picture on the stage."""
    shown = part(app, "u2-stage-box").pictures
    return Image.open(io.BytesIO(shown.get("detail picture", shown["picture"])))


def on_stage(app):
    """Return what the page was told of the picture on the stage, besides its pixels."""
    return part(app, "u2-stage-box").told


def caption(app):
    """Return the HTML under the stage."""
    return part(app, "u2-below").children[0].value


def tiles(app):
    """Return the gallery's tiles; each holds a picture, a button with the name, and a cross."""
    return part(app, "u2-gallery").children


def tile_names(app):
    return [tile.children[1].description for tile in tiles(app)]


def progress(app, where="u2-left"):
    """Return the sentence beside a progress bar and its share, None while there is no bar."""
    for each in visible(part(app, where)):
        if "u2-progress" in classes(each):
            row, bar = each.children
            return row.children[0].value, bar.value
    return None


def text_of(markup):
    """Return what a person reads of ``markup``."""
    return html.unescape(re.sub("<[^>]*>", "", markup))
