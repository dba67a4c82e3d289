"""Many machines, as three nodes of a Ray cluster on this one: each photo is done, and done once."""

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

# Both are read when Ray starts: time for a busy machine, and workers that are not put last.
os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")
os.environ.setdefault("RAY_worker_niceness", "0")
ray = pytest.importorskip("ray")

from PIL import Image  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402
from small_run import contents, make_locked, make_photos  # noqa: E402

import u2demo as u2  # noqa: E402
from u2demo.cli.main import main  # noqa: E402
from u2demo.runs import cluster as clusters  # noqa: E402
from u2demo.runs import worker  # noqa: E402
from u2demo.runs.cluster import process_on_ray  # noqa: E402
from u2demo.runs.listing import Listing  # noqa: E402
from u2demo.runs.records import read_records  # noqa: E402
from u2demo.runs.run import process_files  # noqa: E402
from u2demo.runs.settings import Run  # noqa: E402
from u2demo.runs.slots import slots_of  # noqa: E402
from u2demo.runs.worker import ClusterJob  # noqa: E402

COUNT = 26


def in_no_hurry():
    """Return an effect that takes a while, so that no machine is done before it is looked at.

    A function inside another goes to the processes of a cluster whole.
    """

    def box(image, mask):
        time.sleep(0.3)
        return u2.draw_box(image, mask)

    return box


EFFECTS = {"cutout": u2.remove_background, "box": in_no_hurry()}


def patiently(start):
    """Start a node; on a busy machine Ray gives its helpers too little time (ray#65983)."""
    for _ in range(4):
        with contextlib.suppress(Exception):
            return start()
    return start()


def started_cluster():
    return Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})


@pytest.fixture(scope="module")
def nodes():
    """Three nodes with two processors each, one of which stays free."""
    cluster = patiently(started_cluster)
    for _ in range(2):
        patiently(lambda: cluster.add_node(num_cpus=2))
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos of which some have one stem, one that shows nothing, and one that is torn."""
    folder = make_photos(tmp_path_factory.mktemp("cluster") / "photos", COUNT - 4)
    Image.new("RGB", (48, 32)).save(folder / "empty.png")
    data = (folder / "photo1.png").read_bytes()
    (folder / "Photo1.bmp").write_bytes(data)
    (folder / "photo1 (2).png").write_bytes(data)
    (folder / "torn.png").write_bytes(data[:200])
    return folder


@pytest.fixture(scope="module")
def undivided(photos):
    """What a run on one machine leaves."""
    out = photos.parent / "undivided"
    u2.process_folder(u2.load_model(device="cpu"), photos, out, effects=EFFECTS)
    return contents(out)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(clusters, "_PHOTOS", 5)
    monkeypatch.setattr(clusters, "_OFTEN", 0.2)


def do(photos, out, report=lambda progress: None, **options):
    job = ClusterJob((str(photos),), (), str(out), Run(EFFECTS), device="cpu")
    return process_on_ray(job, report=report, **options)


def check_each_was_done_once(out, undivided, outcome):
    assert contents(out) == undivided
    records = list(read_records(out))
    assert len(records) == len({record.photo for record in records}) == COUNT
    assert sum(record.status == "done" for record in records) == COUNT - 1
    assert not any(record.renamed for record in records)
    assert outcome.statuses.total() == COUNT and not outcome.lost
    (failed,) = outcome.failed
    assert "torn.png" in failed
    assert (out / "manifest.csv").is_file()
    assert not list(out.glob("manifest-*"))


def workers():
    """The processes that do a shard now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"do_shard" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def test_no_cluster_is_a_sentence(photos, tmp_path, capsys):
    assert main([str(photos), "-o", str(tmp_path / "out"), "--ray", "127.0.0.1:9"]) == 1
    assert "no Ray cluster at 127.0.0.1:9" in capsys.readouterr().err


def test_a_cluster_that_wants_a_token_is_a_sentence(photos, tmp_path, capsys, monkeypatch):
    def refuse(**_):
        raise ray.exceptions.RayError("Token authentication is enabled.\nMore about it")

    monkeypatch.setattr(ray, "init", refuse)
    assert main([str(photos), "-o", str(tmp_path / "out"), "--ray", "auto"]) == 1
    said = "u2demo: the Ray cluster at auto refuses: Token authentication is enabled.\n"
    assert capsys.readouterr().err == said


def test_a_cluster_gives_what_one_machine_gives(nodes, photos, undivided, tmp_path, small_shards):
    seen = []
    outcome = do(photos, tmp_path / "out", seen.append)
    check_each_was_done_once(tmp_path / "out", undivided, outcome)
    assert {progress.total for progress in seen} == {COUNT}
    assert max(progress.machines for progress in seen) == 3
    assert max(progress.processes for progress in seen) == 3  # one processor of each stays free
    assert seen[-1].photos == COUNT
    records = [record for record in read_records(tmp_path / "out") if record.status == "done"]
    assert outcome.unclear == sum(not record.clear for record in records) == 1

    again = do(photos, tmp_path / "out")
    assert again.statuses == {"skipped": COUNT - 1, "failed": 1}


def test_a_worker_that_is_killed_costs_only_its_unfinished_photos(
    nodes, photos, undivided, tmp_path, small_shards
):
    killed = []

    def kill(progress):
        if progress.photos >= 3 and not killed:
            killed.extend(workers()[:1])
            for process in killed:
                os.kill(process, signal.SIGKILL)

    outcome = do(photos, tmp_path / "out", kill)
    assert killed
    check_each_was_done_once(tmp_path / "out", undivided, outcome)


def test_a_machine_that_is_lost_costs_only_its_unfinished_photos(
    nodes, photos, undivided, tmp_path, small_shards
):
    lost = []

    def remove(progress):
        if progress.photos >= 3 and not lost:
            lost.append(list(nodes.worker_nodes)[-1])
            nodes.remove_node(lost[0], allow_graceful=False)

    outcome = do(photos, tmp_path / "out", remove)
    assert lost
    check_each_was_done_once(tmp_path / "out", undivided, outcome)


def test_what_an_interrupt_left_is_gone_on_from(nodes, photos, undivided, tmp_path, small_shards):
    def interrupt(progress):
        if progress.photos >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(photos, tmp_path / "out", interrupt)
    done = sum(record.status == "done" for record in read_records(tmp_path / "out"))
    assert 4 <= done < COUNT - 1
    outcome = do(photos, tmp_path / "out")
    assert outcome.statuses["skipped"] >= done
    check_each_was_done_once(tmp_path / "out", undivided, outcome)


def test_an_interrupted_trial_does_not_hold_a_larger_run_back(
    nodes, photos, undivided, tmp_path, small_shards
):
    """It was one shard, which is too few for what comes."""
    few = Listing([photos / "photo2.png", photos / "photo3.png"])
    model = u2.load_model(device="cpu")
    process_files(model, few, tmp_path / "out", Run(EFFECTS), shard=(1, 1))
    seen = []
    outcome = do(photos, tmp_path / "out", seen.append)
    assert outcome.statuses["skipped"] == 2
    assert max(progress.processes for progress in seen) > 1
    check_each_was_done_once(tmp_path / "out", undivided, outcome)


def test_machines_that_are_not_alike_are_refused_by_name(nodes, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_code", lambda: "9.9 (00000000)")
    with pytest.raises(ValueError, match=r"machine .* \(127\.0\.0\.1|machine .*has u2demo"):
        do(photos, tmp_path / "out")


def test_a_folder_that_only_this_machine_sees_is_named():
    ours = worker.Introduction("1", "a", ())
    theirs = worker.Introduction("1", "a", ("/my/photos",))
    with pytest.raises(ValueError, match="machine far does not see /my/photos; use a network"):
        worker.check_alike("far", theirs, ours)
    with pytest.raises(ValueError, match="machine far has other weights"):
        worker.check_alike("far", ours._replace(weights="b"), ours)


def test_paths_are_looked_for_on_all_machines_and_urls_are_not():
    far = ClusterJob(
        ("/photos", "s3://box/photos"), ("https://a.org/b.jpg",), "s3://box/out", Run()
    )
    assert far.paths == ["/photos"]
    assert ClusterJob(("/photos",), (), "/out/cutouts", Run()).paths == ["/photos", "/out/cutouts"]


def test_a_machine_that_does_not_see_the_results_is_found_before_any_work(
    nodes, photos, tmp_path, monkeypatch
):
    out = tmp_path / "new" / "out"
    check = worker.check_alike

    def elsewhere(name, theirs, ours):
        assert theirs.missing == (), "they are created before anybody is asked"
        check(name, theirs._replace(missing=(str(out),)), ours)

    monkeypatch.setattr(clusters, "check_alike", elsewhere)
    with pytest.raises(ValueError, match="does not see"):
        do(photos, out)
    assert list(out.iterdir()) == []


def test_a_folder_that_cannot_be_read_is_told_of(nodes, photos, tmp_path, monkeypatch):
    locked = make_locked(tmp_path / "some" / "locked", monkeypatch)
    shutil.copy(photos / "photo0.png", tmp_path / "some")
    outcome = do(tmp_path / "some", tmp_path / "out")
    (said,) = outcome.unread
    assert said.startswith(f"{locked}: Permission denied")


def test_a_cluster_that_was_asked_to_grow_may_shrink_again(nodes, photos, tmp_path, monkeypatch):
    def stop(progress):
        raise KeyboardInterrupt

    asked = []
    monkeypatch.setattr(
        "ray.autoscaler.sdk.request_resources", lambda num_cpus: asked.append(num_cpus)
    )
    with pytest.raises(KeyboardInterrupt):
        do(photos, tmp_path / "out", stop, workers=9)
    assert asked == [9, 0]


def test_a_gpu_is_used_whole_and_a_core_stays_free():
    node = {"NodeID": "n", "Resources": {"CPU": 16.0, "GPU": 2.0}}
    assert slots_of(node, None) == [("n", 7, 1)] * 2
    assert slots_of(node, "cpu") == [("n", 1, 0)] * 15
    assert slots_of({"NodeID": "n", "Resources": {"CPU": 1.0}}, None) == [("n", 1, 0)]


def test_the_command_line_says_what_became_of_all(nodes, photos, tmp_path, capsys):
    (tmp_path / "some").mkdir()
    for name in ("photo0.png", "torn.png"):
        (tmp_path / "some" / name).write_bytes((photos / name).read_bytes())
    (tmp_path / "some" / "waves.mp4").write_bytes(b"....")
    out = tmp_path / "out"
    argv = [str(tmp_path / "some"), "-o", str(out), "--ray", "auto", "--workers", "2"]
    assert main([*argv, "--device", "cpu", "--boxes", "coco"]) == 1
    said = capsys.readouterr().out
    assert "1 done" in said and "1 failed" in said
    assert "torn.png" in said
    assert "left out: 1 clip, such as" in said
    assert (out / "photo0_cutout.png").is_file() and (out / "boxes.coco.json").is_file()


def test_no_photos_are_an_error_as_on_one_machine(nodes, tmp_path, capsys):
    (tmp_path / "none").mkdir()
    argv = [str(tmp_path / "none"), "-o", str(tmp_path / "out"), "--ray", "auto"]
    assert main([*argv, "--device", "cpu"]) == 1
    assert "no photos found in" in capsys.readouterr().err
