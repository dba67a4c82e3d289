"""A net on a GPU gets several photos of a folder at once; a CPU, one at a time."""

import threading

import pytest
import torch
from bright import Bright
from small_run import EFFECTS, contents, make_photos, rows

import u2demo as u2
from u2demo.inference import predict
from u2demo.runs import run as runs


class Recorder(Bright):
    """A net that notes how many photos it is given at once."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, photos):
        self.batches.append(len(photos))
        return super().forward(photos)


class Scarce(Recorder):
    """A net whose GPU has room for one photo at a time."""

    def forward(self, photos):
        if len(photos) > 1:
            raise RuntimeError("CUDA out of memory")
        return super().forward(photos)


@pytest.fixture
def eight_at_once(monkeypatch):
    """Let the processor stand in for a GPU."""
    monkeypatch.setitem(predict._AT_ONCE, "cpu", 8)


def run(net, photos, out, **options):
    return u2.process_folder(net, photos, out, effects=EFFECTS, **options)


@pytest.mark.parametrize(("quality", "looks"), [("fast", 1), ("best", 3)])
def test_a_folder_is_looked_at_eight_photos_at_a_time(quality, looks, eight_at_once, tmp_path):
    net = Recorder()
    records = run(net, make_photos(tmp_path / "photos", 20), tmp_path / "out", quality=quality)
    assert [record.status for record in records] == ["done"] * 20
    assert sorted(net.batches) == sorted([4, 8, 8] * looks)


def test_a_cpu_looks_at_one_photo_at_a_time(tmp_path):
    net = Recorder()
    run(net, make_photos(tmp_path / "photos", 5), tmp_path / "out")
    assert net.batches == [1] * 5


def test_batches_give_the_results_of_single_photos_in_the_same_order(tmp_path, monkeypatch):
    photos = make_photos(tmp_path / "photos", 11)
    alone = run(Bright(), photos, tmp_path / "alone")
    monkeypatch.setitem(predict._AT_ONCE, "cpu", 8)
    together = run(Bright(), photos, tmp_path / "together")
    assert [record.photo for record in together] == [record.photo for record in alone]
    assert contents(tmp_path / "together") == contents(tmp_path / "alone")
    assert rows(tmp_path / "together") == rows(tmp_path / "alone")


def test_a_photo_that_cannot_be_opened_takes_no_other_with_it(eight_at_once, tmp_path):
    photos = make_photos(tmp_path / "photos", 9)
    (photos / "photo3.png").write_text("no photo")
    net = Recorder()
    records = run(net, photos, tmp_path / "out")
    statuses = {record.stem: record.status for record in records}
    assert statuses.pop("photo3") == "failed"
    assert set(statuses.values()) == {"done"} and len(statuses) == 8
    assert sum(net.batches) == 8


def test_a_batch_too_large_for_the_memory_is_looked_at_one_by_one(eight_at_once, tmp_path):
    net = Scarce()
    records = run(net, make_photos(tmp_path / "photos", 9), tmp_path / "out")
    assert [record.status for record in records] == ["done"] * 9
    assert net.batches == [1] * 9


def test_photos_in_memory_are_bounded_however_many_there_are(eight_at_once, tmp_path, monkeypatch):
    lock, seen = threading.Lock(), {"open": 0, "most": 0}

    def opened(path, **options):
        with lock:
            seen["open"] += 1
            seen["most"] = max(seen["most"], seen["open"])
        return open_image(path, **options)

    def done(record):
        with lock:
            seen["open"] -= 1

    open_image = runs.open_image
    monkeypatch.setattr(runs, "open_image", opened)
    monkeypatch.setattr(runs, "own_cores", lambda: 4)
    run(Bright(), make_photos(tmp_path / "photos", 60), tmp_path / "out", report=done)
    assert seen["most"] <= 4 * 8 + 2 * 5


def test_a_net_that_fails_for_every_photo_fails_every_photo(eight_at_once, tmp_path):
    class Broken(Bright):
        def forward(self, photos):
            return torch.full((len(photos), 1, 9, 9), torch.nan)

    records = run(Broken(), make_photos(tmp_path / "photos", 3), tmp_path / "out")
    assert {record.status for record in records} == {"failed"}


def test_a_gpu_is_never_idle_while_there_are_photos(eight_at_once, tmp_path):
    """While the net is at one batch, the next one is made ready."""

    class Patient(Bright):
        met = threading.Barrier(2)

        def forward(self, photos):
            self.met.wait(60)  # until another thread has a batch ready, too
            return super().forward(photos)

    records = run(Patient(), make_photos(tmp_path / "photos", 32), tmp_path / "out")
    assert {record.status for record in records} == {"done"}
