"""A folder run small enough to be done hundreds of times, and what must be true after it."""

import csv
import errno
import json
import os
import sys
from pathlib import Path

import numpy as np
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.runs.coco import write_coco
from u2demo.runs.listing import Listing
from u2demo.runs.run import Run, process_files
from u2demo.runs.yolo import write_yolo

QUICK_COMMAND = [sys.executable, Path(__file__).with_name("quick_command.py")]
EFFECTS = {"cutout": u2.EFFECTS["cutout"], "box": u2.EFFECTS["box"]}


def make_photos(folder, count=3, size=(48, 32)):
    """Fill ``folder`` with photos of a bright square each, the last one in a subfolder.

    The square is as clear to the real net as to a quick one: one look is enough.
    """
    noise = np.random.default_rng(0)
    for number in range(count):
        pixels = noise.integers(0, 40, (size[1], size[0], 3), np.uint8)
        pixels[8:24, 10 + number % 8 : 30] += 200
        path = folder / ("pets" if number == count - 1 else "") / f"photo{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


def make_locked(folder, monkeypatch):
    """Return a new folder that cannot be read, also by root."""
    folder.mkdir(parents=True)
    scan = os.scandir

    def scandir(path):
        if Path(path) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return folder


def run(photos, out, *, model=None, report=lambda record: None, **options):
    """Do all that one run of the command line does, boxes included."""
    settings = Run(**{"effects": EFFECTS, **options})
    listing = Listing([photos])
    records = process_files(model or Bright(), listing, out, settings, report=report)
    write_coco(records, out)
    write_yolo(records, out)
    return records


def contents(folder):
    """All files below ``folder`` but the manifest, by name, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("manifest")
    }


def rows(out):
    """The records of the manifest without their seconds; a half line at the end is left out."""
    found = {}
    for line in (out / "manifest.jsonl").read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        del row["seconds"], row["noted"]
        del row["photo_from_results"]  # not the same from another folder
        found[row["photo"]] = row
    return found


def check_what_a_fault_left(out, undisturbed, earlier=None, killed=False):
    """Assert that pictures are whole, nothing else is there, and the manifest tells the truth.

    ``earlier`` are the results that were there before the run. A run that was ``killed`` leaves
    hidden files, for the next one to clear.
    """
    if not out.exists():
        return
    states = [folder for folder in (undisturbed, earlier) if folder]
    left, whole = contents(out), [contents(state) for state in states]
    hidden = [name for name in left if Path(name).name.startswith(".") and name != "labels/.u2demo"]
    assert killed or not hidden
    for name in left.keys() - {*hidden, "labels/.u2demo"}:  # it says more before labels are written
        assert left[name] in [files.get(name) for files in whole], name
    told = rows(out) if (out / "manifest.jsonl").exists() else {}
    assert told or left.keys() == set(hidden)
    for photo, row in told.items():
        if row["status"] != "done":
            assert row["status"] == "started"
            continue
        (files,) = (contents(state) for state in states if rows(state)[photo] == row)
        assert all(left[file] == files[file] for file in row["files"])
    if (out / "manifest.csv").exists():
        table = csv.DictReader((out / "manifest.csv").open())
        assert [(row["photo"], row["status"]) for row in table] == [
            (photo, row["status"]) for photo, row in told.items()
        ]


def check_that_all_is_done(out, undisturbed):
    """Assert that a run that was disturbed and given again left what an undisturbed one leaves."""
    assert contents(out) == contents(undisturbed)
    assert rows(out) == rows(undisturbed)
    table = csv.DictReader((out / "manifest.csv").open())
    assert [row["photo"] for row in table] == list(rows(undisturbed))
