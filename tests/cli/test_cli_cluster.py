"""What ``--ray`` hands to a cluster and says of it, without one."""

from collections import Counter

import pytest
from bright_clips import moving, write
from small_run import make_photos

from u2demo.cli.main import main
from u2demo.runs.cluster import Outcome


@pytest.fixture
def outcome():
    """What becomes of all photos."""
    return Outcome(statuses=Counter(done=1))


@pytest.fixture
def jobs(outcome, monkeypatch):
    """What the cluster is asked to do."""
    found = []

    def process(job, address, **options):
        found.append(job)
        return outcome

    monkeypatch.setattr("u2demo.cli.cluster.process_on_ray", process)
    return found


def test_all_machines_look_for_the_clip_of_the_background_where_this_one_found_it(
    jobs, tmp_path, monkeypatch
):
    pytest.importorskip("av")
    sea = write(tmp_path / "sea.mp4", moving(2))
    photos = make_photos(tmp_path / "photos", 1)
    monkeypatch.chdir(tmp_path)
    argv = [str(photos), "-o", "out", "--ray", "auto"]
    assert main([*argv, "--background", "sea.mp4"]) == 0
    (job,) = jobs
    assert job.run.effects["background"].background.path == sea
    assert str(sea) in job.paths


def test_all_machines_have_the_limit_of_pixels_of_this_one(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("U2DEMO_MAX_PIXELS", "300M")
    photos = make_photos(tmp_path / "photos", 1)
    main([str(photos), "-o", str(tmp_path / "out"), "--ray", "auto"])
    monkeypatch.delenv("U2DEMO_MAX_PIXELS")
    (job,) = jobs
    assert job.run.max_pixels == 300_000_000


def test_one_photo_is_one_photo(jobs, tmp_path, capsys):
    main([str(tmp_path), "-o", str(tmp_path / "out"), "--ray", "auto"])
    assert capsys.readouterr().out.startswith("1 photo: 1 done. ")


def test_photos_without_a_clear_subject_and_new_names_are_counted(jobs, outcome, tmp_path, capsys):
    outcome.unclear, outcome.renamed = 1200, 1
    assert main([str(tmp_path), "-o", str(tmp_path / "out"), "--ray", "auto"]) == 0
    said = capsys.readouterr().out
    assert "  no clear subject: 1,200 photos; manifest.csv says which, under clear\n" in said
    assert "the new pictures of 1 photo have other names" in said


def test_a_folder_that_cannot_be_read_is_named_and_the_exit_code_says_so(
    jobs, outcome, tmp_path, capsys
):
    said = "/photos/locked: Permission denied; photos in this folder are left out"
    outcome.unread.append(said)
    assert main([str(tmp_path), "-o", str(tmp_path / "out"), "--ray", "auto"]) == 1
    assert f"  left out: {said}" in capsys.readouterr().out
