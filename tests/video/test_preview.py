"""The small copy of a clip that a page plays."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import u2demo as u2
from u2demo.video import preview
from u2demo.video.clip import Frame
from u2demo.video.preview import copying


@pytest.fixture
def clip(make_clip):
    noise = np.random.default_rng(0).integers(0, 256, (6, 480, 960, 3), np.uint8)
    pictures = [Image.fromarray(each) for each in noise]
    return u2.open_video(
        make_clip(
            "wide.mp4", pictures=pictures, rate=6, sound="aac", options={"preset": "ultrafast"}
        )
    )


def test_frames_pass_by_as_they_are_and_the_copy_is_small(clip, tmp_path):
    frames = list(clip)
    passed = list(copying(tmp_path / "copy.mp4", iter(frames), like=clip))
    assert all(one is other for one, other in zip(passed, frames, strict=True))
    copy = u2.open_video(tmp_path / "copy.mp4")
    assert copy.size == (640, 320) and copy.audio
    assert [frame.time for frame in copy] == [frame.time for frame in frames]


def test_transparency_is_kept(clip, tmp_path):
    holes = [Frame(Fraction(n, 6), Image.new("RGBA", (64, 48), (0, 0, 0, 90))) for n in range(3)]
    assert list(copying(tmp_path / "copy.webm", holes, like=clip)) == holes
    assert next(iter(u2.open_video(tmp_path / "copy.webm"))).image.getextrema()[3] == (90, 90)


def test_of_a_long_clip_there_is_the_beginning_and_no_sound(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "LONGEST", 0.5)
    assert len(list(copying(tmp_path / "copy.mp4", clip, like=clip))) == 6
    copy = u2.open_video(tmp_path / "copy.mp4")
    assert len(list(copy)) == 4 and not copy.audio


def test_of_a_heavy_clip_there_is_the_beginning(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "HEAVIEST", 50_000)
    frames = [Frame(Fraction(number, 10), frame.image) for number, frame in enumerate([*clip] * 20)]
    assert len(list(copying(tmp_path / "copy.mp4", frames, like=clip))) == 120
    assert 0 < len(list(u2.open_video(tmp_path / "copy.mp4"))) < 110


def test_a_copy_that_is_not_wanted_any_more_ends(clip, tmp_path):
    copies = copying(tmp_path / "copy.mp4", clip, like=clip)
    next(copies)
    copies.close()
    with pytest.raises(StopIteration):
        next(copies)
