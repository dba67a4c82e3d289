"""What goes behind a subject: gradients, and photos that are moved, enlarged and blurred."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import u2demo as u2
from u2demo.effects.scenes import Gradient, Scene, draw_scene

quick = settings(derandomize=True, deadline=None, max_examples=40, database=None)
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
ENDS = st.sampled_from([-1.0, 1.0]) | st.floats(-1, 1)


@quick
@given(SIZES, SIZES, st.floats(1, 100), ENDS, ENDS, st.floats(0, 1))
def test_a_photo_covers_every_frame(size, frame, zoom, across, down, blur):
    scene = Scene(Image.new("RGB", size, "teal"), zoom, across, down, blur)
    assert draw_scene(scene, frame, None).getcolors() == [(frame[0] * frame[1], (0, 128, 128))]


@quick
@given(SIZES, st.floats(-720, 720))
def test_a_gradient_stays_between_its_colors(size, angle):
    picture = draw_scene(Gradient("#102030", "#405060", angle), size, None)
    assert picture.size == size
    low, high = np.array([16, 32, 48]), np.array([64, 80, 96])
    assert (np.asarray(picture) >= low).all() and (np.asarray(picture) <= high).all()


@pytest.mark.parametrize(
    ("angle", "first", "last"),
    [(0, (50, 99), (50, 0)), (90, (0, 50), (99, 50)), (180, (50, 0), (50, 99)),
     (135, (0, 0), (99, 99))],
)  # fmt: skip
def test_a_gradient_goes_where_its_angle_says(angle, first, last):
    picture = draw_scene(Gradient("red", "blue", angle), (100, 100), None)
    assert picture.getpixel(first)[0] > 250 > 5 > picture.getpixel(first)[2]
    assert picture.getpixel(last)[2] > 250 > 5 > picture.getpixel(last)[0]


def halves():
    photo = Image.new("RGB", (80, 20), "red")
    photo.paste("blue", (40, 0, 80, 20))
    return photo


def test_a_scene_shows_the_part_asked_for():
    for across, color in ((-1, (255, 0, 0)), (1, (0, 0, 255))):
        assert draw_scene(Scene(halves(), across=across), (10, 10), None).getcolors() == [
            (100, color)
        ]
    middle = draw_scene(halves(), (10, 10), None)
    assert middle.getpixel((0, 5)) == (255, 0, 0) and middle.getpixel((9, 5)) == (0, 0, 255)
    close = draw_scene(Scene(halves(), zoom=2, across=-0.2), (10, 10), None)
    assert close.getcolors() == [(100, (255, 0, 0))]


def test_a_blurred_scene_is_as_blurred_in_every_size():
    scene = Scene(halves(), blur=0.05)
    small = draw_scene(scene, (80, 20), None)
    large = draw_scene(scene, (320, 80), None).resize((80, 20), Image.Resampling.BOX)
    difference = np.asarray(small, float) - np.asarray(large)
    assert np.abs(difference).mean() < 2
    assert 60 < small.getpixel((38, 10))[0] < 240


def test_before_transparent_a_subject_is_a_cutout():
    image, mask = Image.new("RGB", (3, 2), "red"), np.ones((2, 3), np.float32)
    picture = u2.replace_background(image, mask, "transparent")
    assert picture.tobytes() == u2.remove_background(image, mask).tobytes()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Gradient("bleu", "white"), "first is 'bleu'"),
        (lambda: Gradient("white", "black", float("nan")), "angle is nan, expected degrees"),
        (lambda: Scene(halves(), zoom=0.5), "zoom is 0.5, expected 1 to 100"),
        (lambda: Scene(halves(), across=2), "across is 2, expected -1"),
        (lambda: Scene(halves(), blur=-1), "blur is -1, expected 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
