"""Clips come upright, in their own times, with their alpha; what is no clip is named, and why."""

import gc
import os
import re
import sys
from fractions import Fraction

import flv
import numpy as np
import pytest
from PIL import Image
from quarters import BLUE, GREEN, RED, WHITE, are_near, corners, quarters

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


def reason(path):
    """Return what is said when a file is not read."""
    with pytest.raises(ValueError) as error:
        u2.open_video(path)
    said = str(error.value)
    assert said.startswith(f"{path}: ") and "\n" not in said
    return said.removeprefix(f"{path}: ")


def read(clip):
    """Return the frames of a clip, and what is reported."""
    reports = []
    return list(clip.read(report=reports.append)), reports


def change(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


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


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("b.webm", "libvpx", "yuva420p"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mov", "qtrle", "argb"),
        ("a.mov", "png", "rgba"),
        ("a.mkv", "ffv1", "bgra"),
    ],
)
def test_alpha_is_kept(name, codec, pixels, make_clip):
    picture = quarters().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 32, 24))
    picture.putpixel((60, 44), (255, 255, 255, 255))
    picture.paste((0, 0, 255, 128), (0, 24, 32, 48))
    options = {"auto-alt-ref": "0"} if codec == "libvpx" else {}
    path = make_clip(name, pictures=[picture] * 3, codec=codec, pixels=pixels, options=options)
    clip = u2.open_video(path)
    frames = list(clip)
    assert clip.alpha and len(frames) == 3
    assert all(frame.image.mode == "RGBA" for frame in frames)
    alphas = [color[3] for color in corners(frames[-1].image)]
    assert are_near(alphas, [0, 255, 128, 255], 3)


@pytest.mark.parametrize("width", [17, 18, 19, 20, 116])
def test_the_right_edge_of_a_clip_with_alpha_is_what_it_was(width, make_clip):
    """FFmpeg's fastest way leaves up to four columns of it as they were in memory."""
    picture = Image.new("RGBA", (width, 40), "yellow")
    picture.paste((0, 0, 0, 0), (0, 0, 8, 8))
    path = make_clip("a.webm", pictures=[picture] * 3, codec="libvpx-vp9", pixels="yuva420p")
    for _, image in u2.open_video(path):
        edge = np.asarray(image)[:, -4:].reshape(-1, 4).tolist()
        assert are_near(edge, [(255, 255, 0, 255)] * len(edge), 8)


@pytest.mark.parametrize("size", [(65, 49), (63, 48), (64, 47), (1, 1)])
def test_odd_sizes_are_kept(size, make_clip):
    clip = u2.open_video(make_clip("odd.mkv", size=size, codec="ffv1", pixels="yuv444p", count=1))
    (frame,) = clip
    assert frame.image.size == clip.size == size


@pytest.mark.parametrize(("transfer", "white"), [(18, 0.75), (16, 0.58)], ids=["HLG", "PQ"])
def test_white_of_hdr_is_white_on_an_ordinary_screen(transfer, white, make_clip):
    """White is 203 cd/m2 (ITU-R BT.2408): 0.75 of the signal in HLG, 0.58 in PQ."""

    def tag(stream):
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = transfer, 9, 9

    picture = Image.new("RGB", (64, 48), (round(white * 255),) * 3)
    path = make_clip("hdr.mkv", pictures=[picture], codec="ffv1", pixels="yuv420p10le", prepare=tag)
    (frame,) = u2.open_video(path)
    assert min(frame.image.getpixel((30, 20))) > 245


@pytest.mark.parametrize(
    ("transfer", "levels"), [(18, (17, 46, 107)), (16, (5, 28, 111))], ids=["HLG", "PQ"]
)
def test_darks_of_hdr_are_as_dark_as_they_are_in_srgb(transfer, levels, make_clip):
    """By the formulas of ITU-R BT.2100, and its HLG on a screen of 1000 cd/m2."""

    def tag(stream):
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = transfer, 9, 9

    darks = [Image.new("RGB", (64, 48), (signal,) * 3) for signal in (26, 51, 102)]
    path = make_clip("hdr.mkv", pictures=darks, codec="ffv1", pixels="yuv420p10le", prepare=tag)
    found = [frame.image.getpixel((30, 20)) for frame in u2.open_video(path)]
    assert are_near(found, [(level,) * 3 for level in levels], 3)


@pytest.mark.parametrize(
    ("primaries", "transfer", "red"),
    # The red of sRGB in linear light: in BT.2020, and in DCI-P3 with the white of daylight.
    [(9, 14, (0.627, 0.069, 0.016)), (12, 13, (0.823, 0.033, 0.017))],
    ids=["BT.2020", "Display P3"],
)
def test_colors_of_a_wide_gamut_are_those_seen(primaries, transfer, red, make_clip):
    def tag(stream):
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = transfer, primaries, 5

    stored = tuple(round(255 * (1.055 * light ** (1 / 2.4) - 0.055)) for light in red)
    picture = Image.new("RGB", (64, 48), stored)
    path = make_clip("wide.mkv", pictures=[picture], codec="ffv1", pixels="yuv444p", prepare=tag)
    (frame,) = u2.open_video(path)
    assert are_near([frame.image.getpixel((30, 20))], [(255, 0, 0)], 6)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), 5), ((1280, 720), 1)])
def test_colors_that_are_not_said_are_those_players_show(size, matrix, make_clip):
    """BT.601 for small pictures, BT.709 for large ones, whose red differs by 20."""
    av = pytest.importorskip("av")
    frame = av.VideoFrame.from_image(Image.new("RGB", size, RED))
    name = {1: "ITU709", 5: "ITU601"}[matrix]
    stored = frame.reformat(format="yuv420p", dst_colorspace=name)
    path = make_clip("a.mkv", size=size, codec="rawvideo", count=1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stored.colorspace = 2
        out.mux([*stream.encode(stored), *stream.encode()])
    (frame,) = u2.open_video(path)
    assert are_near([frame.image.getpixel((30, 20))], [RED], 4)


@pytest.mark.parametrize(
    ("size", "pixels"),
    [((64, 48), "yuv420p"), ((64, 48), "yuv420p10le"), ((64, 49), "yuv420p")],
)
def test_white_is_white(size, pixels, make_clip):
    """Not 253, also with ten bits, as new phones have, and an odd height."""
    white = [Image.new("RGB", size, "white")]
    path = make_clip("clip.mkv", pictures=white, codec="ffv1", pixels=pixels)
    assert np.asarray(next(iter(u2.open_video(path))).image).min() == 255


def test_pixels_that_are_not_square_are_made_square(make_clip):
    def stretch(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(2)

    white = [Image.new("RGB", (64, 48), "white")]
    clip = u2.open_video(make_clip("dv.mp4", pictures=white, prepare=stretch))
    image = next(iter(clip)).image
    assert clip.size == image.size == (128, 48)
    assert np.asarray(image).min() >= 254


def joined(path, *others):
    """Write transport streams into one, one after the other."""
    path.write_bytes(b"".join(other.read_bytes() for other in others))
    return path


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


def test_full_range_colors_of_old_cameras_are_right(make_clip):
    path = make_clip("old.avi", codec="mjpeg", pixels="yuvj420p", tick=Fraction(1, 30), count=1)
    (frame,) = u2.open_video(path)
    assert are_near(corners(frame.image), [RED, GREEN, BLUE, WHITE], 8)


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
