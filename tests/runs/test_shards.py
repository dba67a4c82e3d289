"""Shards: runs that share a folder of photos and one of results, at once, killed, or after another.

Their pictures are, byte for byte and name for name, those of a run that is not divided.
"""

import csv
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bright import Bright
from small_run import EFFECTS, QUICK_COMMAND, contents, make_photos, rows

import u2demo as u2
from u2demo.cli.arguments import parse
from u2demo.cli.main import main
from u2demo.machine.disk import discard_partial_files, partial_file
from u2demo.machine.lock import Lock
from u2demo.runs import manifest, worker
from u2demo.runs.lines import to_line
from u2demo.runs.listing import Listing
from u2demo.runs.manifest import Manifest, lock_of
from u2demo.runs.plan import clips_of
from u2demo.runs.record import Record
from u2demo.runs.records import journal_of, read_records
from u2demo.runs.settings import Run
from u2demo.runs.shards import finish, merge

HERE = Path(__file__).parents[1]
# Stems that are the same, or where one may get the other's second name.
NAMES = ["cat.png", "cat.jpg", "CAT.png", "cat_png.png", "cat_jpg.png", "cat (2).png", "cat.webp",
         "cat_box.png", "b/cat.png", "B/cat.png", "b/café.png", "10.png", "9.png"]  # fmt: skip
COMMAND = ["--effects", "cutout,box"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos whose names want each other's."""
    made = make_photos(tmp_path_factory.mktemp("made"), len(NAMES), size=(48, 32))
    folder = tmp_path_factory.mktemp("photos")
    for source, name in zip(sorted(made.rglob("*.png")), NAMES, strict=True):
        (folder / name).parent.mkdir(exist_ok=True)
        source.rename(folder / name)
    return folder


@pytest.fixture(scope="module")
def undivided(photos, tmp_path_factory):
    """The results of a run that is not divided."""
    out = tmp_path_factory.mktemp("undivided") / "out"
    run(photos, out)
    return out


def run(photos, out, shard=None, **options):
    return u2.process_folder(Bright(), photos, out, effects=EFFECTS, shard=shard, **options)


def statuses(records):
    return {record.status for record in records}


def all_rows(out):
    """The rows of a manifest, without what shards note beside."""
    return list(rows(out).items())


def test_the_union_of_shards_is_the_undivided_run(photos, undivided, tmp_path):
    done = [record.photo for k in (3, 1, 2) for record in run(photos, tmp_path, (k, 3))]
    assert sorted(done) == sorted(rows(undivided)), "each photo is one shard's"
    assert contents(tmp_path) == contents(undivided)
    assert not (tmp_path / "manifest.jsonl").exists()
    assert merge(tmp_path).is_complete
    assert all_rows(tmp_path) == all_rows(undivided), "in the same order"
    table = csv.DictReader((tmp_path / "manifest.csv").open(encoding="utf-8-sig"))
    assert [row["photo"] for row in table] == list(rows(undivided))


def test_shards_into_the_folder_of_the_photos_leave_each_others_pictures_alone(tmp_path):
    """Folders are gone into one after another: pictures of others may be there by then."""
    photos, alone = tmp_path / "photos", tmp_path / "alone"
    for folder, name in itertools.product((photos, alone), "abcd"):
        make_photos(folder / name, 3)
    run(alone, alone)
    others = itertools.chain([lambda: run(photos, photos, (2, 2))], itertools.repeat(lambda: None))
    run(photos, photos, (1, 2), report=lambda record: next(others)())
    merge(photos)
    assert contents(photos) == contents(alone)
    assert len(rows(photos)) == 12


def test_shards_that_work_at_once_do_not_mix(photos, undivided, tmp_path):
    shards = [
        threading.Thread(target=run, args=(photos, tmp_path, (k, 3)), daemon=True)
        for k in (1, 2, 3)
    ]
    for shard in shards:
        shard.start()
    for shard in shards:
        shard.join()
    assert contents(tmp_path) == contents(undivided)
    assert merge(tmp_path).statuses.total() == len(NAMES)


@pytest.mark.parametrize("later", [[(1, 2), (2, 2)], [None]], ids=["two shards", "undivided"])
def test_another_number_of_shards_finds_what_is_done(later, photos, undivided, tmp_path):
    for k in (1, 3):
        run(photos, tmp_path, (k, 3))
    before = contents(tmp_path)
    records = [record for shard in later for record in run(photos, tmp_path, shard)]
    assert [record.status for record in records].count("skipped") == len(before) // len(EFFECTS)
    assert contents(tmp_path) == contents(undivided)
    again = [record for shard in later for record in run(photos, tmp_path, shard)]
    assert statuses(again) == {"skipped"} and len(again) == len(NAMES)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_more_shards_than_files_may_be_open_are_merged(tmp_path):
    count = 150
    for number in range(1, count + 1):
        made = Record(str(tmp_path / f"{number}.jpg"), str(number), "1-1-a", status="done")
        journal = tmp_path / f"manifest-{number}-of-{count}.jsonl"
        journal.write_text(to_line(made, tmp_path, noted=1.0))
        finish(tmp_path, (number, count))
    code = f"from u2demo.runs.shards import merge; print(merge({str(tmp_path)!r}).statuses.total())"
    limited = f'ulimit -n 120; exec "{sys.executable}" -c "{code}"'
    done = subprocess.run(["sh", "-c", limited], cwd=HERE.parent, capture_output=True, text=True)
    assert done.stdout == f"{count}\n", done.stderr
    assert [record.stem for record in read_records(tmp_path)] == list(map(str, range(1, count + 1)))


def test_what_a_later_run_of_another_number_has_made_counts(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    for width, count in ((48, 2), (50, 3), (52, 2)):
        make_photos(photos, 4, size=(width, 32))
        done = [record for k in range(count) for record in run(photos, out, (k + 1, count))]
        assert [record.status for record in done] == ["done"] * 4
        assert {record.size for record in read_records(out)} == {(width, 32)}
    assert statuses(run(photos, out)) == {"skipped"}


def test_a_later_run_counts_though_its_clock_is_behind(tmp_path, monkeypatch):
    photos, out = make_photos(tmp_path / "photos", 4), tmp_path / "out"
    ahead = time.time() + 7200
    with monkeypatch.context() as other_computer:
        other_computer.setattr("u2demo.runs.manifest.time.time", lambda: ahead)
        run(photos, out, (1, 1))
    for became in ("done", "skipped"):
        records = [record for k in (1, 2) for record in run(photos, out, (k, 2), quality="best")]
        assert [record.status for record in records] == [became] * 4
        assert not any(record.renamed for record in records)
    merge(out)
    assert statuses(run(photos, out, quality="best")) == {"skipped"}


def test_a_run_after_a_merge_counts_though_the_clock_of_one_shard_was_ahead(tmp_path, monkeypatch):
    photos, out = make_photos(tmp_path / "photos", 4), tmp_path / "out"
    ahead = time.time() + 7200
    run(photos, out, (2, 2))
    with monkeypatch.context() as other_computer:
        other_computer.setattr("u2demo.runs.manifest.time.time", lambda: ahead)
        run(photos, out, (1, 2))  # its photo comes first in the manifest
    for shard in [(1, 2), (2, 2)]:
        finish(out, shard)
    assert merge(out).is_complete
    make_photos(photos, 4, size=(40, 30))  # the photos have changed
    assert statuses(run(photos, out)) == {"done"}
    assert statuses(run(photos, out)) == {"skipped"}


@pytest.mark.parametrize("deleted", range(5))
def test_a_merge_that_is_killed_brings_no_older_records_back(deleted, tmp_path, monkeypatch):
    photos, out = make_photos(tmp_path / "photos", 4), tmp_path / "out"
    for shard in [(1, 3), (2, 3), (3, 3)]:
        run(photos, out, shard)
    make_photos(photos, 4, size=(40, 30))  # the photos have changed
    for shard in [(1, 2), (2, 2)]:
        run(photos, out, shard)
    journals = iter(range(deleted))

    def discard(path):
        if next(journals, None) is None:
            raise KeyboardInterrupt
        path.unlink()

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(manifest, "discard", discard)
        merge(out)
    assert statuses(run(photos, out)) == {"skipped"}


def test_a_shard_of_a_run_that_is_not_divided_finds_it_done(photos, undivided, tmp_path):
    run(photos, tmp_path)
    assert statuses(r for k in (1, 2) for r in run(photos, tmp_path, (k, 2))) == {"skipped"}
    assert merge(tmp_path).statuses.total() == len(NAMES)
    assert contents(tmp_path) == contents(undivided)


def test_merge_says_which_shards_are_missing_or_unfinished(photos, tmp_path, capsys):
    def stop(record):
        raise KeyboardInterrupt

    run(photos, tmp_path, (1, 4))
    with pytest.raises(KeyboardInterrupt):
        for k in (2, 3):
            run(photos, tmp_path, (k, 4), report=stop)
    (stopped,) = (k for k in (2, 3) if (tmp_path / f"manifest-{k}-of-4.jsonl").exists())
    missing = [k for k in (2, 3, 4) if k != stopped]
    assert main(["merge", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert f"missing: {', '.join(map(str, missing))}; --shard {missing[0]}/4 does one" in said
    assert f"unfinished: {stopped}; --shard {stopped}/4 does one" in said
    done = [row for row in rows(tmp_path).values() if row["status"] == "done"]
    assert done and (tmp_path / "manifest.csv").exists(), "what there is, is in the manifest"
    for k in (stopped, *missing):
        run(photos, tmp_path, (k, 4))
    assert main(["merge", str(tmp_path)]) == 0
    table = tmp_path / "manifest.csv"
    assert capsys.readouterr().out == (
        f"4 shards done; {len(NAMES)} photos and clips are in {table}: {len(NAMES)} done\n"
    )
    left = sorted(path.name for path in tmp_path.glob("manifest*"))
    assert left == ["manifest.csv", "manifest.jsonl"]


def test_merge_says_what_became_of_all_photos(tmp_path, capsys):
    photos = make_photos(tmp_path / "photos", 3)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    for k in (1, 2):
        run(photos, tmp_path / "out", (k, 2))
    assert main(["merge", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.endswith("manifest.csv: 3 done, 1 failed\n")


def test_merge_says_of_how_many_photos_no_shard_was_asked_for_outlines(tmp_path, capsys):
    photos, out = make_photos(tmp_path / "photos", 3), tmp_path / "out"
    run(photos, out, (1, 1))
    assert main(["merge", str(out), "--boxes", "yolo-seg"]) == 0
    assert (
        "3 photos have boxes, but no outlines: for these, pass --boxes to the shards as well"
        in (capsys.readouterr().out)
    )
    assert main([str(photos), "-o", str(out), "--shard", "1/1", "--boxes", "yolo-seg"]) == 0
    capsys.readouterr()
    assert main(["merge", str(out), "--boxes", "yolo-seg"]) == 0
    assert "no outlines" not in capsys.readouterr().out


def test_merge_writes_the_boxes_that_an_undivided_run_writes(photos, tmp_path, capsys):
    alone, shards = tmp_path / "alone", tmp_path / "shards"
    run(photos, alone)
    for k in (1, 2):
        run(photos, shards, (k, 2))
    for out in (alone, shards):
        assert main(["merge", str(out), "--boxes", "coco,yolo"]) == 0
    assert "no shards are waiting" in capsys.readouterr().out
    assert contents(shards) == contents(alone)


def test_a_shard_and_a_run_over_all_photos_turn_each_other_away(photos, tmp_path):
    with Manifest(tmp_path, (1, 2)), Manifest(tmp_path, (2, 2)):
        for shard in (None, (1, 2)):
            with pytest.raises(ValueError, match="another run is writing into"):
                run(photos, tmp_path, shard)
        with pytest.raises(ValueError, match="another run is writing into"):
            merge(tmp_path)
    with Manifest(tmp_path), pytest.raises(ValueError, match="another run is writing into"):
        run(photos, tmp_path, (1, 2))


def test_a_shard_that_has_just_begun_turns_a_run_over_all_photos_away(photos, tmp_path):
    lock = Lock(lock_of(journal_of(tmp_path, (1, 2))))
    lock.acquire()
    with pytest.raises(ValueError, match="another run is writing into"):
        run(photos, tmp_path)
    lock.release()


@pytest.mark.parametrize("then", [run, lambda photos, out: merge(out)], ids=["a run", "merge"])
def test_the_lock_of_a_killed_shard_goes_with_its_journal(then, photos, tmp_path):
    run(photos, tmp_path, (1, 2))
    journal = journal_of(tmp_path, (2, 2))  # killed before it wrote any
    code = "import os, sys; from pathlib import Path; from u2demo.machine.lock import Lock; "
    code += "Lock(Path(sys.argv[1])).acquire(); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, lock_of(journal)], check=True)
    assert lock_of(journal).exists()
    then(photos, tmp_path)
    assert not list(tmp_path.glob(".*"))


def test_a_shard_clears_what_the_dead_have_left_and_nothing_of_the_living(photos, tmp_path):
    code = "import sys; from pathlib import Path; from u2demo.machine.disk import partial_file\n"
    code += "partial_file(Path(sys.argv[1])).touch()"
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    living = partial_file(tmp_path)
    living.touch()
    other = tmp_path / f".u2demo-{'0' * 32}.part"  # of another computer
    other.touch()
    run(photos, tmp_path, (1, 2))
    assert sorted(tmp_path.glob(".u2demo*")) == sorted([living, other])
    run(photos, tmp_path)
    assert not list(tmp_path.glob(".u2demo*")), "no other run can be at work"


def test_computers_of_one_name_do_not_clear_each_others_files(tmp_path, monkeypatch):
    """Copies of a virtual machine have one name, and each has a process 1, 2, 3."""
    copy = tmp_path / "boot_id"
    copy.write_text("of the copy")
    code = "import sys; from pathlib import Path; from u2demo.machine.disk import partial_file\n"
    code += "partial_file(Path(sys.argv[1])).touch()"
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    monkeypatch.setattr("u2demo.machine.disk._BOOT", copy)
    discard_partial_files(tmp_path, shared=True)
    assert len(list(tmp_path.glob(".u2demo*"))) == 1
    discard_partial_files(tmp_path)
    assert not list(tmp_path.glob(".u2demo*"))


def test_clips_belong_to_shards_too(tmp_path):
    for number in range(20):
        (tmp_path / f"clip{number}.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    parts = [{clip.name for clip in clips_of(Listing([tmp_path]), (k, 3))} for k in (1, 2, 3)]
    assert all(parts) and len(set().union(*parts)) == 20 == sum(map(len, parts))


def test_a_journal_of_yours_with_the_name_of_a_shards_stays(photos, tmp_path):
    mine = tmp_path / "manifest-1-of-2.jsonl"
    mine.write_text("notes\n")
    run(photos, tmp_path)
    assert mine.read_text() == "notes\n"
    with pytest.raises(ValueError, match=r"manifest-1-of-2\.jsonl was not written by u2demo"):
        run(photos, tmp_path, (1, 2))
    assert mine.read_text() == "notes\n"


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0), "1/2", (1.0, 2), (1,)])
def test_a_shard_that_cannot_be_is_refused_before_any_work(shard, photos, tmp_path):
    with pytest.raises((ValueError, TypeError), match=r"counted from 1|expected its number"):
        run(photos, tmp_path / "out", shard)
    assert not (tmp_path / "out").exists()


SLURM = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1",
         "SLURM_ARRAY_TASK_STEP": "2"}  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({}, None),
        (SLURM, (4, 4)),
        (SLURM | {"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_MIN": "0"}, (1, 4)),
        ({"JOB_COMPLETION_INDEX": "0", "JOB_COMPLETIONS": "10"}, (1, 10)),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "9", "AWS_BATCH_JOB_ARRAY_SIZE": "10"}, (10, 10)),
        ({"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1"}, None),
    ],
)
def test_a_cluster_says_which_shard_a_task_is(environment, shard, monkeypatch, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert parse(["photos"]).shard == shard
    assert parse(["photos", "--shard", "2/3"]).shard == (2, 3)
    assert parse(["photos", "--shard", "1/1"]).shard is None
    assert ("--shard 1/1 does all" in capsys.readouterr().err) == bool(environment)


@pytest.mark.parametrize(
    "environment",
    [
        {"JOB_COMPLETION_INDEX": "3"},
        SLURM | {"SLURM_ARRAY_TASK_ID": "9"},
        SLURM | {"SLURM_ARRAY_TASK_ID": "2"},
        SLURM | {"SLURM_ARRAY_TASK_ID": "x"},
    ],
)
def test_a_task_that_does_not_know_its_shard_does_nothing(environment, monkeypatch, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        parse(["photos"])
    assert "give --shard" in capsys.readouterr().err
    assert parse(["photos", "--shard", "2/3"]).shard == (2, 3)


def start(photos, out, k):
    command = [*QUICK_COMMAND, photos, "-o", out, *COMMAND, "--shard", f"{k}/3"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("bright_loaded")
@pytest.mark.parametrize("kills", [1, pytest.param(30, marks=pytest.mark.slow)])
def test_shards_that_are_killed_and_given_again_leave_what_one_run_leaves(kills, photos, tmp_path):
    undivided = tmp_path / "undivided"
    assert main([str(photos), "-o", str(undivided), *COMMAND]) == 0
    out, chance = tmp_path / "out", random.Random()
    for killed in itertools.count():
        shards = [start(photos, out, k) for k in (1, 2, 3)]
        while killed < kills and not list(out.glob("manifest-*.jsonl")):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 1))
        for shard in shards:
            if killed < kills:
                shard.kill()
        said = [shard.communicate()[1] for shard in shards]
        if all(shard.returncode == 0 for shard in shards):
            break
        assert killed < kills, said
    assert main(["merge", str(out)]) == 0
    assert contents(out) == contents(undivided)
    assert rows(out) == rows(undivided)


def test_a_run_with_nothing_to_do_writes_nothing(photos, tmp_path):
    run(photos, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert statuses(run(photos, tmp_path)) == {"skipped"}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before


def test_records_of_a_large_run_are_read_when_asked_for(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("u2demo.runs.records._AT_HAND", 3)
    first, again = run(photos, tmp_path), run(photos, tmp_path)
    assert [record.photo for record in first] == [record.photo for record in again]
    assert statuses(first) == {"done"} and statuses(again) == {"skipped"}
    assert first[-1].files == again[-1].files and len(again[2:5]) == 3
    journal = (tmp_path / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["photo"] for line in journal] == [record.photo for record in first]


def test_clips_of_a_large_run_are_left_out_with_their_reason(photos, tmp_path, monkeypatch):
    photos = shutil.copytree(photos, tmp_path / "photos")
    (photos / "waves.mp4").write_bytes(b"a clip")
    told = [record.status for record in run(photos, tmp_path / "few")]
    monkeypatch.setattr("u2demo.runs.records._AT_HAND", 3)
    many = run(photos, tmp_path / "many")
    assert [record.status for record in many] == told
    assert many[-1].error == f"{photos / 'waves.mp4'}: a clip, not a photo; process_video takes it"


def test_a_photo_gets_its_name_whatever_order_its_disk_lists_files_in(photos, undivided, tmp_path,
                                                                      monkeypatch):  # fmt: skip
    listed = os.scandir

    class Backward:
        def __init__(self, path):
            with listed(path) as entries:
                self._entries = list(entries)[::-1]

        def __enter__(self):
            return iter(self._entries)

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(os, "scandir", Backward)
    run(photos, tmp_path)
    monkeypatch.undo()
    assert contents(tmp_path) == contents(undivided)


def test_a_process_of_a_cluster_keeps_freed_memory_as_the_command_line_does(tmp_path, monkeypatch):
    """Without, each photo takes a seventh longer."""
    kept = []
    monkeypatch.setattr(worker, "keep_freed_memory", lambda: kept.append(True))
    (tmp_path / "photos").mkdir()
    job = worker.ClusterJob((str(tmp_path / "photos"),), (), str(tmp_path / "out"), Run({}))
    worker.do_shard(job, (1, 1), 1, tally=None)
    assert kept
