"""The scores of benchmarks/video.py, worked out by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def video(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("video_benchmark", FOLDER / "video.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def squares(lefts, value=1.0):
    """Return frames of 10x20 pixels with a square of 4x4 at these places."""
    frames = np.zeros((len(lefts), 10, 20), np.float32)
    for frame, left in zip(frames, lefts, strict=True):
        frame[3:7, left : left + 4] = value
    return frames


def test_a_mask_that_moves_with_the_truth_is_steady(video):
    truth = squares([0, 2, 4]) > 0
    assert video.dtssd(squares([0, 2, 4]), truth) == 0
    assert video.jitter(squares([0, 2, 4]), truth) == 0


def test_what_is_wrong_in_all_frames_alike_is_steady(video):
    truth = squares([0, 0, 0]) > 0
    assert video.dtssd(squares([9, 9, 9]), truth) == 0


def test_a_subject_that_is_lost_in_one_frame_scores_as_worked_out_by_hand(video):
    masks, truth = squares([5, 5, 5]), squares([5, 5, 5]) > 0
    masks[1] = 0
    # 16 of 200 pixels change by 1, twice; the truth has 16 pixels.
    assert video.dtssd(masks, truth) == pytest.approx(100 * (16 / 200) ** 0.5)
    assert video.jitter(masks, truth) == pytest.approx(100)


def test_jitter_is_of_the_area_and_not_of_the_place(video):
    truth = squares([5, 5, 5]) > 0
    assert video.jitter(squares([5, 7, 9]), truth) == 0
    assert video.dtssd(squares([5, 7, 9]), truth) == pytest.approx(100 * (16 / 200) ** 0.5)


def test_a_perfect_clip_has_perfect_scores(video):
    pytest.importorskip("py_sod_metrics")
    masks = squares([0, 2, 4])
    (sm, mae, iou), curve = video.score_frames(masks, masks > 0)
    assert (sm, mae, iou) == pytest.approx((1, 0, 1), abs=1e-3)
    assert video.f_measure(*curve).max() == pytest.approx(1)
