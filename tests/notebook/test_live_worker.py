"""What the kernel does for a live page: the newest frame, one at a time; nothing when at rest."""

import gc
import io
import threading
import time

import pytest
import torch
from bright import Bright
from live_camera import frame, jpeg, square
from PIL import Image

from u2demo.nets.checkpoints import Input
from u2demo.notebook.live import worker as live_worker
from u2demo.notebook.live.desk import LiveDesk
from u2demo.notebook.live.worker import LivePhoto, LiveWorker

LONG = 60  # seconds, in which everything here has happened even on a busy machine


class Gate(Bright):
    """A net that waits at a gate, and says when it is there and how many threads it has."""

    def __init__(self):
        super().__init__()
        self.input = Input(side=32)
        self.is_open, self.is_reached = threading.Event(), threading.Event()
        self.threads = set()

    def forward(self, photos):
        self.threads.add((threading.current_thread().name, torch.get_num_threads()))
        self.is_reached.set()
        assert self.is_open.wait(LONG)
        return super().forward(photos)


@pytest.fixture
def net():
    net = Gate()
    net.is_open.set()
    yield net
    net.is_open.set()


@pytest.fixture
def worker(net, said):
    worker = LiveWorker(lambda: net, lambda *answer: said.put(answer), cores=1)
    yield worker
    worker.rest()


def next_answer(said):
    message, _ = said.get(timeout=LONG)
    return message


def wait_until(condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def live_threads():
    return [each for each in threading.enumerate() if each.name.startswith("live")]


def test_of_frames_that_wait_only_the_newest_is_looked_at(worker, net, said):
    net.is_open.clear()
    worker.look_at(frame(0))
    assert net.is_reached.wait(LONG)
    for number in (1, 2, 3):
        worker.look_at(frame(number))
    net.is_open.set()
    assert [next_answer(said)["number"] for _ in range(2)] == [0, 3]
    assert said.empty()


def test_an_answer_is_a_mask_and_a_box(worker, said):
    worker.look_at(frame(0))
    message, png = said.get(timeout=LONG)
    assert message["kind"] == "mask" and Image.open(io.BytesIO(png)).size == (96, 64)
    left, top, right, bottom = message["box"]
    assert left < 0.3 < right and top < 0.5 < bottom


def test_the_thread_that_looks_has_the_cores_it_is_given_and_no_other_changes(worker, net, said):
    before = torch.get_num_threads()
    worker.look_at(frame(0))
    next_answer(said)
    assert {threads for _, threads in net.threads} == {1}
    assert torch.get_num_threads() == before


def test_at_rest_there_is_no_thread_and_the_next_frame_starts_one(worker, said):
    worker.look_at(frame(0))
    next_answer(said)
    assert live_threads()
    worker.rest()
    wait_until(lambda: not live_threads())
    worker.look_at(frame(1))
    assert next_answer(said)["number"] == 1


def test_a_page_that_falls_silent_leaves_no_thread_behind(worker, said, monkeypatch):
    monkeypatch.setattr(live_worker, "_IDLE", 0.05)
    worker.look_at(frame(0))
    next_answer(said)
    wait_until(lambda: not live_threads())
    assert not worker.is_awake


def test_a_rest_while_the_network_loads_does_not_load_two_at_once(net, said):
    at_it, most, goes_on = [], [], threading.Event()

    def load():
        at_it.append(1)
        most.append(len(at_it))
        goes_on.wait(LONG)
        at_it.pop()
        return net

    worker = LiveWorker(load, lambda *answer: said.put(answer), cores=1)
    worker.look_at(frame(0))
    wait_until(lambda: at_it)
    worker.rest()
    worker.look_at(frame(1))
    wait_until(lambda: len(live_threads()) == 2)  # neither has a net yet
    goes_on.set()
    assert next_answer(said)["number"] == 1 and most == [1, 1]
    worker.rest()


def test_what_waits_is_dropped_at_rest(worker, net, said):
    net.is_open.clear()
    worker.look_at(frame(0))
    assert net.is_reached.wait(LONG)
    worker.look_at(frame(1))
    worker.rest()
    net.is_open.set()
    wait_until(lambda: not live_threads())
    assert net.looks == 1


def test_a_photo_goes_before_frames_and_comes_back_cut_out(worker, net, said):
    net.is_open.clear()
    worker.look_at(frame(0))
    assert net.is_reached.wait(LONG)
    worker.look_at(frame(1))
    worker.cut_out(LivePhoto(7, jpeg(square(0))))
    net.is_open.set()
    answers = [said.get(timeout=LONG) for _ in range(3)]
    assert [(m["kind"], m["number"]) for m, _ in answers] == [
        ("mask", 0),
        ("photo", 7),
        ("mask", 1),
    ]
    picture = Image.open(io.BytesIO(answers[1][1]))
    assert picture.mode == "RGBA" and picture.size == (96, 64)


@pytest.mark.parametrize("what", ["the net", "the frame", "loading"])
def test_a_failure_is_an_answer_and_the_next_frame_begins_anew(what, net, said):
    fails = [True]

    def load():
        if fails and what == "loading":
            raise RuntimeError("no such weights")
        return net

    def forward(_, inputs):
        if fails and what == "the net":
            raise RuntimeError("out of memory")

    net.register_forward_pre_hook(forward)
    worker = LiveWorker(load, lambda *answer: said.put(answer), cores=1)
    broken = frame(0)._replace(jpeg=b"no picture")
    worker.look_at(broken if what == "the frame" else frame(0))
    answer = next_answer(said)
    assert answer["kind"] == "problem" and answer["text"].startswith("The network failed: ")
    wait_until(lambda: not worker.is_awake)
    fails.clear()
    worker.look_at(frame(1))
    assert next_answer(said)["number"] == 1
    worker.rest()


def test_each_frame_gets_a_receipt_at_once_while_the_net_hangs(net, said):
    net.is_open.clear()
    desk = LiveDesk(lambda: net, lambda *answer: said.put(answer), keep=None, cores=1)
    for number in range(3):
        desk.receive({"kind": "frame", "number": number, "time": 0.0}, jpeg(square(number)))
        assert next_answer(said)["kind"] == "receipt"
    desk.receive({"kind": "stop"}, b"")
    assert not desk.is_at_work and said.empty()


def test_a_receipt_says_that_the_network_is_being_loaded(net, said):
    is_loading, goes_on = threading.Event(), threading.Event()

    def load():
        is_loading.set()
        goes_on.wait(LONG)
        return net

    desk = LiveDesk(load, lambda *answer: said.put(answer), keep=None, cores=1)
    message = {"kind": "frame", "number": 0, "time": 0.0}
    desk.receive(message, jpeg(square(0)))
    next_answer(said)
    assert is_loading.wait(LONG)
    desk.receive(message, jpeg(square(0)))
    assert next_answer(said) == {"kind": "receipt", "doing": "Loading the network…"}
    goes_on.set()
    assert next_answer(said)["kind"] == "mask"
    desk.rest()


def test_threads_and_objects_do_not_grow_with_the_number_of_frames(net, said):
    others = threading.active_count()
    worker = LiveWorker(lambda: net, lambda *answer: said.put(answer), cores=1)

    def look(count):
        for number in range(count):
            worker.look_at(frame(number % 20))
            next_answer(said)
        gc.collect()
        return threading.active_count(), len(gc.get_objects())

    look(10)
    objects = look(10)[1]
    threads, _ = look(30)
    assert threads <= others + 2  # the worker's own, and that of the net
    assert look(10)[1] < objects + 200
    worker.rest()
