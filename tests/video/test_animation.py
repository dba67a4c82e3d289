"""Animated GIF, PNG, WebP and AVIF, and the pages of a TIFF, are clips too."""

from fractions import Fraction

import pytest
from PIL import Image, features
from quarters import BLUE, GREEN, RED, WHITE, are_near, corners, quarters

import u2demo as u2

DURATIONS = (40, 80, 200)  # milliseconds
NAMES = ["a.gif", "a.png", "a.webp", *(["a.avif"] if features.check("avif") else [])]


@pytest.fixture
def make_animation(tmp_path):
    """Return a function that writes an animation and returns its path."""

    def make(name, pictures=None, *, duration=DURATIONS):
        pictures = pictures or [quarters().rotate(90 * turn) for turn in range(3)]
        first, *others = pictures
        path = tmp_path / name
        options = {"duration": list(duration)} if duration else {}
        if name.endswith(".gif"):
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
