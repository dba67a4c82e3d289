"""What the command line says of shards and lists."""

from pathlib import Path

import fsspec
import pytest
from small_run import make_photos

from u2demo.cli.main import main
from u2demo.runs.boxes import WRITERS
from u2demo.runs.coco import write_coco

pytestmark = pytest.mark.usefixtures("bright_loaded")
FULL = Path("/dev/full")  # a disk that takes nothing more


@pytest.mark.parametrize("where", ["nothing there", "photos", "memory://nothing-there"])
def test_a_merge_of_what_is_no_results_is_refused_and_writes_nothing(
    where, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    make_photos(tmp_path / "photos", count=1)
    before = sorted(tmp_path.rglob("*"))
    assert main(["merge", where]) == 1
    assert f"{where} has no manifest of u2demo" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
    assert not fsspec.filesystem("memory").exists("/nothing-there")


def test_a_shard_says_what_is_to_be_done_in_the_end(tmp_path, capsys):
    photos, out = str(make_photos(tmp_path / "photos", count=1)), str(tmp_path / "out")
    for shard in ("1/2", "2/2"):
        assert main([photos, "-o", out, "--shard", shard]) == 0
        said = capsys.readouterr().out
        assert f"Pictures are in {out}; when all shards are done: u2demo merge {out}" in said
        assert "manifest.csv" not in said
    assert main(["merge", out]) == 0
    assert main([photos, "-o", out]) == 0
    assert "Pictures and manifest.csv are in" in capsys.readouterr().out


def test_a_shard_leaves_boxes_to_the_merge_and_says_so(tmp_path, capsys):
    photos, out = str(make_photos(tmp_path / "photos", count=1)), str(tmp_path / "out")
    assert main([photos, "-o", out, "--shard", "1/2", "--boxes", "coco,yolo"]) == 0
    assert f": u2demo merge {out} --boxes coco,yolo\n" in capsys.readouterr().out


def test_a_shard_without_photos_says_so(tmp_path, capsys):
    photos, out = str(make_photos(tmp_path / "photos", count=1)), str(tmp_path / "out")
    for shard in ("1/2", "2/2"):
        main([photos, "-o", out, "--shard", shard])
    said = capsys.readouterr().out
    assert "0 photos in this shard. Pictures are in" in said and "1 photo: 1 done." in said
    main(["merge", out])
    assert "2 shards done; 1 photo or clip is in" in capsys.readouterr().out


def test_a_merge_that_is_stopped_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("u2demo.cli.merge.merge", stop)
    assert main(["merge", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "stopped; the same command starts over\n"


def test_no_other_run_begins_while_boxes_are_written(tmp_path, capsys, monkeypatch):
    """It would clear away what is half written, and write the manifest anew while that is read."""
    photos, out = str(make_photos(tmp_path / "photos", count=2)), str(tmp_path / "out")
    codes = []

    def write(records, results):
        codes.append(main([photos, "-o", out]))
        return write_coco(records, results)

    monkeypatch.setitem(WRITERS, "coco", write)
    assert main([photos, "-o", out, "--boxes", "coco"]) == 0
    assert main(["merge", out, "--boxes", "coco"]) == 0
    assert codes == [1, 1]
    assert capsys.readouterr().err.count("another run is writing into") == 2


@pytest.mark.skipif(not FULL.exists(), reason="this system has no such device")
def test_a_merge_whose_summary_is_lost_on_a_full_disk_fails(tmp_path, capsys, monkeypatch):
    photos, out = str(make_photos(tmp_path / "photos", count=1)), str(tmp_path / "out")
    main([photos, "-o", out])
    with FULL.open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert main(["merge", out]) == 1
    assert "could not print the summary; is the disk full?\nno shards" in capsys.readouterr().err


def test_a_list_that_is_not_there_is_a_sentence(capsys):
    with pytest.raises(SystemExit):
        main(["--list", "no list.txt"])
    assert "--list: No such file or directory: 'no list.txt'" in capsys.readouterr().err
