"""Photos and results in S3: the same as in folders, also from a server that fails now and then."""

import logging
from pathlib import Path

import pytest

pytest.importorskip("moto")
s3fs = pytest.importorskip("s3fs")

import fsspec.config  # noqa: E402
from bright import Bright  # noqa: E402
from faulty_s3 import FaultyS3  # noqa: E402
from moto.s3.models import s3_backends  # noqa: E402
from small_run import EFFECTS, contents, make_photos  # noqa: E402

from u2demo.cli.main import main  # noqa: E402
from u2demo.machine import attempts, places  # noqa: E402
from u2demo.machine.places import folders_below, join, read_bytes, stored, write_bytes  # noqa: E402
from u2demo.runs.run import process_folder  # noqa: E402

PHOTOS, OUT = "s3://box/photos", "s3://box/out"


@pytest.fixture
def s3(monkeypatch):
    """The server, with an empty bucket."""
    logging.getLogger("werkzeug").setLevel("ERROR")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(attempts, "PAUSES", (0.01, 0.02))
    quick = {"config_kwargs": {"read_timeout": 4, "retries": {"max_attempts": 1}}}
    monkeypatch.setitem(fsspec.config.conf, "s3", quick)
    with FaultyS3() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        s3fs.S3FileSystem.clear_instance_cache()
        bucket = s3fs.S3FileSystem()
        bucket.mkdir("box")
        yield server
        s3_backends["123456789012"]["aws"].reset()
        s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def photos(tmp_path, s3):
    """A folder of photos; the bucket has the same ones, and a neighbor of a similar name."""
    folder = make_photos(tmp_path / "photos", count=4)
    (folder / "photo0.bmp").write_bytes((folder / "photo1.png").read_bytes())
    (folder / "a b+#%?é.png").write_bytes((folder / "photo1.png").read_bytes())
    for path in folder.rglob("*.*"):
        write_bytes(join(PHOTOS, path.relative_to(folder).as_posix()), path.read_bytes())
    write_bytes("s3://box/photos2/other.png", (folder / "photo1.png").read_bytes())
    return folder


@pytest.fixture
def undivided(photos, tmp_path):
    process_folder(Bright(), photos, tmp_path / "undivided", effects=EFFECTS)
    return contents(tmp_path / "undivided")


def pictures():
    found = (one for folder in folders_below(OUT) for one in folder)
    return {
        one.url.removeprefix(f"{OUT}/"): read_bytes(one.url)
        for one in found
        if not places.name_of(one.url).startswith("manifest")
    }


def test_a_run_in_s3_is_the_run_in_folders(undivided):
    records = process_folder(Bright(), PHOTOS, OUT, effects=EFFECTS)
    assert {record.status for record in records} == {"done"}
    assert pictures() == undivided
    again = process_folder(Bright(), PHOTOS, OUT, effects=EFFECTS)
    assert {record.status for record in again} == {"skipped"}


@pytest.mark.parametrize("fault", ["busy", "broken", "lost", "slow"])
def test_a_server_that_fails_now_and_then_changes_nothing(s3, undivided, fault):
    s3.faults[:] = [fault] * (2 if fault == "slow" else 12)
    records = process_folder(Bright(), PHOTOS, OUT, effects=EFFECTS)
    assert not s3.faults
    assert {(record.status, record.error) for record in records} == {("done", "")}
    assert pictures() == undivided


def test_a_server_that_does_not_recover_costs_records_not_the_run(s3, photos, tmp_path):
    s3.down = "photo2"
    records = process_folder(Bright(), PHOTOS, tmp_path / "out", effects=EFFECTS)
    failed = [record.error for record in records if record.status == "failed"]
    assert len(failed) == 1
    assert "photo2.png: the store does not respond: Please reduce your request" in failed[0]


def test_a_picture_that_appears_in_the_same_moment_is_not_replaced(s3, photos):
    url = join(OUT, "photo1_cutout.png")
    honest, theirs = s3._honest, []

    def interfere(request, start):
        is_put = request["REQUEST_METHOD"] == "PUT" and "photo1_cutout" in request["PATH_INFO"]
        if is_put and not theirs:
            theirs.append("written")
            write_bytes(url, b"yours")
        return honest(request, start)

    s3._honest = interfere
    records = process_folder(Bright(), PHOTOS, OUT, effects=EFFECTS)
    assert read_bytes(url) == b"yours"
    assert [r.renamed for r in records if r.renamed] == [
        {"photo1_cutout.png": "photo1_cutout (2).png"}
    ]


def test_names_come_a_page_at_a_time(s3, photos):
    data = (Path(photos) / "photo0.png").read_bytes()
    for number in range(2500):
        put_in_bucket(f"many/{number // 800}/{number:05}.png", data)
    pages = len(s3.seen)
    first = next(iter(folders_below("s3://box/many")))
    assert len(first) == 800
    assert len(s3.seen) - pages < 3  # of three pages
    assert sum(map(len, folders_below("s3://box/many"))) == 2500


def put_in_bucket(key, data):
    s3_backends["123456789012"]["aws"].put_object("box", key, data)


def test_wrong_credentials_are_a_sentence_and_not_tried_again(s3, photos, capsys, monkeypatch):
    def denied(request, start):
        start("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]

    s3._honest = denied
    assert main([PHOTOS, "-o", OUT]) == 1
    assert "not allowed: Forbidden; are your credentials set?" in capsys.readouterr().err


def test_the_command_line_shards_and_merges_in_s3(s3, photos, capsys):
    for number in (1, 2):
        assert main([PHOTOS, "-o", OUT, "--shard", f"{number}/2"]) == 0
    assert main(["merge", OUT]) == 0
    assert "6 photos" in capsys.readouterr().out
    assert stored(join(OUT, "manifest.jsonl")) and stored(join(OUT, "manifest.csv"))
    assert any(name.startswith("a b+#%") and name.endswith("é_cutout.png") for name in pictures())


def test_a_photo_that_changed_in_s3_is_done_again(s3, photos):
    process_folder(Bright(), PHOTOS, OUT, effects=EFFECTS)
    write_bytes(join(PHOTOS, "photo1.png"), (photos / "photo0.png").read_bytes())
    write_bytes(join(PHOTOS, "photo0.png"), (photos / "photo0.png").read_bytes())  # the same
    again = process_folder(Bright(), PHOTOS, OUT, effects=EFFECTS)
    assert [r.photo for r in again if r.status == "done"] == [join(PHOTOS, "photo1.png")]
