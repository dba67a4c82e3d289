"""Strokes correct a mask: what they promise under them, near them, and far from them."""

import tracemalloc

import numpy as np
import pytest
from bright import Bright
from PIL import Image, ImageDraw

import u2demo as u2
from u2demo.inference.correct import Corrector, predict_corrected
from u2demo.inference.predict import predict
from u2demo.masks.corrections import Corrections
from u2demo.masks.objects import keep_objects

ARM = u2.Stroke([(150.0, 60.0)], 4)
NEIGHBOR = u2.Stroke([(60.0, 130.0)], 6, keep=False)


@pytest.fixture(scope="module")
def photo():
    """A red body with a red arm, and a blue neighbor, on green."""
    image = Image.new("RGB", (200, 160), (60, 120, 60))
    draw = ImageDraw.Draw(image)
    draw.rectangle((80, 20, 119, 150), fill=(200, 40, 40))
    draw.rectangle((120, 50, 179, 69), fill=(200, 40, 40))
    draw.rectangle((40, 110, 79, 150), fill=(40, 40, 200))
    return image


@pytest.fixture(scope="module")
def mask():
    """What a net may find: the body and the neighbor, but no arm."""
    found = np.zeros((160, 200), np.float32)
    found[20:151, 80:120] = 1
    found[110:151, 40:80] = 1
    found[150, 40:120] = 0.4
    found.setflags(write=False)
    return found


@pytest.fixture(scope="module")
def net():
    return Bright().eval()


def test_no_strokes_give_an_equal_mask_and_no_look_at_the_photo(photo, mask):
    net = Bright().eval()
    same = u2.correct_mask(net, photo, mask, [])
    np.testing.assert_array_equal(same, mask)
    assert same is not mask and same.flags.writeable and net.looks == 0


def test_a_click_on_a_missing_arm_brings_the_arm(photo, mask, net):
    corrected = u2.correct_mask(net, photo, mask, [ARM])
    arm = corrected[50:70, 120:180]
    assert (arm > 0.5).mean() > 0.9
    assert (corrected[:45, 125:] > 0.5).sum() == 0


def test_a_click_on_the_neighbor_takes_the_neighbor_and_not_the_body(photo, mask, net):
    corrected = u2.correct_mask(net, photo, mask, [NEIGHBOR])
    assert (corrected[115:145, 45:75] < 0.5).mean() > 0.9
    assert (corrected[20:150, 84:120] > 0.5).all()


def test_a_long_page_is_corrected_like_the_same_one_lying_down(net):
    page = Image.new("RGB", (110, 2000), "white")
    ImageDraw.Draw(page).rectangle((15, 1860, 94, 1939), fill=(200, 40, 40))
    lying = page.transpose(Image.Transpose.TRANSPOSE)
    nothing = np.zeros((2000, 110), np.float32)
    corrected = u2.correct_mask(net, page, nothing, [u2.Stroke([(55.0, 1900.0)], 15)])
    same = u2.correct_mask(net, lying, nothing.T, [u2.Stroke([(1900.0, 55.0)], 15)])
    assert (corrected[1865:1935, 20:90] > 0.5).all()
    np.testing.assert_allclose(corrected, same.T, atol=0.01)


def test_what_is_far_and_something_else_stays_exactly_as_it_was(photo, mask, net):
    corrected = u2.correct_mask(net, photo, mask, [ARM])
    np.testing.assert_array_equal(corrected[100:, :60], mask[100:, :60])
    np.testing.assert_array_equal(corrected[:, :30], mask[:, :30])


def test_pixels_under_a_stroke_become_what_it_says_and_later_ones_win(photo, mask, net):
    line = [(10.0, 10.0), (190.0, 150.0)]
    keep, erase = u2.Stroke(line, 3), u2.Stroke([(100.0, 80.0)], 9, keep=False)
    y, x = np.mgrid[:160, :200] + 0.5
    on_disc = np.hypot(x - 100, y - 80) <= 9
    along = ((x - 10) * 180 + (y - 10) * 140) / (180**2 + 140**2)
    on_line = np.hypot(x - 10 - along * 180, y - 10 - along * 140) <= 3
    on_line &= (along >= 0) & (along <= 1)
    corrected = u2.correct_mask(net, photo, mask, [keep, erase])
    assert (corrected[on_disc] == 0).all() and (corrected[on_line & ~on_disc] == 1).all()
    corrected = u2.correct_mask(net, photo, mask, [erase, keep])
    assert (corrected[on_line] == 1).all() and (corrected[on_disc & ~on_line] == 0).all()


def test_the_same_strokes_give_the_same_mask_at_once_or_one_by_one(photo, mask, net):
    strokes = [ARM, NEIGHBOR, u2.Stroke([(100, 140)], 3)]
    at_once = u2.correct_mask(net, photo, mask, strokes)
    np.testing.assert_array_equal(u2.correct_mask(net, photo, mask, strokes), at_once)
    growing = Corrector(net, photo, mask)
    for count in (1, 2, 3):
        latest = growing.mask(strokes[:count])
    np.testing.assert_array_equal(latest, at_once)


def test_a_stroke_that_grows_while_it_is_drawn_is_followed(photo, mask, net):
    points = [(150.0, 60.0)]
    drawn = u2.Stroke(points, 4)
    corrector = Corrector(net, photo, mask)
    corrector.mask([drawn])
    points.append((150.0, 100.0))
    expected = u2.correct_mask(net, photo, mask, [drawn])
    np.testing.assert_array_equal(corrector.mask([drawn]), expected)


def test_undone_strokes_leave_nothing_behind_and_the_net_looks_once(photo, mask):
    net = Bright().eval()
    corrector = Corrector(net, photo, mask)
    before = corrector.mask([ARM])
    corrector.mask([ARM, NEIGHBOR])
    np.testing.assert_array_equal(corrector.mask([ARM]), before)
    np.testing.assert_array_equal(corrector.mask([]), mask)
    assert net.looks == 1


def test_strokes_outside_the_picture_change_nothing(photo, mask, net):
    away = [u2.Stroke([(-500, 80), (-90, 4000)], 9), u2.Stroke([(1e6, 1e6)], 5, keep=False)]
    np.testing.assert_array_equal(u2.correct_mask(net, photo, mask, away), mask)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 3), (3000, 2)])
@pytest.mark.parametrize("keep", [True, False])
def test_a_photo_of_hardly_any_pixels_is_corrected(net, size, keep):
    mask = np.full(size[::-1], 0.5, np.float32)
    stroke = u2.Stroke([(0.5, 0.5)], 1, keep)
    corrected = u2.correct_mask(net, Image.new("RGB", size, "gray"), mask, [stroke])
    assert corrected.shape == mask.shape and corrected.dtype == np.float32
    assert corrected[0, 0] == keep and np.isfinite(corrected).all()


def test_where_the_photo_is_transparent_the_mask_is_at_most_its_alpha(photo, mask, net):
    sheer = photo.copy()
    sheer.putalpha(Image.new("L", photo.size, 51))
    corrected = u2.correct_mask(net, sheer, np.minimum(mask, np.float32(0.2)), [ARM])
    assert corrected.max() == pytest.approx(0.2)
    assert corrected[60, 150] == pytest.approx(0.2)


def test_nothing_that_is_given_changes(photo, mask, net):
    pixels, strokes = photo.tobytes(), [ARM, NEIGHBOR]
    u2.correct_mask(net, photo, mask, iter(strokes))
    assert photo.tobytes() == pixels and strokes == [ARM, NEIGHBOR]


def test_a_mask_of_another_photo_is_refused(photo, net):
    with pytest.raises(ValueError, match="expected the mask predicted from this very image"):
        u2.correct_mask(net, photo, np.zeros((4, 4), np.float32), [ARM])


def test_at_12_megapixels_it_takes_16_bytes_a_pixel_at_most(net):
    image = Image.new("RGB", (4000, 3000), "gray")
    mask = np.zeros((3000, 4000), np.float32)
    corrector = Corrector(net, image, mask)
    corrector.mask([u2.Stroke([(10, 10)], 5)])
    tracemalloc.start()
    corrector.mask([u2.Stroke([(10, 10)], 5), u2.Stroke([(2000, 1500), (300, 90)], 90)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= 16 * mask.size


@pytest.fixture(scope="module")
def squares():
    """Three bright squares on black."""
    pixels = np.zeros((60, 160, 3), np.uint8)
    for left in (15, 65, 115):
        pixels[20:40, left : left + 20] = 255
    return Image.fromarray(pixels)


def corrected(net, image, corrections, **options):
    (found,) = predict_corrected(net, [image], [corrections], **options)
    return found


@pytest.mark.parametrize("quality", ["fast", "best"])
def test_corrections_that_say_nothing_change_nothing(squares, net, quality):
    found = corrected(net, squares, Corrections(), quality=quality)
    (as_ever,) = predict(net, [squares], quality=quality)
    np.testing.assert_array_equal(found.mask, as_ever.mask)
    assert found.confidence == as_ever.confidence


def test_the_box_comes_first_then_objects_and_strokes_last(squares, net):
    box, point = u2.Box(50, 0, 160, 60), (75.0, 30.0)
    erased = u2.Stroke(((75.0, 30.0),), 3, keep=False)
    within = u2.predict_mask(net, squares, within=box)
    assert (within[25:35, 70:80] > 0.9).all() and (within[25:35, 120:130] > 0.9).all()
    kept = keep_objects(within, [point])
    assert (kept[25:35, 70:80] > 0.9).all() and not kept[:, 110:].any()
    expected = u2.correct_mask(net, squares, kept, [erased])
    assert expected[30, 75] == 0
    found = corrected(net, squares, Corrections(box, (point,), (erased,)))
    np.testing.assert_array_equal(found.mask, expected)


def test_a_stroke_outside_the_box_counts(squares, net):
    stroke = u2.Stroke(((25.0, 30.0),), 4)
    found = corrected(net, squares, Corrections(u2.Box(50, 0, 160, 60), (), (stroke,)))
    assert found.mask[30, 25] == 1


def test_each_photo_has_its_own_corrections(squares, net):
    photos = [squares, squares.resize((80, 30)), squares]
    said = [Corrections(), Corrections(objects=((12.0, 15.0),)), Corrections(u2.Box(0, 0, 50, 60))]
    several = list(predict_corrected(net, photos, said))
    for found, photo, one in zip(several, photos, said, strict=True):
        np.testing.assert_array_equal(found.mask, corrected(net, photo, one).mask)


def test_what_a_person_has_shown_is_a_subject_however_unsure_the_net_was(net):
    dark = Image.new("RGB", (60, 60))
    unsure = corrected(net, dark, Corrections()).confidence
    assert unsure < 0.5
    drawn = u2.Stroke(((30.0, 30.0),), 9)
    assert corrected(net, dark, Corrections(strokes=(drawn,))).confidence == 1
    erased = Corrections(strokes=(drawn._replace(keep=False),))
    assert corrected(net, dark, erased).confidence == unsure


def test_corrections_that_do_not_fit_are_named(squares, net):
    with pytest.raises(ValueError, match=r"within is .*expected Box.*160x60"):
        corrected(net, squares, Corrections(u2.Box(0, 0, 161, 60)))
    with pytest.raises(TypeError, match=r"corrections is .*expected Corrections"):
        corrected(net, squares, [])


def test_an_earlier_stroke_holds_what_is_like_it_against_a_later_one(net):
    bar = Image.new("RGB", (200, 60), (60, 120, 60))
    ImageDraw.Draw(bar).rectangle((10, 20, 189, 39), fill=(200, 40, 40))
    mask = np.zeros((60, 200), np.float32)
    mask[20:40, 10:190] = 1
    keep, erase = u2.Stroke([(80.0, 30.0)], 4), u2.Stroke([(150.0, 30.0)], 8, keep=False)
    alone, held = (u2.correct_mask(net, bar, mask, said) for said in ([erase], [keep, erase]))
    assert (alone[20:40, 75:105] < 0.5).all()
    assert (held[20:40, 10:105] > 0.5).all() and (held[20:40, 135:165] < 0.5).all()
