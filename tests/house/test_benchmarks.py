"""The scores of benchmarks/accuracy.py, worked out by hand and against PySODMetrics."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FILE = Path(__file__).parents[2] / "benchmarks" / "accuracy.py"


@pytest.fixture(scope="module")
def accuracy():
    spec = importlib.util.spec_from_file_location("accuracy", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def blob():
    """A 40×60 truth, a disc, and a map of it that is shifted, soft and speckled."""
    y, x = np.mgrid[:40, :60]
    noise = np.random.default_rng(0).uniform(0, 0.2, (40, 60))
    soft = 1 / (1 + np.exp(np.hypot(x - 33, y - 21) - 11))
    saliency = np.maximum(soft, noise)
    return np.rint(saliency / saliency.max() * 255) / 255, np.hypot(x - 30, y - 20) < 11


def best_f(accuracy, *photos):
    curves = [accuracy.precision_recall(np.array(s, float), np.array(m, bool)) for s, m in photos]
    return accuracy.f_measure(*np.mean(curves, axis=0)).max()


def test_precision_and_recall_at_a_threshold(accuracy):
    saliency, mask = np.array([[1, 0.8, 0.6, 0.4, 0]]), np.array([[1, 0, 1, 0, 0]], bool)
    precision, recall = accuracy.precision_recall(saliency, mask)
    above = {1: (1, 0.5), 0.8: (0.5, 0.5), 0.6: (2 / 3, 1), 0.4: (0.5, 1)}
    for threshold, expected in above.items():
        at = 254 - round(254 * threshold)  # thresholds run from high to low
        assert (precision[at], recall[at]) == pytest.approx(expected)


def test_f_weighs_precision_more_than_recall(accuracy):
    assert accuracy.f_measure(np.float64(1), np.float64(0.5)) == pytest.approx(0.65 / 0.8)
    assert accuracy.f_measure(np.float64(0.5), np.float64(1)) == pytest.approx(0.65 / 1.15)
    assert accuracy.f_measure(np.float64(0), np.float64(0)) == 0


def test_max_f_is_of_averaged_precision_and_recall_not_an_average_of_f(accuracy):
    """Found whole with nothing wrong, and not found: P and R are 1/2, and so is F."""
    whole, missed = ([[1, 0]], [[1, 0]]), ([[0, 1]], [[1, 0]])
    assert best_f(accuracy, whole) == pytest.approx(1)
    # At the lowest threshold everything is subject: P is 1/2 and R is 1 in either photo.
    assert best_f(accuracy, whole, missed) == pytest.approx(1.3 * 0.5 / (0.3 * 0.5 + 1))
    assert best_f(accuracy, missed) == pytest.approx(1.3 * 0.5 / (0.3 * 0.5 + 1))


def test_a_black_map_finds_nothing_until_everything_is_subject(accuracy):
    precision, recall = accuracy.precision_recall(np.zeros((1, 4)), np.array([[1, 0, 0, 0]], bool))
    assert recall[:-1].max() == 0 and precision[:-1].max() == 0
    assert (precision[-1], recall[-1]) == (0.25, 1)


def square(shift=0):
    """A 10×10 square in a 40×40 picture."""
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10 + shift : 20 + shift] = True
    return mask


def test_an_edge_within_three_pixels_is_right_and_beyond_it_is_wrong(accuracy):
    pytest.importorskip("scipy")
    assert accuracy.boundary_f(square(), square()) == 1
    assert accuracy.boundary_f(square(shift=3), square()) == 1
    assert accuracy.boundary_f(square(shift=4), square()) < 1
    assert accuracy.boundary_f(square(shift=20), square()) == 0


def test_an_edge_four_pixels_off_by_hand(accuracy):
    """Of a boundary's 36 pixels 24 are within 3 of the other's.

    The side that sticks out is 4 away: 10 pixels lost. So are 2 on the side that lies inside, in
    the middle, where the other square's top and bottom are 4 away as well.
    """
    pytest.importorskip("scipy")
    assert accuracy.boundary_f(square(shift=4), square()) == pytest.approx(24 / 36)


def test_a_frame_counts_as_an_edge(accuracy):
    pytest.importorskip("scipy")
    full = np.ones((9, 9), bool)
    assert accuracy._boundary(full).sum() == 9 * 9 - 7 * 7


def test_nothing_found_has_no_edge(accuracy):
    pytest.importorskip("scipy")
    assert accuracy.boundary_f(np.zeros((9, 9), bool), np.ones((9, 9), bool)) == 0


def test_the_error_and_the_overlap_by_hand(accuracy):
    pytest.importorskip("py_sod_metrics")
    saliency, mask = np.zeros((40, 40)), square()
    saliency[10:20, 15:25] = 0.8  # half of it right
    mae, _, _, _, iou = accuracy.score(saliency, mask)
    assert mae == pytest.approx((50 * 1 + 50 * 0.2 + 50 * 0.8) / 1600)
    assert iou == pytest.approx(50 / 150)


def test_a_perfect_map_has_perfect_scores(accuracy):
    pytest.importorskip("py_sod_metrics")
    scores = accuracy.score(square().astype(float), square())
    assert scores == pytest.approx((0, 1, 1, 1, 1), abs=1e-3)


def test_max_f_and_mae_agree_with_pysodmetrics(accuracy, blob):
    metrics = pytest.importorskip("py_sod_metrics")
    saliency, mask = blob
    mae, fmeasure = metrics.MAE(), metrics.Fmeasure(beta=0.3)
    for scorer in (mae, fmeasure):
        scorer.step(np.uint8(np.rint(saliency * 255)), np.uint8(mask * 255))
    curves = fmeasure.get_results()["pr"]
    theirs = accuracy.f_measure(curves["p"], curves["r"]).max()
    assert accuracy.score(saliency, mask)[0] == pytest.approx(mae.get_results()["mae"], abs=1e-3)
    assert best_f(accuracy, blob) == pytest.approx(theirs, abs=1e-3)


def test_photos_and_masks_pair_by_stem(accuracy, tmp_path):
    for folder, names in {"images": ["a.jpg", "b.png"], "masks": ["a.png", "b.png"]}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            Image.new("L", (4, 3)).save(tmp_path / folder / name)
    pairs = accuracy.find_pairs(tmp_path)
    assert [(photo.name, mask.name) for photo, mask in pairs] == [
        ("a.jpg", "a.png"),
        ("b.png", "b.png"),
    ]
    (tmp_path / "masks" / "b.png").unlink()
    with pytest.raises(SystemExit, match=r"no mask for b\.png"):
        accuracy.find_pairs(tmp_path)


def test_a_ghost_is_half_transparent_and_no_edge_is_near(accuracy):
    pytest.importorskip("scipy")
    saliency = square().astype(np.float32)
    saliency[8:22, 8:22] = np.maximum(saliency[8:22, 8:22], 0.5)  # within two pixels of the edge
    assert accuracy.ghosts(saliency, square()) == 0
    saliency[30:34, 20:25] = 0.5
    assert accuracy.ghosts(saliency, square()) == 20 / 1600
    saliency[30:34, 20:25] = 0.05
    assert accuracy.ghosts(saliency, square()) == 0


def test_unclear_masks_are_counted_among_the_good_and_the_bad(accuracy):
    row = accuracy.Row((0, 0, 0, 0, 0.9), np.zeros((2, 255)), 0.01, True, 0.1)
    bad = row._replace(scores=(0, 0, 0, 0, 0.2), clear=False, seconds=0.3)
    shown = accuracy.costs([row, row, bad, row._replace(clear=False)], 1.0, [row] * 4)
    assert shown[:4] == pytest.approx((1, 100 / 3, 100, 1))
    assert shown[4] == pytest.approx(150) and 1 < shown[5] <= 3
