"""Every kind of TIFF comes out right, or is refused by its kind: never black, never negative."""

import io
import itertools
import struct

import numpy as np
import pytest
from PIL import Image
from tiffs import big_tiff, tiff, tiled

from u2demo.formats.exif import ARTIST, TAKEN, read_exif
from u2demo.images.profiles import adobe_rgb
from u2demo.images.read import open_image

GRAY = np.add.outer(np.arange(12) * 7, np.arange(20) * 8)  # 0 to 229
COLOR = np.stack([GRAY, 255 - GRAY, GRAY // 2 + 30], 2)
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
WHITE_IS_0, BLACK_IS_0, RGB, PALETTE = 0, 1, 2, 3


def stored(truth, bits, form):
    """Return colors of 0 to 255 as samples of that kind."""
    if form == FLOAT:
        return truth / 255
    most = 2 ** (bits - (form == SIGNED)) - 1
    return (truth.astype(object) * most // 255).astype(np.uint64 if bits == 64 else np.int64)


def seen(samples, bits, form):
    """Return samples of that kind as colors of 0 to 255."""
    most = 1 if form == FLOAT else 2 ** (bits - (form == SIGNED)) - 1
    return samples.astype(float) / most * 255


def off(data, truth):
    """Return how far the photo is from what it should be, at the worst pixel."""
    image = open_image(io.BytesIO(data))
    bands = 4 if np.ndim(truth) == 3 and truth.shape[2] == 4 else 3
    assert image.mode == ("RGB", "RGBA")[bands - 3]
    return np.abs(np.asarray(image).astype(float) - np.broadcast_to(truth, (12, 20, bands))).max()


def refusal(data):
    with pytest.raises(ValueError) as caught:
        open_image(io.BytesIO(data))
    return str(caught.value)


DEPTHS = [
    *[(bits, UNSIGNED) for bits in (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 24, 32, 48, 64)],
    *[(bits, SIGNED) for bits in (4, 8, 12, 16, 24, 32, 64)],
    *[(bits, FLOAT) for bits in (16, 32, 64)],
]
LOOKS = [(WHITE_IS_0, 1), (BLACK_IS_0, 1), (RGB, 1), (RGB, 2)]


@pytest.mark.parametrize(("bits", "form"), DEPTHS)
@pytest.mark.parametrize(("photometric", "planar"), LOOKS)
def test_every_depth_in_gray_negative_and_color_is_seen_as_it_is(bits, form, photometric, planar):
    truth = COLOR if photometric == RGB else GRAY[..., None]
    samples = stored(truth, bits, form)
    truth = seen(samples, bits, form)
    if photometric == WHITE_IS_0:
        most = 1 if form == FLOAT else 2 ** (bits - (form == SIGNED)) - 1
        samples = most - samples if form == FLOAT else (most - samples.astype(object))
        samples = samples.astype(float if form == FLOAT else np.uint64 if bits == 64 else int)
    for order, deflate in itertools.product("<>", (False, True)):
        options = {"photometric": photometric, "planar": planar, "strips": 3}
        data = tiff(samples, bits, form=form, order=order, deflate=deflate, **options)
        assert off(data, truth) <= 1, (order, deflate)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12])
@pytest.mark.parametrize("deflate", [False, True])
def test_bits_in_reverse_order_are_read(bits, deflate):
    samples = stored(GRAY[..., None], bits, UNSIGNED)
    data = tiff(samples, bits, fill=2, deflate=deflate)
    assert off(data, seen(samples, bits, UNSIGNED)) <= 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("width", [8, 16], ids=["colors of 8 bits", "colors of 16 bits"])
def test_palettes_are_applied(bits, width):
    count = 2**bits
    indices = GRAY * (count - 1) // 255
    ramp = np.arange(count) * 255 // (count - 1)
    table = np.stack([ramp, 255 - ramp, ramp // 2], 1)
    colors = (table.T * (257 if width == 16 else 1)).ravel().tolist()
    data = tiff(indices[..., None], bits, photometric=PALETTE, colors=colors)
    assert off(data, table[indices]) <= 1


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [BLACK_IS_0, RGB])
@pytest.mark.parametrize("planar", [1, 2])
def test_alpha_is_kept_whether_colors_were_multiplied_by_it_or_not(bits, photometric, planar):
    truth = COLOR if photometric == RGB else GRAY[..., None]
    alpha = np.full((12, 20, 1), 255)
    alpha[:, :9] = np.arange(9)[:, None] * 31
    truth = np.where(alpha > 0, truth, 0)
    rgb = np.broadcast_to(truth, (12, 20, 3))
    for kind, colors in ((2, truth), (1, truth * alpha / 255)):
        samples = np.rint(np.concatenate([colors, alpha], 2) * ((2**bits - 1) / 255)).astype(int)
        data = tiff(samples, bits, photometric=photometric, planar=planar, extra=[kind])
        image = np.asarray(open_image(io.BytesIO(data)).convert("RGBA")).astype(int)
        assert np.abs(image[..., 3:] - alpha).max() <= 1
        sure = alpha[..., 0] > 100
        assert np.abs(image[..., :3] - rgb)[sure].max() <= 3


@pytest.mark.parametrize("peak", [1.0, 5.3, 300.0])
@pytest.mark.parametrize("photometric", [BLACK_IS_0, RGB])
def test_a_highlight_makes_nothing_transparent(peak, photometric):
    samples = np.ones((12, 20, 4 if photometric == RGB else 2))
    samples[..., :-1] = peak / 2
    samples[0, 0, 0] = peak
    data = tiff(samples, 32, form=FLOAT, photometric=photometric, extra=[2])
    image = open_image(io.BytesIO(data))
    assert "A" not in image.mode or image.getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_of_a_palette_is_kept(bits):
    count = 2**bits
    table = np.stack([np.arange(count) * 255 // (count - 1)] * 3, 1)
    alpha = np.where(np.arange(20) < 9, 0, count - 1) + np.zeros((12, 1), int)
    samples = np.stack([GRAY * (count - 1) // 255, alpha], 2)
    colors = (table.T * 257).ravel().tolist()
    data = tiff(samples, bits, photometric=PALETTE, colors=colors, extra=[2])
    image = np.asarray(open_image(io.BytesIO(data)).convert("RGBA")).astype(int)
    assert np.array_equal(image[..., 3], alpha * 255 // (count - 1))
    shown = alpha > 0
    assert np.abs(image[..., :3] - GRAY[..., None])[shown].max() <= 1


def test_alpha_of_lab_is_left_out_and_said():
    samples = np.full((12, 20, 4), 128)
    image = open_image(io.BytesIO(tiff(samples, 8, photometric=8, extra=[2])))
    assert image.mode == "RGB" and image.info["left_out"] == ("1 more channel",)


@pytest.mark.parametrize("count", [1, 2])
def test_channels_that_are_neither_color_nor_alpha_are_left_out_and_said(count):
    samples = np.concatenate([COLOR, *[GRAY[..., None] // 3] * count], 2)
    image = open_image(io.BytesIO(tiff(samples, 8, photometric=RGB, planar=2, extra=[0] * count)))
    assert np.array_equal(image, COLOR)
    assert image.info["left_out"] == (f"{count} more channel{'s' * (count > 1)}",)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("planar", [1, 2])
def test_differences_between_neighbors_are_added_up(bits, planar):
    samples = stored(COLOR, bits, UNSIGNED)
    data = tiff(samples, bits, photometric=RGB, planar=planar, deflate=True, predictor=2)
    assert off(data, COLOR) <= 1


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("side", [3, 16, 32])
def test_tiles_are_put_together(side, deflate):
    data = tiled(65535 - GRAY * 257, side, deflate=deflate)
    assert off(data, GRAY[..., None]) <= 1


def test_cmyk_of_16_bits_looks_like_cmyk_of_8_bits():
    ink = np.concatenate([COLOR, GRAY[..., None] // 4], 2)
    images = [open_image(io.BytesIO(tiff(ink * scale, bits, photometric=5, planar=planar)))
              for bits, scale, planar in ((8, 1, 1), (16, 257, 1), (8, 1, 2))]  # fmt: skip
    assert len({image.tobytes() for image in images}) == 1


def test_lab_of_every_kind_looks_the_same():
    light, a, b = GRAY, GRAY // 8, -(GRAY // 9)
    signed = np.stack([light, a & 255, b & 255], 2)
    shifted = np.stack([light, a + 128, b + 128], 2)
    deep = np.stack([light * 257, a * 256 & 65535, b * 256 & 65535], 2)
    deep_shifted = np.stack([light * 256, (a + 128) * 256, (b + 128) * 256], 2)
    files = [tiff(signed, 8, photometric=8), tiff(shifted, 8, photometric=9),
             tiff(deep, 16, photometric=8), tiff(deep_shifted, 16, photometric=9),
             tiff(deep, 16, photometric=8, form=SIGNED)]  # fmt: skip
    images = [np.asarray(open_image(io.BytesIO(file))).astype(int) for file in files]
    assert all(np.abs(image - images[0]).max() <= 2 for image in images)
    assert images[0][-1, -1, 0] > images[0][0, 0, 0] + 100


def test_the_profile_the_resolution_and_the_orientation_of_a_deep_photo_are_kept():
    profile = adobe_rgb()
    more = [(34675, 1, list(profile)), (282, 5, [(300, 1)]), (283, 5, [(300, 1)]), (296, 3, [2]),
            (274, 3, [6])]  # fmt: skip
    image = open_image(io.BytesIO(tiff(COLOR * 257, 16, photometric=RGB, planar=2, more=more)))
    assert image.info["icc_profile"] == profile
    assert image.info["dpi"] == (300, 300)
    assert image.size == (12, 20)
    assert np.array_equal(np.asarray(image), np.rot90(COLOR, -1))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [8, 16])
def test_a_bigtiff_keeps_its_orientation_its_resolution_and_its_author(bits, order):
    more = [(274, 3, [6]), (282, 5, [(300, 1)]), (283, 5, [(150, 1)]), (315, 2, list(b"Ada\0"))]
    samples = COLOR * (257 if bits == 16 else 1)
    file = big_tiff(samples, photometric=RGB, bits=bits, order=order, more=more)
    image = open_image(io.BytesIO(file))
    assert np.array_equal(np.asarray(image), np.rot90(COLOR, -1))
    assert image.info["dpi"] == (150, 300)
    exif = read_exif(image.info["exif"])
    assert exif.image[ARTIST][1] == b"Ada\0"
    assert exif.photo[TAKEN][1] == b"2020:01:02 03:04:05\0"


@pytest.mark.parametrize("place", [0, 2**40, 2**64 - 1])
def test_a_bigtiff_whose_exif_is_nowhere_opens_all_the_same(place):
    more = [(34665, 18, [place]), (315, 2, list(b"Ada\0"))]
    file = big_tiff(COLOR * 257, photometric=RGB, bits=16, order="<", more=more)
    image = open_image(io.BytesIO(file))
    assert np.array_equal(np.asarray(image), COLOR)
    assert read_exif(image.info["exif"]).image[ARTIST][1] == b"Ada\0"


@pytest.mark.parametrize(
    ("peak", "white"),
    [(1, 255), (200, 255), (700, 700), (60_000, 65_535), (100_000, 100_000), (2**31, 2**32 - 1)],
)
def test_measurements_whose_white_is_unknown_do_not_come_out_black(peak, white):
    samples = GRAY[..., None] * peak // 229
    image = open_image(io.BytesIO(tiff(samples, 32)))
    expected = samples[..., 0] / (white if peak > 15 else peak) * 255
    assert np.abs(np.asarray(image)[..., 0] - expected).max() <= 1


def ycbcr(whites, cb=128, cr=128, weights=(299, 587, 114)):
    """Return a TIFF in YCbCr, as bright as white, that says what it means by black and white."""
    blacks = (15, 128, 128) if whites[0] < 255 else (0, 128, 128)
    range_of_each = [(number, 1) for pair in zip(blacks, whites, strict=True) for number in pair]
    shares = [(weight, 1000) for weight in weights]
    more = [(529, 5, shares), (530, 3, [1, 1]), (532, 5, range_of_each)]
    samples = np.broadcast_to([whites[0], cb, cr], (12, 20, 3))
    return tiff(samples, 8, photometric=6, more=more)


def test_ycbcr_of_full_range_is_read():
    full = 255, 255, 255
    assert off(ycbcr(full), (255, 255, 255)) == 0
    assert off(ycbcr(full, cb=48), (255, 255, 113)) <= 1


@pytest.mark.parametrize(("peak", "white"), [(0.5, 1), (1.5, 1), (200, 255), (9e9, 9e9)])
def test_floats_are_scaled_by_a_usual_white_or_by_their_peak(peak, white):
    samples = GRAY[..., None] / 229 * peak
    samples[0, 0] = np.nan
    image = open_image(io.BytesIO(tiff(samples, 32, form=FLOAT)))
    expected = np.nan_to_num(samples[..., 0] / white).clip(0, 1) * 255
    assert np.abs(np.asarray(image)[..., 0] - expected).max() <= 1


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (tiff(GRAY[..., None], 64, form=6), "of 64 bits per complex sample"),
        (tiff(GRAY[..., None], 16, photometric=32803), "of a camera's raw pixels"),
        (tiff(GRAY[..., None] // 255, 1, photometric=4), "that is a transparency mask"),
        (tiff(COLOR, 16, photometric=32845), "in LogLuv"),
        (tiff(GRAY[..., None], 16, more=[(259, 3, [34887])]), "in compression 34887"),
        (tiff(np.zeros((12, 20, 2), int), 8, photometric=RGB), "photometric interpretation 2"),
        (ycbcr(whites=(235, 240, 240)), "in an unusual kind of YCbCr"),
        (ycbcr((255, 255, 255), weights=(213, 715, 72)), "in an unusual kind of YCbCr"),
    ],
)  # fmt: skip
def test_other_kinds_are_refused_by_their_kind_not_called_damaged(data, kind):
    said = refusal(data)
    assert kind in said
    assert "export it" in said
    assert "damaged" not in said


def test_the_preview_in_a_canons_raw_file_is_not_taken_for_the_photo():
    raw = tiff(COLOR, 8, photometric=RGB)
    assert "a camera's raw file" in refusal(raw[:8] + b"CR\2\0" + raw[12:])


def test_pages_of_jpegs_are_no_bomb():
    page = Image.new("RGB", (2000, 2000))
    page.save(file := io.BytesIO(), "TIFF", compression="jpeg", save_all=True,
              append_images=[page] * 20)  # fmt: skip
    assert open_image(file).info["left_out"] == ("20 more pages",)


@pytest.mark.parametrize("deflate", [False, True])
def test_strips_that_are_cut_short_are_refused_not_filled_with_black(deflate):
    data = tiff(COLOR * 257, 16, photometric=RGB, planar=2, deflate=deflate)
    place = data.index(struct.pack("<HHI", 279, 4, 3)) + 8
    (counts,) = struct.unpack_from("<I", data, place)
    cut = bytearray(data)
    struct.pack_into("<3I", cut, counts, 9, 9, 9)
    if not deflate:  # its strips end where the file does
        cut = bytearray(tiff(COLOR * 257, 16, photometric=RGB, planar=2, more=[(278, 4, [40])]))
        struct.pack_into("<I", cut, counts - 12 + 4, len(cut))
    assert "damaged or truncated" in refusal(bytes(cut))


def test_what_pillow_writes_is_read_as_pillow_reads_it():
    photo = Image.fromarray(COLOR.astype(np.uint8))
    for compression in (None, "tiff_lzw", "packbits", "tiff_deflate", "tiff_adobe_deflate"):
        for mode in ("1", "L", "RGB"):
            picture = photo.convert(mode)
            picture.save(file := io.BytesIO(), "TIFF", compression=compression)
            assert np.array_equal(open_image(file), picture.convert("RGB")), (compression, mode)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpegs_in_a_tiff_are_read_in_gray_too(mode):
    photo = Image.fromarray(COLOR.astype(np.uint8)).convert(mode)
    photo.save(file := io.BytesIO(), "TIFF", compression="jpeg")
    assert np.array_equal(open_image(file), Image.open(file).convert("RGB"))
