"""Photos and results in a store: the same pictures, names and records as in folders."""

import itertools
import json
import sys
import threading

import fsspec
import pytest
from bright import Bright
from bright_clips import animate, moving
from small_run import EFFECTS, contents, make_photos

import u2demo as u2
from u2demo.cli.main import main
from u2demo.cli.sources import has_animations
from u2demo.machine import places
from u2demo.machine.places import folders_below, join, read_bytes, write_bytes
from u2demo.runs import store
from u2demo.runs.listing import Listing
from u2demo.runs.run import process_files
from u2demo.runs.settings import Run
from u2demo.runs.shards import finish, merge
from u2demo.runs.store import StoredManifest
from u2demo.runs.stored import StoredListing, read_list

PHOTOS, OUT = "memory://photos", "memory://out"


@pytest.fixture
def box(memory_store):
    """The store in memory, empty."""
    return memory_store


@pytest.fixture
def photos(tmp_path, box):
    """A folder of photos of which some have one stem; the store has the same ones."""
    folder = make_photos(tmp_path / "photos", count=4)
    (folder / "Photo0.bmp").write_bytes((folder / "photo1.png").read_bytes())
    (folder / "photo1 (2).png").write_bytes((folder / "photo2.png").read_bytes())
    (folder / "torn.png").write_bytes((folder / "photo2.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("not a photo")
    copy(folder)
    return folder


def copy(folder, url=PHOTOS):
    for path in folder.rglob("*"):
        if path.is_file():
            write_bytes(join(url, path.relative_to(folder).as_posix()), path.read_bytes())


def pictures(url=OUT):
    """All that is stored below ``url`` but the manifest, by name."""
    return {
        one.url.removeprefix(f"{url}/"): read_bytes(one.url)
        for folder in folders_below(url)
        for one in folder
        if not places.name_of(one.url).startswith("manifest")
    }


def run(photos, out, *, shard=None, report=lambda record: None, **options):
    settings = Run(**{"effects": EFFECTS, **options})
    listing = StoredListing([photos])
    return process_files(Bright(), listing, out, settings, shard=shard, report=report)


def told(records):
    return sorted((places.name_of(r.photo), r.stem, r.status, r.files, r.box) for r in records)


@pytest.fixture
def undivided(photos, tmp_path):
    """What a run in folders leaves."""
    process_files(Bright(), Listing([photos]), tmp_path / "undivided", Run(effects=EFFECTS))
    return contents(tmp_path / "undivided")


@pytest.mark.parametrize("remote", ["photos", "results", "both"])
def test_a_run_gives_the_same_pictures_wherever_photos_and_results_lie(
    photos, tmp_path, undivided, remote
):
    source = str(photos) if remote == "results" else PHOTOS
    out = tmp_path / "out" if remote == "photos" else OUT
    records = run(source, out)
    assert (contents(out) if remote == "photos" else pictures()) == undivided
    assert {r.status for r in records} == {"done", "failed"}
    (failed,) = (r.error for r in records if r.status == "failed")
    assert failed.startswith(join(source, "torn.png: damaged or truncated"))


@pytest.mark.parametrize("out", [OUT, "folder"])
def test_what_is_done_is_not_done_again_and_what_has_changed_is(photos, tmp_path, out):
    out = out if out == OUT else tmp_path / out
    first = run(PHOTOS, out)
    again = run(PHOTOS, out)
    assert {r.status for r in again} == {"skipped", "failed"}
    assert [r[1:2] + r[3:] for r in told(first)] == [r[1:2] + r[3:] for r in told(again)]
    write_bytes(join(PHOTOS, "photo1.png"), (photos / "photo0.png").read_bytes())
    third = run(PHOTOS, out)
    assert [places.name_of(r.photo) for r in third if r.status == "done"] == ["photo1.png"]


def test_a_run_that_writes_no_picture_leaves_a_manifest_of_all_photos(photos):
    run(PHOTOS, OUT)
    write_bytes(join(PHOTOS, "also torn.png"), read_bytes(join(PHOTOS, "torn.png")))
    run(PHOTOS, OUT)
    for name in ("manifest.jsonl", "manifest.csv"):
        assert b"also torn.png" in read_bytes(join(OUT, name))


def test_a_run_with_nothing_to_do_writes_nothing(photos, monkeypatch):
    places.delete(join(PHOTOS, "torn.png"))
    run(PHOTOS, OUT)
    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "pipe_file", None)
    assert {r.status for r in run(PHOTOS, OUT)} == {"skipped"}


def test_a_store_is_asked_for_several_pictures_of_earlier_runs_at_once(photos, monkeypatch):
    run(PHOTOS, OUT)
    kind = fsspec.get_filesystem_class("memory")
    info, is_first, second, met = kind.info, threading.Semaphore(), threading.Event(), []

    def slow(self, path, **named):
        if path.endswith("_cutout.png"):
            if is_first.acquire(blocking=False):
                met.append(second.wait(20))
            second.set()
        return info(self, path, **named)

    monkeypatch.setattr(kind, "info", slow)
    assert {r.status for r in run(PHOTOS, OUT)} == {"skipped", "failed"}
    assert met == [True]


def test_a_picture_that_was_deleted_is_made_again(photos):
    run(PHOTOS, OUT)
    places.delete(join(OUT, "photo2_cutout.png"))
    again = run(PHOTOS, OUT)
    assert [places.name_of(r.photo) for r in again if r.status == "done"] == ["photo2.png"]


def test_a_file_of_yours_is_not_replaced_and_the_record_says_so(photos):
    write_bytes(join(OUT, "photo2_cutout.png"), b"yours")
    records = run(PHOTOS, OUT)
    assert read_bytes(join(OUT, "photo2_cutout.png")) == b"yours"
    (renamed,) = (r.renamed for r in records if r.renamed)
    assert renamed == {"photo2_cutout.png": "photo2_cutout (2).png"}


def test_a_manifest_of_yours_is_not_replaced(photos):
    write_bytes(join(OUT, "manifest.jsonl"), b'{"my": "freight"}\n' * 3)
    with pytest.raises(ValueError, match=f"^{OUT}/manifest.jsonl was not written by u2demo"):
        run(PHOTOS, OUT)
    assert list(pictures()) == []


class Killed(BaseException):
    """What ends a process in the middle."""


def is_killed(act, moment):
    """Do ``act``, killed once it has changed the store ``moment`` times; return whether it was."""
    kind = fsspec.get_filesystem_class("memory")
    moments = iter(range(moment))

    def until_killed(change):
        def method(*values, **named):
            if next(moments, None) is None:
                raise Killed
            return change(*values, **named)

        return method

    with pytest.MonkeyPatch.context() as patch:
        for name in ("pipe_file", "rm_file"):
            patch.setattr(kind, name, until_killed(getattr(kind, name)))
        try:
            act()
        except Killed:
            return True
    return False


def test_a_run_that_was_killed_at_any_write_goes_on_and_gives_the_same(photos, undivided, box):
    for moment in range(0, 40, 8):
        box.rm("/out", recursive=True) if box.exists("/out") else None
        is_killed(lambda: run(PHOTOS, OUT), moment)
        records = run(PHOTOS, OUT)
        assert pictures() == undivided, moment
        assert not any(r.renamed for r in records)


@pytest.fixture(params=["shards", "a killed run"])
def superseded(box, tmp_path, request):
    """Results in a store, in whose journals later lines take the place of earlier ones."""
    for width, shards in ((40, [(1, 3), (2, 3), (3, 3)]), (50, [(1, 2), (2, 2)])):
        copy(make_photos(tmp_path / "photos", 3, size=(width, 32)))
        if request.param == "shards":
            for shard in shards:
                run(PHOTOS, OUT, shard=shard)
                finish(OUT, shard)
        else:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(store, "delete", lambda url: None)
                run(PHOTOS, OUT)
    return dict(box.store)


@pytest.mark.parametrize(
    "act", [lambda: merge(OUT), lambda: run(PHOTOS, OUT)], ids=["merge", "run"]
)
def test_a_merge_that_is_killed_anywhere_brings_no_older_record_back(superseded, box, act):
    for moment in itertools.count():
        box.store.clear()
        box.store.update(superseded)
        was_killed = is_killed(act, moment)
        assert {r.status for r in run(PHOTOS, OUT)} == {"skipped"}, moment
        if not was_killed:
            break


@pytest.mark.usefixtures("superseded")
def test_a_run_that_is_killed_anywhere_knows_its_pictures(box, tmp_path):
    photos = make_photos(tmp_path / "photos", 3, size=(60, 32))  # they have changed again
    copy(photos)
    before = dict(box.store)
    process_files(Bright(), Listing([photos]), tmp_path / "undivided", Run(effects=EFFECTS))
    for moment in itertools.count():
        box.store.clear()
        box.store.update(before)
        was_killed = is_killed(lambda: run(PHOTOS, OUT), moment)
        again = run(PHOTOS, OUT)
        assert pictures() == contents(tmp_path / "undivided"), moment
        assert not any(record.renamed for record in again), moment
        if not was_killed:
            break


def test_shards_in_a_store_are_the_undivided_run_and_merge_into_one_manifest(photos, undivided):
    for number in (2, 1, 3):
        run(PHOTOS, OUT, shard=(number, 3))
        finish(OUT, (number, 3))
        if number == 2:
            assert merge(OUT).missing == (1, 3)
    assert merge(OUT).is_complete
    assert pictures() == undivided
    assert {r.status for r in run(PHOTOS, OUT)} == {"skipped", "failed"}


@pytest.mark.parametrize(
    "sources",
    [[PHOTOS, f"{PHOTOS}/"], [PHOTOS, f"{PHOTOS}/pets"], [f"{PHOTOS}/pets", PHOTOS],
     [PHOTOS, f"{PHOTOS}/photo1.png"], [f"{PHOTOS}/.old", PHOTOS]],
)  # fmt: skip
def test_what_is_named_twice_is_listed_once(sources, photos):
    write_bytes(join(PHOTOS, ".old/photo9.png"), b"")
    listed = [entry.photo for entry in StoredListing(sources).entries()]
    assert len(set(listed)) == len(listed) == (8 if ".old" in sources[0] else 7)


def test_results_among_the_photos_of_a_store_are_not_taken_for_photos(photos):
    for _ in range(2):
        run(PHOTOS, f"{PHOTOS}/out")
    assert not [name for name in pictures(f"{PHOTOS}/out") if name.startswith("out/")]
    with pytest.raises(ValueError, match="lies among the photos"):
        run(PHOTOS, f"{PHOTOS}/out", shard=(1, 2))
    assert run(PHOTOS, f"{PHOTOS}-out", shard=(1, 2))


def change_one(photos):
    write_bytes(join(PHOTOS, "photo1.png"), (photos / "photo0.png").read_bytes())


def test_a_later_run_that_was_killed_goes_on(photos, monkeypatch):
    run(PHOTOS, OUT)
    change_one(photos)
    with monkeypatch.context() as killed:
        killed.setattr(StoredManifest, "_store_all", lambda manifest: None)
        run(PHOTOS, OUT)
    assert "done" in {r.status for r in run(PHOTOS, OUT)}
    assert {r.status for r in run(PHOTOS, OUT)} == {"skipped", "failed"}


def test_shards_after_an_undivided_run_are_merged(photos):
    run(PHOTOS, OUT)
    change_one(photos)
    for number in (1, 2):
        run(PHOTOS, OUT, shard=(number, 2))
        finish(OUT, (number, 2))
    assert merge(OUT).is_complete
    assert {r.status for r in run(PHOTOS, OUT)} == {"skipped", "failed"}


def test_a_table_in_a_store_that_you_have_changed_is_not_replaced(photos):
    run(PHOTOS, OUT)
    table = read_bytes(join(OUT, "manifest.csv"))
    yours = table.replace(b"done", b"fine", 1)
    write_bytes(join(OUT, "manifest.csv"), yours)
    with pytest.raises(ValueError, match=f"^{OUT}/manifest.csv was changed since"):
        run(PHOTOS, OUT, overwrite=True)
    assert read_bytes(join(OUT, "manifest.csv")) == yours


def test_a_table_that_another_shard_deletes_just_now_is_no_error(photos, monkeypatch):
    run(PHOTOS, OUT)
    read = store.read_bytes

    def late(url, *size):
        if url.endswith("manifest.csv"):
            places.delete(url)
        return read(url, *size)

    monkeypatch.setattr(store, "read_bytes", late)
    assert {r.status for r in run(PHOTOS, OUT, shard=(1, 2))} <= {"skipped", "failed"}


def test_corrections_beside_a_photo_in_a_store_are_applied(photos, tmp_path):
    said = {"version": 1, "size": [48, 32], "within": [0, 0, 24, 32]}
    (photos / "photo2.strokes.json").write_text(json.dumps(said))
    here = process_files(Bright(), Listing([photos]), tmp_path / "a", Run(effects=EFFECTS))
    copy(photos)
    there = run(PHOTOS, OUT)
    assert [r.corrections for r in there if "photo2.png" in r.photo][:1] == ["photo2.strokes.json"]
    assert told(there) == told(here)
    assert pictures() == contents(tmp_path / "a")


def test_a_store_that_gives_up_in_the_middle_of_a_photo_is_a_record_with_the_reason(
    photos, monkeypatch
):
    kind = fsspec.get_filesystem_class("memory")
    read = kind.cat_file

    def broken(self, path, **named):
        if path.endswith("photo1.png"):
            raise TimeoutError("no answer in 60 s")
        return read(self, path, **named)

    monkeypatch.setattr(kind, "cat_file", broken)
    failed = [r.error for r in run(PHOTOS, OUT) if "photo1.png" in r.photo]
    assert failed[0].startswith("memory://photos/photo1.png: the store does not respond")
    assert "no answer in 60 s" in failed[0]


def test_clips_and_raw_files_in_a_store_are_left_out_with_a_reason_and_not_fetched(box):
    write_bytes(join(PHOTOS, "waves.mp4"), b"....")
    write_bytes(join(PHOTOS, "raw.nef"), b"....")
    records = run(PHOTOS, OUT)
    assert [(r.status, r.error.partition(": ")[2][:6]) for r in records] == [
        ("left out", "a came"),
        ("left out", "a clip"),
    ]


def test_a_store_is_not_listed_to_look_for_animations(photos, monkeypatch):
    animate(photos / "dance.gif", moving(2), duration=100)
    listing = StoredListing([photos, PHOTOS], is_clip=lambda photo: photo.endswith(".gif"))
    monkeypatch.setattr("u2demo.runs.stored.folders_below", None)
    assert has_animations(listing)
    assert not has_animations(StoredListing([PHOTOS]))


def test_a_function_takes_urls_too(photos, undivided):
    u2.process_folder(Bright(), PHOTOS, OUT, effects=EFFECTS)
    assert pictures() == undivided


@pytest.mark.usefixtures("bright_loaded")
def test_the_command_line_takes_urls(photos, capsys):
    assert main([PHOTOS, "-o", OUT]) == 1
    assert f"6 done, 1 failed. Pictures and manifest.csv are in {OUT}" in capsys.readouterr().out
    assert main(["memory://nothing", "-o", OUT]) == 1
    assert "no photos found in memory://nothing" in capsys.readouterr().err


@pytest.mark.usefixtures("bright_loaded")
def test_a_list_names_paths_and_urls_and_keeps_their_folders(photos, tmp_path, capsys):
    listed = tmp_path / "list.txt"
    listed.write_text(f"\n{PHOTOS}/photo0.png\n{PHOTOS}/pets/photo3.png\n\n")
    assert main(["--list", str(listed), "-o", str(tmp_path / "out")]) == 0
    assert "2 photos: 2 done" in capsys.readouterr().out
    assert (tmp_path / "out/photo0_cutout.png").is_file()
    assert (tmp_path / "out/pets/photo3_cutout.png").is_file()


def test_web_addresses_that_differ_in_their_query_only_have_names_of_their_own():
    """So shards divide them, too, for which the name decides."""
    pytest.importorskip("aiohttp")
    listed = [
        "https://shop.org/img?id=1",
        "https://shop.org/img?id=2&from=a/b",
        "https://shop.org/cat.jpg?signature=1f",
    ]
    names = [entry.name for entry in StoredListing([], listed).entries()]
    assert names == ["img?id=1", "img?id=2&from=a_b", "cat.jpg"]


@pytest.mark.usefixtures("bright_loaded")
def test_a_folder_in_a_list_fails_with_what_to_do_instead(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "list.txt").write_text(str(tmp_path / "photos"))
    assert main(["--list", str(tmp_path / "list.txt"), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "photos: a folder, expected a single file; give it without --list" in said


@pytest.mark.usefixtures("bright_loaded")
def test_a_list_may_come_from_standard_input(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", (tmp_path / "lines").open("w+"))
    sys.stdin.write(f"{photos}/photo0.png\nmemory://photos/none.png\n")
    sys.stdin.seek(0)
    assert main(["--list", "-", "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "1 done, 1 failed" in said
    assert "memory://photos/none.png: not found" in said


def test_a_list_may_have_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a\u2028b.jpg", " a.jpg", "a\x0bb.jpg", "b.jpg ", "\udcff.jpg"]
    for name in names:
        (tmp_path / name).touch()
    lines = "\n".join([*names, "  c.jpg  ", ""]).encode(errors="surrogateescape")
    (tmp_path / "list.txt").write_bytes(lines.replace(b"\n", b"\r\n", 1))
    assert read_list("list.txt") == [*names, "c.jpg"]
    monkeypatch.setattr(sys, "stdin", (tmp_path / "list.txt").open())
    assert read_list("-") == [*names, "c.jpg"]


def test_a_list_may_be_utf_16_as_powershell_writes_it(tmp_path):
    listed = tmp_path / "list.txt"
    for encoding in ("utf-16", "utf-8-sig"):
        listed.write_text("é.jpg\r\nhttps://a.org/b.jpg\r\n", encoding)
        assert read_list(str(listed)) == ["é.jpg", "https://a.org/b.jpg"]


def test_a_photo_given_as_a_list_is_refused_with_a_sentence(photos, capsys):
    with pytest.raises(SystemExit):
        main(["--list", f"{photos}/photo0.png"])
    assert "photo0.png is not a text file, expected a path or URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["-o", "https://a.org/x"], "a web server takes no pictures"),
        (["-o", OUT, "--boxes", "coco"], "--boxes are written into a folder"),
        (["--ray", "auto"], "pip install"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(photos, argv, told, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([PHOTOS, *argv]) == 1
    assert told in capsys.readouterr().err
