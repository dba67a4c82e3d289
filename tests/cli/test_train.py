"""``u2demo train``: from folders of photos and masks to a net."""

import io
import math
from types import SimpleNamespace

import pytest

import u2demo.cli.train
import u2demo.training.teach
from u2demo.cli.main import main
from u2demo.cli.train import TrainingLines
from u2demo.training.course import Check, Progress
from u2demo.training.report import Report, Row
from u2demo.training.scores import Score


def test_a_mistake_in_the_folders_is_a_sentence(tmp_path, capsys):
    for name in ("photos", "masks"):
        (tmp_path / name).mkdir()
    code = main(["train", *(str(tmp_path / name) for name in ("photos", "masks")),
                 "-o", str(tmp_path / "mine.pth")])  # fmt: skip
    assert code == 1
    assert "holds no photos, expected some" in capsys.readouterr().err


def test_help_says_how_photos_and_masks_pair(capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code == 0
    assert "cat_mask.png" in capsys.readouterr().out


def test_every_option_reaches_the_training(monkeypatch, tmp_path):
    given = {}

    def fine_tune(photos, masks, **options):
        given.update(options, photos=photos, masks=masks)
        raise ValueError("enough")

    monkeypatch.setattr(u2demo.training.teach, "fine_tune", fine_tune)
    command = "train a b -o c.pth --model isnet --weights w.pth --steps 7 --keep k --rate 0.1"
    assert main([*command.split(), "--batch", "2", "--side", "64", "--seed", "9", "--no-gate",
                 "--device", "cpu"]) == 1  # fmt: skip
    given.pop("report")
    assert {name: str(value) for name, value in given.items()} == {
        "photos": "a", "masks": "b", "results": "c.pth", "model": "isnet", "weights": "w.pth",
        "steps": "7", "keep": "k", "rate": "0.1", "batch": "2", "side": "64", "seed": "9",
        "gate": "False", "device": "cpu",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["mine.pth", "~/mine.pth"])
def test_a_training_that_is_stopped_says_how_to_go_on(name, monkeypatch, tmp_path, capsys):
    def fine_tune(*folders, **options):
        (tmp_path / "mine.pth").touch()
        (tmp_path / "mine.unfinished.pth").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(u2demo.training.teach, "fine_tune", fine_tune)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # on Windows
    monkeypatch.chdir(tmp_path)
    assert main(["train", "a", "b", f"--output={name}"]) == 130
    said = capsys.readouterr().err
    assert "the same command goes on; the best net so far is" in said and "mine.pth" in said


def test_a_training_that_is_stopped_before_anything_was_saved_says_so(
    monkeypatch, tmp_path, capsys
):
    def fine_tune(*folders, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(u2demo.training.teach, "fine_tune", fine_tune)
    assert main(["train", "a", "b", "-o", str(tmp_path / "mine.pth")]) == 130
    said = capsys.readouterr().err
    assert "before anything was saved; the same command begins anew" in said
    assert "goes on" not in said and "best net" not in said


def test_a_training_that_is_stopped_when_its_net_is_saved_does_not_begin_anew(
    monkeypatch, tmp_path, capsys
):
    net = tmp_path / "mine.pth"

    def fine_tune(*folders, **options):
        net.touch()
        return SimpleNamespace(file=net)

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(u2demo.training.teach, "fine_tune", fine_tune)
    monkeypatch.setattr(u2demo.cli.train, "_save_worst", stop)
    assert main(["train", "a", "b", "-o", str(net)]) == 130
    said = capsys.readouterr().err
    assert said == f"stopped; the training is complete, and its net is {net}\n"


def test_a_net_that_is_saved_counts_though_its_picture_is_not(monkeypatch, tmp_path, capsys):
    report = SimpleNamespace(table=lambda: "the table", summary=lambda: "Better")
    trained = SimpleNamespace(file=tmp_path / "mine.pth", report=report)

    def refuse(_):
        raise OSError(28, "the disk is full")

    monkeypatch.setattr(u2demo.training.teach, "fine_tune", lambda *_, **options: trained)
    monkeypatch.setattr(u2demo.cli.train, "_save_worst", refuse)
    assert main(["train", "a", "b"]) == 0
    said = capsys.readouterr()
    assert "the table" in said.out and "worst photos: the disk is full" in said.err


def test_a_report_is_printed_where_no_unicode_can_be(monkeypatch, tmp_path):
    row = Row(SimpleNamespace(name="cat…"), *(SimpleNamespace(score=Score(n, 0)) for n in (0.5, 1)))
    trained = SimpleNamespace(
        file=tmp_path / "mine.pth", report=Report((row,) * 13, 90, 9, {}, True)
    )
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr(u2demo.training.teach, "fine_tune", lambda *_, **options: trained)
    monkeypatch.setattr(u2demo.cli.train, "_save_worst", lambda _: None)
    assert main(["train", "a", "b"]) == 0
    assert "Better: IoU 0.500 before, 1.000 after" in out.buffer.getvalue().decode()


def test_progress_tells_loss_score_and_time_left():
    times, lines = iter([0, 0, 20, 40, 60, 80, 100]), []
    shown = TrainingLines(lines.append, lambda: next(times))
    for done in (1, 2, 3, 4):
        shown.report(Progress("learning", done, 10, 2.5))
    shown.report(Progress("learning", 5, 10, 1.5, Check(5, 1.5, 0.875, 0.1)))
    assert lines[0] == "learning, 1 of 10, loss 2.50"
    assert lines[-1] == (
        "learning, 5 of 10, loss 1.50, IoU 0.875 on the photos held out, 2 min left"
    )


def test_scores_that_there_are_not_are_not_told():
    lines = []
    check = Check(1, 1.0, math.nan, math.nan)
    TrainingLines(lines.append).report(Progress("learning", 1, 1, 1.0, check))
    assert "IoU" not in lines[0]
