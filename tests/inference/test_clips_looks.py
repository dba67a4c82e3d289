"""What a net finds in the frames of a clip, and the masks that it becomes."""

import numpy as np
import pytest
import torch
from bright import Bright
from own_nets import MIDDLE, SMALL, Mine, in_turn, square
from PIL import Image

import u2demo as u2
from u2demo.inference.clips import Look, certainty, finish, look, reduced
from u2demo.inference.predict import predict
from u2demo.masks.mask import confidence_in
from u2demo.nets.checkpoints import Input

FRAMES = [Image.new("RGB", (64, 48), (level, 90, 30)) for level in range(0, 200, 20)]


def test_each_frame_has_its_map_in_order():
    answers = [square(0.9 + level / 100) for level in range(10)]
    seen = list(look(Mine(in_turn(*answers)), FRAMES))
    assert [one.image for one in seen] == FRAMES
    assert all(isinstance(one, Look) and one.found.shape == (48, 64) for one in seen)
    assert [float(one.found.max()) for one in seen] == pytest.approx(
        [0.9 + n / 100 for n in range(10)]
    )
    assert all(one.found.dtype == np.float32 for one in seen)


@pytest.mark.parametrize("size", [(1920, 1080), (640, 1400), (60, 40)])
def test_a_reduced_frame_has_the_same_map(size):
    net, frame = Bright(), u2.sample_images()["cat.jpeg"].resize(size)
    small = reduced(net, frame)
    assert max(small.size) <= 1024
    (whole,), (found,) = look(net, [frame]), look(net, [small])
    np.testing.assert_array_equal(found.found, whole.found)


def test_a_frame_that_the_net_may_look_at_more_closely_stays_whole():
    frame = Image.new("RGB", (1920, 1080))
    assert reduced(Bright(), frame, quality="best") is frame


def test_no_frame_is_asked_for_before_the_last_is_answered():
    frames = iter(FRAMES)
    next(look(Mine(), frames))
    assert len(list(frames)) == 9


def test_a_gpu_takes_eight_frames_at_a_time(monkeypatch):
    monkeypatch.setattr("u2demo.inference.clips.at_once", lambda model: 8)
    net = Mine(square(0.9))
    assert [one.image for one in look(net, iter(FRAMES))] == FRAMES
    assert [len(batch) for batch in net.seen] == [8, 2]


def test_frames_are_seen_as_photos_are(model):
    image = u2.sample_images()["cat.jpeg"].resize((320, 213))
    (one,) = look(model, [image])
    (photo,) = predict(model, [image])
    assert confidence_in(one.found) == pytest.approx(photo.confidence, abs=0.005)
    mask = finish(image, one.found, certainty=certainty(one.found))
    assert ((mask > 0.5) != (photo.mask > 0.5)).mean() < 0.02


def looks_at(count, answer, quality="best"):
    """Return how often a net looks at each of ``count`` frames."""
    net, before, looks = Mine(answer, wants=Input(32)), 0, []
    for _ in look(net, FRAMES[:1] * count, quality=quality):
        seen = sum(len(batch) for batch in net.seen)
        looks.append(seen - before)
        before = seen
    return looks


def in_doubt():
    """Return an answer that sees something else at each look."""
    return in_turn(*(square(0.9, place=(0.1 + 0.2 * (n % 4), 0.3, 0.3 + 0.2 * (n % 4), 0.5))
                     for n in range(100)))  # fmt: skip


def test_fast_looks_once_where_a_subject_is_clear_and_at_most_twice_on_average():
    assert looks_at(20, square(0.9), "fast") == [1] * 20
    doubtful = in_turn(*(square(0.6, place=p) for p in (MIDDLE, SMALL) * 50))
    looks = looks_at(20, doubtful, "fast")
    assert max(looks) > 1 and sum(looks) <= 40


def test_best_looks_two_and_a_half_times_at_a_frame_and_no_more():
    looks = looks_at(20, in_doubt())
    assert sum(looks) == 50
    assert all(np.cumsum(looks) <= 2.5 * np.arange(1, 21))


def test_best_saves_looks_at_frames_in_no_doubt_for_those_in_doubt():
    sure, unsure = [square(0.9)] * 12, [square(0.9, place=p) for p in (MIDDLE, SMALL) * 20]
    looks = looks_at(10, in_turn(*sure, *unsure))
    assert looks[:6] == [2] * 6
    assert max(looks[6:]) == 4 and sum(looks) <= 25


def test_the_budget_holds_for_batches_as_well(monkeypatch):
    monkeypatch.setattr("u2demo.inference.clips.at_once", lambda model: 8)
    assert sum(looks_at(20, in_doubt())) <= 50


def test_certainty_is_that_of_the_subject_and_not_of_its_size():
    small, large = (np.zeros((100, 100), np.float32) for _ in range(2))
    small[40:60, 40:60], large[10:90, 10:90] = 0.8, 0.8
    assert certainty(small) == certainty(large) == pytest.approx(0.8)
    assert certainty(np.zeros((100, 100), np.float32)) == 0


def test_one_certainty_for_a_shot_gives_one_level():
    found = np.zeros((320, 320), np.float32)
    found[100:200, 100:200] = 0.8
    image = Image.new("RGB", (320, 320))

    def center(found, certainty):
        return finish(image, found, certainty=certainty)[150, 150]

    assert center(found, 0.8) == 1
    assert 0.8 < center(found * 0.9, 0.8) < 1
    assert 0.8 < center(found, 0.9) < 1


def test_a_mask_has_the_size_of_its_frame_and_is_at_most_its_alpha():
    frame = Image.new("RGBA", (50, 31), (9, 9, 9, 100))
    mask = finish(frame, np.ones((20, 30), np.float32), certainty=1.0)
    assert mask.shape == (31, 50) and mask.dtype == np.float32
    assert mask.max() == pytest.approx(100 / 255)


def test_what_is_no_clip_or_map_is_refused():
    image = FRAMES[0]
    with pytest.raises(ValueError, match="choose fast or best"):
        look(Mine(), FRAMES, quality="good")
    with pytest.raises(TypeError, match="expected a list of images"):
        look(Mine(), image)
    with pytest.raises(TypeError, match="expected an image"):
        list(look(Mine(), ["frame.png"]))
    with pytest.raises(ValueError, match="add a sigmoid"):
        list(look(Mine(square(7.0)), FRAMES))
    with pytest.raises(ValueError, match="float32"):
        finish(image, np.zeros((9, 9)), certainty=1.0)
    with pytest.raises(ValueError, match="float32"):
        certainty(np.zeros((9, 9)))


def test_the_number_of_threads_is_as_before():
    before = torch.get_num_threads()
    seen = look(Mine(), FRAMES)
    next(seen)
    assert torch.get_num_threads() == before
    seen.close()
    assert torch.get_num_threads() == before


def test_a_map_may_be_mirrored_or_read_only(recwarn):
    found = np.zeros((20, 30), np.float32)
    found[5:15, 3:12] = 0.9
    mirrored, kept = found[:, ::-1], found.copy()
    kept.setflags(write=False)
    for one, same in ((mirrored, mirrored.copy()), (kept, found)):
        assert certainty(one) == certainty(same)
        masks = [finish(FRAMES[0], given, certainty=0.9) for given in (one, same)]
        np.testing.assert_array_equal(*masks)
    assert not recwarn.list


def test_a_map_without_pixels_is_refused():
    with pytest.raises(ValueError, match="expected one with pixels"):
        certainty(np.zeros((0, 5), np.float32))
