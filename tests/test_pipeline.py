"""One code path from a named photo to files."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from small_run import Bright

import u2demo as u2
from u2demo.images.profiles import adobe_rgb
from u2demo.images.write import is_whole
from u2demo.machine.names import safe_name
from u2demo.masks.corrections import Corrections
from u2demo.pipeline import Result


def test_results_are_made_when_asked_for(model, samples):
    opened = []

    def photos():
        for name, image in samples.items():
            opened.append(name)
            yield name, image

    results = u2.process(model, photos())
    assert opened == []
    first = next(results)
    assert opened == [first.name] == ["coffee.png"]
    assert list(first.pictures) == ["cutout", "box", "highlight"]
    assert first.mask.shape == (first.image.height, first.image.width)


def test_a_dict_of_photos_is_answered_with_what_to_pass(model, samples):
    with pytest.raises(TypeError, match=r"not a dict; pass its items\(\)"):
        u2.process(model, samples)


def test_a_result_says_how_decided_the_net_was_before_levels():
    black = Image.new("RGB", (64, 48))
    square = black.copy()
    square.paste("white", (20, 10, 40, 30))
    photo, nothing = u2.process(Bright(), [("a", square), ("b", black)], effects={})
    assert 0.9 < photo.confidence <= 1
    assert nothing.confidence < 0.5


def test_any_function_of_image_and_mask_is_an_effect(model, samples):
    photos = [("cat.jpeg", samples["cat.jpeg"])]
    (result,) = u2.process(model, photos, effects={"grey": lambda image, mask: image.convert("L")})
    assert result.pictures["grey"].mode == "L"


def test_a_list_of_effects_raises_what_is_expected(tmp_path):
    with pytest.raises(
        TypeError, match=r"effects is a list, expected .* {'crop': EFFECTS\['crop'\]}"
    ):
        u2.process(Bright(), [], effects=["crop"])
    with pytest.raises(TypeError, match="effects is a list"):
        u2.process_folder(Bright(), tmp_path, tmp_path / "out", effects=["crop"])
    assert not (tmp_path / "out").exists()


def test_an_effect_that_returns_no_image_is_named():
    results = u2.process(
        Bright(), [("a", Image.new("RGB", (9, 9)))], effects={"mine": lambda image, mask: mask}
    )
    with pytest.raises(TypeError, match=r"the effect 'mine' returned .*, expected an image"):
        next(results)


def test_what_a_person_has_said_of_a_photo_counts_for_the_photo_of_that_name():
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[10:30, 10:30] = pixels[10:30, 50:70] = 255
    two = Image.fromarray(pixels)
    left = Corrections(objects=((20.0, 20.0),))
    photos = [("two", two), ("other", two)]
    one, both = u2.process(Bright(), photos, effects={}, corrections={"two": left})
    assert one.mask[20, 20] > 0.9 and both.mask[20, 20] > 0.9
    assert one.mask[20, 60] == 0 and both.mask[20, 60] > 0.9


@pytest.mark.parametrize("corrections", [3, "cat", [Corrections()]])
def test_corrections_without_names_are_answered_with_what_is_expected(corrections):
    with pytest.raises(TypeError, match="expected a dict from photo names to Corrections"):
        u2.process(Bright(), [], corrections=corrections)


def a_result(name="cat.jpeg", **pictures):
    image = Image.new("RGB", (4, 3))
    image.info["icc_profile"] = adobe_rgb()
    return Result(name, image, np.zeros((3, 4), np.float32), pictures)


def test_names_follow_the_photo_and_suffixes_the_format(tmp_path):
    cutout, box, mask = (Image.new(mode, (4, 3)) for mode in ("RGBA", "RGB", "L"))
    files = u2.save(a_result(cutout=cutout, box=box, mask=mask), tmp_path / "new" / "folder")
    assert [file.name for file in files] == ["cat_cutout.png", "cat_box.jpg", "cat_mask.png"]
    assert [Image.open(file).format for file in files] == ["PNG", "JPEG", "PNG"]
    assert Image.open(files[0]).info["icc_profile"] == adobe_rgb()
    assert "icc_profile" not in Image.open(files[2]).info


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "HSV", "YCbCr", "F", "I", "RGBa"])
def test_photos_and_pictures_of_any_mode_are_saved_without_a_profile_of_another(tmp_path, mode):
    photo = Image.new(mode, (9, 9))
    photo.info["icc_profile"] = b"of inks"
    effects = {name: u2.EFFECTS[name] for name in ("cutout", "background")}
    effects["mine"] = lambda image, mask: image
    (result,) = u2.process(Bright(), [("a", photo)], effects=effects)
    saved = [Image.open(file) for file in u2.save(result, tmp_path)]
    own = "RGBA" if mode == "RGBa" else "RGB"
    assert [picture.mode for picture in saved] == ["RGBA", "RGB", own]
    if not mode.startswith("RGB"):
        assert not any("icc_profile" in picture.info for picture in saved)


def test_webp_takes_cutouts_and_photos_and_leaves_masks_to_png(tmp_path):
    cutout, box, mask = (Image.new(mode, (4, 3)) for mode in ("RGBA", "RGB", "L"))
    files = u2.save(a_result(cutout=cutout, box=box, mask=mask), tmp_path, format="webp")
    assert [file.name for file in files] == ["cat_cutout.webp", "cat_box.webp", "cat_mask.png"]
    assert [Image.open(file).format for file in files] == ["WEBP", "WEBP", "PNG"]
    assert all(Image.open(file).info["icc_profile"] == adobe_rgb() for file in files[:2])


def test_webp_keeps_alpha_exactly_and_colors_nearly(tmp_path, samples):
    image = samples["cat.jpeg"]
    alpha = Image.radial_gradient("L").resize(image.size)
    cutout = image.copy()
    cutout.putalpha(alpha)
    (file,) = u2.save(a_result(cutout=cutout), tmp_path, format="webp")
    with Image.open(file) as back:
        assert back.getchannel("A").tobytes() == alpha.tobytes()
        difference = np.abs(np.asarray(back, int) - np.asarray(cutout, int))
    assert difference[np.asarray(alpha) > 0].mean() < 3
    (png,) = u2.save(a_result(cutout=cutout), tmp_path)
    assert file.stat().st_size < png.stat().st_size / 2


@pytest.mark.parametrize(
    ("format", "mode", "longest", "short", "long"),
    [("auto", "RGB", 65_500, ".jpg", ".png"), ("webp", "RGBA", 16_383, ".webp", ".png")],
)
def test_what_a_format_cannot_hold_is_png(format, mode, longest, short, long, tmp_path):
    for side, suffix in ((longest, short), (longest + 1, long)):
        picture = Image.new(mode, (1, side))
        (file,) = u2.save(a_result(cutout=picture), tmp_path, format=format)
        assert file.suffix == suffix
        with Image.open(file) as back:
            assert back.size == picture.size


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_picture_that_lacks_its_end_is_not_whole(suffix, samples, tmp_path):
    file = tmp_path / f"cat{suffix}"
    samples["cat.jpeg"].resize((90, 60)).save(file)
    assert is_whole(file)
    content = file.read_bytes()
    for length in (len(content) - 1, len(content) // 2, 12, 7, 0):
        file.write_bytes(content[:length])
        assert not is_whole(file)
    file.unlink()
    assert not is_whole(file)


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path):
    result = a_result(cutout=Image.new("RGBA", (4, 3)))
    with pytest.raises(ValueError, match="unknown format 'gif'; choose auto or webp"):
        u2.save(result, tmp_path / "new", format="gif")
    assert not (tmp_path / "new").exists()


def test_saving_twice_overwrites_nothing(tmp_path):
    first = u2.save(a_result(cutout=Image.new("RGBA", (4, 3), "red")), tmp_path)
    before = first[0].read_bytes()
    second = u2.save(a_result(cutout=Image.new("RGBA", (4, 3), "blue")), tmp_path)
    assert second[0].name == "cat_cutout (2).png"
    assert first[0].read_bytes() == before


def test_what_a_killed_process_was_writing_takes_no_name_away(tmp_path):
    stale = tmp_path / ".cat_cutout.png.part"
    stale.write_bytes(b"half a picture")
    (file,) = u2.save(a_result(cutout=Image.new("RGBA", (4, 3))), tmp_path)
    assert file.name == "cat_cutout.png"
    assert stale.read_bytes() == b"half a picture"


def test_saving_at_the_same_time_overwrites_nothing(tmp_path):
    result = a_result(cutout=Image.new("RGBA", (4, 3)))
    with ThreadPoolExecutor(8) as pool:
        files = [file for (file,) in pool.map(lambda _: u2.save(result, tmp_path), range(40))]
    assert len(set(files)) == 40
    assert sorted(files) == sorted(tmp_path.iterdir())
    assert len({file.read_bytes() for file in files}) == 1


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cat", "cat"),
        ("a.tar", "a.tar"),
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\photos\\y", "y"),
        (".hidden", "hidden"),
        ("a\nb\0c\u202ed", "a_b_c_d"),
        ('<a href="x">', "_a href=_x__"),
        ("", "photo"),
        ("..", "photo"),
        ("猫 😀", "猫 😀"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe


def test_long_names_leave_room_for_effect_and_number():
    assert len(safe_name("é" * 300).encode()) <= 180


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/x.jpg", "..", "a/../../b.png", "x" * 300])
def test_nothing_is_written_outside_the_folder(name, tmp_path):
    (tmp_path / "results").mkdir()
    (file,) = u2.save(a_result(name, cutout=Image.new("RGBA", (4, 3))), tmp_path / "results")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]
    assert file.parent == tmp_path / "results"


def test_results_can_be_compared(scene):
    first, second = (Result("cat.jpg", *scene, {}) for _ in range(2))
    assert first == first and first != second and {first: 1}[first]


def test_a_result_says_whether_it_has_a_clear_subject(scene):
    image, mask = scene
    assert Result("cat.jpg", image, mask, {}).has_clear_subject
    assert not Result("sky.jpg", image, np.zeros_like(mask), {}).has_clear_subject
    assert not Result("fog.jpg", image, mask, {}, confidence=0.5).has_clear_subject
