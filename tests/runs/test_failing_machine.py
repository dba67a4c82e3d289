"""Full disks, folders that vanish, two runs at once, no memory: nothing is lost, all is said."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bright import Bright
from failing_disk import FailingDisk
from PIL import Image
from small_run import (
    EFFECTS,
    check_that_all_is_done,
    check_what_a_fault_left,
    contents,
    make_photos,
    rows,
    run,
)

import u2demo as u2
from u2demo.images.find import find_images
from u2demo.machine.cores import on_cores
from u2demo.pipeline import Result
from u2demo.runs import folder, pictures
from u2demo.runs import photos as reading
from u2demo.runs import run as runs
from u2demo.runs.coco import write_coco
from u2demo.runs.listing import Listing
from u2demo.runs.run import Run, process_files
from u2demo.runs.yolo import write_yolo

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of three photos."""
    return make_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def earlier(photos, tmp_path_factory):
    """The results of what the photos were before they were changed."""
    out = tmp_path_factory.mktemp("earlier")
    make_photos(photos, size=(40, 40))
    run(photos, out)
    make_photos(photos)
    return out


@pytest.fixture(scope="module")
def undisturbed(photos, earlier, tmp_path_factory):
    """The results of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed")
    run(photos, out)
    return out


FAULTS = [
    pytest.param(code, for_good, again, marks=() if quick else pytest.mark.slow)
    for code in (errno.ENOSPC, errno.EIO)
    for for_good in (False, True)
    for again in (False, True)
    for quick in [code == errno.ENOSPC and for_good == again]
]


@pytest.mark.parametrize(("code", "for_good", "again"), FAULTS)
def test_a_run_survives_a_fault_at_every_operation_on_its_disk(
    code, for_good, again, photos, earlier, undisturbed, tmp_path, monkeypatch
):
    """It fails once or ``for_good``; the results are new, or made ``again`` of changed photos."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # nobody pulls the plug here
    kinds = set()
    for fail_at in range(1, 1000):
        out = tmp_path / str(fail_at)
        if again:
            shutil.copytree(earlier, out)
        try:
            with FailingDisk(out, fail_at, code=code, for_good=for_good) as disk:
                run(photos, out)
        except OSError as error:
            assert disk.failed and str(out) in str(error) and "choose another" in str(error)
        else:  # what failed does not matter, such as making a folder that is there
            assert rows(out) == rows(undisturbed)
        if not disk.failed:
            break
        kinds.add(disk.operations[fail_at - 1].split()[0])
        if code == errno.ENOSPC:  # what is deleted needs no room; a dead disk keeps all
            check_what_a_fault_left(out, undisturbed, earlier if again else None)
        run(photos, out)
        check_that_all_is_done(out, undisturbed)
    moves = {"rename"} if again else {"rename", "link"}  # only what is new gets its name by a link
    assert kinds - {"unlink"} == {"open", "write", "close", "fsync", "mkdir"} | moves
    assert fail_at > 80


def test_saving_survives_a_fault_at_every_operation_on_its_disk(scene, tmp_path):
    image, mask = scene
    pictures = {name: EFFECTS[name](image, mask) for name in ("cutout", "box")}
    result = Result("cat.jpg", image, mask, pictures)
    whole = [file.read_bytes() for file in u2.save(result, tmp_path / "undisturbed")]
    for fail_at in range(1, 1000):
        out = tmp_path / str(fail_at)
        try:
            with FailingDisk(out, fail_at) as disk:
                u2.save(result, out)
        except OSError as error:
            assert disk.failed and str(out) in str(error) and "the disk is full" in str(error)
        if not disk.failed:
            break
        left = [file.read_bytes() for file in out.iterdir()] if out.exists() else []
        assert all(content in whole for content in left), disk.operations[fail_at - 1]
    assert fail_at >= 10


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 kB, and a function that gives it other options."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or pytest.skip("no mount on this system")

    def set_options(options):
        return subprocess.run(
            [mount, "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True, text=True
        )

    if (done := set_options("size=24k")).returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    yield disk, lambda options: set_options(f"remount,{options}")
    subprocess.run(["umount", disk], check=True)


def test_a_run_that_filled_the_disk_goes_on_once_there_is_room(small_disk, photos, undisturbed):
    disk, set_options = small_disk
    with pytest.raises(OSError, match=r"out: the disk is full; make room, .* resumes from there"):
        run(photos, disk / "out")
    check_what_a_fault_left(disk / "out", undisturbed)
    assert 0 < len(contents(disk / "out")) < len(contents(undisturbed))
    set_options("size=1m")
    run(photos, disk / "out")
    check_that_all_is_done(disk / "out", undisturbed)


def test_a_read_only_disk_is_named_with_what_to_do(small_disk, photos):
    disk, set_options = small_disk
    set_options("ro")
    with pytest.raises(OSError, match="out: the disk is read-only; choose another folder"):
        run(photos, disk / "out")


def test_a_folder_that_may_not_be_written_is_named_with_what_to_do(photos, tmp_path):
    with FailingDisk(tmp_path / "out", 1, code=errno.EACCES), pytest.raises(PermissionError) as no:
        run(photos, tmp_path / "out")
    assert "out: no permission to write here" in str(no.value)


@pytest.mark.parametrize("out", ["mine.txt", "mine.txt/out"])
def test_a_file_in_place_of_the_results_is_refused_and_stays(out, photos, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match="is a file; choose a folder"):
        run(photos, tmp_path / out)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_results_folder_deleted_half_way_ends_the_run_and_stays_deleted(
    photos, undisturbed, tmp_path
):
    out = tmp_path / "out"
    with pytest.raises(FileNotFoundError, match="out: this was moved or deleted in the meantime"):
        # Moved away, which is done at once: rmtree meets files that are just being written.
        run(photos, out, report=lambda record: out.rename(tmp_path / "away"))
    assert not out.exists()
    run(photos, out)
    check_that_all_is_done(out, undisturbed)


def test_pictures_deleted_half_way_are_made_by_the_next_run(photos, undisturbed, tmp_path):
    out = tmp_path / "out"
    run(photos, out, report=lambda record: [(out / file).unlink() for file in record.files])
    statuses = [record.status for record in run(photos, out)]
    assert statuses == ["done"] * 3
    check_that_all_is_done(out, undisturbed)


@pytest.mark.parametrize("end", ["done", "failed", "killed"])
def test_a_picture_that_was_deleted_before_a_run_of_another_effect_is_made_again(
    end, photos, undisturbed, tmp_path
):
    out = tmp_path / "out"
    run(photos, out)
    (out / "photo0_cutout.png").unlink()
    if end == "killed":  # once the photo was begun
        journal = out / "manifest.jsonl"
        row = json.loads(journal.read_text().splitlines()[0])
        begun = json.dumps(
            row | {"status": "started", "effects": {"cutout": row["effects"]["cutout"]}}
        )
        journal.write_text(f"{journal.read_text()}{begun}\n")
    else:
        of_mine = {"mine": (lambda image, mask: image) if end == "done" else (lambda: None)}
        assert run(photos, out, effects=of_mine)[0].status == end
    run(photos, out, effects={"box": EFFECTS["box"]})
    run(photos, out)
    assert (out / "photo0_cutout.png").read_bytes() == contents(undisturbed)["photo0_cutout.png"]


def test_a_picture_that_was_cut_short_is_made_again(photos, undisturbed, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    for file, size in (("photo0_cutout.png", 0), ("photo1_box.jpg", 1), ("photo1_cutout.png", 99)):
        os.truncate(out / file, size)
    statuses = {record.stem: record.status for record in run(photos, out)}
    assert statuses == {"photo0": "done", "photo1": "done", "pets/photo2": "skipped"}
    check_that_all_is_done(out, undisturbed)


@pytest.fixture
def synced(monkeypatch):
    """How many bytes of each file, by its number, a disk holds for sure: those that were synced."""
    held, sync = {}, os.fsync

    def fsync(descriptor):
        sync(descriptor)
        held[os.fstat(descriptor).st_ino] = os.fstat(descriptor).st_size

    monkeypatch.setattr(os, "fsync", fsync)
    return held


def copy_after_a_power_cut(out, there, synced):
    """Copy what is surely on the disk that has ``out``: all names, but not all that is in them."""
    shutil.copytree(out, there)
    for file in filter(Path.is_file, out.rglob("*")):
        os.truncate(there / file.relative_to(out), synced.get(file.stat().st_ino, 0))
    return there


def test_a_power_cut_costs_only_work(photos, tmp_path, monkeypatch, synced):
    write, out, cut = folder.write_new_file, tmp_path / "out", tmp_path / "cut"

    def write_until_a_cut(path, data, **how):
        write(path, data, **how)
        if not cut.exists():
            copy_after_a_power_cut(out, cut, synced)

    def run_with_boxes(out):
        write_coco(u2.process_folder(Bright(), photos, out, effects=EFFECTS), out)

    monkeypatch.setattr(folder, "write_new_file", write_until_a_cut)
    with on_cores(1):
        run_with_boxes(out)
    monkeypatch.undo()
    for there in (cut, copy_after_a_power_cut(out, tmp_path / "cut in the end", synced)):
        run_with_boxes(there)
        assert contents(there) == contents(out), there.name


def test_labels_that_a_power_cut_emptied_are_said(photos, tmp_path, synced):
    records = u2.process_folder(Bright(), photos, tmp_path / "out")
    write_yolo(records, tmp_path / "out")
    cut = copy_after_a_power_cut(tmp_path / "out", tmp_path / "cut", synced)
    with pytest.warns(UserWarning, match="stays as it is"):
        write_yolo(records, cut)


def test_a_picture_that_was_retouched_stays(photos, tmp_path):
    run(photos, tmp_path / "out")
    with Image.open(tmp_path / "out" / "photo0_cutout.png") as picture:
        picture.rotate(180).save(tmp_path / "out" / "photo0_cutout.png")
    retouched = (tmp_path / "out" / "photo0_cutout.png").read_bytes()
    assert {record.status for record in run(photos, tmp_path / "out")} == {"skipped"}
    assert (tmp_path / "out" / "photo0_cutout.png").read_bytes() == retouched


def test_photos_that_change_before_they_are_read_cost_no_other(photos, undisturbed, tmp_path):
    moved = shutil.copytree(photos, tmp_path / "photos")
    photo0, photo1, photo2 = listed = [Path(entry.photo) for entry in Listing([moved]).entries()]
    listing = Listing.of({photo: photo.relative_to(moved) for photo in listed})
    photo0.unlink()
    os.truncate(photo1, 100)
    shutil.copy(photos / "photo0.png", photo2)
    records = process_files(Bright(), listing, tmp_path / "out", Run(EFFECTS))
    assert [record.status for record in records] == ["failed", "failed", "done"]
    assert records[0].error == f"{photo0}: there is no such file"
    assert records[1].error.startswith(f"{photo1}: damaged or truncated")
    for photo in listed:
        shutil.copy(photos / photo.relative_to(moved), photo)
    assert [record.status for record in run(moved, tmp_path / "out")] == ["done"] * 3
    assert contents(tmp_path / "out") == contents(undisturbed)


def test_a_photo_replaced_while_it_waits_is_made_again(tmp_path):
    photos = make_photos(tmp_path / "photos", count=10)
    last = photos / "pets" / "photo9.png"
    run(photos, tmp_path / "out", report=lambda record: shutil.copy(photos / "photo0.png", last))
    statuses = [record.status for record in run(photos, tmp_path / "out")]
    assert statuses == ["skipped"] * 9 + ["done"]
    found = contents(tmp_path / "out")
    assert found["pets/photo9_cutout.png"] == found["photo0_cutout.png"]


def test_a_photo_that_may_not_be_read_costs_no_other(photos, tmp_path, monkeypatch):
    def refuse(path, mode="r", **options):
        if path.name == "photo1.png" and mode == "rb":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return opened(path, mode, **options)

    opened = Path.open
    monkeypatch.setattr(Path, "open", refuse)
    errors = {record.stem: record.error for record in run(photos, tmp_path / "out")}
    photo = photos / "photo1.png"
    assert errors == {"photo0": "", "photo1": f"{photo}: no permission to read this file",
                      "pets/photo2": ""}  # fmt: skip


def test_a_folder_that_cannot_be_read_is_reported(photos, monkeypatch):
    def refuse(path):
        if str(path).endswith("pets"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scanned(path)

    scanned = os.scandir
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.warns(UserWarning, match="pets: Permission denied; photos in this folder are left"):
        assert len(find_images(photos)) == 2


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")],
)
def test_a_photo_that_needs_too_much_memory_fails_alone(error, tmp_path):
    def greedy(image, mask):
        if image.width == 64:
            raise error
        return image

    photos = make_photos(tmp_path / "photos")
    make_photos(tmp_path / "large", count=2, size=(64, 32))
    shutil.copy(tmp_path / "large" / "photo0.png", photos / "photo1.png")
    records = run(photos, tmp_path / "out", effects={"greedy": greedy})
    said = f"{photos / 'photo1.png'}: not enough memory; run again when more is free"
    errors = {record.stem: record.error for record in records}
    assert errors == {"photo0": "", "photo1": said, "pets/photo2": ""}


def lacks_memory_once(module, name, monkeypatch):
    """Let the first call of a function end with MemoryError."""
    function, calls = getattr(module, name), []

    def scarce(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 1:
            raise MemoryError
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, scarce)


@pytest.mark.parametrize(
    "where",
    ["readable_checksum", "open_image", "apply_effects", "_describe", "object_boxes", "outlines"],
)
def test_memory_that_runs_out_anywhere_costs_one_photo(where, photos, tmp_path, monkeypatch):
    lacks_memory_once(reading if where == "readable_checksum" else runs, where, monkeypatch)
    records = run(photos, tmp_path / "out", outlines=True)
    assert sorted(record.status for record in records) == ["done", "done", "failed"]
    (failed,) = (record for record in records if record.status == "failed")
    assert failed.error == f"{failed.photo}: not enough memory; run again when more is free"
    assert [record.status for record in run(photos, tmp_path / "out", outlines=True)].count(
        "skipped"
    ) == 2


@pytest.mark.parametrize("where", ["write_new_file", "content_checksum", "encode"])
def test_memory_that_runs_out_while_pictures_are_written_costs_one_photo(
    where, photos, tmp_path, monkeypatch
):
    lacks_memory_once(folder if where == "write_new_file" else pictures, where, monkeypatch)
    statuses = sorted(record.status for record in run(photos, tmp_path / "out"))
    assert statuses == ["done", "done", "failed"]


CLOUD = OSError(errno.EINVAL, "The cloud file provider is not running")
CLOUD.winerror = 362


@pytest.mark.parametrize(
    "error",
    [CLOUD, OSError(errno.EIO, "Input/output error"), OSError(errno.ETIMEDOUT, "timed out")],
)
def test_a_photo_that_its_cloud_does_not_give_costs_no_other(error, photos, tmp_path, monkeypatch):
    def fetch(path, mode="r", **options):
        if path.name == "photo1.png" and mode == "rb":
            raise error
        return opened(path, mode, **options)

    opened = Path.open
    monkeypatch.setattr(Path, "open", fetch)
    errors = {record.stem: record.error for record in run(photos, tmp_path / "out")}
    assert "could not be fetched from its drive or cloud folder" in errors.pop("photo1")
    assert set(errors.values()) == {""}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_process_without_memory_for_a_photo_does_the_others(tmp_path):
    photos = make_photos(tmp_path / "photos")
    Image.new("L", (12_000, 12_000)).save(photos / "photo1.png", compress_level=1)
    code = """if True:
        import json, resource, sys
        from pathlib import Path
        from small_run import run

        photos, out = map(Path, sys.argv[1:])
        run(photos / "pets", out)  # all that is loaded when first used
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 300_000_000  # the large photo takes 576 MB
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        records = run(photos, out)
        print(json.dumps({record.stem: record.error for record in records}))
    """
    done = subprocess.run(
        [sys.executable, "-c", code, photos, tmp_path / "out"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(HERE)])},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    errors = json.loads(done.stdout)
    assert f"{photos / 'photo1.png'}: not enough memory" in errors.pop("photo1")
    assert errors == {"photo0": "", "photo2": ""}
