"""Colors look as they did: converted through their profile, or with it beside them."""

import io
import struct
import zlib

import numpy as np
import pytest
from avifs import avif_of, with_property
from PIL import Image, ImageCms

import u2demo as u2
from u2demo.images.colors import convert
from u2demo.images.profiles import adobe_rgb, of_code_points

ADOBE_GREEN, SEEN = (90, 180, 60), (0, 181, 42)  # the same in Adobe RGB and in sRGB


def look(image):
    """Return what the first pixel looks like, in sRGB."""
    return convert(image, image.info.get("icc_profile"), None).getpixel((0, 0))[:3]


def close(color, expected, tolerance=2):
    return np.abs(np.subtract(color, expected)).max() <= tolerance


def encoded(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file


def profile(space, connection, tags):
    """Return an ICC profile of version 2 made of ``tags``."""
    start = 128 + 4 + 12 * len(tags)
    table, content = struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        table += struct.pack(">4s2I", tag, start + len(content), len(value))
        content += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s12s4s", start + len(content), b"lcms", 0x02100000, b"prtr",
                       space, connection, bytes(12), b"acsp")  # fmt: skip
    d50 = struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(68, b"\0") + d50 + bytes(48) + table + content


def gray_profile(gamma):
    curve = struct.pack(">4s4xIH", b"curv", 1, round(256 * gamma))
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    return profile(b"GRAY", b"XYZ ", {b"kTRC": curve, b"wtpt": white})


def ink_profile():
    """Return a CMYK profile whose cyan is a dull blue, and whose black is gray, as on newsprint."""
    lab = {0: (95, 0, 0), 1: (40, -10, -40), 2: (55, 60, 0), 4: (85, 0, 80), 8: (20, 0, 0)}
    grid = b""
    for inks in range(16):  # cyan is the slowest to change
        on_paper = [bit for bit, place in ((1, 3), (2, 2), (4, 1), (8, 0)) if inks >> place & 1]
        light = min([lab[bit][0] for bit in on_paper], default=95)
        a, b = (sum(lab[bit][axis] for bit in on_paper) for axis in (1, 2))
        grid += bytes((round(light * 2.55), a + 128, b + 128))
    identity = struct.pack(">9i", *(65536 * (place % 4 == 0) for place in range(9)))
    ramp = bytes(range(256))
    lut = b"mft1\0\0\0\0\4\3\2\0" + identity + ramp * 4 + grid + ramp * 3
    return profile(b"CMYK", b"Lab ", {b"A2B0": lut})


def truth(picture, icc):
    given = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(picture, given, srgb, outputMode="RGB").getpixel((0, 0))


@pytest.mark.parametrize("ink", [(255, 0, 0, 0), (0, 128, 90, 0), (0, 0, 0, 255), (0, 0, 0, 0)])
@pytest.mark.parametrize("file_format", ["TIFF", "JPEG"])
def test_inks_look_as_their_profile_says(file_format, ink):
    inks = Image.new("CMYK", (16, 16), ink)
    options = {"quality": 100} if file_format == "JPEG" else {}
    image = u2.open_image(encoded(inks, file_format, icc_profile=ink_profile(), **options))
    assert (image.mode, image.info) == ("RGB", {})
    assert close(image.getpixel((0, 0)), truth(inks, ink_profile()), 3)


def test_inks_without_a_profile_look_as_before():
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    assert u2.open_image(encoded(inks, "TIFF")).getpixel((0, 0)) == (0, 255, 255)


@pytest.mark.parametrize(
    "wrong", [adobe_rgb(), b"no profile", ink_profile()[:400], ink_profile()[:140] + bytes(500)]
)
def test_a_profile_that_is_damaged_or_not_for_inks_costs_nothing_else(wrong):
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    image = u2.open_image(encoded(inks, "TIFF", icc_profile=wrong))
    assert (image.getpixel((0, 0)), image.info) == ((0, 255, 255), {})


def test_lab_becomes_what_it_looks_like():
    lab = Image.new("LAB", (16, 16), (136, 128, 128))  # L* 53.3, neither red nor green
    image = u2.open_image(encoded(lab, "TIFF"))
    assert close(image.getpixel((0, 0)), (127, 127, 127))


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_gray_looks_as_its_profile_says(mode):
    gray = Image.new("L", (16, 16), 100)
    stored = {
        "L": gray, "LA": Image.merge("LA", (gray, Image.new("L", gray.size, 200))),
        "I;16": Image.fromarray(np.full((16, 16), 100 * 257, np.uint16)),
    }[mode]  # fmt: skip
    image = u2.open_image(encoded(stored, "PNG", icc_profile=gray_profile(1.0)))
    expected = truth(gray, gray_profile(1.0))
    assert expected[0] > 160  # linear light is brighter than it would look by itself
    assert close(image.getpixel((0, 0))[:3], expected)
    assert "icc_profile" not in image.info
    assert mode != "LA" or image.getpixel((0, 0))[3] == 200


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_the_profile_of_an_rgb_photo_goes_along(mode):
    color = ADOBE_GREEN if mode == "RGB" else (*ADOBE_GREEN, 128)
    stored = Image.new(mode, (16, 16), color) if mode != "P" else Image.new("P", (16, 16))
    if mode == "P":
        stored.putpalette(ADOBE_GREEN)
    image = u2.open_image(encoded(stored, "PNG", icc_profile=adobe_rgb()))
    assert image.getpixel((0, 0))[:3] == ADOBE_GREEN
    assert image.info == {"icc_profile": adobe_rgb()}


@pytest.mark.parametrize("wrong", [gray_profile(2.2), ink_profile(), b"no profile", bytes(999)])
def test_a_profile_for_other_colors_is_dropped(wrong):
    image = u2.open_image(encoded(Image.new("RGB", (9, 9)), "PNG", icc_profile=wrong))
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_profile_that_is_cut_short_is_dropped(file_format):
    photo = Image.new("RGB", (9, 9))
    image = u2.open_image(encoded(photo, file_format, icc_profile=adobe_rgb()[:200]))
    assert "icc_profile" not in image.info


def adobe_by_exif(index="R03", space=0xFFFF):
    exif = Image.Exif()
    exif[0x8769] = {0xA001: space, 0xA005: {1: index, 2: b"0100"}}
    return exif


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_adobe_rgb_may_be_said_by_exif_alone(file_format):
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}, "PNG": {}}[file_format]
    stored = Image.new("RGB", (16, 16), ADOBE_GREEN)
    image = u2.open_image(encoded(stored, file_format, exif=adobe_by_exif().tobytes(), **options))
    assert close(look(image), SEEN, 3)


@pytest.mark.parametrize("said", [("R98", 1), ("R98", 0xFFFF), ("R03", 1)])
def test_other_words_of_exif_mean_srgb_or_nothing(said):
    stored = Image.new("RGB", (16, 16), ADOBE_GREEN)
    image = u2.open_image(encoded(stored, "PNG", exif=adobe_by_exif(*said).tobytes()))
    assert "icc_profile" not in image.info


def png_with(color, *chunks):
    """Return a PNG of one color with more chunks before its pixels."""
    png = encoded(Image.new("RGB", (8, 8), color), "PNG").getvalue()
    more = b""
    for kind, data in chunks:
        check = struct.pack(">I", zlib.crc32(kind + data))
        more += struct.pack(">I", len(data)) + kind + data + check
    return io.BytesIO(png[:33] + more + png[33:])


def test_a_png_may_state_its_colors_in_four_bytes():
    image = u2.open_image(png_with((234, 51, 35), (b"cICP", bytes((12, 13, 0, 1)))))
    assert close(look(image), (255, 0, 0), 3)
    assert image.info["icc_profile"] == of_code_points(12, 13)


@pytest.mark.parametrize(("transfer", "level"), [(16, 148), (18, 191)])
def test_hdr_is_toned_down_and_said(transfer, level):
    image = u2.open_image(png_with((level,) * 3, (b"cICP", bytes((9, transfer, 0, 1)))))
    assert min(look(image)) >= 235
    assert image.info == {"left_out": ("the brightness above white",)}


def test_hdr_keeps_its_transparent_color():
    white = b"tRNS", struct.pack(">3H", 148, 148, 148)
    image = u2.open_image(png_with((148,) * 3, (b"cICP", bytes((9, 16, 0, 1))), white))
    assert image.getchannel("A").getextrema() == (0, 0)


def test_an_embedded_profile_counts_more_than_code_points_but_not_in_a_png():
    pq = b"cICP", bytes((9, 16, 0, 1))
    profile = b"iCCP", b"p\0\0" + zlib.compress(adobe_rgb())
    image = u2.open_image(png_with(ADOBE_GREEN, pq, profile))
    assert "left_out" in image.info
    try:
        avif = encoded(Image.new("RGB", (16, 16)), "AVIF", icc_profile=adobe_rgb()).getvalue()
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write AVIF: {error}")
    free = struct.pack(">I8s4H", 16, b"colrnclx", 9, 16, 9, 0)
    image = u2.open_image(io.BytesIO(avif + struct.pack(">I4s", 24, b"free") + free))
    assert image.info == {"icc_profile": adobe_rgb()}


ADOBE_POINTS = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
GAMMA = b"gAMA", struct.pack(">I", 45455)


def test_a_png_may_state_chromaticities_and_gamma():
    image = u2.open_image(png_with(ADOBE_GREEN, GAMMA, (b"cHRM", ADOBE_POINTS)))
    assert close(look(image), SEEN, 3)


@pytest.mark.parametrize("points", [bytes(32), b"\xff" * 32])
def test_chromaticities_that_are_damaged_cost_nothing_else(points):
    image = u2.open_image(png_with(ADOBE_GREEN, GAMMA, (b"cHRM", points)))
    assert (image.getpixel((0, 0)), image.info) == (ADOBE_GREEN, {})


@pytest.mark.parametrize("chunks", [[GAMMA], [GAMMA, (b"sRGB", b"\0")], [(b"cICP", b"\1\x0d\0\1")]])
def test_a_png_that_says_srgb_gets_no_profile(chunks):
    assert u2.open_image(png_with((1, 2, 3), *chunks)).info == {}


def test_an_avif_may_state_its_colors_in_three_numbers():
    avif = avif_of(Image.new("RGB", (16, 16), (234, 51, 35)))
    place = avif.index(b"colrnclx") + 8
    avif = avif[:place] + struct.pack(">2H", 12, 13) + avif[place + 4 :]
    assert close(look(u2.open_image(io.BytesIO(avif))), (255, 0, 0), 6)


def test_an_avif_has_the_colors_of_its_picture_not_of_what_else_is_in_it():
    avif = avif_of(Image.new("RGB", (16, 16), (234, 51, 35)))
    pq = b"colrnclx" + struct.pack(">3HB", 9, 16, 9, 128)
    image = u2.open_image(io.BytesIO(with_property(avif, pq, used=False)))
    assert close(image.getpixel((8, 8)), (234, 51, 35), 6)
    assert "left_out" not in image.info


def test_a_photo_without_a_profile_is_not_converted(monkeypatch, samples):
    monkeypatch.setattr(ImageCms, "buildTransform", None)
    file = encoded(samples["cat.jpeg"], "PNG")
    assert u2.open_image(file).tobytes() == samples["cat.jpeg"].tobytes()


def test_a_heic_may_state_them_too():
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    code_points = {"color_primaries": 12, "transfer_characteristics": 13}
    picture = heif.from_pillow(Image.new("RGB", (64, 48), (234, 51, 35)))
    picture.save(file, quality=100, chroma=444, matrix_coefficients=6, **code_points)
    assert close(look(u2.open_image(file)), (255, 0, 0), 6)
