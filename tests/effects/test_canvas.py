"""A cut-out on a canvas: its size, its margins, its shadow, and that nothing of it is lost."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import u2demo as u2
from u2demo.effects.scenes import Gradient, Scene
from u2demo.machine.cores import on_cores

quick = settings(derandomize=True, deadline=None, max_examples=40, database=None)
SIDES = st.integers(1, 40)


@st.composite
def cutouts(draw):
    """A cut-out with a red box somewhere, and the box."""
    width, height = draw(SIDES), draw(SIDES)
    wide, high = draw(st.integers(1, width)), draw(st.integers(1, height))
    left, top = draw(st.integers(0, width - wide)), draw(st.integers(0, height - high))
    right, bottom = left + wide, top + high
    cutout = Image.new("RGBA", (width, height))
    cutout.paste("red", (left, top, right, bottom))
    return cutout, u2.Box(left, top, right, bottom)


def seen(picture):
    """The box of all that is rather opaque; an enlarged edge is soft around one half."""
    return u2.bounding_box(np.asarray(picture.getchannel("A"), np.float32) / 255)


@quick
@given(cutouts(), st.tuples(st.integers(1, 90), st.integers(1, 90)), st.floats(0, 0.45))
def test_the_canvas_has_its_size_and_the_subject_stands_in_the_middle_within_the_margins(
    cutout, size, margin
):
    picture, box = cutout
    canvas = u2.place_on_canvas(
        picture, size=size, margin=margin, background="transparent", shadow=0
    )
    assert (canvas.size, canvas.mode) == (size, "RGBA")
    if min(box.right - box.left, box.bottom - box.top) < 4:
        return  # a pixel that is enlarged becomes a wide spot
    left, top, right, bottom = seen(canvas)
    space = round(margin * min(size))
    free = [max(1, side - 2 * space) for side in size]
    wide, high = right - left, bottom - top
    assert wide <= free[0] + 1 and high <= free[1] + 1
    assert wide >= free[0] - 1 or high >= free[1] - 1, "it is as large as can be"
    assert abs(left - (size[0] - right)) <= 2 and abs(top - (size[1] - bottom)) <= 2
    shape = (box.right - box.left) / (box.bottom - box.top)
    assert abs(wide - shape * high) <= 1.5 * (1 + shape), "it is not stretched"


@quick
@given(cutouts(), st.floats(0, 0.45))
def test_without_a_size_the_subject_keeps_its_pixels_on_a_square(cutout, margin):
    picture, box = cutout
    canvas = u2.place_on_canvas(
        picture, size=None, margin=margin, background="transparent", shadow=0
    )
    longer = max(box.right - box.left, box.bottom - box.top)
    space = (canvas.width - longer) / 2
    assert canvas.width == canvas.height
    assert margin * canvas.width - 1e-6 <= space <= margin * canvas.width + 1
    assert canvas.crop(seen(canvas)).tobytes() == picture.crop(box).tobytes()


@quick
@given(cutouts())
def test_the_cutout_stays_as_it_is(cutout):
    picture, _ = cutout
    before = picture.tobytes()
    u2.place_on_canvas(picture, size=(30, 20))
    assert picture.tobytes() == before


def test_nothing_of_a_faint_edge_is_cut_off_where_the_canvas_has_room():
    cutout = Image.new("RGBA", (60, 60), (255, 0, 0, 8))
    cutout.paste("red", (20, 20, 40, 40))
    canvas = u2.place_on_canvas(
        cutout, size=(60, 60), margin=0.25, background="transparent", shadow=0
    )
    assert seen(canvas) == (15, 15, 45, 45), "it does not count for the size"
    assert canvas.getpixel((2, 57))[3] == 8, "but it is there"


@pytest.mark.parametrize("side", [200, 400, 1700])
def test_no_faint_line_surrounds_an_enlarged_or_reduced_subject(side):
    """Shops ask for a background of pure white."""
    cutout = Image.new("RGBA", (500, 500))
    cutout.paste((20, 20, 20, 255), (100, 100, 400, 400))
    canvas = u2.place_on_canvas(cutout, size=(side, side), margin=0.2, shadow=0)
    row = np.asarray(canvas)[side // 2].min(-1)
    left = round(0.2 * side)
    assert (row[: left - side // 300 - 2] == 255).all()
    assert (row[left + side // 300 + 2 : side // 2] < 30).all()


def test_an_empty_cutout_is_an_empty_canvas():
    empty = Image.new("RGBA", (20, 10))
    assert u2.place_on_canvas(empty, size=(30, 40)).getcolors() == [(1200, (255, 255, 255))]
    assert u2.place_on_canvas(empty, size=None, margin=0).size == (20, 20)


def test_a_photo_without_alpha_is_the_subject():
    canvas = u2.place_on_canvas(Image.new("RGB", (10, 20), "red"), size=(40, 40), margin=0.25)
    assert canvas.getpixel((20, 12)) == (255, 0, 0)
    assert canvas.getpixel((12, 20)) == (255, 255, 255)


def test_one_pixel_fills_a_large_canvas():
    canvas = u2.place_on_canvas(Image.new("RGBA", (1, 1), "red"), size=(3000, 1000), shadow=0)
    assert canvas.getpixel((1500, 500)) == (255, 0, 0)
    assert canvas.getpixel((1000, 500)) == (255, 255, 255)


def test_the_shadow_lies_below_the_subject_and_darkens_no_more_than_asked():
    cutout = Image.new("RGBA", (40, 40))
    cutout.paste("red", (10, 10, 30, 30))
    options = {"size": (200, 200), "margin": 0.25, "background": "transparent"}
    canvas = u2.place_on_canvas(cutout, shadow=0.4, **options)
    without = u2.place_on_canvas(cutout, shadow=0, **options)
    alpha, plain = (np.asarray(picture.getchannel("A")) for picture in (canvas, without))
    assert (alpha >= plain).all()
    shadow = np.where(plain == 0, alpha, 0)
    rows = np.flatnonzero(shadow.any(1))
    assert rows.min() > 140 and rows.max() > 151
    assert 30 < shadow.max() <= 0.4 * 255
    white = u2.place_on_canvas(cutout, shadow=0.4, **options | {"background": "white"})
    assert white.getpixel((100, 152)) < (240, 240, 240)


def test_every_background_covers_the_canvas():
    cutout = Image.new("RGBA", (10, 10))
    photo = Image.new("RGB", (7, 50), "navy")
    gradient = Gradient("black", "white", angle=90)
    for background, expected in (("teal", (0, 128, 128)), (photo, (0, 0, 128))):
        canvas = u2.place_on_canvas(cutout, size=(30, 20), background=background)
        assert canvas.getcolors() == [(600, expected)]
    canvas = u2.place_on_canvas(cutout, size=(256, 4), background=gradient)
    assert [canvas.getpixel((x, 1))[0] for x in (0, 128, 255)] == [0, 128, 255]
    blurred = Scene(photo, zoom=3, across=1, down=-1, blur=0.1)
    canvas = u2.place_on_canvas(cutout, size=(30, 20), background=blurred)
    assert canvas.getcolors() == [(600, (0, 0, 128))]


def test_the_effect_is_the_cutout_on_a_canvas():
    image, mask = Image.new("RGB", (30, 20), "red"), np.zeros((20, 30), np.float32)
    mask[5:15, 5:15] = 1
    cutout = u2.remove_background(image, mask)
    canvas = u2.EFFECTS["canvas"](image, mask, size=(50, 40))
    assert canvas.tobytes() == u2.place_on_canvas(cutout, size=(50, 40)).tobytes()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": (0, 5)}, r"size is \(0, 5\), expected \(width, height\)"),
        ({"size": (5, 10**6)}, "from 1 to 65,500"),
        ({"margin": 0.5}, "margin is 0.5, expected 0 to 0.45"),
        ({"shadow": 2}, "shadow is 2, expected 0"),
        ({"background": "bleu"}, "background is 'bleu', expected a name"),
    ],
)
def test_what_makes_no_sense_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        u2.place_on_canvas(Image.new("RGBA", (5, 5)), **options)


@pytest.mark.parametrize("width", [1, 3])
def test_an_outline_lies_around_the_subject_and_leaves_the_rest_alone(width):
    mask = np.zeros((30, 30), np.float32)
    mask[10:20, 10:20] = 1
    photo = Image.new("RGB", (30, 30), "navy")
    picture = u2.EFFECTS["outline"](photo, mask, color="red", width=width)
    red = np.asarray(picture)[..., 0] > 128
    assert u2.bounding_box(red.astype(np.float32)) == (
        10 - width,
        10 - width,
        20 + width,
        20 + width,
    )
    assert not red[10:20, 10:20].any()
    assert picture.getpixel((0, 0)) == (0, 0, 128)


def test_an_outline_takes_less_than_eleven_bytes_a_pixel():
    photo = Image.new("RGB", (2400, 2000))
    mask = np.asarray(Image.radial_gradient("L").resize(photo.size), np.float32) / 255
    tracemalloc.start()
    with on_cores(1):
        u2.EFFECTS["outline"](photo, mask)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 11 * mask.size
