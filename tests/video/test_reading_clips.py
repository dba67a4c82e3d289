"""Clips come upright, at their own times and sizes; what is no clip is named, and why."""

import gc
import os
import sys
from fractions import Fraction

import numpy as np
import pytest
from altered import change, joined
from PIL import Image
from quarters import BLUE, GREEN, RED, WHITE, are_near, corners, quarters
from said import read, reason

import u2demo as u2

ONE = 65536
MATRICES = {  # (a, b, c, d) of a display matrix -> where the quarters of the stored picture end up
    "as it is": ((1, 0, 0, 1), [RED, GREEN, BLUE, WHITE]),
    "a phone held upright": ((0, 1, -1, 0), [BLUE, RED, WHITE, GREEN]),
    "upside down": ((-1, 0, 0, -1), [WHITE, BLUE, GREEN, RED]),
    "a phone on its head": ((0, -1, 1, 0), [GREEN, WHITE, RED, BLUE]),
    "a selfie, mirrored": ((-1, 0, 0, 1), [GREEN, RED, WHITE, BLUE]),
    "flipped": ((1, 0, 0, -1), [BLUE, WHITE, RED, GREEN]),
    "mirrored and turned": ((0, 1, 1, 0), [RED, BLUE, GREEN, WHITE]),
    "flipped and turned": ((0, -1, -1, 0), [WHITE, GREEN, BLUE, RED]),
}


def test_a_clip_says_what_it_is_before_it_is_decoded(make_clip):
    clip = u2.open_video(make_clip("clip.mp4", count=15, sound="aac"))
    assert clip.size == (64, 48) and clip.frames == 15 and clip.rate == 30
    assert clip.duration == Fraction(1, 2)
    assert clip.audio and not clip.alpha and clip.left_out == ()


def test_it_can_be_read_again(make_clip):
    clip = u2.open_video(make_clip("clip.mp4"))
    assert [frame.time for frame in clip] == [frame.time for frame in clip]


@pytest.mark.parametrize(("signs", "expected"), MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
def test_frames_are_upright_whatever_the_rotation_or_flip(name, signs, expected, make_clip):
    a, b, c, d = (ONE * sign for sign in signs)
    path = make_clip(name, matrix=[a, b, 0, c, d, 0, 0, 0, 1 << 30], count=2)
    clip = u2.open_video(path)
    first = next(iter(clip))
    assert first.image.size == clip.size == ((64, 48) if a else (48, 64))
    assert first.image.mode == "RGB" and are_near(corners(first.image), expected)


def test_variable_frame_rates_keep_their_times(make_clip):
    times = [Fraction(tick, 90000) for tick in (0, 2970, 6000, 9000, 15000, 90000)]
    path = make_clip("phone.mp4", pictures=[quarters()] * 6, times=times)
    assert [frame.time for frame in u2.open_video(path)] == times


def test_120_frames_a_second_keep_their_times(make_clip):
    path = make_clip("slow.mov", count=12, rate=120)
    clip = u2.open_video(path)
    assert clip.rate == 120
    assert [frame.time for frame in clip] == [Fraction(number, 120) for number in range(12)]


def test_frames_of_an_avi_are_shown_one_after_the_other(make_clip):
    """It does not say when: only in which order they are decoded, which is another."""
    av = pytest.importorskip("av")
    clip = u2.open_video(make_clip("old.avi", count=24, tick=Fraction(1, 30)))
    with av.open(str(clip.path)) as file:
        assert file.streams.video[0].codec_context.has_b_frames
    frames, reports = read(clip)
    assert [frame.time for frame in frames] == [Fraction(number, 30) for number in range(24)]
    assert reports == [] and clip.duration == Fraction(24, 30)
    assert clip.at(Fraction(10, 30)).time == Fraction(10, 30)


@pytest.mark.parametrize("name", ["late.ts", "late.mkv", "late.mp4"])
def test_a_clip_starts_at_0_wherever_its_file_does(name, make_clip):
    times = [Fraction(180000 + 3000 * number, 90000) for number in range(5)]
    clip = u2.open_video(make_clip(name, pictures=[quarters()] * 5, times=times))
    frames, reports = read(clip)
    assert [round(float(frame.time), 2) for frame in frames] == [0, 0.03, 0.07, 0.1, 0.13]
    assert reports == [] and float(clip.duration) == pytest.approx(5 / 30, abs=0.002)


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4", "late.mov"])
def test_a_picture_that_begins_after_the_sound_keeps_its_distance(name, make_clip):
    times = [Fraction(180000 + 3000 * number, 90000) for number in range(5)]
    clip = u2.open_video(make_clip(name, pictures=[quarters()] * 5, times=times, sound="aac"))
    frames, reports = read(clip)
    assert float(frames[0].time) == pytest.approx(2, abs=0.03) and reports == []
    assert float(clip.duration) == pytest.approx(2 + 5 / 30, abs=0.03)


def test_a_negative_start_is_0(make_clip):
    times = [Fraction(3000 * number, 90000) for number in (-2, -1, 0, 1)]
    path = make_clip("early.mkv", pictures=[quarters()] * 4, times=times)
    assert float(next(iter(u2.open_video(path))).time) == 0


def test_frames_that_a_trimmed_clip_hides_are_not_expected(make_clip):
    """Phones trim clips so; the file still holds, and counts, the frames before the start."""
    times = [Fraction(number, 30) for number in range(-20, 10)]
    clip = u2.open_video(make_clip("trimmed.mp4", pictures=[quarters()] * 30, times=times))
    assert clip.frames == 30
    assert len(list(clip)) == clip.expected_frames == 10


@pytest.mark.parametrize("size", [(65, 49), (63, 48), (64, 47), (1, 1)])
def test_odd_sizes_are_kept(size, make_clip):
    clip = u2.open_video(make_clip("odd.mkv", size=size, codec="ffv1", pixels="yuv444p", count=1))
    (frame,) = clip
    assert frame.image.size == clip.size == size


def test_pixels_that_are_not_square_are_made_square(make_clip):
    def stretch(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(2)

    white = [Image.new("RGB", (64, 48), "white")]
    clip = u2.open_video(make_clip("dv.mp4", pictures=white, prepare=stretch))
    image = next(iter(clip)).image
    assert clip.size == image.size == (128, 48)
    assert np.asarray(image).min() >= 254


@pytest.mark.parametrize(
    ("size", "box"),
    [((48, 96), (36, 0, 60, 48)), ((96, 24), (0, 12, 96, 36)), ((192, 96), (0, 0, 96, 48))],
    ids=["a phone that is turned", "wider", "larger"],
)
def test_where_the_shape_changes_nothing_is_stretched(size, box, make_clip, tmp_path):
    parts = make_clip("one.ts", size=(96, 48)), make_clip("two.ts", size=size)
    clip = u2.open_video(joined(tmp_path / "both.ts", *parts))
    *_, (_, image) = clip
    assert clip.size == image.size == (96, 48)
    assert are_near(corners(image.crop(box)), [RED, GREEN, BLUE, WHITE])
    image.paste("black", box)
    assert np.asarray(image).max() == 0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_clip_may_have_one_frame(count, make_clip):
    frames, reports = read(u2.open_video(make_clip("short.mp4", count=count)))
    assert len(frames) == count and reports == []


def test_what_else_the_file_holds_is_said(make_clip, tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "two.mkv"), "w") as out:
        streams = [out.add_stream("ffv1", rate=30) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stream in streams:
            out.mux([*stream.encode(av.VideoFrame.from_image(quarters())), *stream.encode()])
    assert u2.open_video(tmp_path / "two.mkv").left_out == ("1 more video stream",)


def test_sound_that_cannot_be_decoded_is_left_out_and_said(make_clip):
    """As the spatial sound of newer phones."""
    path = make_clip("phone.mov", sound="pcm_s16le")
    change(path, b"sowt", b"apa9")
    clip = u2.open_video(path)
    assert not clip.audio and clip.left_out == ("1 undecodable audio track",)
    assert len(list(clip)) == 5


def test_a_song_with_a_cover_is_no_clip(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as out:
        sound, cover = out.add_stream("aac", rate=44100), out.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic.value
        out.mux([*cover.encode(av.VideoFrame.from_image(quarters())), *cover.encode()])
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9000), np.float32), "flt", "mono")
        frame.rate = 44100
        out.mux([*sound.encode(frame), *sound.encode()])
    assert reason(path) == "not a clip; there is only sound in it"


def test_sound_alone_is_no_clip(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mp3", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9000), np.float32), "flt", "mono")
        frame.rate = 44100
        out.mux([*stream.encode(frame), *stream.encode()])
    assert reason(path) == "not a clip; there is only sound in it"


def test_an_encrypted_clip_is_said_to_be(make_clip):
    path = make_clip("film.mp4")
    change(path, b"avc1", b"encv")
    assert reason(path).startswith("encrypted; ask")


def test_a_clip_of_a_shop_is_said_to_be_encrypted_and_not_damaged(make_clip):
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "01" * 16}
    path = make_clip("shop.mp4", container=key | {"encryption_kid": "23" * 16})
    assert reason(path).startswith("encrypted; ask")


def test_a_codec_that_is_not_known_is_said_to_be(make_clip):
    path = make_clip("future.mp4")
    change(path, b"avc1", b"zzz9")
    assert reason(path) == (
        "its codec is not known to this build of FFmpeg; convert it to H.264 first"
    )


@pytest.mark.parametrize("brand", [b"msf1", b"hevc"])
def test_a_heic_of_several_frames_is_a_clip(make_clip, brand):
    path = make_clip("burst.mp4", codec="libx265", options={"x265-params": "log-level=none"})
    change(path, b"ftypisom", b"ftyp" + brand)
    change(path, b"vide", b"pict")
    clip = u2.open_video(path.rename(path.with_suffix(".heic")))
    assert len(list(clip)) == 5


def test_what_is_no_clip_is_named(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "text.mp4").write_text("hello" * 99)
    (tmp_path / "empty.mp4").touch()
    quarters().save(tmp_path / "photo.jpg")
    quarters().save(tmp_path / "photo.png")
    quarters().save(tmp_path / "named.mp4", "JPEG")
    quarters().save(tmp_path / "called.mov", "PNG")
    (tmp_path / "bad.gif").write_bytes(b"GIF89a" + bytes(30))
    said = {
        "text.mp4": "not a clip of a known kind, or damaged at its start",
        "empty.mp4": "an empty file",
        "photo.jpg": "a photo, not a clip; open_image reads it",
        "photo.png": "a photo, not a clip; open_image reads it",
        "named.mp4": "a photo, not a clip; rename it to .jpg to process it as a photo",
        "called.mov": "a photo, not a clip; rename it to .png to process it as a photo",
        "missing.mp4": "there is no such file",
        ".": "this is a folder, expected a clip",
    }
    assert {name: reason(tmp_path / name) for name in said} == said
    assert reason(tmp_path / "bad.gif").startswith("damaged or cut off")


@pytest.mark.skipif(os.name == "nt", reason="Windows says it in other words")
def test_a_name_that_no_file_can_have_is_named(tmp_path):
    long = str(tmp_path / f"{'a' * 300}.mp4")
    assert reason(long) == "File name too long"
    assert "embedded null" in reason("a\0b.mp4")  # "byte" or "character", as Python says it
    for careless in (5, b"clip.mp4", None):
        with pytest.raises(TypeError, match="expected a path"):
            u2.open_video(careless)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_what_may_never_end_is_refused():
    assert reason("/dev/zero") == "a pipe, socket or device, expected a file"


def test_a_list_of_files_is_not_followed(make_clip, tmp_path):
    """FFmpeg would open any file or address that such a list names."""
    make_clip("clip.ts")
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "concat.mp4").write_text("ffconcat version 1.0\nfile clip.ts\n")
    for name in ("list.mp4", "concat.mp4"):
        assert reason(tmp_path / name).startswith("not a clip of a known kind")


@pytest.mark.parametrize("name", ["100%d.mp4", "a:b.mp4", "-i.mp4", "été ☂.mp4", "a b'c\".mp4"])
def test_any_name_can_be_read(name, make_clip):
    if os.name == "nt":
        pytest.skip("Windows refuses some of these names")
    path = make_clip("clip.mp4")
    path = path.rename(path.with_name(name))
    assert len(list(u2.open_video(path))) == 5


def test_without_pyav_it_says_what_to_install(make_clip, monkeypatch):
    path = make_clip("clip.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ModuleNotFoundError, match="to read clips: pip install av"):
        u2.open_video(path)


@pytest.mark.parametrize("release", ["17.0.1", "12.3.0"])
def test_an_old_pyav_is_named_and_what_renews_it(release, make_clip, monkeypatch):
    path = make_clip("clip.mp4")
    monkeypatch.setattr("av.__version__", release)
    with pytest.raises(ModuleNotFoundError) as refusal:
        u2.open_video(path)
    why = f"to read clips: PyAV {release} is too old: pip install --upgrade av"
    assert str(refusal.value) == f"{path}: {why}"


@pytest.mark.parametrize("release", ["17.1.0", "18.0.0rc1", "19.0"])
def test_a_newer_pyav_is_taken(release, make_clip, monkeypatch):
    path = make_clip("clip.mp4")
    monkeypatch.setattr("av.__version__", release)
    assert len(list(u2.open_video(path))) == 5


def pictures_alive():
    alive = [thing for thing in gc.get_objects() if isinstance(thing, Image.Image)]
    return sum(picture.size == (62, 46) for picture in alive)


def test_at_most_four_frames_are_alive(make_clip):
    path = make_clip("clip.mp4", size=(62, 46), count=12)
    most = max(pictures_alive() for _frame in u2.open_video(path))
    assert 1 <= most <= 4


def test_leaving_early_closes_the_file_and_ends_the_thread(make_clip):
    import threading

    before = threading.active_count()
    frames = iter(u2.open_video(make_clip("clip.mp4", count=30)))
    next(frames)
    frames.close()
    assert threading.active_count() == before
