"""Of a clip that is cut off, or has a hole, comes what is there, and what is missing is said."""

import re
from fractions import Fraction

import flv
import numpy as np
import pytest
from altered import change, joined
from PIL import Image
from said import read, reason

import u2demo as u2


def noise(count):
    generator = np.random.default_rng(0)
    return [
        Image.fromarray(generator.integers(0, 256, (48, 64, 3), np.uint8)) for _ in range(count)
    ]


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mov", "cut.webm", "cut.mkv", "cut.avi", "cut.ts"])
def test_of_a_clip_that_is_cut_off_comes_what_is_there_and_the_rest_is_said(name, make_clip):
    codec = "libvpx-vp9" if name == "cut.webm" else "libx264"
    path = make_clip(
        name, pictures=noise(60), codec=codec, tick=Fraction(1, 30),
        container={"movflags": "faststart"}, options={"g": "5"},
    )  # fmt: skip
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames, reports = read(u2.open_video(path))
    assert 10 < len(frames) < 60
    if name == "cut.ts":  # made to be cut anywhere: it does not say how long it is
        assert reports == []
    else:
        (said,) = reports
        assert str(path) in said and "of 2.00 seconds could be read" in said


@pytest.mark.parametrize("size_is_said", [True, False])
def test_a_clip_whose_last_frames_are_missing_says_so(size_is_said, make_clip):
    path = make_clip(
        "cut.mp4", pictures=noise(30), tick=Fraction(1, 30), container={"movflags": "faststart"}
    )
    content = path.read_bytes()
    begin = content.index(b"mdat") - 4
    if not size_is_said:  # it is 0 then: frames follow up to the end, wherever that is
        content = content[:begin] + bytes(4) + content[begin + 4 :]
    path.write_bytes(content[: len(content) * 29 // 30])
    frames, reports = read(u2.open_video(path))
    assert 25 <= len(frames) < 30
    (said,) = reports
    assert said.startswith(f"{path}: damaged or cut off; ") and said.endswith("could be read")


@pytest.mark.parametrize("name", ["long.flv", "long.mkv"])
def test_sound_that_outlasts_the_picture_is_no_damage(name, make_clip):
    """FLV, and Matroska of some programs, say only how long both last together."""
    path = make_clip(name, sound="aac", beeps=3)
    if name.endswith("mkv"):
        change(path, b"DURATION", b"ABCDEFGH")
    clip = u2.open_video(path)
    frames, reports = read(clip)
    assert clip.duration > 2.9
    assert len(frames) == 5 and reports == []


def test_a_clip_with_a_hole_says_so(make_clip):
    path = make_clip("hole.mp4", pictures=noise(40), options={"g": "5"})
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 30000
    data[middle : middle + 8000] = bytes(8000)
    path.write_bytes(data)
    frames, (said,) = read(u2.open_video(path))
    assert 15 < len(frames) < 40
    assert said == f"{path}: damaged; {40 - len(frames)} of its 40 frames could not be read"


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
def test_an_avi_with_a_hole_says_so(codec, make_clip):
    """As of a memory card that is damaged: FFmpeg goes on behind it without a word."""
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = make_clip(
        "camera.avi", pictures=noise(40), codec=codec, pixels=pixels, tick=Fraction(1, 30)
    )
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 10] = bytes(len(data) // 10)
    path.write_bytes(data)
    frames, (said,) = read(u2.open_video(path))
    assert 20 < len(frames) < 40
    lost = re.fullmatch(r"damaged; (\d+) of its 40 frames could not be read", said.split(": ")[-1])
    assert int(lost[1]) >= 40 - len(frames)


@pytest.mark.parametrize("since", [0, 20])
def test_a_whole_avi_has_no_hole(since, make_clip):
    """Also one in which nothing is recorded for a while: it has frames without data then."""
    times = [Fraction(number + since * (number > 5), 30) for number in range(12)]
    path = make_clip("whole.avi", count=12, times=times, tick=Fraction(1, 30))
    frames, reports = read(u2.open_video(path))
    assert len(frames) == 12 and reports == []


def without_packets(path, to, first, count):
    """Write a transport stream without some of its packets, which are of 188 bytes."""
    data = path.read_bytes()
    to.write_bytes(data[: 188 * first] + data[188 * (first + count) :])
    return to


@pytest.mark.parametrize("count", [1, 5, 60])
def test_a_transport_stream_with_a_hole_says_so(count, make_clip, tmp_path):
    path = make_clip("tv.ts", pictures=noise(60))
    frames, (said,) = read(u2.open_video(without_packets(path, tmp_path / "hole.ts", 300, count)))
    assert 40 < len(frames) <= 60
    assert said == f"{tmp_path / 'hole.ts'}: damaged; data of its frames is missing in 1 place"


def test_transport_streams_that_were_put_together_have_no_hole(make_clip):
    """As the pieces of a clip from the web."""
    path = make_clip("web.ts", pictures=noise(20))
    joined(path, path, path, path)
    frames, reports = read(u2.open_video(path))
    assert len(frames) == 60 and reports == []


def matroska(make_clip, name, **options):
    """Return a clip of 60 frames, of which each tenth begins a cluster; of WebM, of all of them."""
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    container = {"cluster_size_limit": "20000"} | options
    return make_clip(
        name, pictures=noise(60), codec=codec, tick=Fraction(1, 1000), options={"g": "10"},
        container=container,
    )  # fmt: skip


@pytest.mark.parametrize("filled", [0, 3000])
@pytest.mark.parametrize("name", ["hole.mkv", "hole.webm"])
def test_a_matroska_file_with_a_hole_says_so(name, filled, make_clip):
    """FFmpeg goes on behind it without a word."""
    path = matroska(make_clip, name)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(filled) + content[middle + 3000 :])
    frames, (said,) = read(u2.open_video(path))
    assert 20 < len(frames) < 60
    assert said == f"{path}: damaged; data of its frames is missing in 1 place"


def test_a_hole_in_the_last_cluster_is_said_too(make_clip):
    path = make_clip("short.mkv", pictures=noise(20), tick=Fraction(1, 1000))
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + content[middle + 3000 :])
    frames, (said,) = read(u2.open_video(path))
    assert len(frames) < 20
    assert said == f"{path}: damaged; data of its frames is missing in 1 place"


@pytest.mark.parametrize("name", ["whole.mkv", "whole.webm"])
@pytest.mark.parametrize("live", ["0", "1"])
def test_a_whole_matroska_file_has_no_hole(name, live, make_clip):
    """A live one does not say how long its parts are; what lies behind the last one is nothing."""
    path = matroska(make_clip, name, live=live)
    path.write_bytes(path.read_bytes() + bytes(5000))
    frames, reports = read(u2.open_video(path))
    assert len(frames) == 60 and reports == []


def test_a_damaged_time_of_a_frame_does_not_move_those_after_it(make_clip):
    path = make_clip("web.flv", count=30, codec="flv", tick=Fraction(1, 1000), rate=25)
    flv.put_off(path, flv.PICTURE, 400, 420)
    times = [frame.time for frame in u2.open_video(path)]
    assert times == [Fraction(number, 25) for number in range(30)]


def test_a_clip_in_which_captions_begin_late_is_read(make_clip):
    path = make_clip("web.flv", count=300, codec="flv", tick=Fraction(1, 1000), sound="aac")
    captions = b"\x02\0\x0aonTextData\x08\0\0\0\x01\0\x04text\x02\0\x05hello\0\0\x09"
    size, of_all = (bytes([len(captions) + more]) for more in (0, 11))
    tag = b"\x12\0\0" + size + b"\0\x27\x10\0\0\0\0" + captions + b"\0\0\0" + of_all
    path.write_bytes(path.read_bytes() + tag)
    frames, reports = read(u2.open_video(path))
    assert len(frames) == 300 and reports == []


def test_reading_to_the_end_of_a_damaged_clip_warns(make_clip):
    path = make_clip("cut.mkv", pictures=noise(60))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(UserWarning, match=r"cut\.mkv: damaged or cut off"):
        list(u2.open_video(path))


def test_a_clip_that_a_phone_did_not_finish_is_said_to_be_cut_off(make_clip):
    path = make_clip("dead.mp4", pictures=noise(30))
    path.write_bytes(path.read_bytes()[:-3000])
    assert reason(path).startswith("damaged or cut off; the list of its frames")


@pytest.mark.parametrize("share", [0.02, 0.2, 0.3, 0.5, 0.7])
def test_a_clip_whose_list_of_frames_is_not_whole_is_cut_off(share, make_clip):
    """As of a copy that ended early."""
    path = make_clip("copy.mp4", count=90)
    content = path.read_bytes()
    begin = content.index(b"moov") - 4
    path.write_bytes(content[: begin + round(share * (len(content) - begin))])
    assert reason(path).startswith("damaged or cut off; the list of its frames")


def test_a_clip_whose_list_of_sounds_is_not_whole_is_said_to_be_cut_off(make_clip):
    path = make_clip("copy.mp4", sound="aac", count=30)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"trak") + 4])
    frames, (said,) = read(u2.open_video(path))
    assert len(frames) == 30
    assert said == f"{path}: damaged or cut off; 1.00 seconds could be read"


@pytest.mark.parametrize("share", [0.05, 0.5, 1])
def test_a_recording_in_fragments_is_read_up_to_where_it_is_cut_off(share, make_clip):
    """As of a program that crashed while it wrote the list of a fragment, or after that."""
    flags = {"movflags": "frag_keyframe+empty_moov+skip_trailer"}
    path = make_clip("obs.mp4", count=40, options={"g": "10"}, container=flags)
    content = path.read_bytes()
    begin, end = content.rindex(b"moof") - 4, content.rindex(b"mdat") - 4
    path.write_bytes(content[: begin + round(share * (end - begin))])
    frames, (said,) = read(u2.open_video(path))
    assert len(frames) == 30
    assert said.startswith(f"{path}: damaged or cut off; ")
