"""The live page's other half in the kernel: what it is told, what it saves, how it ends."""

import base64
import importlib.util
import io
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from live_app import from_page
from live_camera import frame, jpeg, square
from PIL import Image

import u2demo as u2
from u2demo.notebook.environment import PageError
from u2demo.notebook.live import app
from u2demo.notebook.live.files import LiveFiles, keep_in_folder

needs_anywidget = pytest.mark.skipif(
    importlib.util.find_spec("anywidget") is None, reason="anywidget is not installed"
)

CLIP = "live 2026-11-28 07-51-19.webm"
PHOTO = "live 2026-11-28 07-51-16.png"


@pytest.fixture
def shown(monkeypatch):
    """What the cell displays."""
    displayed = []
    for module in (app, importlib.import_module("u2demo.notebook.live.sample")):
        monkeypatch.setattr(module, "display", displayed.append)
    return displayed


@pytest.fixture
def in_jupyter(monkeypatch):
    monkeypatch.setenv("U2DEMO_ENV", "jupyter")


def pieces(data, name, size, number=5):
    """Yield the messages with which a page sends a file."""
    for start in range(0, len(data), size):
        last = start + size >= len(data)
        about = {"kind": "piece", "number": number, "name": name}
        yield {**about, "first": not start, "last": last}, data[start : start + size]


@needs_anywidget
def test_a_frame_of_the_page_is_answered_with_a_receipt_and_a_mask(
    net, shown, in_jupyter, monkeypatch
):
    from u2demo.notebook.live.page import LivePage

    sent = queue.Queue()
    monkeypatch.setattr(LivePage, "_answer", lambda page, *answer: sent.put(answer))
    camera = u2.notebook.Live(net)
    camera.show()
    assert shown == [camera.page]
    number, time, data = frame(3)
    from_page(camera.page, {"kind": "frame", "number": number, "time": time}, [memoryview(data)])
    answers = {}
    for message, picture in (sent.get(timeout=60), sent.get(timeout=60)):
        answers[message["kind"]] = message, picture
    assert answers["receipt"][1] is None
    message, png = answers["mask"]
    assert message["number"] == 3 and Image.open(io.BytesIO(png)).mode == "LA"
    camera.close()


@needs_anywidget
def test_a_closed_page_leaves_the_kernel_at_rest(net, shown, in_jupyter):
    camera = u2.notebook.Live(net)
    camera.show()
    page = camera.page
    from_page(page, {"kind": "frame", "number": 0, "time": 0.0}, [jpeg(square(0))])
    camera.close()
    assert camera.page is None and not page.desk.is_at_work


@needs_anywidget
def test_the_cell_run_again_ends_the_page_that_it_showed_before(net, shown, in_jupyter):
    first, second = u2.notebook.Live(net), u2.notebook.Live(net)
    first.show()
    second.show()
    assert first.page is None and second.page is not None
    second.show()
    assert second.page is not None and second.page is shown[-1]
    second.close()


@needs_anywidget
@pytest.mark.parametrize("has_opencv", [True, False])
def test_a_page_advises_to_install_opencv_where_it_is_missing(monkeypatch, has_opencv):
    module = importlib.import_module("u2demo.notebook.live.page")
    monkeypatch.setattr(module, "follows_motion", lambda: has_opencv)
    page = module.LivePage(lambda: None)
    assert ("pip install opencv-python-headless" in page.advice) != has_opencv
    page.close()


def test_without_anywidget_a_sentence_says_what_to_do(monkeypatch, in_jupyter):
    monkeypatch.setitem(sys.modules, "u2demo.notebook.live.page", None)
    with pytest.raises(PageError, match=r"run %pip install anywidget, restart the kernel"):
        u2.notebook.Live().show()


def test_where_nobody_can_click_a_sample_moves(net, shown, monkeypatch, capsys):
    monkeypatch.setenv("U2DEMO_ENV", "headless")
    u2.notebook.Live(net).show()
    (animation,) = shown
    picture = Image.open(io.BytesIO(animation.data))
    assert picture.format == "GIF" and picture.n_frames == 8 and picture.size == (640, 240)
    assert "so this is a sample" in capsys.readouterr().out


def test_something_that_is_not_a_net_is_refused():
    with pytest.raises(TypeError, match="expected a net, as from load_model, not str"):
        u2.notebook.Live("u2net")


def test_pieces_become_one_file_and_no_file_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "saved"))
    files = LiveFiles(keep_in_folder)
    for name in (CLIP, CLIP.replace(".webm", " (2).webm")):
        *receipts, last = [files.receive(*each) for each in pieces(b"a clip" * 10, CLIP, 25)]
        assert receipts == [{"kind": "piece", "number": 5}] * 2
        assert last["text"] == f"Saved: {(tmp_path / 'saved' / name).resolve()}"
        assert (tmp_path / "saved" / name).read_bytes() == b"a clip" * 10


def test_a_file_that_the_page_gave_up_takes_no_part_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path))
    files = LiveFiles(keep_in_folder)
    files.receive(*next(pieces(b"half", CLIP, 2)))
    (message,) = [files.receive(*each) for each in pieces(b"whole", PHOTO, 9)]
    assert Path(message["text"].removeprefix("Saved: ")).read_bytes() == b"whole"


def test_two_files_that_are_saved_at_once_stay_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path))
    files = LiveFiles(keep_in_folder)
    clip, photo = pieces(b"a clip" * 10, CLIP, 30, number=1), pieces(b"photo", PHOTO, 3, number=2)
    for each in (next(clip), next(photo)):
        files.receive(*each)
    for each, content in ((next(clip), b"a clip" * 10), (next(photo), b"photo")):
        answer = files.receive(*each)
        assert Path(answer["text"].removeprefix("Saved: ")).read_bytes() == content


def test_what_cannot_be_saved_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "taken").write_bytes(b"")
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "taken"))
    (answer,) = [LiveFiles(keep_in_folder).receive(*each) for each in pieces(b"x", PHOTO, 9)]
    assert "this is a file; choose a folder" in answer["problem"]


def test_in_colab_all_answers_come_with_the_next_question(net, colab, monkeypatch, tmp_path):
    # A page whose picture has stopped has nothing more to say, and would wait for the others.
    monkeypatch.setenv("U2DEMO_DRIVE", str(tmp_path / "drive"))
    files = [
        {**about, "data": base64.b64encode(piece).decode()}
        for number, name in enumerate((PHOTO, CLIP))
        for about, piece in pieces(b"all of it", name, 100, number)
    ]
    questions, says = [], [files, None]

    def page(script):
        if not script.startswith("u2live.next("):
            return 1
        questions.append(json.loads(script[len("u2live.next(") : -1]))
        return says.pop(0)

    colab.page = page
    u2.notebook.Live(net).show()
    _, answered = questions
    assert [answer["message"]["number"] for answer in answered] == [0, 1]


@pytest.mark.parametrize("name", ["../x.png", "live ../2026-11-28 07-51.png", CLIP + "/x", "x.exe"])
def test_a_page_can_save_under_no_name_but_those_it_gives(tmp_path, monkeypatch, name):
    monkeypatch.setenv("U2DEMO_SAVE_DIR", str(tmp_path / "saved"))
    (answer,) = [LiveFiles(keep_in_folder).receive(*each) for each in pieces(b"x", name, 9)]
    assert answer["problem"].startswith("not a name that the live page gives")
    assert list(tmp_path.rglob("*")) == []


def test_the_live_room_is_imported_without_torch():
    code = "import sys, u2demo.notebook; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert not [each for each in threading.enumerate() if each.name == "live"]
