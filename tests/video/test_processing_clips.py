"""What becomes of a clip: a clip for each effect, with the net looking once at each frame."""

import gc
import sys
import threading
import warnings
from dataclasses import replace
from fractions import Fraction
from functools import partial
from unittest.mock import Mock, call

import numpy as np
import pytest
import torch
from bright_clips import SIDE, Dark, bright_share, frames_of, moving, names
from PIL import Image
from quarters import are_near

import u2demo as u2
from u2demo.effects.boxes import crop
from u2demo.video.draw import draw
from u2demo.video.find import Findings
from u2demo.video.run import process_video

av = pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("small_maps")

EFFECTS = {name: u2.EFFECTS[name] for name in ("cutout", "box")}


@pytest.fixture
def clip(make_clip):
    """The path of a clip of eight frames with sound."""
    return make_clip("waves.mov", pictures=moving(5), rate=25, sound="aac")


def test_a_clip_for_each_effect_with_sound_and_times_of_the_one_it_was_made_from(clip, tmp_path):
    record = process_video(Dark(), clip, tmp_path / "out", effects=EFFECTS)
    assert record.status == "done" and record.files == ("waves_cutout.webm", "waves_box.mp4")
    assert (record.frames, record.duration, record.size) == (5, 0.2, (64, 48))
    cutout, box = (u2.open_video(tmp_path / "out" / file) for file in record.files)
    assert cutout.alpha and cutout.audio and not box.alpha and box.audio
    for made in (cutout, box):
        assert [frame.time for frame in made] == [Fraction(n, 25) for n in range(5)]
    for number, frame in enumerate(cutout):
        left = 8 + 2 * number
        assert frame.image.getpixel((left + SIDE // 2, 24))[3] > 250
        assert frame.image.getpixel((left + SIDE // 2, 5))[3] < 5


def test_the_net_looks_as_often_however_many_effects(clip, tmp_path):
    pytest.importorskip("cv2")  # without it the net looks at each frame
    one, many = Dark(), Dark()
    process_video(one, clip, tmp_path / "one")
    process_video(many, clip, tmp_path / "many", effects=EFFECTS)
    assert many.looks == one.looks == 2  # of five frames that are much alike
    assert names(tmp_path / "many") == ["waves_box.mp4", "waves_cutout.webm"]


def test_progress_goes_up_to_one_and_counts_the_frames_of_both_steps(clip, tmp_path):
    seen = []
    process_video(Dark(), clip, tmp_path / "out", effects=EFFECTS, report=seen.append)
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares) and shares[-1] == 1
    for step in ("looking", "writing"):
        counted = [progress for progress in seen if progress.step == step]
        assert [progress.frames for progress in counted] == list(range(1, 6))
        assert all(progress.total == 5 and progress.clip == clip for progress in counted)


@pytest.mark.parametrize("step", ["looking", "writing"])
def test_an_exception_of_report_stops_the_work_and_leaves_nothing_half(step, clip, tmp_path):
    def stop(progress):
        if (progress.step, progress.frames) == (step, 3):
            raise InterruptedError("enough")

    before = set(threading.enumerate())
    with pytest.raises(InterruptedError, match="enough"):
        process_video(Dark(), clip, tmp_path / "out", effects=EFFECTS, report=stop)
    assert names(tmp_path / "out") == []
    gc.collect()
    assert set(threading.enumerate()) <= before
    assert process_video(Dark(), clip, tmp_path / "out", effects=EFFECTS).status == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is the C library of Linux")
def test_a_clip_sets_nothing_of_malloc_and_gives_back_what_the_net_has_freed(
    clip, tmp_path, monkeypatch
):
    glibc = Mock()
    monkeypatch.setattr("u2demo.machine.memory.ctypes.CDLL", lambda name: glibc)
    process_video(Dark(), clip, tmp_path / "out")
    assert glibc.mock_calls == [call.malloc_trim(0)]


def test_an_effect_that_fails_is_named_with_its_time(clip, tmp_path):
    def rare(image, mask):
        if image.getpixel((10, 24))[0] < 100:  # the subject has moved on
            raise ZeroDivisionError("no subject here")
        return image

    with pytest.raises(
        ValueError, match=r"waves\.mov: the effect 'rare' failed at 0\.\d\d s: no subject here"
    ):
        process_video(Dark(), clip, tmp_path / "out", effects={"rare": rare})


def test_an_effect_that_fails_on_every_frame_is_named_too(clip, tmp_path):
    def broken(image, mask):
        return {}["key"]

    with pytest.raises(ValueError, match=r"waves\.mov: the effect 'mine' failed at 0\.00 s: 'key'"):
        process_video(Dark(), clip, tmp_path / "out", effects=EFFECTS | {"mine": broken})


@pytest.mark.parametrize("report", [None, "print"])
def test_a_report_that_cannot_be_called_is_refused_before_any_work(report, clip, tmp_path):
    with pytest.raises(TypeError, match=r"report is .*, expected a function of one Progress"):
        process_video(Dark(), clip, tmp_path / "out", report=report)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("format", "files"),
    [
        ("webm", ["waves_box.webm", "waves_cutout.webm"]),
        ("mov", ["waves_box.mov", "waves_cutout.mov"]),
        ("png", ["waves_box", "waves_cutout"]),
        ("gif", ["waves_box.gif", "waves_cutout.gif"]),
        ("webp", ["waves_box.webp", "waves_cutout.webp"]),
        ("apng", ["waves_box.apng", "waves_cutout.apng"]),
    ],
)
def test_each_format_makes_files_of_its_kind_with_all_frames(format, files, clip, tmp_path):
    process_video(Dark(), clip, tmp_path, effects=EFFECTS, format=format)
    made = [name for name in names(tmp_path) if name != "waves.mov"]
    assert made == files
    if format == "png":
        pictures = sorted((tmp_path / "waves_cutout").iterdir())
        assert [path.name for path in pictures] == [f"{n:06}.png" for n in range(1, 6)]
        assert Image.open(pictures[0]).mode == "RGBA"
        return
    for file in files:
        frames = frames_of(tmp_path / file)
        assert len(frames) == 5 and frames[0].image.size == (64, 48)


def test_a_cut_out_as_mp4_is_refused_before_any_work(clip, tmp_path):
    model = Dark()
    with pytest.raises(ValueError, match="MP4 cannot hold transparency; choose webm"):
        process_video(model, clip, tmp_path / "out", effects=EFFECTS, format="mp4")
    assert model.looks == 0 and not (tmp_path / "out").exists()
    process_video(model, clip, tmp_path / "out", effects={"mask": u2.EFFECTS["mask"]}, format="mp4")
    first, *_ = frames_of(tmp_path / "out" / "waves_mask.mp4")
    assert are_near(
        [first.image.getpixel((16, 24)), first.image.getpixel((60, 5))], [(255,) * 3, (0,) * 3], 8
    )


def test_a_clip_too_long_for_an_animation_is_refused_before_the_net_looks(
    clip, tmp_path, monkeypatch
):
    monkeypatch.setattr("u2demo.video.animate._MOST_PIXELS", 3 * 64 * 48)
    model = Dark()
    with pytest.raises(ValueError, match=r"waves.mov: the clip is too long .* choose webm"):
        process_video(model, clip, tmp_path / "out", effects=EFFECTS, format="gif")
    assert model.looks == 0 and names(tmp_path / "out") == []


def test_a_crop_has_one_box_for_each_shot_and_one_size(make_clip, tmp_path):
    pytest.importorskip("cv2")  # without it cuts are told by gray levels, here too much alike
    noise = np.random.default_rng(0)
    pictures = []
    for left, top in ((4, 4), (40, 28)):
        gray = noise.integers(0, 110, (12, 16), np.uint8).repeat(4, axis=0).repeat(4, axis=1)
        scene = Image.fromarray(gray).convert("RGB")
        for number in range(4):
            picture = scene.copy()
            picture.paste((235,) * 3, (left + number, top, left + number + SIDE, top + SIDE))
            pictures.append(picture)
    path = make_clip("cut.mp4", pictures=pictures, options={"crf": "5"})
    process_video(Dark(), path, tmp_path / "out", effects={"crop": crop})
    frames = frames_of(tmp_path / "out" / "cut_crop.mp4")
    assert len(frames) == 8
    width, height = frames[0].image.size
    assert SIDE + 3 <= width <= SIDE + 10 and SIDE <= height <= SIDE + 8
    for frame in frames:
        assert frame.image.size == (width, height)
        assert bright_share(frame.image) > 0.85 * SIDE**2 / (width * height)


def test_a_crop_of_nothing_is_the_whole_frame(make_clip, tmp_path):
    path = make_clip("dark.mp4", pictures=[Image.new("RGB", (64, 48), (16, 16, 16))] * 3)
    record = process_video(Dark(), path, tmp_path / "out", effects={"crop": crop})
    assert frames_of(tmp_path / "out" / "dark_crop.mp4")[0].image.size == (64, 48)
    assert record.box is None and not record.clear


def test_options_of_a_crop_are_kept(clip):
    with Findings(u2.open_video(clip), Dark()) as findings:
        list(findings.look())
        tight, wide = (next(draw(findings, partial(crop, margin=margin))) for margin in (0, 0.3))
    assert wide.image.width > tight.image.width and wide.image.height > tight.image.height


def test_on_a_canvas_the_subject_moves_as_it_does_in_the_clip(clip):
    with Findings(u2.open_video(clip), Dark()) as findings:
        list(findings.look())
        canvas = partial(u2.EFFECTS["canvas"], size=None, background="black", shadow=0)
        frames = [frame.image for frame in draw(findings, canvas)]
    assert {frame.size for frame in frames} == {frames[0].size}
    middles = [np.flatnonzero((np.asarray(frame)[..., 0] > 128).any(0)).mean() for frame in frames]
    assert 0 < middles[0] < middles[-1] < frames[0].width
    assert middles[-1] - middles[0] > 2, "it is not centered in each frame"


def test_a_new_background_may_be_a_clip_that_begins_again(make_clip, tmp_path):
    colors = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    plain = [Image.new("RGB", (64, 48), color) for color in colors]
    sea = u2.open_video(make_clip("sea.mp4", pictures=plain, rate=10))
    path = make_clip("clip.mp4", pictures=moving(10, step=1), rate=20)
    behind = {"background": partial(u2.replace_background, background=sea)}
    process_video(Dark(), path, tmp_path / "out", effects=behind)
    frames = frames_of(tmp_path / "out" / "clip_background.mp4")
    assert len(frames) == 10
    seen = [frame.image.getpixel((60, 4)) for frame in frames]
    wanted = [colors[int(frame.time * 10) % 3] for frame in frames]
    assert are_near(seen, wanted, 40)
    assert all(bright_share(frame.image) > 0.04 for frame in frames)


def test_a_damaged_background_repeats_what_can_be_decoded_and_says_so(make_clip, tmp_path):
    colors = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    plain = [Image.new("RGB", (64, 48), color) for color in (*colors, *colors)]
    path = make_clip(
        "sea.mp4", pictures=plain, rate=10, options={"g": "1"}, container={"movflags": "faststart"}
    )
    with av.open(str(path)) as file:
        fourth = list(file.demux(video=0))[3].pos
    path.write_bytes(path.read_bytes()[:fourth])
    clip = make_clip("clip.mp4", pictures=moving(10, step=1), rate=20)
    behind = {"background": partial(u2.replace_background, background=u2.open_video(path))}
    with pytest.warns(UserWarning, match=r"sea\.mp4: damaged or cut off; 0\.30 of 0\.60 seconds"):
        process_video(Dark(), clip, tmp_path / "out", effects=behind)
    frames = frames_of(tmp_path / "out" / "clip_background.mp4")
    seen = [frame.image.getpixel((60, 4)) for frame in frames]
    assert are_near(seen, [colors[int(frame.time * 10) % 3] for frame in frames], 40)


def test_a_background_that_has_lost_its_frames_is_refused(clip, make_clip, tmp_path):
    def decode(*, since=0):
        yield from ()

    sea = replace(u2.open_video(make_clip("sea.mp4")), decode=decode)
    behind = {"background": partial(u2.replace_background, background=sea)}
    with pytest.raises(ValueError, match=r"sea\.mp4: damaged; not one frame of it can be decoded"):
        process_video(Dark(), clip, tmp_path / "out", effects=behind)


def test_an_effect_that_fails_leaves_no_file_open(clip):
    closed = []

    def decode(*, since=0):
        try:
            yield from opened.decode(since=since)
        finally:
            closed.append(since)

    def fail(image, mask):
        if image.size == (64, 48) and mask.max() != 0.5:
            raise RuntimeError("a frame too many")
        return image

    opened = u2.open_video(clip)
    with Findings(replace(opened, decode=decode), Dark()) as findings:
        for _ in findings.look():
            pass
        done = len(closed)
        with pytest.raises(ValueError, match="a frame too many") as caught:
            list(draw(findings, fail))
        assert len(closed) == done + 2  # the sample and the frames, while the error is still alive
    assert caught


def test_a_clip_with_alpha_keeps_what_is_transparent(make_clip, tmp_path):
    hole = [picture.convert("RGBA") for picture in moving(4)]
    for picture in hole[1:]:  # the first frame is opaque
        picture.paste((0, 0, 0, 0), (0, 0, 64, 8))
    path = make_clip("hole.mov", pictures=hole, codec="png", pixels="rgba")
    clip = u2.open_video(path)
    assert clip.alpha
    record = process_video(Dark(), path, tmp_path / "out", effects=EFFECTS)
    assert record.files == ("hole_cutout.webm", "hole_box.webm")
    alphas = [
        frame.image.getpixel((3, 3))[3] for frame in frames_of(tmp_path / "out" / "hole_box.webm")
    ]
    assert are_near(alphas, [255, 0, 0, 0], 8)


def test_a_function_of_your_own_may_return_any_kind_of_picture(clip, tmp_path):
    effects = {
        "gray": lambda image, mask: image.convert("LA"),
        "palette": lambda image, mask: image.quantize(8),
    }
    record = process_video(Dark(), clip, tmp_path / "out", effects=effects)
    assert record.files == ("waves_gray.webm", "waves_palette.mp4")


def test_a_function_that_returns_no_picture_is_named(clip, tmp_path):
    with pytest.raises(
        ValueError, match=r"waves.mov: the effect 'odd' returned NoneType, expected"
    ):
        process_video(Dark(), clip, tmp_path / "out", effects={"odd": lambda image, mask: None})


def test_what_could_be_decoded_of_a_damaged_clip_is_done_and_it_is_said(make_clip, tmp_path):
    path = make_clip("torn.mkv", pictures=moving(24, step=1), rate=10,
                     options={"g": "4", "bf": "0"})  # fmt: skip
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    record = process_video(Dark(), path, tmp_path / "out", effects=EFFECTS)
    assert record.status == "done" and 0 < record.frames < 24
    assert record.damage.startswith("damaged or cut off")
    for file in record.files:
        made = u2.open_video(tmp_path / "out" / file)
        assert len(list(made)) == record.frames
        assert made.duration == pytest.approx(record.frames / 10)  # its last frame is not held


def test_a_file_that_is_no_clip_is_an_error_that_names_it(tmp_path):
    (tmp_path / "notes.mp4").write_text("notes")
    for name, why in (("notes.mp4", "not a clip"), ("none.mp4", "no such file")):
        with pytest.raises(ValueError, match=f"{name}: .*{why}"):
            process_video(Dark(), tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["dance.gif", "upload"])
def test_a_clip_is_told_by_its_content_also_if_its_name_is_that_of_a_photo(name, clip, tmp_path):
    path = tmp_path / name
    if name == "dance.gif":
        first, *others = moving(3)
        first.save(path, save_all=True, append_images=others, duration=40)
    else:
        clip.rename(path)
    record = process_video(Dark(), path, tmp_path / "out", effects={"box": EFFECTS["box"]})
    assert record.status == "done" and record.frames > 1
    again = process_video(Dark(), path, tmp_path / "out", effects={"box": EFFECTS["box"]})
    assert again.status == "skipped"


def test_a_clip_that_a_run_has_made_there_is_not_made_again(clip, tmp_path):
    process_video(Dark(), clip, tmp_path / "out", effects={"box": EFFECTS["box"]})
    with pytest.raises(ValueError, match=r"waves_box.mp4 was made by u2demo in that folder"):
        process_video(Dark(), tmp_path / "out" / "waves_box.mp4", tmp_path / "out")


def test_metadata_none_leaves_the_title_out(make_clip, tmp_path):
    def title(stream):
        stream.container.metadata["title"] = "Waves"

    path = make_clip("clip.mp4", pictures=moving(3), prepare=title)
    assert u2.open_video(path).about == {"title": "Waves"}
    for metadata, about in (("private", {"title": "Waves"}), ("none", {})):
        process_video(Dark(), path, tmp_path / metadata, metadata=metadata,
                      effects={"box": EFFECTS["box"]})  # fmt: skip
        assert u2.open_video(tmp_path / metadata / "clip_box.mp4").about == about


def test_maps_wait_in_a_file_without_a_name_and_not_in_memory(clip, tmp_path):
    with Findings(u2.open_video(clip), Dark(), folder=tmp_path) as findings:
        assert list(findings.look()) == list(range(1, 6))
        assert [path for path in tmp_path.iterdir() if path != clip] == []
        again = [[mask.copy() for _, mask in findings.frames()] for _ in range(2)]
    assert np.array_equal(*again)
    assert len(again[0]) == 5


def test_looking_may_be_stopped_and_begun_again(clip):
    with Findings(u2.open_video(clip), Dark()) as findings:
        looking = findings.look()
        assert next(looking) == 1
        looking.close()
        assert findings.count == 0 and findings.shots == ()
        with pytest.raises(ValueError, match="exhaust look"):
            next(findings.frames())
        list(findings.look())
        assert findings.count == 5 and len(findings.shots) == 1


def test_a_clip_that_changes_between_the_two_passes_is_an_error(clip, make_clip):
    with Findings(u2.open_video(clip), Dark()) as findings:
        list(findings.look())
        make_clip("waves.mov", pictures=moving(3), rate=25)
        with pytest.raises(ValueError, match="changed during processing"):
            list(findings.frames())


def test_a_clip_leaves_its_host_alone(clip, tmp_path):
    before = torch.get_num_threads(), warnings.filters[:], torch.is_grad_enabled()
    process_video(Dark(), clip, tmp_path / "out", effects=EFFECTS)
    assert before == (torch.get_num_threads(), warnings.filters[:], torch.is_grad_enabled())
