"""Camcorders and television show every second row a moment later; no comb of them is left."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import u2demo as u2

INTERLACED = {"x264-params": "bff=1", "crf": "4"}


def moving_bar(count):
    """Return frames of a bar that moves; every second row shows it half a frame later."""
    pictures = []
    for number in range(count):
        frame = np.zeros((96, 128, 3), np.uint8)
        for row, left in enumerate([8 * number + 4, 8 * number]):
            frame[row::2, left : left + 32] = 255
        pictures.append(Image.fromarray(frame))
    return pictures


def rows_of(frame):
    return np.asarray(frame.image.convert("L"), int)[8:-8]


@pytest.mark.parametrize(
    ("codec", "options"),
    [("libx264", INTERLACED), ("mpeg2video", {"flags": "+ilme+ildct", "b": "9M"})],
    ids=["AVCHD", "DVD"],
)
def test_each_frame_shows_one_moment(codec, options, make_clip):
    path = make_clip(
        "a.mkv", pictures=moving_bar(8), codec=codec, options=options, tick=Fraction(1, 30)
    )
    reports = []
    frames = list(u2.open_video(path).read(report=reports.append))
    assert [round(30 * frame.time) for frame in frames] == list(range(8)) and reports == []
    for number, frame in enumerate(frames):
        rows = rows_of(frame)
        assert abs(rows[1:] - rows[:-1]).max() < 60, f"a comb in frame {number}"
        (bar,) = np.nonzero(rows.mean(0) > 128)
        assert abs(bar.mean() - (8 * number + 15.5)) <= 1


def test_rows_of_other_clips_stay_sharp(make_clip):
    stripes = np.zeros((96, 128, 3), np.uint8)
    stripes[::2] = 255
    path = make_clip("a.mkv", pictures=[Image.fromarray(stripes)] * 3, options={"crf": "4"})
    for frame in u2.open_video(path):
        rows = rows_of(frame)
        assert abs(rows[1:] - rows[:-1]).min() > 200


def test_colors_of_a_capture_card_stay_as_they_were(make_clip):
    """Its pixels (uyvy422) are of a kind that the filter cannot take as they are."""

    def tag(stream):
        codec = stream.codec_context
        codec.color_trc = codec.color_primaries = codec.colorspace = 1

    seen = []
    for name, order in (("whole.mov", "progressive"), ("fields.mov", "bb")):
        path = make_clip(
            name, pictures=[Image.new("RGB", (1280, 720), (200, 60, 30))] * 2, codec="rawvideo",
            pixels="uyvy422", options={"field_order": order}, prepare=tag,
        )  # fmt: skip
        seen += [frame.image.getpixel((600, 300)) for frame in u2.open_video(path)]
    assert len(seen) == 4 and np.ptp(seen, axis=0).max() <= 3


@pytest.mark.parametrize("order", [(False, True), (True, False)])
def test_a_recording_may_change_its_size_and_its_rows(order, make_clip, tmp_path):
    """Television does, between programs."""
    parts = []
    for number, interlaced in enumerate(order):
        pictures = [picture.resize((128 + 64 * number, 96)) for picture in moving_bar(6)]
        options = INTERLACED if interlaced else {"crf": "4"}
        parts.append(make_clip(f"{number}.h264", pictures=pictures, options=options).read_bytes())
    (tmp_path / "both.h264").write_bytes(b"".join(parts))
    clip = u2.open_video(tmp_path / "both.h264")
    frames = list(clip)
    assert len(frames) == 12 and all(frame.image.size == clip.size for frame in frames)
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))


def test_what_is_missing_of_one_is_said(make_clip):
    generator = np.random.default_rng(0)
    noise = [Image.fromarray(generator.integers(0, 256, (48, 64, 3), np.uint8)) for _ in range(40)]
    path = make_clip("hole.mp4", pictures=noise, options={"g": "5", "x264-params": "bff=1"})
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 30000
    data[middle : middle + 8000] = bytes(8000)
    path.write_bytes(data)
    reports = []
    frames = list(u2.open_video(path).read(report=reports.append))
    assert 15 < len(frames) < 40
    assert reports == [f"{path}: damaged; {40 - len(frames)} of its 40 frames could not be read"]
