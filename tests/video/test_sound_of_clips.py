"""The sound of a clip is heard when it was heard, whatever its file does."""

import struct
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import chain

import flv
import numpy as np
import pytest
from altered import remuxed
from quarters import moving, quarters

import u2demo as u2
from u2demo.video.write import write_clip

av = pytest.importorskip("av")

# What QuickTime writes for 7.1: which speakers there are, or Apple's number for their order.
_SPEAKERS_OF_7_1 = struct.pack(">II", 1 << 16, 0x63F)
_APPLES_7_1 = struct.pack(">II", 128 << 16 | 8, 0)


def decodable(file):
    """Yield the pieces of a clip's sound that can be decoded, as players do."""
    for packet in file.demux(audio=0):
        with suppress(av.FFmpegError):
            yield from packet.decode()


def loudest(path, rate=48000):
    """Return when, in seconds, the clicks of a clip's sound begin."""
    before = rate  # samples before 0
    wave, end = np.zeros(10 * rate), before
    with av.open(str(path)) as file:
        resampler = av.AudioResampler("flt", "mono", rate)
        for frame in chain(decodable(file), [None]):
            for ready in resampler.resample(frame):
                begin = end if ready.time is None else before + round(ready.time * rate)
                end = begin + ready.samples
                wave[begin:end] = ready.to_ndarray()[0]
    loud = np.flatnonzero(np.abs(wave) > 0.4 * np.abs(wave).max())
    return (loud[np.diff(loud, prepend=-rate) > rate // 20] - before) / rate


@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
def test_sound_whose_last_piece_has_no_time_stays_in_time(kind, make_clip, tmp_path):
    """Windows Media is like that."""
    path = make_clip("old.wmv", codec="wmv2", tick=Fraction(1, 30), count=30, sound="wmav2")
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    with av.open(str(path)) as old, av.open(str(tmp_path / f"new{kind}")) as new:
        first, written = (next(file.decode(video=0)).time for file in (old, new))
    before, after = loudest(path), loudest(tmp_path / f"new{kind}")
    assert len(after) >= 8
    assert np.abs((after[:, None] - before) - (written - first)).min(1).max() < 0.01


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.ts", "a.webm"])
@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
def test_sound_stays_in_time(name, kind, make_clip, tmp_path):
    """Clicks at each tenth of a second; AAC and Opus are copied where the format takes them."""
    webm = name == "a.webm"
    codec, sound = ("libvpx-vp9", "libopus") if webm else ("libx264", "aac")
    path = make_clip(name, count=36, codec=codec, sound=sound)
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    with av.open(str(path)) as old, av.open(str(tmp_path / f"new{kind}")) as new:
        copied = (kind == ".webm") == webm
        # Without their heads, which differ in a transport stream.
        packets = [[bytes(packet)[-50:] for packet in file.demux(audio=0)] for file in (old, new)]
        assert copied == (packets[0][5] in packets[1])
    with av.open(str(path)) as old, av.open(str(tmp_path / f"new{kind}")) as new:
        first, written = (next(file.decode(video=0)).time for file in (old, new))
    before, after = loudest(path), loudest(tmp_path / f"new{kind}")
    assert len(before) == len(after) >= 11
    assert np.abs((after - before) - (written - first)).max() < 0.01


@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
def test_of_damaged_sound_the_rest_is_heard_in_time(kind, make_clip, tmp_path):
    """As of television, of which packets are lost in several places."""
    path = make_clip("tv.ts", pictures=moving(60), sound="aac")
    data = path.read_bytes()
    packets = [data[begin : begin + 188] for begin in range(0, len(data), 188)]
    path.write_bytes(b"".join(packet for n, packet in enumerate(packets) if n % 40 != 39))
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip.read(report=lambda sentence: None), like=clip)
    clicks = loudest(tmp_path / f"new{kind}")
    tenths = 10 * (clicks - clicks[0])
    assert len(clicks) > 10 and np.abs(tenths - tenths.round()).max() < 0.1


@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
def test_mp3_of_an_old_camera_stays_in_time(kind, make_clip, tmp_path):
    """Times in an AVI are as coarse as its packets of sound."""
    path = make_clip("old.avi", codec="mpeg4", tick=Fraction(1, 30), count=36, sound="mp3")
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    with av.open(str(tmp_path / f"new{kind}")) as new:
        codec = new.streams.audio[0].codec_context.codec.canonical_name
    assert codec == ("opus" if kind == ".webm" else "mp3")
    before, after = loudest(path), loudest(tmp_path / f"new{kind}")
    assert len(before) == len(after) >= 11
    assert np.abs(after - before).max() < 0.01


@pytest.mark.parametrize("kind", [".mp4", ".webm"])
def test_a_file_that_two_were_put_into_one_after_the_other_is_a_clip(kind, make_clip, tmp_path):
    """The times in the second begin again."""
    path = make_clip("twice.ts", count=30, sound="aac")
    path.write_bytes(path.read_bytes() * 2)
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=replace(clip, duration=None))
    frames = list(u2.open_video(tmp_path / f"new{kind}"))
    assert len(frames) == 60 and float(frames[-1].time) == pytest.approx(2, abs=0.06)
    clicks = loudest(tmp_path / f"new{kind}")
    assert len(clicks) >= 19 and clicks[-1] == pytest.approx(2, abs=0.15)
    assert np.median(np.diff(clicks)) == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("kind", [".mp4", ".webm"])
def test_sound_may_change_from_mono_to_stereo(kind, make_clip, tmp_path):
    """As between a film and what is shown in between."""
    parts = [make_clip(f"{n}.ts", count=30, sound="mp2", layout=n) for n in ("mono", "stereo")]
    path = tmp_path / "tv.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=replace(clip, duration=None))
    clicks = loudest(tmp_path / f"new{kind}")
    assert len(clicks) >= 19 and np.median(np.diff(clicks)) == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("kind", [".mp4", ".webm"])
@pytest.mark.parametrize("layout", ["5.1", "7.1", "hexadecagonal"])
def test_sound_of_many_channels_is_heard(layout, kind, make_clip, tmp_path):
    path = make_clip("studio.mov", count=36, sound="pcm_s16le", layout=layout)
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    clicks = loudest(tmp_path / f"new{kind}")
    assert len(clicks) >= 11 and np.median(np.diff(clicks)) == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize("kind", [".mp4", ".webm"])
def test_sound_in_an_order_of_channels_of_its_own_is_heard(kind, make_clip, tmp_path):
    """FFmpeg has no name for Apple's 7.1, where the surrounding channels come before the rear ones.

    PyAV before 19 frees such an order twice, and Python ends.
    """
    path = make_clip("studio.mov", count=36, sound="pcm_s16le", layout="7.1")
    content = path.read_bytes()
    assert _SPEAKERS_OF_7_1 in content
    path.write_bytes(content.replace(_SPEAKERS_OF_7_1, _APPLES_7_1))
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    clicks = loudest(tmp_path / f"new{kind}")
    assert len(clicks) >= 11 and np.median(np.diff(clicks)) == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize("until", [0.75, 0.77, 0.79])
@pytest.mark.parametrize("sound", ["flac", "libopus", "aac"])
@pytest.mark.parametrize("kind", [".mp4", ".webm"])
def test_sound_after_a_gap_stays_in_time(until, sound, kind, make_clip, tmp_path):
    """However soon after it a click comes."""
    path = make_clip("clip.mkv", count=36, sound=sound)
    in_gap = lambda packet: 0.35 < packet.pts * packet.time_base < until  # noqa: E731
    clip = u2.open_video(remuxed(path, tmp_path / "gap.mkv", in_gap))
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    before, after = loudest(clip.path), loudest(tmp_path / f"new{kind}")
    with av.open(str(clip.path)) as old, av.open(str(tmp_path / f"new{kind}")) as new:
        first, written = (next(file.decode(video=0)).time for file in (old, new))
    assert len(before) == len(after) >= 7
    assert np.abs((after - before) - (written - first)).max() < 0.01


@pytest.mark.parametrize(("name", "sound"), [("a.mkv", "flac"), ("a.mkv", "aac"), ("a.mp4", "aac")])
@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
def test_sound_that_claims_to_come_hours_later_is_left_out(name, sound, kind, make_clip, tmp_path):
    """Otherwise it would take hours of silence, and as much room as they do."""
    path = make_clip(name, count=36, sound=sound)
    hours = lambda packet: 36000 * (packet.pts * packet.time_base > 0.35)  # noqa: E731
    clip = u2.open_video(remuxed(path, tmp_path / f"hours{path.suffix}", later=hours))
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    with av.open(str(tmp_path / f"new{kind}")) as file:
        assert file.duration / 1e6 == pytest.approx(1.2, abs=0.2)
    assert len(loudest(tmp_path / f"new{kind}")) == 4


@pytest.mark.parametrize("kind", [".mp4", ".webm"])
def test_sound_after_a_damaged_time_is_heard_in_time(kind, make_clip, tmp_path):
    path = make_clip("web.flv", codec="flv", tick=Fraction(1, 1000), count=36, sound="aac")
    flv.put_off(path, flv.SOUND, 350, 450)
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    clicks = loudest(tmp_path / f"new{kind}")
    tenths = 10 * (clicks - clicks[0])
    assert tenths.round().tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert np.abs(tenths - tenths.round()).max() < 0.1


@pytest.mark.parametrize("kind", [".mp4", ".webm"])
def test_sound_that_begins_before_the_picture_stays_with_it(kind, make_clip, tmp_path):
    """As when an editor has cut between two packets of sound."""
    path = make_clip("clip.mkv", count=36, sound="flac")
    clip = u2.open_video(remuxed(path, tmp_path / "cut.mkv", later=lambda packet: -0.04))
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    with av.open(str(clip.path)) as old, av.open(str(tmp_path / f"new{kind}")) as new:
        first, written = (next(file.decode(video=0)).time for file in (old, new))
    before, after = loudest(clip.path)[1:], loudest(tmp_path / f"new{kind}")[-11:]
    assert before[0] == pytest.approx(0.06, abs=0.002)
    assert np.abs((after - before) - (written - first)).max() < 0.01


def test_sound_of_a_clip_that_starts_late_stays_with_its_picture(make_clip, tmp_path):
    times = [Fraction(45000 + 3000 * number, 90000) for number in range(20)]
    path = make_clip("late.mkv", pictures=[quarters()] * 20, times=times, sound="aac")
    clip = u2.open_video(path)
    assert float(next(iter(clip)).time) == pytest.approx(0.5, abs=0.001)  # as the sound is at 0
    write_clip(tmp_path / "new.mp4", clip, like=clip)
    assert float(next(iter(u2.open_video(tmp_path / "new.mp4"))).time) == pytest.approx(
        0.5, abs=0.03
    )
    assert loudest(tmp_path / "new.mp4")[:3] == pytest.approx(loudest(path)[:3], abs=0.01)
