"""The manifest: read whoever wrote it, and a table that a spreadsheet opens as it is meant."""

import csv
import errno
import io
import json
import os
import threading
import weakref
from pathlib import Path

import pytest
from bright import Bright
from failing_disk import FailingDisk
from small_run import make_photos, run

import u2demo as u2
from u2demo.machine.disk import partial_file
from u2demo.runs import table
from u2demo.runs.manifest import Manifest
from u2demo.runs.records import Record, read_records

ONE = "3-" + "0" * 32  # the checksum of a picture
MASK = {"mask": u2.EFFECTS["mask"]}
ODD = {
    "a number for a photo": {"photo": 5, "photo_from_results": "x"},
    "a list for a photo": {"photo": [1], "photo_from_results": "x"},
    "a zero byte in a file": {"files": ["a\0.png"]},
    "a zero byte in the stem": {"stem": "a\0b", "version": "x"},
    "half a character": {"photo": "/\ud800", "photo_from_results": "x"},
    "a long way to the photo": {"photo_from_results": "x" * 5000},
    "texts for a box": {"objects": [["a", "b", "c", "d"]]},
    "a box of three": {"box": [1, 2, 3]},
    "a number for a file": {"files": [1]},
    "a number for a name": {"renamed": {"a.png": 1}},
    "a size of one": {"size": [3]},
}


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos", 2)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def edit(out, change):
    """Change the first record of a manifest."""
    journal = out / "manifest.jsonl"
    first, *rows = map(json.loads, journal.read_text().splitlines())
    journal.write_text("".join(json.dumps(row) + "\n" for row in [{**first, **change}, *rows]))


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_a_line_that_was_edited_costs_only_itself(change, photos, out):
    run(photos, out)
    edit(out, change)
    statuses = [record.status for record in run(photos, out)]
    assert len(statuses) == 2 and set(statuses) <= {"done", "skipped"}


@pytest.mark.parametrize("line", ["[" * 100_000, "\ufeff", "{}", "null", '{"photo": NaN}'])
def test_a_line_that_is_no_record_costs_nothing(line, photos, out):
    run(photos, out)
    with (out / "manifest.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(line + "\n")
    assert {record.status for record in run(photos, out)} == {"skipped"}


def test_an_editor_may_put_a_mark_at_the_beginning(photos, out):
    run(photos, out)
    journal = out / "manifest.jsonl"
    journal.write_bytes(b"\xef\xbb\xbf" + journal.read_bytes().replace(b"\n", b"\r\n"))
    assert {record.status for record in run(photos, out)} == {"skipped"}


def test_what_a_later_version_notes_is_no_reason_to_begin_anew(photos, out):
    run(photos, out)
    edit(out, {"mood": "happy"})
    assert {record.status for record in run(photos, out)} == {"skipped"}


def test_a_line_that_was_cut_off_by_a_fault_does_not_take_the_next_one_with_it(out):
    """Two photos are in work at once: one meets the fault, the other is noted after it."""
    first, second = (Record(f"/{stem}.jpg", stem, version="1", status="started") for stem in "ab")
    with Manifest(out) as manifest:
        with FailingDisk(out, 3) as disk, pytest.raises(OSError, match="No space left"):
            manifest.add(first)
        manifest.add(second)
        left = (out / "manifest.jsonl").read_bytes()
    assert disk.operations[2] == "write manifest.jsonl"
    assert left.splitlines()[-1].startswith(b'{"photo": "/b.jpg"')
    assert list(read_records(out)) == [second]


def test_what_a_run_is_writing_is_not_taken_for_what_a_killed_one_left(out):
    """Photos are in work while others, begun by the killed run, are looked up."""
    begun = Record("/a.jpg", "pets/a", version="1", status="started", writing={"pets/a.png": ONE})
    with Manifest(out) as manifest:
        manifest.add(begun)
        killed = (out / "manifest.jsonl").read_bytes()
    (out / "pets").mkdir()
    (out / "manifest.jsonl").write_bytes(killed)
    left = [partial_file(folder) for folder in (out, out / "pets")]
    for file in left:
        file.touch()
    with Manifest(out) as manifest:
        assert not any(file.exists() for file in left)
        at_work = [partial_file(folder) for folder in (out, out / "pets")]
        for file in at_work:
            file.touch()
        assert manifest.known("/a.jpg").status == "started"
        assert all(file.exists() for file in at_work)


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOTCONN, errno.ESTALE, errno.EIO])
def test_photos_on_a_share_that_is_gone_hinder_no_others(code, tmp_path, out, monkeypatch):
    u2.process_folder(Bright(), make_photos(tmp_path / "share", 1), out, effects=MASK)
    other = make_photos(tmp_path / "other", 3)
    stat = Path.stat

    def gone(path, **options):
        if "share" in path.parts:
            raise OSError(code, "gone", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", gone)
    records = u2.process_folder(Bright(), other, out, effects=MASK)
    assert {record.status for record in records} == {"done"}
    assert len(list(read_records(out))) == 4, "nothing is forgotten"


def test_a_pipe_above_the_photos_is_not_waited_for(photos, out, tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes")
    os.mkfifo(tmp_path / "manifest.jsonl")
    work = threading.Thread(target=lambda: run(photos, out), daemon=True)
    work.start()
    work.join(20)
    assert not work.is_alive()


def rows_of(record):
    """Return the only row of a table as a spreadsheet reads it."""
    encoded = b"".join(table.pieces([record], with_mark=False))
    return next(csv.DictReader(io.StringIO(encoded.decode("utf-8-sig"), newline="")))


def test_excel_shows_accents_as_they_are(tmp_path):
    """It takes a table for UTF-8 only if a byte order mark says so."""
    for photo, begin in (
        ("/p/Café été.jpg", b"\xef\xbb\xbfphoto,"),
        ("/p/cat.jpg", b"photo,stem,"),
    ):
        out = tmp_path / Path(photo).stem
        with Manifest(out) as manifest:
            manifest.add(Record(photo, "cat", "v"))
        assert (out / "manifest.csv").read_bytes().startswith(begin)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_no_cell_is_a_formula(begin):
    evil = f'{begin}cmd|" /C calc"!A0'
    record = Record(evil, evil, "v", error=evil, files=(evil,), renamed={evil: evil})
    row = rows_of(record)
    for column in ("photo", "stem", "error", "files", "renamed"):
        assert row[column].startswith(f"'{begin}")


def test_a_table_with_formulas_and_accents_counts_as_unchanged(tmp_path):
    record = Record("/p/=é.jpg", "=é", "v", "done", size=(3, 4), left_out=("2 more frames",))
    file = tmp_path / "manifest.csv"
    file.write_bytes(b"".join(table.pieces([record], with_mark=True)))
    assert table.has_our_columns(file) and table.agrees(file, [record])
    assert not table.agrees(file, [Record("/p/=é.jpg", "=é", "v", "done", size=(3, 5))])


def test_a_table_is_compared_with_few_records_in_memory(tmp_path):
    def records():
        for number in range(50):
            record = Record(f"/p/{number}.jpg", f"{number}", "v", "done")
            seen.append(weakref.ref(record))
            assert sum(one() is not None for one in seen) < 5
            yield record

    seen, file = [], tmp_path / "manifest.csv"
    file.write_bytes(b"".join(table.pieces(records(), with_mark=False)))
    assert table.agrees(file, records()) and len(seen) == 100
    head, *rows = file.read_text().splitlines()
    file.write_text("\n".join([head, *reversed(rows)]))
    assert table.agrees(file, [Record(f"/p/{n}.jpg", f"{n}", "v", "done") for n in range(50)])
    assert not table.agrees(file, [Record(f"/p/{n}.jpg", f"{n}", "v", "done") for n in range(49)])


def test_a_table_of_an_earlier_version_counts_as_unchanged(tmp_path):
    file = tmp_path / "manifest.csv"
    file.write_text("photo,stem,version,status,size\n/old/=a.jpg,=a,v,done,3 4\n")
    assert table.agrees(file, [Record("/new/=a.jpg", "=a", "v", "done", size=(3, 4))])
