"""What is transparent in a photo is at least as transparent in every picture made of it."""

import io

import numpy as np
import pytest
from bright import Bright
from PIL import Image

import u2demo as u2
from u2demo.effects import EFFECTS
from u2demo.images.rgb import as_rgb

KEEP_ALPHA = ["blur", "highlight", "outline", "box", "boxes", "crop"]


@pytest.fixture
def see_through(scene):
    """The scene with a hole in its subject, a half transparent pixel beside it, and its mask."""
    image, mask = scene
    alpha = np.full(mask.shape, 255, np.uint8)
    alpha[2, 3:5] = 0, 128
    photo = image.copy()
    photo.putalpha(Image.fromarray(alpha))
    return photo, mask


def alpha_of(picture):
    return np.asarray(picture.getchannel("A"))


def test_a_cutout_has_the_holes_of_its_photo(see_through):
    photo, mask = see_through
    cutout = u2.remove_background(photo, mask)
    assert alpha_of(cutout)[2, 2:7].tolist() == [255, 0, 128, 255, 102]
    assert cutout.getpixel((4, 2))[:3] == photo.getpixel((4, 2))[:3]  # its straight color


def test_the_mask_as_a_picture_has_them_too(see_through):
    assert np.asarray(EFFECTS["mask"](*see_through))[2, 2:7].tolist() == [255, 0, 128, 255, 102]


@pytest.mark.parametrize("name", KEEP_ALPHA)
def test_pictures_of_the_whole_photo_keep_its_alpha(name, see_through):
    photo, mask = see_through
    picture = EFFECTS[name](photo, mask)
    assert picture.mode == "RGBA"
    box = u2.bounding_box(mask) if name == "crop" else (0, 0, *photo.size)
    assert np.array_equal(alpha_of(picture), alpha_of(photo.crop(box)))


@pytest.mark.parametrize("name", [*KEEP_ALPHA, "cutout"])
def test_an_opaque_photo_gives_what_it_gives_without_alpha(name, scene):
    image, mask = scene
    assert EFFECTS[name](image.convert("RGBA"), mask).tobytes() == EFFECTS[name](*scene).tobytes()


def test_a_new_background_shows_through_the_holes(see_through):
    picture = u2.replace_background(*see_through, background="#102030")
    assert picture.mode == "RGB"
    assert picture.getpixel((3, 2)) == (0x10, 0x20, 0x30)


def test_a_half_transparent_subject_is_neither_blurred_nor_less_tinted(see_through):
    photo, mask = see_through
    assert u2.blur_background(photo, mask).getpixel((4, 2)) == photo.getpixel((4, 2))
    tinted = u2.highlight(photo, mask, color="red", strength=1)
    assert tinted.getpixel((4, 2)) == (255, 0, 0, 128)


def test_colors_of_transparent_pixels_do_not_bleed_into_the_blur():
    photo = Image.new("RGBA", (40, 40), (0, 0, 0, 255))
    photo.paste((255, 255, 255, 0), (0, 0, 20, 40))
    blurred = u2.blur_background(photo, np.zeros((40, 40), np.float32), radius=8)
    assert np.asarray(blurred)[:, 20:, :3].max() <= 2


def test_a_box_ends_where_the_photo_does():
    photo = Image.new("RGBA", (20, 20), "teal")
    photo.paste((0, 0, 0, 0), (0, 0, 8, 20))
    assert u2.crop(photo, np.ones((20, 20), np.float32)).size == (12, 20)


@pytest.mark.parametrize("suffix", ["PNG", "WEBP"])
@pytest.mark.parametrize("name", [*KEEP_ALPHA, "cutout"])
def test_files_keep_alpha_exactly(name, suffix, see_through, tmp_path):
    photo, mask = see_through
    picture = EFFECTS[name](photo, mask)
    file = io.BytesIO()
    picture.save(file, suffix)
    assert np.array_equal(alpha_of(u2.open_image(file)), alpha_of(picture))


@pytest.mark.parametrize("quality", ["fast", "best"])
def test_a_mask_is_at_most_the_photos_alpha_and_otherwise_what_it_was(quality, samples):
    model, photo = Bright(), samples["cat.jpeg"].resize((150, 100)).convert("RGBA")
    photo.paste((255, 255, 255, 0), (60, 40, 80, 60))
    photo.paste((255, 255, 255, 128), (80, 40, 100, 60))
    mask = u2.predict_mask(model, photo, quality=quality)
    assert (mask <= alpha_of(photo) / np.float32(255)).all()
    plain = u2.predict_mask(model, as_rgb(photo), quality=quality)
    opaque = alpha_of(photo) == 255
    assert np.array_equal(mask[opaque], plain[opaque])
