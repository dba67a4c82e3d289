"""What every effect promises, and what each one does."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import u2demo as u2
from u2demo.effects import EFFECTS
from u2demo.effects.background import BLUR
from u2demo.effects.canvas import SIZE as CANVAS
from u2demo.effects.light import TINT
from u2demo.images.profiles import adobe_rgb
from u2demo.images.rgb import to_rgb


def pixels(image):
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_leave_their_arguments_alone(name, scene):
    image, mask = scene
    before = image.tobytes()
    picture = EFFECTS[name](image, mask)
    picture.putpixel((0, 0), 0)
    assert image.tobytes() == before  # the mask is read-only: writing to it would have raised


@pytest.mark.parametrize("name", sorted(set(EFFECTS) - {"crop", "canvas"}))
def test_effects_keep_the_size(name, scene):
    assert EFFECTS[name](*scene).size == scene[0].size


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_refuse_the_mask_of_another_photo(name, scene):
    image, mask = scene
    with pytest.raises(ValueError, match="expected the mask predicted from this very"):
        EFFECTS[name](image, np.ascontiguousarray(mask.T))


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (33, 21)])
@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_effects_work_on_any_size_and_on_empty_and_full_masks(name, size, value):
    mask = np.full(size[::-1], value, np.float32)
    picture = EFFECTS[name](Image.new("RGB", size, "teal"), mask)
    assert picture.size == (CANVAS if name == "canvas" else size)


def test_an_empty_mask_leaves_nothing_and_a_full_one_all_of_the_photo(scene):
    image, mask = scene
    empty, full = np.zeros_like(mask), np.ones_like(mask)
    assert u2.remove_background(image, empty).getchannel("A").getextrema() == (0, 0)
    assert u2.remove_background(image, full).convert("RGB").tobytes() == image.tobytes()
    assert u2.replace_background(image, empty, "teal").getcolors() == [
        (image.width * image.height, (0, 128, 128))
    ]
    assert u2.replace_background(image, full, "teal").tobytes() == image.tobytes()


OF_THE_PHOTO = sorted(set(EFFECTS) - {"mask"})


@pytest.mark.parametrize("name", OF_THE_PHOTO)
def test_the_photos_color_profile_goes_along_into_the_file(name, scene):
    image, mask = scene
    image.info["icc_profile"] = adobe_rgb()
    file = io.BytesIO()
    EFFECTS[name](image, mask).save(file, "PNG")
    assert Image.open(file).info["icc_profile"] == adobe_rgb()


@pytest.mark.parametrize("name", EFFECTS)
def test_the_photos_resolution_goes_along_but_no_other_metadata(name, scene):
    image, mask = scene
    image.info |= {"dpi": (300, 200), "exif": b"Exif\0\0II*\0", "left_out": ("2 more frames",)}
    assert EFFECTS[name](image, mask).info == {"dpi": (300, 200)}


@pytest.mark.parametrize("name", OF_THE_PHOTO)
@pytest.mark.parametrize("mode", ["I;16", "I", "F", "1", "RGBA", "P"])
def test_photos_of_any_mode_are_taken_as_open_image_takes_them(name, mode, scene):
    image, mask = scene
    grey = np.asarray(image.convert("L"))
    deep = {"I;16": grey * np.uint16(257), "I": grey * np.int32(257), "F": grey / np.float32(255)}
    stored = Image.fromarray(deep[mode]) if mode in deep else image.convert(mode)
    expected = EFFECTS[name](to_rgb(stored), mask)
    assert EFFECTS[name](stored, mask).tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_say_what_they_take_instead_of_a_file_name(name, scene):
    with pytest.raises(TypeError, match=r"expected an image, as from .*, not str"):
        EFFECTS[name]("cat.jpg", scene[1])


def test_a_cutout_over_its_own_background_gives_the_photo_back(scene):
    image, mask = scene
    back = image.convert("RGBA")
    back.alpha_composite(u2.remove_background(image, mask))
    difference = np.abs(pixels(back.convert("RGB")) - pixels(image)).max(-1)
    assert difference[(mask == 0) | (mask == 1)].max() <= 1


def test_opaque_pixels_of_a_cutout_are_the_photos(scene):
    image, mask = scene
    cutout = u2.remove_background(image, mask)
    assert cutout.mode == "RGBA"
    opaque = mask == 1
    assert np.array_equal(pixels(cutout)[opaque][:, :3], pixels(image)[opaque])
    assert (pixels(cutout)[opaque][:, 3] == 255).all()


def test_transparent_pixels_of_a_cutout_hold_no_color(scene):
    image, mask = scene
    assert not pixels(u2.remove_background(image, mask))[mask == 0].any()


def test_alpha_is_soft_and_straight(scene):
    image, mask = scene
    assert set(pixels(u2.remove_background(image, mask))[1:4, 6, 3]) == {102}  # 0.4 * 255


def test_alpha_is_the_mask_in_8_bits():
    mask = np.linspace(0, 1, 1021, dtype=np.float32)[None]
    alpha = pixels(u2.remove_background(Image.new("RGB", (1021, 1), "teal"), mask))[..., 3]
    assert np.abs(alpha - mask * 255).max() <= 0.5001


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("kind", [np.uint8, bool, np.float64])
def test_effects_refuse_masks_of_another_type(name, kind, scene):
    image, mask = scene
    with pytest.raises(ValueError, match="expected a float32 array"):
        EFFECTS[name](image, mask.astype(kind))


@pytest.mark.parametrize("level", [-0.0005, 1.0005])
def test_what_rounding_adds_to_a_mask_is_clipped(scene, level):
    image, mask = scene
    alpha = u2.remove_background(image, np.full_like(mask, level)).getchannel("A")
    assert set(alpha.tobytes()) == {255 * (level > 0)}


def soft_disc(size=200, radius=60, softness=8):
    """A white disc with a soft edge photographed before black: photo and mask."""
    y, x = np.mgrid[:size, :size] - size / 2
    mask = np.clip((radius - np.hypot(x, y)) / softness + 0.5, 0, 1).astype(np.float32)
    photo = Image.fromarray(np.rint(mask[..., None] * [255, 255, 255]).astype(np.uint8))
    return photo, mask


def test_no_fringe_of_the_old_background_shows_on_a_new_one():
    photo, mask = soft_disc()
    moved = pixels(u2.replace_background(photo, mask, "white"))
    soft = (mask > 0.02) & (mask < 0.98)
    plain = 255 * (mask * mask + 1 - mask)  # colors left as they are: a grey ring
    assert np.abs(moved.mean(-1) - 255)[soft].mean() < 0.25 * np.abs(plain - 255)[soft].mean()


def test_a_subject_that_fills_its_box_has_no_fringe_either():
    subject, background = (20, 60, 20), (255, 255, 255)
    mask = np.zeros((1000, 1400), np.float32)
    mask[100:900, 100:1300] = 0.5
    mask[101:899, 101:1299] = 1
    share = mask[..., None]
    photo = Image.fromarray(np.uint8(share * subject + (1 - share) * background))
    edge = pixels(u2.remove_background(photo, mask))[mask == 0.5]
    assert np.abs(edge[:, :3] - subject).max() <= 16


def test_a_crop_may_have_more_pixels_than_pillow_opens_by_itself(scene, monkeypatch, recwarn):
    image, mask = scene
    cropped = image.crop(u2.bounding_box(mask))
    pixels = cropped.width * cropped.height
    assert pixels < image.width * image.height
    for limit in (pixels - 1, pixels // 2 - 1):  # Pillow warns above one, and fails above two
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert u2.crop(image, mask).tobytes() == cropped.tobytes()
    assert not recwarn.list


@pytest.mark.parametrize("effect", [u2.replace_background, u2.highlight, u2.draw_box])
def test_a_see_through_color_is_refused_not_painted_solid(effect, scene):
    option = "background" if effect is u2.replace_background else "color"
    assert effect(*scene, **{option: "#00ff00ff"})
    for color in ("#00ff0080", "#0f08"):
        with pytest.raises(ValueError, match=f"{option} is '{color}', .*solid"):
            effect(*scene, **{option: color})


def test_a_new_color_fills_the_background(scene):
    image, mask = scene
    picture = u2.replace_background(image, mask, "#102030")
    assert picture.mode == "RGB"
    assert (pixels(picture)[mask == 0] == (0x10, 0x20, 0x30)).all()
    assert u2.replace_background(image, mask, (16, 32, 48)).tobytes() == picture.tobytes()


@pytest.mark.parametrize("size", [(90, 20), (20, 90)])
def test_a_new_photo_covers_the_frame_center_cropped_and_the_subject_stays(size, scene):
    image, mask = scene
    backdrop = Image.new("RGB", size, "red")  # red around a blue center of the frame's shape
    cover = min(size[0] / 9, size[1] / 6)
    width, height = 9 * cover, 6 * cover
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    backdrop.paste("blue", tuple(map(round, (left, top, left + width, top + height))))
    picture = u2.replace_background(image, mask, backdrop)
    assert picture.size == image.size
    assert (np.abs(pixels(picture)[mask == 0] - (0, 0, 255)) < 80).all()
    assert np.array_equal(pixels(picture)[mask == 1], pixels(image)[mask == 1])


def test_a_blurred_background_keeps_the_subject_sharp_and_out_of_the_blur():
    image = Image.new("RGB", (120, 80), "black")
    image.paste("red", (40, 20, 80, 60))
    mask = np.zeros((80, 120), np.float32)
    mask[20:60, 40:80] = 1
    blurred = pixels(u2.blur_background(image, mask, radius=8))
    assert (blurred[mask == 1] == (255, 0, 0)).all()
    assert blurred[mask == 0].max() <= 2  # the red does not bleed


def test_a_bright_subject_with_soft_edges_does_not_glow():
    y, x = np.ogrid[:400, :400]
    mask = np.clip((100 - np.hypot(x - 200, y - 200)) / 6 + 0.5, 0, 1).astype(np.float32)
    image = Image.fromarray(np.rint(10 + 240 * mask).astype(np.uint8)).convert("RGB")
    blurred = pixels(u2.blur_background(image, mask))
    assert blurred[mask == 0].max() <= 10 + 7  # of 240


def test_a_blurred_background_is_blurred():
    stripes = Image.fromarray(np.tile(np.uint8([0, 255]), (64, 32))).convert("RGB")
    blurred = pixels(u2.blur_background(stripes, np.zeros((64, 64), np.float32), radius=4))
    assert blurred[16:-16, 16:-16].std() < 10


def test_highlight_tints_the_subject_only(scene):
    image, mask = scene
    tinted = pixels(u2.highlight(image, mask, color="blue", strength=1))
    assert (tinted[mask == 1] == (0, 0, 255)).all()
    assert np.array_equal(tinted[mask == 0], pixels(image)[mask == 0])


def test_a_drawn_box_lies_on_the_boxs_own_pixels(scene):
    image, mask = scene
    drawn = pixels(u2.draw_box(image, mask, color="red", width=1))
    changed = (drawn != pixels(image)).any(-1)
    assert u2.bounding_box(changed.astype(np.float32)) == u2.bounding_box(mask)
    assert (drawn[1, 2:6] == (255, 0, 0)).all()


def test_each_object_gets_a_box_of_its_own():
    mask = np.zeros((40, 60), np.float32)
    mask[5:15, 5:15] = 1
    mask[25:35, 40:55] = 1
    picture = u2.draw_box(Image.new("RGB", (60, 40)), mask, per_object=True, color="red", width=1)
    red = pixels(picture)[..., 0] == 255
    assert red[5, 5:15].all()
    assert red[25, 40:55].all()
    assert red.sum() == 2 * (10 + 8) + 2 * (15 + 8)


def test_a_file_name_is_not_a_background_and_the_error_says_what_is(scene):
    with pytest.raises(ValueError, match=r"'beach\.jpg', .*; for a photo, pass open_image\(FILE\)"):
        u2.replace_background(*scene, "beach.jpg")
    with pytest.raises(TypeError, match=r"for a photo, pass open_image\(FILE\)"):
        u2.replace_background(*scene, Path("beach.jpg"))


@pytest.mark.parametrize(
    ("effect", "name"),
    [
        (u2.highlight, "strength"),
        (u2.blur_background, "radius"),
        (u2.crop, "margin"),
        (u2.draw_box, "width"),
        (u2.draw_box, "threshold"),
        (u2.crop, "threshold"),
    ],
)
@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf")])
def test_amounts_that_make_no_sense_are_refused(effect, name, amount, scene):
    with pytest.raises(ValueError, match=f"{name} is {amount}, expected [01]"):
        effect(*scene, **{name: amount})


def test_a_line_of_no_width_is_refused(scene):
    with pytest.raises(ValueError, match="width is 0, expected 1 or more pixels"):
        u2.draw_box(*scene, width=0)


@pytest.mark.parametrize("width", [None, 1, 2, 3, 100_000])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 3), (3, 3), (6, 4)])
def test_a_line_never_leaves_its_box(width, size):
    mask = np.zeros((10, 10), np.float32)
    mask[3 : 3 + size[1], 2 : 2 + size[0]] = 1
    drawn = pixels(u2.draw_box(Image.new("RGB", (10, 10)), mask, color="red", width=width))
    changed = drawn.any(-1)
    assert u2.bounding_box(changed.astype(np.float32)) == u2.bounding_box(mask)
    if width and 2 * width >= min(size):
        assert changed.sum() == size[0] * size[1]


def test_a_blur_wider_than_the_photo_counts_as_that_wide(scene):
    widest = u2.blur_background(*scene, radius=9)
    assert u2.blur_background(*scene, radius=1e12).tobytes() == widest.tobytes()


def test_the_default_blur_and_tint_are_those_written_down(scene):
    image, mask = scene
    default = u2.blur_background(image.resize((300, 200)), np.zeros((200, 300), np.float32))
    blurred = u2.blur_background(
        image.resize((300, 200)), np.zeros((200, 300), np.float32), radius=BLUR * 300
    )
    assert default.tobytes() == blurred.tobytes()
    assert u2.highlight(*scene).tobytes() == u2.highlight(image, mask, color=TINT).tobytes()


class CountedMask(np.ndarray):
    """A mask that counts how often it is looked at to see whether it is valid.

    What is made of it is an array of this type, too, but does not count.
    """

    original, checks = None, 0

    def max(self, *args, **options):
        type(self).checks += self.base is self.original
        return super().max(*args, **options)


@pytest.mark.parametrize("name", EFFECTS)
def test_a_mask_is_checked_once(name, scene):
    image, mask = scene
    CountedMask.original, CountedMask.checks = mask, 0
    EFFECTS[name](image, mask.view(CountedMask))
    assert CountedMask.checks == 1


def test_a_crop_has_the_boxs_size(scene):
    image, mask = scene
    assert u2.crop(image, mask).size == (4, 3)
    assert np.array_equal(pixels(u2.crop(image, mask)), pixels(image)[1:4, 2:6])


def test_a_margin_widens_the_crop_as_far_as_the_photo_reaches(scene):
    image, mask = scene
    assert u2.crop(image, mask, margin=0.25).size == (6, 5)
    assert u2.crop(image, mask, margin=9).size == image.size


def test_a_cutout_can_be_cropped_too(scene):
    image, mask = scene
    assert u2.crop(u2.remove_background(image, mask), mask).mode == "RGBA"


def test_nothing_to_crop_to_leaves_the_photo_whole(scene):
    image, mask = scene
    whole = u2.crop(image, np.zeros_like(mask))
    assert whole is not image
    assert whole.tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("effect", "name", "amount"),
    [
        (u2.blur_background, "radius", 3),
        (u2.crop, "margin", 1),
        (u2.draw_box, "width", 4),
        (EFFECTS["outline"], "width", 3),
        (u2.highlight, "strength", 1),
        (u2.adjust_mask, "feather", 2),
        (u2.adjust_mask, "grow", 2),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float16, np.float64, Fraction])
def test_numbers_of_any_type_do_the_same(effect, name, amount, kind, scene):
    image, mask = scene
    given = (mask,) if effect is u2.adjust_mask else (image, mask)
    picture, expected = (effect(*given, **{name: value}) for value in (kind(amount), amount))
    assert np.array_equal(np.asarray(picture), np.asarray(expected))


@pytest.mark.parametrize("gap", [1, 2, 4, 10])
def test_a_narrow_gap_shows_the_backgrounds_own_color_blurred(gap):
    mask = np.ones((300, 400), np.float32)
    mask[:, 200 : 200 + gap] = 0
    blurred = u2.blur_background(Image.new("RGB", (400, 300), (200, 120, 60)), mask, radius=30)
    assert blurred.getpixel((200, 150)) == (200, 120, 60)
