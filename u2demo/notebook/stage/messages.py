"""photo -> what its page is told of it; what the page says -> its history, and a sentence."""

from dataclasses import replace

from u2demo.masks.box import Box, bounding_box
from u2demo.masks.corrections import from_json
from u2demo.notebook.photo import Photo
from u2demo.notebook.stage.correcting import History, count, draw_objects, stroke_of, toggle_object


def describe(photo: Photo) -> dict:
    """Return what a page is told of ``photo`` beside its pictures.

    ``middle`` says how far right the middle of its subject is, in percent; None: nothing is found.
    """
    now, subject = photo.history.now, bounding_box(photo.small_mask)
    width = photo.small_mask.shape[1]
    return {
        "middle": 50 * (subject.left + subject.right) / width if subject else None,
        "canUndo": bool(photo.history.past),
        "canRedo": bool(photo.history.future),
        "count": count(now),
        "within": now.within and list(now.within),
    }


def follow(photo: Photo, message: dict) -> tuple[History, str]:
    """Return the history of ``photo`` after a message of its page, and what was done in words.

    Raises:
        ValueError: a file to load is not one of corrections, or belongs to another photo.
    """
    history, done = _follow(photo, message)
    number = count(history.now)
    many = f"{number} correction{'s' * (number > 1)}" if number else "No corrections"
    return history, f"{done} {many}."


def _follow(photo: Photo, message: dict) -> tuple[History, str]:
    history, kind = photo.history, message["kind"]
    now = history.now
    if kind == "stroke":
        stroke = stroke_of(message["points"], message["radius"], message["keep"])
        strokes = (*now.strokes, stroke)
        return history.say(replace(now, strokes=strokes)), "Kept." if stroke.keep else "Erased."
    if kind == "box":
        box = Box(*(int(edge) for edge in message["box"]))
        return history.say(replace(now, within=box, objects=())), "Looking in the box."
    if kind == "object":
        x, y = message["point"]
        objects = draw_objects(photo.small_found)
        chosen = toggle_object(now, (float(x), float(y)), objects, photo.scale)
        return history.say(chosen), "Objects chosen."
    if kind == "load":
        return history.say(from_json(message["text"], photo.size)), "Loaded."
    if kind == "undo":
        return history.undo(), "Undone."
    if kind == "redo":
        return history.redo(), "Done again."
    return history.reset(), "Reset."
