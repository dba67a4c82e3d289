"""Pairs that are wrong: what is said before an hour is spent on them."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageFilter, ImageOps
from pupils import SIDE, disc, lesson, publish, read, tiny

import u2demo as u2
from u2demo.training.gate import ASKED, check_masks
from u2demo.training.reading import check_samples
from u2demo.training.samples import make_sample


@pytest.fixture
def samples_of_discs():
    return [make_sample(f"disc{number}.png", *disc(number), SIDE) for number in range(6)]


def with_masks(samples, change):
    """Return samples with what ``change`` makes of their masks, pictures in mode L."""
    opened = [(sample.name, *sample.open()) for sample in samples]
    return [make_sample(name, photo, change(mask), SIDE) for name, photo, mask in opened]


def truths(samples):
    return {place: sample.truth() for place, sample in enumerate(samples)}


def moved(found, order):
    """Return answers as if the masks of their photos had been put into another order."""
    return {place: found[other] for place, other in enumerate(order)}


def test_swapped_folders_are_named(tmp_path, model):
    photos, masks = lesson(tmp_path, 3)
    for file in photos.iterdir():
        Image.open(file).resize((96, 80)).save(file)
    with pytest.raises(ValueError, match="folders look swapped"):
        read(masks, photos, model)


def test_swapped_folders_are_named_though_one_pair_looks_right(tmp_path, model):
    photos, masks = lesson(tmp_path, 4)
    gray = Image.open(photos / "disc0.png").convert("L").point(lambda level: 255 * (level > 128))
    gray.save(photos / "disc0.png")
    with pytest.raises(ValueError, match="folders look swapped"):
        read(masks, photos, model)


def test_one_folder_of_both_given_twice_is_named(tmp_path, model):
    lesson(tmp_path, 3)
    for file in (tmp_path / "photos").iterdir():
        file.rename(file.with_suffix(".bmp"))
    with pytest.raises(ValueError, match="expected first the folder of photos, then that of masks"):
        read(tmp_path, tmp_path, model)


def test_when_most_masks_do_not_fit_the_others_are_not_trusted(tmp_path, model):
    photos, masks = lesson(tmp_path, 5)
    for number in (1, 3, 4):
        disc(number)[1].resize((20, 90)).save(masks / f"disc{number}.png")
    shown = r"3 of 5 masks cannot be used; disc1\.png: is 48x40 and its mask 20x90; .* take out"
    with pytest.raises(ValueError, match=shown):
        read(photos, masks, model)


def test_inverted_masks_are_named(samples_of_discs):
    inverted = with_masks(samples_of_discs, ImageOps.invert)
    with pytest.raises(ValueError, match=r"masks look inverted: .* \(IoU 1\.00, otherwise 0\.00"):
        check_masks(truths(samples_of_discs), inverted)
    check_masks(truths(samples_of_discs), samples_of_discs)


def test_what_the_net_does_not_know_yet_is_no_mistake(samples_of_discs):
    nothing = {at: np.zeros_like(truth) for at, truth in truths(samples_of_discs).items()}
    check_masks(nothing, samples_of_discs)


def test_where_the_net_finds_nothing_a_black_mask_is_not_what_it_found(samples_of_discs):
    (empty,) = with_masks(samples_of_discs[:1], lambda mask: mask.point(lambda _: 0))
    nothing = {at: np.zeros_like(truth) for at, truth in truths(samples_of_discs).items()}
    check_masks(nothing, [empty, *samples_of_discs[1:]])


def test_black_masks_are_named(samples_of_discs):
    black = with_masks(samples_of_discs, lambda mask: mask.point(lambda _: 0))
    with pytest.raises(ValueError, match="all masks are black"):
        check_masks(truths(samples_of_discs), black)


def test_photos_without_a_subject_that_come_first_are_not_all_that_is_looked_at(
    samples_of_discs, monkeypatch
):
    empty = with_masks(samples_of_discs * 4, lambda mask: mask.point(lambda _: 0))
    monkeypatch.setattr("u2demo.training.reading.overfit", lambda *_: [])
    steps = list(check_samples(tiny(), empty + samples_of_discs * 20))
    assert [step.total for step in steps if step.doing == "checking"][-1] <= ASKED


def test_masks_of_other_photos_are_named(samples_of_discs):
    found = truths(samples_of_discs)
    shown = r"do not fit their photos: what the net finds in disc0\.png is the mask of disc2\.png"
    with pytest.raises(ValueError, match=shown):
        check_masks(moved(found, [2, 3, 4, 5, 0, 1]), samples_of_discs)
    with pytest.raises(ValueError, match=r"disc0\.png is the mask of disc3\.png, .* 6 of 6 photos"):
        check_masks(moved(found, [3, 0, 5, 1, 2, 4]), samples_of_discs)


def test_a_few_masks_of_other_photos_are_named_where_the_net_finds_all_else(samples_of_discs):
    found = truths(samples_of_discs)
    with pytest.raises(ValueError, match=r"disc1\.png is the mask of disc4\.png, .* 2 of 6 photos"):
        check_masks(moved(found, [0, 4, 2, 3, 1, 5]), samples_of_discs)


def test_two_masks_that_are_swapped_are_named_where_the_net_finds_little_else(samples_of_discs):
    stripe = np.zeros_like(samples_of_discs[0].truth())
    stripe[-3:] = 1
    found = dict.fromkeys(range(6), stripe)
    found |= {2: samples_of_discs[5].truth(), 5: samples_of_discs[2].truth()}
    with pytest.raises(ValueError, match=r"disc2\.png is the mask of disc5\.png, .* 2 of 6 photos"):
        check_masks(found, samples_of_discs)


def test_of_fifty_photos_all_are_looked_at(samples_of_discs, monkeypatch):
    monkeypatch.setattr("u2demo.training.reading.overfit", lambda *_: [])
    steps = list(check_samples(tiny(), (samples_of_discs * 9)[:50]))
    assert [step.total for step in steps if step.doing == "checking"][-1] == 50


def test_one_photo_in_which_the_net_finds_what_another_mask_shows_is_no_mistake(samples_of_discs):
    found = truths(samples_of_discs)
    check_masks(moved(found, [0, 4, 2, 3, 4, 5]), samples_of_discs)


def test_masks_of_the_next_photo_are_named_though_not_all_photos_are_looked_at():
    samples = [make_sample(f"disc{number}.png", *disc(number), SIDE) for number in range(60)]
    found = {place: samples[(place + 1) % 60].truth() for place in range(0, 60, 3)}
    with pytest.raises(ValueError, match=r"disc0\.png is the mask of disc1\.png"):
        check_masks(found, samples)


def outlined(mask):
    """Return the outline of a mask, as a tool draws it that does not fill it."""
    return ImageChops.difference(mask, mask.filter(ImageFilter.MinFilter(3)))


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda mask: mask.rotate(180), "upside down"),
        (ImageOps.flip, "flipped"),
        (ImageOps.mirror, "mirrored"),
        (ImageOps.invert, "inverted"),
        (outlined, "filled"),
    ],
    ids=["upside down", "flipped", "mirrored", "inverted", "filled"],
)
def test_half_of_the_masks_changed_on_their_way_are_named(samples_of_discs, change, shown):
    """As by EXIF data, by a renderer, for more photos, by another tool, or by one that draws."""
    changed = with_masks(samples_of_discs[:3], change)
    with pytest.raises(ValueError, match=rf"disc0\.png is its mask {shown}, .* photo upright"):
        check_masks(truths(samples_of_discs), [*changed, *samples_of_discs[3:]])


def test_boxes_in_place_of_masks_are_named(samples_of_discs):
    def boxed(mask):
        box = Image.new("L", mask.size)
        box.paste(255, mask.getbbox())
        return box

    boxes = with_masks(samples_of_discs, boxed)
    with pytest.raises(ValueError, match="6 of 6 masks are boxes, expected the subjects' shapes"):
        check_masks(truths(samples_of_discs), boxes)
    check_masks(truths(samples_of_discs), [*boxes[:2], *samples_of_discs[2:]])


def test_every_doubt_says_how_to_go_on_if_the_pairs_are_right(samples_of_discs):
    found = truths(samples_of_discs)
    inverted = with_masks(samples_of_discs, ImageOps.invert)
    black = with_masks(samples_of_discs, lambda mask: mask.point(lambda _: 0))
    others = moved(found, [2, 3, 4, 5, 0, 1])
    for answers, samples in ((found, inverted), (found, black), (others, samples_of_discs)):
        with pytest.raises(ValueError, match=r"gate=False, --no-gate, or the box on the page"):
            check_masks(answers, samples)


def test_what_cannot_be_learned_from_one_pair_is_named(tmp_path, monkeypatch):
    publish(monkeypatch)
    photos, masks = lesson(tmp_path, 3)
    dice = np.random.default_rng(0)
    for file in masks.iterdir():
        noise = dice.integers(0, 2, (40, 48), np.uint8) * 255
        Image.fromarray(noise).save(file)
    torch.save(tiny().state_dict(), tmp_path / "tiny.pth")
    with pytest.raises(ValueError, match=r"cannot learn even the one pair .* gate=False"):
        u2.fine_tune(
            photos, masks, weights=tmp_path / "tiny.pth", results=tmp_path / "mine.pth",
            device="cpu",
        )  # fmt: skip
    assert not list(tmp_path.glob("mine*"))
