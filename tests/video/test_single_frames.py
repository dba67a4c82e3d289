"""One frame of a clip, by its time, without decoding all that comes before."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import u2demo as u2


def level(frame):
    return round(float(np.asarray(frame.image.convert("L"), float).mean()))


def shades(count):
    return [Image.new("RGB", (64, 48), (shade,) * 3) for shade in range(0, 10 * count, 10)]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.gif"])
def test_the_frame_at_a_time_is_the_last_that_began_by_then(name, make_clip, tmp_path):
    path = tmp_path / name
    if name == "clip.gif":
        first, *others = shades(20)
        first.save(path, save_all=True, append_images=others, duration=100)
    else:
        path = make_clip(name, pictures=shades(20), options={"g": "5"})
    clip = u2.open_video(path)
    frames = list(clip)
    for number in (0, 1, 9, 19):
        found = clip.at(frames[number].time + Fraction(1, 100))
        assert found.time == pytest.approx(frames[number].time)
        assert abs(level(found) - level(frames[number])) <= 1
    assert clip.at(Fraction(1000)).time == pytest.approx(frames[-1].time)


def test_a_frame_of_an_avi_is_the_same_as_on_the_way(make_clip):
    """Its frames have no times, and some that follow a key frame need those before it."""
    clip = u2.open_video(
        make_clip(
            "old.avi", pictures=shades(20), codec="mpeg4", tick=Fraction(1, 30),
            options={"g": "6", "bf": "2"},
        )
    )  # fmt: skip
    for frame in clip:
        found = clip.at(frame.time)
        assert (found.time, level(found)) == (frame.time, level(frame))


def test_of_a_clip_that_is_cut_off_the_end_is_the_last_frame_that_is_there(make_clip):
    noise = np.random.default_rng(0).integers(0, 256, (90, 48, 64, 3), np.uint8)
    path = make_clip("cut.mkv", pictures=[Image.fromarray(each) for each in noise])
    whole = u2.open_video(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    found = whole.at(whole.duration)
    assert 1 < found.time < 2.5
