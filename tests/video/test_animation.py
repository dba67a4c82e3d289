"""Animated GIF, PNG, WebP and AVIF, and the pages of a TIFF, are clips too."""

from fractions import Fraction

import pytest
from parts import Part, write_gif, write_png
from PIL import Image, features
from quarters import BLUE, GREEN, RED, WHITE, are_near, corners, quarters

import u2demo as u2
from u2demo.images.profiles import of_code_points

DISPLAY_P3 = of_code_points(12, 13)
DURATIONS = (40, 80, 200)  # milliseconds
NAMES = ["a.gif", "a.png", "a.webp", *(["a.avif"] if features.check("avif") else [])]


@pytest.fixture
def make_animation(tmp_path):
    """Return a function that writes an animation and returns its path."""

    def make(name, pictures=None, *, duration=DURATIONS, profile=None):
        pictures = pictures or [quarters().rotate(90 * turn) for turn in range(3)]
        first, *others = pictures
        path = tmp_path / name
        options = {"duration": list(duration)} if duration else {}
        if profile:
            options["icc_profile"] = profile
        if name.endswith(".gif") and first.mode == "RGBA":
            options["disposal"] = 2  # each frame replaces the one before it
        first.save(path, save_all=True, append_images=others, **options)
        return path

    return make


def holes():
    """Return three pictures with a hole that moves."""
    pictures = [quarters().convert("RGBA") for _ in range(3)]
    for number, picture in enumerate(pictures):
        picture.paste((0, 0, 0, 0), (0, 16 * number, 20, 16 * number + 16))
    return pictures


@pytest.mark.parametrize("name", NAMES)
def test_frames_come_with_their_times(name, make_animation):
    clip = u2.open_video(make_animation(name))
    assert clip.size == (64, 48) and clip.frames == 3 and not clip.audio and not clip.alpha
    assert clip.duration == Fraction(320, 1000)
    frames = list(clip)
    assert [frame.time for frame in frames] == [0, Fraction(40, 1000), Fraction(120, 1000)]
    assert all(frame.image.mode == "RGB" and frame.image.info == {} for frame in frames)
    first, _, last = (corners(frame.image) for frame in frames)
    assert are_near(first, last[::-1], 40) and are_near(first[::3], [RED, WHITE], 40)


ALL, LEFT, RIGHT = (0, 0, 24, 16), (2, 2, 10, 14), (14, 2, 22, 14)
OPAQUE_RED, OPAQUE_BLUE, OPAQUE_WHITE = (*RED, 255), (*BLUE, 255), (*WHITE, 255)


def colors(path):
    """Return the color in the middle of ``LEFT`` and ``RIGHT``, and beside them, of each frame."""
    frames = [frame.image.convert("RGBA") for frame in u2.open_video(path)]
    return [[image.getpixel(at) for at in ((6, 8), (18, 8), (12, 8))] for image in frames]


def test_parts_of_a_gif_go_as_they_are_told_to(tmp_path):
    nothing = (0, 0, 0, 0)
    write_gif(tmp_path / "a.gif", [
        Part(LEFT, OPAQUE_RED, disposal=1), Part(RIGHT, OPAQUE_BLUE, disposal=2),
        Part(RIGHT, OPAQUE_WHITE, disposal=3), Part(LEFT, OPAQUE_BLUE, disposal=0),
        Part(RIGHT, OPAQUE_RED, disposal=0),
    ])  # fmt: skip
    assert colors(tmp_path / "a.gif") == [
        [OPAQUE_RED, nothing, nothing],
        [OPAQUE_RED, OPAQUE_BLUE, nothing],
        [OPAQUE_RED, OPAQUE_WHITE, nothing],
        [OPAQUE_BLUE, nothing, nothing],
        [OPAQUE_BLUE, OPAQUE_RED, nothing],
    ]


def test_half_transparent_parts_of_a_png_stay_so(tmp_path):
    """Stickers have soft edges: over nothing they are as they are, over a color they add to it."""
    half_red, nothing = (255, 0, 0, 128), (0, 0, 0, 0)
    write_png(tmp_path / "a.png", [
        Part(ALL, nothing), Part(LEFT, half_red, disposal=2), Part(RIGHT, half_red),
        Part(RIGHT, OPAQUE_BLUE, disposal=1, over=False), Part(LEFT, half_red, over=False),
    ])  # fmt: skip
    assert colors(tmp_path / "a.png") == [
        [nothing, nothing, nothing],
        [half_red, nothing, nothing],
        [nothing, half_red, nothing],
        [nothing, OPAQUE_BLUE, nothing],
        [half_red, nothing, nothing],
    ]
    write_png(tmp_path / "b.png", [Part(ALL, OPAQUE_BLUE), Part(LEFT, half_red)])
    assert colors(tmp_path / "b.png")[1] == [(128, 0, 127, 255), OPAQUE_BLUE, OPAQUE_BLUE]


def test_a_frame_amid_an_animation_is_the_same_as_on_the_way(tmp_path):
    write_gif(tmp_path / "a.gif", [
        Part(LEFT, OPAQUE_RED), Part(RIGHT, OPAQUE_BLUE, 2), Part(ALL, OPAQUE_WHITE)
    ])  # fmt: skip
    clip = u2.open_video(tmp_path / "a.gif")
    for frame in clip:
        assert clip.at(frame.time).image.tobytes() == frame.image.tobytes()


def test_a_picture_for_programs_that_cannot_animate_is_not_part_of_the_clip(tmp_path):
    poster, *others = [Image.new("RGB", (64, 48), color) for color in (RED, GREEN, BLUE)]
    path = tmp_path / "poster.png"
    poster.save(path, save_all=True, append_images=others, default_image=True, duration=80)
    clip = u2.open_video(path)
    assert clip.frames == 2 and clip.duration == Fraction(160, 1000)
    assert [frame.image.getpixel((9, 9)) for frame in clip] == [GREEN, BLUE]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_transparent_stays_so(name, make_animation):
    clip = u2.open_video(make_animation(name, holes()))
    assert clip.alpha
    for number, frame in enumerate(clip):
        alpha = frame.image.getchannel("A")
        assert [alpha.getpixel((5, 8 + 16 * k)) == 0 for k in range(3)] == [
            k == number for k in range(3)
        ]


@pytest.mark.parametrize("name", [*NAMES[1:], "a.tif"])
def test_colors_are_seen_as_the_profile_says(name, make_animation):
    green = (60, 120, 60)  # in sRGB it is livelier: (30, 122, 52)
    pictures = [Image.new("RGB", (64, 48), color) for color in (green, WHITE)]
    duration = None if name == "a.tif" else (40, 80)
    path = make_animation(name, pictures, duration=duration, profile=DISPLAY_P3)
    first, last = (frame.image.getpixel((9, 9)) for frame in u2.open_video(path))
    assert are_near([first, last], [(30, 122, 52), WHITE], 8)


def test_the_pages_of_a_tiff_are_frames(make_animation):
    clip = u2.open_video(make_animation("scan.tif", duration=None))
    assert [frame.time for frame in clip] == [0, 1, 2] and clip.duration == 3


def test_frames_in_a_hurry_are_shown_as_browsers_do(make_animation):
    clip = u2.open_video(make_animation("fast.gif", duration=(10, 0, 20)))
    assert [frame.time for frame in clip] == [0, Fraction(1, 10), Fraction(2, 10)]


def test_the_suffix_does_not_matter(make_animation):
    path = make_animation("a.gif")
    assert u2.open_video(path.rename(path.with_suffix(".mp4"))).frames == 3


def test_of_an_animation_that_is_cut_off_comes_what_is_there_and_the_rest_is_said(make_animation):
    generator = Image.effect_noise
    path = make_animation("cut.webp", [generator((64, 48), 90).convert("RGB") for _ in range(3)])
    path.write_bytes(path.read_bytes()[:-400])
    reports = []
    try:
        frames = list(u2.open_video(path).read(report=reports.append))
    except ValueError as error:  # depending on the version of libwebp
        assert str(path) in str(error)
    else:
        assert len(frames) < 3 and str(path) in reports[0]


def test_an_animated_png_that_is_cut_off_says_so(make_animation):
    path = make_animation("cut.png", [Image.effect_noise((64, 48), 90) for _ in range(3)])
    path.write_bytes(path.read_bytes()[:-1500])
    reports = []
    frames = list(u2.open_video(path).read(report=reports.append))
    assert len(frames) == 2
    assert reports == [f"{path}: damaged or cut off; its last frame could not be read"]


def test_reading_leaves_pillow_as_it_was(make_animation):
    before = Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN), sorted(Image.SAVE)
    list(u2.open_video(make_animation("a.gif")))
    assert (Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN), sorted(Image.SAVE)) == before
