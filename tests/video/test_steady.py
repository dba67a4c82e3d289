"""Maps become steady: a subject that is lost for a moment is not, and nothing crosses a cut."""

import sys
import weakref

import numpy as np
import pytest
from PIL import Image, ImageFilter

from u2demo.video.steady import Steady, steady

pytest.importorskip("cv2")

HEIGHT, WIDTH = 90, 160
WAYS = pytest.mark.parametrize("motion", [True, False], ids=["motion", "median"])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let maps have as many pixels as the frames here."""
    monkeypatch.setattr("u2demo.video.steady._PIXELS", HEIGHT * WIDTH)


def texture(seed):
    """Return a picture full of detail, three times as wide as a frame."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, 3 * WIDTH), np.uint8)
    return np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)), np.uint8)


def clip(count, *, seed=0, speed=2):
    """Return grays and truths: a textured disc that moves over a texture that moves, too."""
    ground, skin = texture(seed), texture(seed + 100) // 2 + 128
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    grays, truths = [], []
    for number in range(count):
        left = 40 + speed * number
        inside = np.hypot(x - left, y - 45) < 22
        frame = ground[:, number : number + WIDTH].copy()
        frame[inside] = skin[y[inside], x[inside] - left + 40]
        grays.append(frame)
        truths.append(inside.astype(np.float32))
    return grays, truths


def looks(grays, maps):
    """Yield frames with what a net finds in them."""
    for gray, found in zip(grays, maps, strict=True):
        yield Image.fromarray(gray).convert("RGB"), found


def settle(grays, maps, **options):
    """Return what is found in each frame, at the frames' own size."""
    return [
        one._replace(found=np.asarray(Image.fromarray(one.found).resize((WIDTH, HEIGHT))))
        for one in steady(looks(grays, maps), **options)
    ]


def errors(maps, truths):
    return np.array([np.abs(found - true).mean() for found, true in zip(maps, truths, strict=True)])


def changes(maps, truths):
    """Return how much more, or other than the truth, maps change from frame to frame."""
    wrong = np.diff(np.stack(maps), axis=0) - np.diff(np.stack(truths), axis=0)
    return np.sqrt((wrong**2).mean(axis=(1, 2))).mean()


@WAYS
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 23, 24, 25, 37, 60])
def test_each_frame_has_its_answer_in_order(count, motion):
    gray = texture(0)[:, :WIDTH]
    maps = [np.full(gray.shape, number / 64, np.float32) for number in range(count)]
    found = settle([gray] * count, maps, motion=motion)
    assert len(found) == count
    assert all(isinstance(one, Steady) and one.found.shape == gray.shape for one in found)
    assert all(one.found.dtype == np.float32 and one.shot == 0 for one in found)
    means = [one.found.mean() for one in found]
    assert means == sorted(means)


@WAYS
def test_a_subject_that_is_lost_in_one_frame_is_carried_over(motion):
    grays, truths = clip(9)
    maps = [true * 0.95 for true in truths]
    maps[4] = np.zeros_like(maps[4])
    found = [one.found for one in settle(grays, maps, motion=motion)]
    assert (found[4][truths[4] > 0] > 0.5).mean() > 0.85


def test_a_subject_that_is_lost_for_some_frames_is_carried_along():
    grays, truths = clip(20)
    maps = [true * 0.95 for true in truths]
    for number in range(8, 13):
        maps[number] = maps[number] * 0.2
    found = [one.found for one in settle(grays, maps)]
    for number in range(8, 13):
        assert errors(found, truths)[number] < errors(maps, truths)[number] / 2


@pytest.mark.parametrize(("away", "at_last"), [(12, True), (60, False)])
def test_a_subject_is_carried_for_half_a_second_but_not_for_long(away, at_last):
    """The picture stands still: what has left may be taken for what is lost."""
    grays, truths = clip(1)
    there, gone = np.float32(0.95) * truths[0], np.float32(0.02) * np.ones_like(truths[0])
    maps = [there] * 24 + [gone] * away + [there] * 24
    settled = settle(grays * len(maps), maps)
    middle = settled[24 + away // 2].found[truths[0] > 0]
    assert (middle.mean() > 0.5) == at_last


@WAYS
def test_what_appears_in_one_frame_only_goes(motion):
    grays, truths = clip(9)
    maps = [true.copy() for true in truths]
    maps[4][5:25, 120:150] = 0.8
    found = [one.found for one in settle(grays, maps, motion=motion)]
    assert found[4][5:25, 120:150].mean() < 0.4


def plain_average(maps):
    """Return each map mixed with the average of those before it, where they are."""
    mixed = [maps[0]]
    for found in maps[1:]:
        mixed.append((mixed[-1] + found) / 2)
    return mixed


@pytest.mark.parametrize("speed", [1, 5, 9])
def test_fine_motion_leaves_edges_where_they_are(speed):
    grays, truths = clip(15, speed=speed)
    maps = [*truths[:7], np.zeros_like(truths[7]), *truths[8:]]
    coarse, fine = (
        changes([one.found for one in settle(grays, maps, fine=fine)], truths)
        for fine in (False, True)
    )
    assert fine < 0.7 * coarse


@pytest.mark.parametrize("speed", [6, 9])
def test_a_moving_subject_leaves_no_ghost_as_in_a_plain_average(speed):
    grays, truths = clip(15, speed=speed)
    found = [one.found for one in settle(grays, truths)]
    ours, plain = errors(found, truths).mean(), errors(plain_average(truths), truths).mean()
    assert ours < 0.013 and ours < plain / 2


def test_noisy_maps_become_steadier_and_not_less_right():
    generator = np.random.default_rng(1)
    grays, truths = clip(20)
    maps = [
        (true * generator.uniform(0.5, 1) + generator.normal(0, 0.1, true.shape))
        .clip(0, 1)
        .astype(np.float32)
        for true in truths
    ]
    found = [one.found for one in settle(grays, maps)]
    assert changes(found, truths) < 0.75 * changes(maps, truths)
    assert errors(found, truths).mean() < errors(maps, truths).mean()


@WAYS
def test_nothing_is_carried_over_a_cut(motion):
    (before, truths), (after, _) = clip(10), clip(10, seed=7)
    after = [gray // 3 for gray in after]
    maps = [*truths, *[np.zeros_like(true) for true in truths]]
    settled = settle([*before, *after], maps, motion=motion)
    assert [one.shot for one in settled] == [0] * 10 + [1] * 10
    assert all(one.found.max() < 0.02 for one in settled[10:])
    assert all(one.found.max() > 0.9 for one in settled[:10])


@WAYS
def test_a_flash_or_a_fast_pan_is_no_reason_to_ghost(motion):
    grays, truths = clip(9)
    grays[4] = (grays[4] // 4 + 190).astype(np.uint8)
    found = [one.found for one in settle(grays, truths, motion=motion)]
    assert errors(found, truths).max() < 0.03


def waited_for(**options):
    """Return how many frames are taken before one is answered, at most."""
    grays, truths = clip(60, speed=1)
    taken = []

    def counted():
        for one in looks(grays, truths):
            taken.append(one)
            yield one

    return max(len(taken) - given for given, _ in enumerate(steady(counted(), **options)))


@WAYS
def test_few_frames_are_waited_for(motion):
    assert waited_for(motion=motion) <= (24 if motion else 3)


@WAYS
def test_without_any_ahead_the_answer_comes_before_the_next_frame_is_asked_for(motion):
    assert waited_for(motion=motion, ahead=0) == 1


@WAYS
def test_a_camera_may_run_for_hours(motion):
    grays, truths = clip(12, speed=1)
    kept = []

    def seen():
        for gray in grays:
            image, found = Image.fromarray(gray).convert("RGB"), np.zeros_like(truths[0])
            kept.append((weakref.ref(image), weakref.ref(found)))
            yield image, found
            del image, found

    for _ in steady(seen(), motion=motion, ahead=0):
        alive = [one for one in kept if one[0]() is not None or one[1]() is not None]
        assert len(alive) <= 2


def test_a_subject_that_a_camera_loses_for_a_moment_is_carried_along():
    grays, truths = clip(12)
    maps = [true * 0.95 for true in truths]
    for number in (6, 7):
        maps[number] = maps[number] * 0.2
    found = [one.found for one in settle(grays, maps, ahead=0)]
    for number in (6, 7):
        assert errors(found, truths)[number] < errors(maps, truths)[number] / 2


@WAYS
def test_a_camera_that_is_turned_away_begins_anew(motion):
    (before, truths), (after, _) = clip(4), clip(4, seed=7)
    maps = [*truths, *[np.zeros_like(true) for true in truths]]
    grays = [*before, *[gray // 3 for gray in after]]
    settled = settle(grays, maps, motion=motion, ahead=0)
    assert [one.shot for one in settled] == [0] * 4 + [1] * 4
    assert all(one.found.max() < 0.02 for one in settled[4:])


def test_a_camera_without_opencv_gets_maps_as_they_are():
    grays, truths = clip(5)
    found = [one.found for one in settle(grays, truths, motion=False, ahead=0)]
    assert errors(found, truths).max() < 0.005


@WAYS
def test_an_empty_clip_has_no_subject_and_no_nan(motion):
    black = np.zeros((HEIGHT, WIDTH), np.uint8)
    nothing = np.zeros((HEIGHT, WIDTH), np.float32)
    for one in settle([black] * 5, [nothing] * 5, motion=motion):
        assert one.found.max() == 0


def test_without_opencv_it_is_the_median_and_says_how_to_do_better(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    grays, truths = clip(5)
    maps = [*truths[:2], np.zeros_like(truths[2]), *truths[3:]]
    plain = [one.found for one in settle(grays, maps)]
    assert errors(plain[2:3], [np.median([truths[1], maps[2], truths[3]], axis=0)])[0] < 0.005
    with pytest.raises(ModuleNotFoundError, match="pip install opencv-python-headless"):
        settle(grays, maps, motion=True)


@WAYS
@pytest.mark.parametrize(
    "size", [(1920, 1080), (1080, 1920), (320, 320), (50, 40), (9000, 3), (1, 1)]
)
def test_maps_have_about_the_pixels_of_a_net_whatever_the_frames(size, motion):
    frames = [Image.new("RGB", size, "gray")] * 3
    quarter = np.full((320, 320), 0.25, np.float32)
    for found, _ in steady([(frame, quarter) for frame in frames], motion=motion):
        assert found.dtype == np.float32 and found.min() == found.max() == 0.25
        assert 0.95 < found.size / (HEIGHT * WIDTH) < 1.05


def test_what_is_no_frame_or_map_is_refused():
    image = Image.new("RGB", (9, 6))
    with pytest.raises(ValueError, match="float32"):
        list(steady([(image, np.zeros((6, 9)))]))
    with pytest.raises(TypeError, match="expected an image"):
        list(steady([("frame.png", np.zeros((6, 9), np.float32))]))
    with pytest.raises(ValueError, match="a number of frames from 0"):
        steady([], ahead=-1)
