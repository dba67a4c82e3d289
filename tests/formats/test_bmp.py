"""Every kind of BMP comes out right: headers, depths, masks, run lengths, and both directions."""

import io
import itertools
import struct

import numpy as np
import pytest
from PIL import Image

from u2demo.images.read import open_image

WIDTH, HEIGHT = 11, 6
INDICES = np.add.outer(np.arange(HEIGHT) * 3, np.arange(WIDTH)) % 16
COLORS = np.array([(i * 16, 255 - i * 16, i * i) for i in range(16)])


def bmp(rows, bits, *, header=40, compression=0, colors=(), masks=(), size=(WIDTH, HEIGHT), gap=0):
    """Return a BMP of ``rows``, bytes as they are stored."""
    entry = (
        (lambda r, g, b: bytes((b, g, r)))
        if header == 12
        else (lambda r, g, b: bytes((b, g, r, 0)))
    )
    palette = b"".join(entry(*map(int, color)) for color in colors)
    if header == 12:
        info = struct.pack("<I4H", 12, *size, 1, bits)
    else:
        sizes = compression, len(rows), 3937, 3937, len(colors), 0  # 3937 dots a meter are 100 dpi
        info = struct.pack("<I2i2H2I2i2I", header, *size, 1, bits, *sizes)
        bits_of = struct.pack(f"<{len(masks)}I", *masks)
        info = (info + bits_of).ljust(header, b"\0") if header > 40 else info[:header] + bits_of
    start = 14 + len(info) + len(palette) + gap
    return b"BM" + struct.pack("<I2HI", 0, 0, 0, start) + info + palette + bytes(gap) + rows


def packed(samples, bits):
    """Return samples as rows of a BMP, bottom row first."""
    singles = samples[::-1, :, None] >> np.arange(bits - 1, -1, -1) & 1
    octets = np.packbits(singles.reshape(len(samples), -1).astype(np.uint8), 1)
    return np.pad(octets, ((0, 0), (0, -octets.shape[1] % 4))).tobytes()


def words(values, size):
    rows = values[::-1].astype("<u4").view(np.uint8).reshape(len(values), -1, 4)[..., :size]
    rows = rows.reshape(len(values), -1)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()


def pixels(data):
    return np.asarray(open_image(io.BytesIO(data)))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("header", [12, 16, 40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("gap", [0, 6])
def test_palettes_of_every_depth_under_every_header(bits, header, gap):
    count = min(2**bits, 16)
    colors = COLORS[:count] if header not in (12, 16) else np.resize(COLORS, (2**bits, 3))
    data = bmp(packed(INDICES % count, bits), bits, header=header, colors=colors, gap=gap)
    assert np.array_equal(pixels(data), colors[INDICES % count])


def test_a_photo_without_the_file_header_is_read():
    data = bmp(packed(INDICES, 4), 4, colors=COLORS)[14:]
    assert np.array_equal(pixels(data), COLORS[INDICES])


def test_an_index_beyond_the_palette_is_black():
    assert not pixels(bmp(packed(INDICES, 8), 8, colors=COLORS[:1]))[0, 1].any()


def test_rows_may_stand_from_top_to_bottom():
    upside_down = packed(INDICES[::-1], 8)
    data = bmp(upside_down, 8, colors=COLORS, size=(WIDTH, -HEIGHT))
    assert np.array_equal(pixels(data), COLORS[INDICES])


MASKS = {
    "555": (16, 0x7C00, 0x3E0, 0x1F, 0), "1555": (16, 0x7C00, 0x3E0, 0x1F, 0x8000),
    "565": (16, 0xF800, 0x7E0, 0x1F, 0), "4444": (16, 0xF00, 0xF0, 0xF, 0xF000),
    "332": (16, 0xE0, 0x1C, 0x3, 0), "888": (32, 0xFF0000, 0xFF00, 0xFF, 0),
    "8888": (32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000),
    "rgba": (32, 0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    "abgr": (32, 0xFF000000, 0xFF0000, 0xFF00, 0xFF), "24": (24, 0xFF, 0xFF00, 0xFF0000, 0),
    "10 bits": (32, 0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000),
    "11 11 10": (32, 0xFFE00000, 0x1FFC00, 0x3FF, 0),
}  # fmt: skip


def masked(masks, rgba):
    """Return values of 0 to 1, (H, W, 4), as words under masks, and what is left of them."""
    values, seen = 0, []
    for share, mask in zip(np.moveaxis(rgba, 2, 0), masks, strict=True):
        low = (mask & -mask).bit_length() - 1 if mask else 0
        most = mask >> low
        samples = np.rint(share * most).astype(np.uint32)
        values = values | samples << np.uint32(low)
        seen.append(np.rint(samples / max(most, 1) * 255))
    return values, np.stack(seen, 2)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("header", [40, 56, 108, 124])
def test_masks_of_any_bits_are_scaled_to_eight(name, header):
    bits, *masks = MASKS[name]
    rgba = np.dstack(
        [COLORS[INDICES] / 255, np.linspace(0.4, 1, INDICES.size).reshape(INDICES.shape)]
    )
    values, seen = masked(masks, rgba)
    alpha = masks[3] != 0
    compression = 6 if header == 40 and alpha else 3
    given = masks if alpha or header > 40 else masks[:3]
    data = bmp(words(values, bits // 8), bits, header=header, compression=compression, masks=given)
    assert np.abs(pixels(data) - seen[..., : 3 + alpha]).max() <= 1


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_without_masks_the_usual_ones_count_and_the_spare_byte_is_ignored(bits):
    masks = (0x7C00, 0x3E0, 0x1F, 0) if bits == 16 else (0xFF0000, 0xFF00, 0xFF, 0)
    values, seen = masked(masks, np.dstack([COLORS[INDICES] / 255, np.zeros_like(INDICES)]))
    spare = 0x55000000 if bits == 32 else 0
    assert np.abs(pixels(bmp(words(values | spare, bits // 8), bits)) - seen[..., :3]).max() <= 1


def test_alpha_that_is_zero_everywhere_was_never_set():
    _, *masks = MASKS["8888"]
    rgba = np.dstack([COLORS[INDICES] / 255, np.zeros_like(INDICES)])
    values, seen = masked(masks, rgba)
    data = bmp(words(values, 4), 32, header=124, compression=3, masks=masks)
    assert np.array_equal(pixels(data), seen[..., :3])


def test_the_resolution_is_kept():
    image = open_image(io.BytesIO(bmp(packed(INDICES, 8), 8, colors=COLORS)))
    assert image.info["dpi"] == pytest.approx((100, 100), abs=0.1)


def runs(body, bits, size=(WIDTH, HEIGHT)):
    return bmp(body, bits, compression=1 if bits == 8 else 2, colors=COLORS, size=size)


@pytest.mark.parametrize("bits", [4, 8])
def test_runs_strings_ends_and_moves_of_rle(bits):
    expected = np.zeros((HEIGHT, WIDTH), int)
    run, string = (
        (b"\x05\x12", b"\0\5\x12\x34\x50\0") if bits == 4 else (b"\5\1", b"\0\5\1\2\3\4\5\0")
    )
    expected[-1, :5] = (1, 2, 1, 2, 1) if bits == 4 else 1
    expected[-1, 5:10] = (1, 2, 3, 4, 5)
    expected[-2, :5] = expected[-1, :5]
    expected[-4, 7:] = expected[-1, :4]  # one more would reach beyond the row
    body = run + string + b"\0\0" + run + b"\0\2\2\2" + run + b"\0\1" + run
    assert np.array_equal(pixels(runs(body, bits)), COLORS[expected])


@pytest.mark.parametrize("bits", [4, 8])
def test_rle_that_ends_anywhere_is_read_as_far_as_it_goes(bits):
    body = b"\5\1\0\5\1\2\3\4\5\0\0\0\0\2\2\2\3\1\0\1"
    for end in range(2, len(body)):
        assert pixels(runs(body[:end], bits)).shape == (HEIGHT, WIDTH, 3)


def test_rle_that_goes_far_beyond_the_picture_stops_there():
    for body in (b"\0\2\xff\xff" * 999 + b"\5\1", b"\xff\1" * 9999, b"\0\0" * 9999 + b"\5\1"):
        assert pixels(runs(body, 8)).shape == (HEIGHT, WIDTH, 3)


def test_a_photo_in_runs_is_what_it_was():
    indices = np.random.default_rng(1).integers(0, 16, (64, 300)) // 9 * 9
    rows = []
    for row in indices[::-1].tolist():
        starts = [i for i in range(300) if i == 0 or row[i] != row[i - 1]] + [300]
        rows += [bytes((b - a, row[a])) for a, b in itertools.pairwise(starts)]
        rows.append(b"\0\0")
    data = runs(b"".join(rows) + b"\0\1", 8, size=(300, 64))
    assert np.array_equal(pixels(data), COLORS[indices])


def refusal(data):
    with pytest.raises(ValueError) as caught:
        open_image(io.BytesIO(data))
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"compression": 4, "bits": 0}, "a BMP that holds another format"),
        ({"compression": 5, "bits": 0}, "a BMP that holds another format"),
        ({"compression": 3, "header": 64, "bits": 1}, "a BMP that holds another format"),
        ({"bits": 64}, "a BMP of 64 bits per pixel"),
        ({"header": 66}, "a BMP with a header of 66 bytes"),
    ],
)
def test_other_kinds_are_refused_by_their_kind(changes, said):
    message = refusal(bmp(bytes(999), **{"bits": 8, **changes}))
    assert said in message
    assert "export it" in message


def test_pixels_that_are_not_there_are_refused_before_memory_is_taken():
    data = bmp(bytes(999), 24, size=(12_000, 12_000))
    assert "999 bytes of pixels, expected 432000000" in refusal(data)


def test_what_pillow_writes_is_what_it_was():
    for mode in ("1", "L", "P", "RGB"):
        picture = Image.fromarray(COLORS[INDICES].astype(np.uint8)).convert(mode)
        picture.save(file := io.BytesIO(), "BMP")
        assert np.array_equal(pixels(file.getvalue()), np.asarray(picture.convert("RGB")))
