"""Which mask belongs to which photo, and what counts as a mask."""

import numpy as np
import pytest
from bright import Bright
from PIL import Image
from pupils import disc, lesson, read

import u2demo as u2
from u2demo.masks.corrections import Corrections, to_json
from u2demo.masks.strokes import Stroke
from u2demo.training.pairs import find_pairs
from u2demo.training.samples import make_sample


def names(found):
    return [(pair.photo.name, pair.mask and pair.mask.name) for pair in found.pairs]


def put(folder, *files):
    folder.mkdir(exist_ok=True, parents=True)
    for name in files:
        Image.new("L", (4, 3)).save(folder / name)
    return folder


# Names


def test_photos_and_masks_pair_by_name(tmp_path):
    photos = put(tmp_path / "photos", "a.JPG", "b.png", "c.d.png", "lonely.png")
    masks = put(tmp_path / "masks", "A.png", "b_mask.png", "b_cutout.png", "c.d.png", "else.png")
    found = find_pairs(photos, masks)
    assert names(found) == [("a.JPG", "A.png"), ("b.png", "b_mask.png"), ("c.d.png", "c.d.png")]
    assert found.left_out == {"lonely.png": "no mask called lonely.png or lonely_mask.png"}


def test_subfolders_pair_and_a_name_that_is_nowhere_else_is_found_anywhere(tmp_path):
    photos = put(tmp_path / "photos" / "red", "a.png", "b.png").parent
    put(photos / "blue", "a.png")
    masks = put(tmp_path / "masks" / "red", "a.png").parent
    put(masks / "blue", "a.png")
    put(masks, "b.png")
    found = find_pairs(photos, masks)
    where = [(pair.photo.parent.name, pair.mask.parent.name) for pair in found.pairs]
    assert where == [("blue", "blue"), ("red", "red"), ("red", "masks")]


def test_two_photos_of_one_name_are_not_guessed_about(tmp_path):
    photos = put(tmp_path / "photos", "a.jpg", "a.png")
    found = find_pairs(photos, put(tmp_path / "masks", "a.png"))
    assert len(found.pairs) == 1 and "same name" in next(iter(found.left_out.values()))


def test_photos_of_one_name_are_told_apart_by_their_subfolders(tmp_path, model):
    for color in ("red", "blue"):
        photos, masks = lesson(tmp_path / color, 2)
        (masks / "disc1.png").unlink()
        for folder in (photos, masks):
            (tmp_path / "all" / folder.name).mkdir(parents=True, exist_ok=True)
            folder.rename(tmp_path / "all" / folder.name / color)
    samples, left_out = read(tmp_path / "all" / "photos", tmp_path / "all" / "masks", model)
    assert [sample.name for sample in samples] == ["blue/disc0.png", "red/disc0.png"]
    assert list(left_out) == ["blue/disc1.png", "red/disc1.png"]


def test_photos_of_a_kind_that_is_not_read_are_named(tmp_path):
    photos = put(tmp_path / "photos", "a.jpg", "b.jpg")
    for name in ("b.CR2", "c.cr2"):
        (photos / name).write_bytes(b"raw")
    found = find_pairs(photos, put(tmp_path / "masks", "a.png", "b.png", "c.png"))
    assert list(found.left_out) == ["c.cr2"], "the other has been read as JPEG"
    assert found.left_out["c.cr2"].startswith("is a camera's raw file, which u2demo cannot read")
    for name in ("a.jpg", "b.jpg"):
        (photos / name).unlink()
    with pytest.raises(ValueError, match=r"no photos that can be read; b\.CR2 is a camera's raw"):
        find_pairs(photos, tmp_path / "masks")


def test_a_mask_that_could_be_of_either_of_two_photos_is_of_neither(tmp_path):
    photos = put(tmp_path / "photos" / "red", "a.jpg", "b.jpg").parent
    put(photos / "blue", "a.jpg", "b.jpg")
    masks = put(tmp_path / "masks", "a.png")
    put(masks / "red", "b.png")
    found = find_pairs(photos, masks)
    assert [pair.photo.relative_to(photos).as_posix() for pair in found.pairs] == ["red/b.jpg"]
    assert set(found.left_out.values()) == {
        "its mask may be another photo's; expected one in the same subfolder"
    }


def test_two_masks_of_one_photo_are_not_guessed_about(tmp_path):
    photos = put(tmp_path / "photos", "a.jpg", "b.jpg")
    masks = put(tmp_path / "masks", "a.jpg", "a.png", "b.png")
    found = find_pairs(photos, masks)
    assert names(found) == [("b.jpg", "b.png")]
    assert list(found.left_out.values()) == ["which is its mask, a.jpg or a.png?"]
    (masks / "b.png").rename(masks / "c.png")
    with pytest.raises(ValueError, match=r"surely its own; .*a\.jpg: which is its mask, a\.jpg or"):
        find_pairs(photos, masks)


def test_cut_outs_of_one_name_in_two_subfolders_keep_their_own_alpha(tmp_path):
    folder = tmp_path / "cutouts"
    for name in ("red", "blue"):
        (folder / name).mkdir(parents=True)
        Image.new("RGBA", (4, 3)).save(folder / name / "a.png")
    found = find_pairs(folder, folder)
    assert [pair.mask for pair in found.pairs] == [pair.photo for pair in found.pairs]
    assert len(found.pairs) == 2


def test_photos_of_one_name_that_were_corrected_are_not_each_others_masks(tmp_path):
    folder = tmp_path / "photos"
    for name in ("red", "blue", "green"):
        put(folder / name, "a.jpg")
    for name in ("red", "blue"):
        (folder / name / "a.strokes.json").write_text("{}")
    found = find_pairs(folder, folder)
    assert all(pair.mask == pair.photo for pair in found.pairs) and len(found.pairs) == 3


def test_one_folder_may_hold_photos_and_what_was_saved_of_them(tmp_path):
    folder = put(tmp_path / "both", "a.jpg", "a_mask.png", "a_cutout.png", "b.png")
    assert names(find_pairs(folder, folder)) == [("a.jpg", "a_mask.png"), ("b.png", "b.png")]


def test_masks_in_a_folder_below_the_photos_are_no_photos(tmp_path):
    photos = put(tmp_path / "photos", "b.jpg", "z.jpg")
    masks = put(photos / "masks", "b_cutout.png", "b_mask.png", "z_mask.png")
    for folder in (masks, photos):
        found = find_pairs(photos, folder)
        assert names(found) == [("b.jpg", "b_mask.png"), ("z.jpg", "z_mask.png")], folder
        assert not found.left_out
    put(masks, "a.png")
    assert len(find_pairs(photos, masks).pairs) == 2


def test_in_one_folder_a_png_is_the_mask_of_a_photo_of_another_kind(tmp_path):
    folder = put(tmp_path / "both", "a.tif", "a.png", "b.png", "b.jpg")
    assert names(find_pairs(folder, folder)) == [("a.tif", "a.png"), ("b.jpg", "b.png")]


def test_folders_without_a_common_name_say_what_they_hold(tmp_path, model):
    photos, masks = put(tmp_path / "photos", "a.png"), put(tmp_path / "masks", "x.png")
    with pytest.raises(ValueError, match=r"has a\.png, .* has x\.png; expected .* cat_mask\.png"):
        read(photos, masks, model)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.3")
    with pytest.raises(ValueError, match=r"labels has no pictures; expected .* cat_mask\.png"):
        read(photos, tmp_path / "labels", model)
    with pytest.raises(ValueError, match="holds no photos"):
        read(put(tmp_path / "none"), masks, model)
    with pytest.raises(ValueError, match=r"nowhere is not a folder, expected a folder of masks$"):
        read(photos, tmp_path / "nowhere", model)
    with pytest.raises(ValueError, match=r"a\.png is not a folder, expected a folder of photos$"):
        read(photos / "a.png", masks, model)


# What counts as a mask


def classes(*numbers, depth=np.uint8):
    """Return a picture of 48x40 whose stripes hold these numbers."""
    stripes = np.array(numbers, depth)[np.arange(48) * len(numbers) // 48]
    return Image.fromarray(np.tile(stripes, (40, 1)))


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        (Image.new("RGB", (48, 40), "red"), "in color"),
        (Image.linear_gradient("L").resize((48, 40)), "neither black nor white"),
        (Image.new("L", (48, 40), 255), "white all over"),
        (Image.fromarray(np.full((40, 48), 3, np.uint8) - np.eye(40, 48, dtype=np.uint8)),
         "numbers 2, 3, as of classes"),
        (classes(0, 15, 255), "numbers 0, 15, 255, as of classes"),
        (classes(0, 128), "numbers 0, 128, as of classes"),
        (classes(0, 2, depth=np.uint16), "numbers 0, 2, as of classes"),
        (classes(0, 128, 255), "numbers 0, 128, 255, as of classes"),
    ],
    ids=["color", "gray", "white", "classes", "void", "high", "16 bits", "trimap"],
)  # fmt: skip
def test_what_is_no_mask_is_left_out_with_a_reason(mask, why, tmp_path, model):
    photos, masks = lesson(tmp_path, 2)
    mask.save(masks / "disc1.png")
    samples, left_out = read(photos, masks, model)
    assert [sample.name for sample in samples] == ["disc0.png"]
    assert why in left_out["disc1.png"]


def test_a_soft_mask_need_not_be_white_anywhere(tmp_path, model):
    """Such is smoke, or glass."""
    photos, masks = lesson(tmp_path, 1)
    faint = np.zeros((40, 48), np.uint8)
    faint[:, 24:] = np.linspace(10, 200, 40 * 24).reshape(40, 24)
    Image.fromarray(faint).save(masks / "disc0.png")
    (sample,), _ = read(photos, masks, model)
    assert sample.open()[1].getextrema() == (0, 200)


def in_red(labels):
    """Return numbers of classes in the red channel alone, as simulators save them."""
    return Image.merge("RGB", (labels, *[Image.new("L", labels.size)] * 2))


@pytest.mark.parametrize(
    "save_as",
    [
        lambda labels: labels,
        in_red,
        lambda labels: Image.fromarray(np.asarray(labels, np.uint16)),
    ],
    ids=["8 bits", "red", "16 bits"],
)
def test_a_mask_of_0_and_1_is_one_of_0_and_255(save_as, tmp_path, model):
    photos, masks = lesson(tmp_path, 1)
    _, mask = disc(0)
    save_as(Image.fromarray(np.asarray(mask) // 255)).save(masks / "disc0.png")
    (sample,), _ = read(photos, masks, model)
    assert sample.open()[1].tobytes() == mask.tobytes()


def test_a_mask_of_another_size_fits_if_its_proportions_do(tmp_path, model):
    photos, masks = lesson(tmp_path, 3)
    disc(0)[1].resize((24, 20)).save(masks / "disc0.png")
    disc(1)[1].rotate(90, expand=True).save(masks / "disc1.png")
    samples, left_out = read(photos, masks, model)
    assert [sample.name for sample in samples] == ["disc0.png", "disc2.png"]
    assert left_out == {
        "disc1.png": "is 48x40 and its mask 40x48; expected the photo's own proportions; one of the"
        " two lies on its side"
    }


def test_soft_masks_stay_soft():
    photo, mask = disc(0)
    soft = mask.point(lambda level: level // 2)
    assert make_sample("a", photo, soft, 320).truth().max() == pytest.approx(127 / 255)


def test_cut_outs_count_as_photo_and_mask(tmp_path, model):
    photo, mask = disc(0)
    photo.putalpha(mask)
    (tmp_path / "cutouts").mkdir()
    photo.save(tmp_path / "cutouts" / "whole.png")
    bare = u2.remove_background(disc(1)[0], np.asarray(disc(1)[1], np.float32) / 255)
    bare.save(tmp_path / "cutouts" / "bare.png")
    disc(2)[0].save(tmp_path / "cutouts" / "photo.jpg")
    samples, left_out = read(tmp_path / "cutouts", tmp_path / "cutouts", model)
    assert {sample.name: sample.is_cutout for sample in samples} == {
        "whole.png": False,
        "bare.png": True,
    }
    assert "neither a mask, nor corrections" in left_out["photo.jpg"]
    assert samples[0].truth().max() == 1


def test_a_photo_corrected_in_the_app_needs_no_mask(tmp_path):
    photo, _ = disc(0, (120, 100))
    (tmp_path / "photos").mkdir()
    photo.save(tmp_path / "photos" / "a.png")
    said = Corrections(strokes=(Stroke([(10, 10)], 6, True),))
    (tmp_path / "photos" / "a.strokes.json").write_text(to_json(said, photo.size))
    (sample,), _ = read(tmp_path / "photos", tmp_path / "photos", Bright())
    assert sample.truth()[10, 10] == 1
