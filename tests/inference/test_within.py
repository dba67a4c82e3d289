"""A box around what is meant: the net looks there, and nothing outside it is kept."""

import numpy as np
import pytest
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.images.rgb import as_photo
from u2demo.inference.predict import predict
from u2demo.masks.box import box_in


@pytest.fixture(scope="module")
def two():
    """A photo of two bright squares on black, the left one brighter."""
    pixels = np.zeros((60, 120, 3), np.uint8)
    pixels[20:40, 20:40] = 255
    pixels[20:40, 80:100] = 230
    return Image.fromarray(pixels)


RIGHT = u2.Box(70, 10, 110, 50)


def test_outside_the_box_the_mask_is_0_and_inside_it_the_subject_is_found(two):
    mask = u2.predict_mask(Bright().eval(), two, within=RIGHT)
    assert mask.shape == (60, 120) and mask.dtype == np.float32
    inside = np.zeros_like(mask, bool)
    inside[10:50, 70:110] = True
    assert not mask[~inside].any()
    assert mask[25:35, 85:95].min() > 0.9


def test_the_whole_photo_as_a_box_is_the_photo(two):
    whole = u2.predict_mask(Bright().eval(), two)
    np.testing.assert_array_equal(
        u2.predict_mask(Bright().eval(), two, within=u2.Box(0, 0, 120, 60)), whole
    )


@pytest.mark.parametrize("kind", [np.uint8, np.uint64, np.int32])
def test_a_box_may_come_from_an_array(two, kind):
    box = u2.Box(*np.array(RIGHT, kind))
    plain = u2.predict_mask(Bright().eval(), two, within=RIGHT)
    np.testing.assert_array_equal(u2.predict_mask(Bright().eval(), two, within=box), plain)


@pytest.mark.parametrize("quality", ["fast", "best"])
def test_the_net_is_shown_the_part_and_a_little_around_it(two, quality):
    def brightest(box):
        shown = []
        net = Bright().eval()
        net.register_forward_pre_hook(lambda module, inputs: shown.append(inputs[0].max().item()))
        u2.predict_mask(net, two, within=box, quality=quality)
        return max(shown)

    assert brightest(u2.Box(42, 10, 62, 50)) > 0  # 2 pixels from the left square
    assert brightest(u2.Box(50, 10, 70, 50)) < 0  # 10 from both


def test_each_photo_has_its_own_box(two):
    photos = [two, two.resize((240, 120)), two, two]
    boxes = [u2.Box(0, 0, 60, 60), u2.Box(120, 0, 240, 120), None]
    masks = [found.mask for found in predict(Bright().eval(), iter(photos), within=boxes)]
    assert [mask.shape for mask in masks] == [(60, 120), (120, 240), (60, 120), (60, 120)]
    halves = [np.split(mask, 2, axis=1) for mask in masks]
    assert all(half.max() > 0.9 for half in (halves[0][0], halves[1][1]))
    assert not (halves[0][1].any() or halves[1][0].any())
    for whole in masks[2:]:
        np.testing.assert_array_equal(whole, u2.predict_mask(Bright().eval(), two))


def test_where_the_photo_is_transparent_so_is_the_mask(two):
    photo = two.copy()
    photo.putalpha(Image.new("L", two.size, 100))
    mask = u2.predict_mask(Bright().eval(), photo, within=RIGHT)
    assert 0 < mask.max() <= np.float32(100 / 255)


@pytest.mark.parametrize(
    "box", [(80, 0, 130, 60), (-1, 0, 30, 30), (30, 0, 30, 60), (0, 30, 60, 20)]
)
def test_a_box_that_is_not_in_the_photo_is_named(two, box):
    with pytest.raises(ValueError, match=r"within is .*expected Box.*120x60"):
        u2.predict_mask(Bright().eval(), two, within=u2.Box(*box))


@pytest.mark.parametrize("box", [3, "0,0,9,9", (0, 0, 9), (0.5, 0, 9, 9), [0, 0, 9, 9]])
def test_what_is_not_a_box_is_named(two, box):
    with pytest.raises(TypeError, match=r"within is .*expected Box"):
        u2.predict_mask(Bright().eval(), two, within=box)


def test_a_box_in_words_is_in_pixels_or_percent():
    assert box_in("10,20,30,40", (400, 300)) == u2.Box(10, 20, 30, 40)
    assert box_in("10%, 0, 50.5%, 100%", (400, 300)) == u2.Box(40, 0, 202, 300)


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "nan%,0,1,1", "0,0,101%,9", "-1%,0,9,9", "1.5,0,2,2"],
)
def test_other_words_are_answered_with_an_example(text):
    with pytest.raises(ValueError, match="expected LEFT,TOP,RIGHT,BOTTOM"):
        box_in(text, (400, 300))


def test_a_box_may_have_more_pixels_than_pillow_opens_by_itself(two, monkeypatch, recwarn):
    expected = u2.predict_mask(Bright().eval(), two, within=RIGHT)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(u2.predict_mask(Bright().eval(), two, within=RIGHT), expected)
    assert not recwarn.list


def test_what_is_white_in_a_photo_of_floats_does_not_depend_on_the_box():
    values = np.full((60, 120), 0.2, np.float32)
    values[0, 0] = 0.9  # outside the box
    photo = Image.fromarray(values)
    expected = u2.predict_mask(Bright().eval(), as_photo(photo), within=RIGHT)
    np.testing.assert_array_equal(u2.predict_mask(Bright().eval(), photo, within=RIGHT), expected)
