"""What is written holds the pictures, their alpha and times; whole, or not at all."""

import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from altered import remuxed
from PIL import Image
from quarters import BLUE, GREEN, RED, WHITE, are_near, corners, moving, quarters

import u2demo as u2
from u2demo.video.clip import Frame
from u2demo.video.write import FORMATS, KINDS, suffix, write_clip, writing

av = pytest.importorskip("av")

FILES = [kind for kind in KINDS if kind]
WITH_ALPHA = [kind for kind in FILES if KINDS[kind].alpha]


def cut_out(clip):
    """Yield the frames of ``clip`` with a hole where they are red."""
    for time_shown, image in clip:
        picture = image.convert("RGBA")
        width, height = picture.size
        picture.paste((0, 0, 0, 0), (0, 0, width // 2, height // 2))
        yield Frame(time_shown, picture)


@pytest.mark.parametrize("kind", FILES)
def test_pictures_and_times_survive(kind, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", pictures=moving(4), rate=25))
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    frames = list(u2.open_video(tmp_path / f"new{kind}"))
    assert [frame.time for frame in frames] == [Fraction(number, 25) for number in range(4)]
    for frame in frames:
        assert frame.image.size == (64, 48)
        assert are_near(corners(frame.image.convert("RGB")), [RED, GREEN, BLUE, WHITE], 10)


@pytest.mark.parametrize("kind", WITH_ALPHA)
def test_alpha_survives(kind, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", pictures=moving(3)))
    write_clip(tmp_path / f"new{kind}", cut_out(clip), like=clip)
    new = u2.open_video(tmp_path / f"new{kind}")
    assert new.alpha
    for frame in new:
        alphas = [color[3] for color in corners(frame.image)]
        assert are_near(alphas, [0, 255, 255, 255], 3)
        assert are_near(corners(frame.image)[1:], [(*c, 255) for c in (GREEN, BLUE, WHITE)], 12)


def fading(alpha, size=(64, 48)):
    """Return a picture of which the middle is red, as opaque as ``alpha`` says, of 255."""
    picture = Image.new("RGBA", size)
    picture.paste((255 if alpha else 0, 0, 0, alpha), (16, 12, 48, 36))
    return picture


@pytest.mark.parametrize("kind", WITH_ALPHA)
def test_a_subject_that_leaves_is_gone(kind, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=6, rate=10))
    alphas = [0, 255, 255, 0, 0, 0]
    frames = [Frame(Fraction(n, 10), fading(alpha)) for n, alpha in enumerate(alphas)]
    write_clip(tmp_path / f"new{kind}", frames, like=clip)
    new = u2.open_video(tmp_path / f"new{kind}")
    assert float(new.duration) == pytest.approx(0.6)
    for time_shown, picture in frames:
        shown = [frame.image for frame in new if frame.time <= time_shown][-1]
        assert are_near(shown.getpixel((32, 24))[3], picture.getpixel((32, 24))[3], 3)


@pytest.mark.parametrize("kind", [".gif", ".webp", ".apng"])
def test_black_bars_stay_black_in_an_animation(kind, make_clip, tmp_path):
    pictures = moving(3)
    for picture in pictures:
        picture.paste((0, 0, 0), (0, 0, 64, 8))
    clip = u2.open_video(make_clip("clip.mp4", pictures=pictures))
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    new = u2.open_video(tmp_path / f"new{kind}")
    assert not new.alpha
    assert all(are_near(frame.image.getpixel((32, 3)), (0, 0, 0), 12) for frame in new)


def test_a_gif_is_opaque_where_the_subject_is_more_than_half_there(make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=3))
    alphas = [255, 100, 160]
    frames = [Frame(frame.time, fading(alpha)) for frame, alpha in zip(clip, alphas, strict=True)]
    write_clip(tmp_path / "new.gif", frames, like=clip)
    new = [frame.image.getpixel((32, 24)) for frame in u2.open_video(tmp_path / "new.gif")]
    assert [alpha for *_, alpha in new] == [255, 0, 255]
    assert are_near(new[2], (255, 0, 0, 255))
    assert [alpha for *_, alpha in (frame.image.getpixel((32, 24)) for frame in frames)] == alphas


def test_what_lay_in_memory_shows_in_no_frame(make_clip, tmp_path):
    """FFmpeg's threads may draw the first pixels of their part before they know the color."""
    orange = Image.new("RGB", (116, 116), (200, 100, 50))

    def frames():
        for number in range(60):
            noise = np.random.default_rng(number)
            _ = [noise.integers(0, 255, size, np.uint8) for size in range(500, 8000, 250)]
            yield Frame(Fraction(number, 30), orange)

    write_clip(tmp_path / "new.mov", frames(), like=u2.open_video(make_clip("a.mp4")))
    for _, image in u2.open_video(tmp_path / "new.mov"):
        assert np.ptp(np.asarray(image), axis=(0, 1)).max() < 12


@pytest.mark.parametrize("kind", FILES)
def test_a_soft_mask_survives(kind, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=3, size=(256, 48)))
    ramp = np.tile(np.arange(256, dtype=np.uint8), (48, 1))
    masks = [
        Image.fromarray(np.roll(ramp, 9 * number, axis=0) // (1 + number)) for number in range(3)
    ]
    frames = [Frame(frame.time, mask) for frame, mask in zip(clip, masks, strict=True)]
    write_clip(tmp_path / f"mask{kind}", frames, like=clip)
    written = list(u2.open_video(tmp_path / f"mask{kind}"))
    assert len(written) == 3
    for frame, mask in zip(written, masks, strict=True):
        gray = np.asarray(frame.image.convert("L"), int)
        assert np.abs(gray - np.asarray(mask)).mean() < 2


@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov", ".webp", ".apng"])
def test_variable_frame_rates_survive(kind, make_clip, tmp_path):
    times = [Fraction(tick, 90000) for tick in (0, 2970, 6000, 9000, 15000, 45000, 47970)]
    clip = u2.open_video(make_clip("phone.mp4", pictures=[quarters()] * 7, times=times))
    pictures = [frame.image.rotate(90 * (n % 2)) for n, frame in enumerate(clip)]
    frames = [Frame(t, picture) for t, picture in zip(times, pictures, strict=True)]
    write_clip(tmp_path / f"new{kind}", frames, like=clip)
    new = [frame.time for frame in u2.open_video(tmp_path / f"new{kind}")]
    assert [float(t) for t in new] == pytest.approx([float(t) for t in times], abs=0.0006)


@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
@pytest.mark.parametrize(
    "shown",
    [
        [40, 40, 2540, 40, 40, 40, 40, 33],
        [40, 40, 2540, 40, 40, 40, 40, 6000],
        [40, 40, 40, 40, 40, 40, 40, 40],
        [5000, 30, 30, 30, 30],
    ],
)
def test_a_screen_recording_lasts_as_long_as_it_did(shown, kind, make_clip, tmp_path):
    """A frame may stay for seconds, the first and the last, too: none is shown longer for it."""
    *times, end = (Fraction(time, 1000) for time in accumulate(shown, initial=0))
    clip = u2.open_video(make_clip("clip.mp4", count=len(times), times=times))
    like = replace(clip, duration=end)
    frames = [Frame(t, frame.image) for t, frame in zip(times, clip, strict=True)]
    write_clip(tmp_path / f"new{kind}", frames, like=like)
    with av.open(str(tmp_path / f"new{kind}")) as file:
        assert file.duration / 1e6 == pytest.approx(float(like.duration), abs=0.003)
    new = u2.open_video(tmp_path / f"new{kind}")
    assert float(new.duration) == pytest.approx(float(like.duration), abs=0.003)
    damage = []
    shown = [float(frame.time) for frame in new.read(report=damage.append)]
    assert shown == [float(time) for time in times] and damage == []


@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
def test_other_programs_read_the_rate_that_the_clip_has(kind, make_clip, tmp_path):
    """The frame that is decoded last need not be the last to be shown."""
    clip = u2.open_video(make_clip("clip.mp4", count=7, rate=30))
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    with av.open(str(tmp_path / f"new{kind}")) as file:
        assert file.streams.video[0].average_rate == 30


@pytest.mark.parametrize("kind", [".mp4", ".webm", ".mov"])
@pytest.mark.parametrize("said", [None, Fraction(3)])
def test_the_last_frame_is_shown_although_its_end_is_not_known(said, kind, make_clip, tmp_path):
    """Browsers do not say how long a recording is, and what a file says may be too short."""
    times = [Fraction(time, 1000) for time in (0, 40, 80, 7500)]
    clip = u2.open_video(make_clip("clip.mp4", rate=25))
    frames = [Frame(t, picture) for t, picture in zip(times, moving(4), strict=True)]
    write_clip(tmp_path / f"new{kind}", frames, like=replace(clip, duration=said))
    new = u2.open_video(tmp_path / f"new{kind}")
    assert [frame.time for frame in new] == times
    assert float(new.duration) == pytest.approx(7.54, abs=0.003)


@pytest.mark.parametrize("kind", FILES)
def test_the_last_picture_of_a_slide_show_is_shown_as_long_as_it_was(kind, tmp_path):
    first, *others = moving(6)
    durations = [100, 100, 200, 100, 100, 3000]
    first.save(tmp_path / "show.gif", save_all=True, append_images=others, duration=durations)
    clip = u2.open_video(tmp_path / "show.gif")
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    new = u2.open_video(tmp_path / f"new{kind}")
    assert float(new.duration) == pytest.approx(3.6, abs=0.002)
    assert [frame.time for frame in new] == [frame.time for frame in clip]


@pytest.mark.parametrize("count", [4, 3], ids=["amid the clip", "at its end"])
def test_what_a_gif_shows_in_a_pause_is_the_last_picture_before_it(count, make_clip, tmp_path):
    """Of a screen recording at 60 frames a second, in which a window opens and nothing follows."""
    times = [Fraction(0), Fraction(1, 60), Fraction(2, 60), Fraction(2)]
    shown = [Image.new("RGB", (64, 48), gray) for gray in ("black", "black", "white", "black")]
    path = make_clip("screen.mp4", pictures=shown[:count], times=times[:count])
    clip = replace(u2.open_video(path), duration=Fraction(3))
    write_clip(tmp_path / "new.gif", clip, like=clip)
    image = u2.open_video(tmp_path / "new.gif").at(Fraction(1)).image
    assert min(image.getpixel((30, 20))) > 245


def test_a_fast_clip_becomes_a_gif_that_browsers_do_not_slow_down(make_clip, tmp_path):
    """They show frames of 10 ms or less for 100."""
    clip = u2.open_video(make_clip("fast.mov", pictures=moving(10), rate=120))
    write_clip(tmp_path / "new.gif", clip, like=clip)
    times = [frame.time for frame in u2.open_video(tmp_path / "new.gif")]
    assert len(times) == 5 and min(np.diff(times)) >= Fraction(2, 100)
    assert float(times[-1]) == pytest.approx(9 / 120, abs=0.02)


def test_a_rate_that_no_camera_has_is_not_believed(make_clip, tmp_path):
    """Programs that copy a clip may write down how finely it tells times instead."""
    path = remuxed(make_clip("clip.mkv", count=36), tmp_path / "copy.mkv")
    with av.open(str(path)) as file:
        if file.streams.video[0].average_rate != 30000:
            pytest.skip("this FFmpeg copies the rate as it is")
    clip = u2.open_video(path)
    assert clip.rate == 30
    write_clip(tmp_path / "new.webm", clip, like=clip)
    assert len(list(u2.open_video(tmp_path / "new.webm"))) == 36


def test_an_mp4_plays_before_it_is_loaded(make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mkv"))
    write_clip(tmp_path / "new.mp4", clip, like=clip)
    data = (tmp_path / "new.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("kind", FILES)
def test_odd_sizes_can_be_written(kind, make_clip, tmp_path):
    clip = u2.open_video(
        make_clip("odd.mkv", pictures=moving(2, (65, 49)), codec="ffv1", pixels="yuv444p")
    )
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    expected = (66, 50) if kind == ".mp4" else (65, 49)
    assert u2.open_video(tmp_path / f"new{kind}").size == expected


def test_a_turned_clip_is_written_upright(make_clip, tmp_path):
    one = 65536
    path = make_clip("phone.mov", matrix=[0, one, 0, -one, 0, 0, 0, 0, 1 << 30], count=2)
    clip = u2.open_video(path)
    write_clip(tmp_path / "new.mp4", clip, like=clip)
    with av.open(str(tmp_path / "new.mp4")) as file:
        frame = next(file.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)
        assert are_near(corners(frame.to_image()), [BLUE, RED, WHITE, GREEN], 30)


def test_frames_can_be_numbered_pictures(make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=3))
    write_clip(tmp_path / "frames", cut_out(clip), like=clip)
    files = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in files] == ["000001.png", "000002.png", "000003.png"]
    assert Image.open(files[0]).mode == "RGBA"
    with pytest.raises(FileExistsError, match="is there already"):
        write_clip(tmp_path / "frames", clip, like=clip)


def test_a_file_in_place_of_a_folder_of_frames_is_said_before_the_work(make_clip, tmp_path):
    def drawn():
        for frame in clip:
            seen.append(frame)
            yield frame

    clip = u2.open_video(make_clip("clip.mp4", count=3))
    seen = []
    (tmp_path / "frames").write_text("mine")
    with pytest.raises(FileExistsError, match="frames is there already"):
        write_clip(tmp_path / "frames", drawn(), like=clip)
    assert not seen
    assert (tmp_path / "frames").read_text() == "mine"


def test_the_format_is_chosen_by_what_an_effect_gives():
    photo, cutout, mask = (Image.new(mode, (4, 4)) for mode in ("RGB", "RGBA", "L"))
    assert [suffix(picture) for picture in (photo, cutout, mask)] == [".mp4", ".webm", ".mp4"]
    assert {suffix(cutout, name) for name in FORMATS if name != "mp4"} == {*WITH_ALPHA, ""}
    with pytest.raises(ValueError, match=r"unknown format 'avi'; choose one of auto, webm"):
        suffix(photo, "avi")


def test_an_mp4_with_alpha_is_refused_with_what_else_there_is(make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=1))
    with pytest.raises(ValueError, match=r"MP4 cannot hold transparency; choose webm .*mov .*png"):
        suffix(Image.new("RGBA", (4, 4)), "mp4")
    with pytest.raises(ValueError, match="MP4 cannot hold transparency"):
        write_clip(tmp_path / "new.mp4", cut_out(clip), like=clip)
    assert not (tmp_path / "new.mp4").exists()


def test_frames_of_different_sizes_are_refused(make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=1))
    frames = [Frame(Fraction(0), quarters()), Frame(Fraction(1), quarters((32, 48)))]
    with pytest.raises(ValueError, match=r"at 1\.00 s is 32x48 RGB, the first 64x48 RGB"):
        write_clip(tmp_path / "new.mp4", frames, like=clip)
    with pytest.raises(ValueError, match="no frames"):
        write_clip(tmp_path / "new.mp4", [], like=clip)


def test_a_clip_too_long_for_an_animation_says_what_else_there_is(make_clip, tmp_path, monkeypatch):
    clip = u2.open_video(make_clip("clip.mp4", count=5))
    monkeypatch.setattr("u2demo.video.animate._MOST_PIXELS", 3 * 64 * 48)
    with pytest.raises(
        ValueError, match=r"too long for an animation, which may have 3 frames of 64x48; choose"
    ):
        write_clip(tmp_path / "new.gif", clip, like=clip)


@pytest.mark.parametrize("pictures", [2, 1], ids=["one picture", "some that are alike"])
def test_a_gif_of_a_picture_that_is_shown_too_long_says_what_else_there_is(
    pictures, make_clip, tmp_path
):
    times = [Fraction(0), Fraction(400), Fraction(1100)]
    shown = [quarters(), quarters(), Image.new("RGB", (64, 48))][::pictures]
    clip = u2.open_video(make_clip("slides.mp4", pictures=shown, times=times[::pictures]))
    with pytest.raises(ValueError, match=r"can say \(a GIF: 655 s\); choose webm"):
        write_clip(tmp_path / "new.gif", clip, like=clip)
    assert not (tmp_path / "new.gif").exists()


def interrupted(frames):
    for number, frame in enumerate(frames):
        if number == 2:
            raise KeyboardInterrupt
        yield frame


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_is_whole_or_not_there_at_all(kind, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", sound="aac"))
    results = tmp_path / "results"
    results.mkdir()
    if kind:
        (results / f"new{kind}").write_bytes(b"what was there")
    with pytest.raises(KeyboardInterrupt):
        write_clip(results / f"new{kind}", interrupted(clip), like=clip)
    left = {path.name: path.read_bytes() for path in results.iterdir()}
    assert left == ({f"new{kind}": b"what was there"} if kind else {})


@pytest.mark.parametrize("kind", [".webm", ""])
def test_a_killed_process_leaves_no_half_clip_and_the_next_is_whole(kind, make_clip, tmp_path):
    path = make_clip("clip.mp4", count=300)
    code = (
        "import time, u2demo as u2; from pathlib import Path;"
        "from u2demo.video.write import write_clip;"
        f"clip = u2.open_video({str(path)!r});"
        "slow = (time.sleep(0.02) or print(flush=True) or frame for frame in clip);"
        f"write_clip(Path({str(tmp_path / ('new' + kind))!r}), slow, like=clip)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(0.1)
        process.kill()
    assert not (tmp_path / f"new{kind}").exists()
    clip = u2.open_video(path)
    write_clip(tmp_path / f"new{kind}", clip, like=clip)
    shown = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert shown == {"clip.mp4", f"new{kind}"}


def test_artist_and_copyright_are_passed_on_and_the_place_is_not(make_clip, tmp_path):
    path = make_clip("clip.mp4", count=1)
    with av.open(str(path)) as old, av.open(str(tmp_path / "tagged.mp4"), "w") as new:
        new.metadata.update(artist="Ada", copyright="2026 Ada", location="+48.1+011.5/")
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    clip = u2.open_video(tmp_path / "tagged.mp4")
    write_clip(tmp_path / "new.webm", clip, like=clip)
    with av.open(str(tmp_path / "new.webm")) as file:
        said = {key.lower(): value for key, value in file.metadata.items()}
    assert said["artist"] == "Ada" and said["copyright"] == "2026 Ada"
    assert not any("loc" in key for key in said)


@pytest.mark.parametrize("name", ["new.mkv", "new.avi", "frames.v2", "new.jpg"])
def test_a_suffix_of_no_kind_is_refused_with_those_that_are(name, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=1))
    with pytest.raises(ValueError, match=r"choose \.mp4, \.webm, .* or a name without a suffix"):
        write_clip(tmp_path / "out" / name, clip, like=clip)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize("kind", ["new.mp4", "new.gif", "new"])
def test_a_folder_that_is_missing_is_named_and_not_a_hidden_file(kind, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", count=1))
    with pytest.raises(FileNotFoundError, match=r"no such folder: '.*out'$"):
        write_clip(tmp_path / "out" / kind, clip, like=clip)


@pytest.mark.parametrize("kind", ["new.mp4", "new.webp", "new"])
def test_a_caller_may_stop_between_two_frames_and_nothing_is_left(kind, make_clip, tmp_path):
    clip = u2.open_video(make_clip("clip.mp4", pictures=moving(4), rate=25))
    writing_it = writing(tmp_path / kind, clip, like=clip)
    assert [next(writing_it), next(writing_it)] == [0, Fraction(1, 25)]
    writing_it.close()
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert list(writing(tmp_path / kind, clip, like=clip))[-1] == Fraction(3, 25)
    assert (tmp_path / kind).exists()
