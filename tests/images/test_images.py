"""One loader for every photo: upright, RGB, or a ValueError that says why not."""

import errno
import io
import os
import socket
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from avifs import avif_of, with_property
from PIL import Image

from u2demo.images.find import find_images
from u2demo.images.profiles import adobe_rgb
from u2demo.images.read import open_image

RED, BLUE = (254, 0, 0), (0, 0, 254)


def encoded(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, format=file_format, **options)
    file.seek(0)
    return file


def close(pixel, expected, tolerance=6):
    return max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) <= tolerance


FILES = {
    "a.jpg": "JPEG", "a.jpeg": "JPEG", "a.JPG": "JPEG", "a.png": "PNG", "a.webp": "WEBP",
    "a.bmp": "BMP", "a.tiff": "TIFF", "a.gif": "GIF", "wrong.png": "JPEG", "none": "PNG",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_reads_every_format_whatever_the_file_is_called(name, two_tone, tmp_path):
    two_tone.save(tmp_path / name, format=FILES[name])
    for source in (
        tmp_path / name,
        str(tmp_path / name),
        io.BytesIO((tmp_path / name).read_bytes()),
    ):
        image = open_image(source)
        assert (image.mode, image.size) == ("RGB", (40, 24))
        assert close(image.getpixel((5, 12)), RED)
        assert close(image.getpixel((35, 12)), BLUE)


def test_reads_avif_where_pillow_can(two_tone):
    try:
        file = encoded(two_tone, "AVIF")
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write AVIF: {error}")
    assert close(open_image(file).getpixel((5, 12)), RED, 20)


@pytest.mark.parametrize("turn", [b"", b"irot\1"])
def test_an_avif_that_is_cropped_shows_no_more_than_that(turn):
    colors = np.zeros((48, 64, 3), np.uint8)
    colors[8:40, 16:32] = 200, 100, 50
    fractions = (16, 1, 32, 1, -16, 2, 0, 1)  # sides, and how far its middle is from the picture's
    avif = with_property(
        avif_of(Image.fromarray(colors)), b"clap" + struct.pack(">8i", *fractions), used=True
    )
    if turn:
        avif = with_property(avif, turn, used=True)
    image = open_image(io.BytesIO(avif))
    assert image.size == ((32, 16) if turn else (16, 32))
    assert np.abs(np.asarray(image).astype(int) - (200, 100, 50)).max() <= 4


def test_an_avif_whose_crop_is_impossible_is_shown_whole():
    fractions = (160, 1, 32, 0, 0, 1, 0, 1)
    clap = b"clap" + struct.pack(">8i", *fractions)
    avif = with_property(avif_of(Image.new("RGB", (64, 48))), clap, used=True)
    assert open_image(io.BytesIO(avif)).size == (64, 48)


def heic(picture):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file)
    return file


def test_reads_the_photos_of_an_iphone(two_tone, tmp_path):
    photo = heic(two_tone)
    (tmp_path / "photo.heic").write_bytes(photo.getvalue())
    for source in (photo, tmp_path / "photo.heic", str(tmp_path / "photo.heic")):
        image = open_image(source)
        assert (image.mode, image.size) == ("RGB", (40, 24))
        assert close(image.getpixel((5, 12)), RED, 20)


def test_a_damaged_photo_of_an_iphone_is_refused(two_tone):
    assert "damaged or truncated" in refusal(io.BytesIO(heic(two_tone).getvalue()[:200]))


def test_the_limit_of_pixels_holds_for_the_photos_of_an_iphone(two_tone, monkeypatch):
    photo = heic(two_tone)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    assert "more pixels than the limit" in refusal(photo)


def test_pillow_heif_is_used_as_soon_as_it_is_installed(monkeypatch, two_tone):
    photo = b"\0\0\0\x18ftypheic\0\0\0\0"
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "a HEIC photo; to read it: pip install pillow-heif" in refusal(io.BytesIO(photo))
    installed = SimpleNamespace(HeifImageFile=lambda file: Image.open(encoded(two_tone, "PNG")))
    monkeypatch.setitem(sys.modules, "pillow_heif", installed)
    assert open_image(io.BytesIO(photo)).size == (40, 24)


def test_nothing_is_imported_for_a_photo_that_is_not_heic(monkeypatch, two_tone):
    monkeypatch.delitem(sys.modules, "pillow_heif", raising=False)
    open_image(encoded(two_tone, "JPEG"))
    refusal(io.BytesIO(b"not a photo"))
    assert "pillow_heif" not in sys.modules


def test_a_stream_that_cannot_be_wound_back_is_read(two_tone):
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(encoded(two_tone, "PNG").getvalue())
    with os.fdopen(reader, "rb") as stream:
        assert open_image(stream).size == (40, 24)


def test_a_stream_that_is_not_an_image_is_refused():
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(b"this is not an image")
    with os.fdopen(reader, "rb") as stream:
        assert "the uploaded file: not an image of a known format" in refusal(stream)


def test_reads_the_first_frame_of_an_animation(two_tone):
    file = encoded(two_tone, "GIF", save_all=True, append_images=[Image.new("RGB", (40, 24))])
    assert close(open_image(file).getpixel((5, 12)), RED)


def test_damaged_metadata_costs_neither_the_photo_nor_a_warning(two_tone, recwarn):
    image = open_image(encoded(two_tone, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage"))
    assert image.size == (40, 24)
    assert not recwarn.list


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (6000, 4000)])
def test_reads_tiny_thin_and_24_megapixel_photos(size):
    assert open_image(encoded(Image.new("RGB", size, BLUE), "JPEG")).size == size


def test_keeps_the_color_profile(two_tone):
    image = open_image(encoded(two_tone, "PNG", icc_profile=adobe_rgb()))
    assert image.info["icc_profile"] == adobe_rgb()


def refusal(source):
    with pytest.raises(ValueError) as caught:
        open_image(source)
    return str(caught.value)


def test_a_file_that_is_not_an_image_is_refused_by_name(tmp_path):
    (tmp_path / "notes.jpg").write_text("dear diary")
    assert "notes.jpg: not an image" in refusal(tmp_path / "notes.jpg")


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "empty.png").touch()
    assert refusal(tmp_path / "empty.png").endswith("empty.png: an empty file")
    assert refusal(io.BytesIO()) == "the uploaded file: an empty file"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_truncated_photo_is_refused_with_the_reason(file_format, tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    whole = encoded(Image.fromarray(noise), file_format).getvalue()
    (tmp_path / "cut.bin").write_bytes(whole[: len(whole) // 2])
    message = refusal(tmp_path / "cut.bin")
    assert "cut.bin: " in message
    assert "damaged or truncated" in message


def test_a_png_that_ends_before_its_pixels_is_cut_short(two_tone):
    png = encoded(two_tone, "PNG").getvalue()
    assert "its headers are cut short" in refusal(io.BytesIO(png[: png.index(b"IDAT") - 4]))


def damage_pixels(png):
    """Return the PNG with a byte of its compressed pixels changed, its checksum made right."""
    start = png.index(b"IDAT")
    length = struct.unpack_from(">I", png, start - 4)[0]
    pixels = bytearray(png[start + 4 : start + 4 + length])
    pixels[length // 2] ^= 255
    checksum = struct.pack(">I", zlib.crc32(b"IDAT" + pixels))
    return png[: start + 4] + pixels + checksum + png[start + 8 + length :]


def test_a_png_damaged_in_the_middle_is_refused_not_returned_half_empty():
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    png = encoded(Image.fromarray(noise), "PNG").getvalue()
    assert "broken data stream" in refusal(io.BytesIO(damage_pixels(png)))


@pytest.mark.parametrize(
    "metadata",
    [b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\x63\0", b"MM\0*\0\0\0\x08\0\1\x82"],
)
def test_metadata_after_the_pixels_is_read_without_a_warning(metadata, two_tone, recwarn):
    png = encoded(two_tone, "PNG").getvalue()
    for kind in (b"eXIf", b"acTL"):
        body = kind + metadata
        chunk = struct.pack(">I", len(metadata)) + body + struct.pack(">I", zlib.crc32(body))
        assert open_image(io.BytesIO(png[:-12] + chunk + png[-12:])).size == (40, 24)
    assert not recwarn.list


def claim(depth, color, side):
    """Return a PNG that claims such pixels and has hardly any."""
    header = struct.pack(">2I5B", side, side, depth, color, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", b"x" * 99), (b"IEND", b"")):
        checksum = zlib.crc32(kind + body)
        png += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
    return png


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("color", [0, 2, 4, 6])
def test_a_small_file_that_would_fill_the_memory_is_refused(depth, color):
    light = depth == 8 and color == 0
    said = refusal(io.BytesIO(claim(depth, color, 7000)))
    assert light or "a decompression bomb: 49 megapixels in 99 bytes" in said


def test_padding_makes_no_bomb_acceptable():
    png = claim(8, 6, 7000)
    text = struct.pack(">I4s", 5_000_000, b"tEXt") + bytes(5_000_004)
    webp = encoded(Image.new("RGB", (8000, 4100)), "WEBP", lossless=True, method=0).getvalue()
    packed = zlib.compress(bytes(1000)) + bytes(5_000_000)
    stuffed = png[:33] + struct.pack(">I4s", len(packed), b"IDAT") + packed + png[-16:]
    claimed = png[:33] + struct.pack(">I4s", 2**30, b"IDAT") + bytes(99)
    for bomb in (
        stuffed,
        claimed,
        png + bytes(5_000_000),
        png[:33] + text + png[33:],
        webp + bytes(5_000_000),
    ):
        assert "a decompression bomb" in refusal(io.BytesIO(bomb))


def test_a_webp_may_have_fewer_pixels_a_byte_than_what_is_read_in_strips():
    size = 11_999 | 11_999 << 14  # width and height less 1
    body = b"\x2f" + struct.pack("<I", size) + bytes(300_000)
    webp = b"RIFF" + struct.pack("<I4s4sI", len(body) + 12, b"WEBP", b"VP8L", len(body)) + body
    assert "a decompression bomb: 144 megapixels" in refusal(io.BytesIO(webp))


def test_a_white_page_of_many_pixels_is_no_bomb():
    page = encoded(Image.new("1", (8000, 4100), 1), "TIFF", compression="group4")
    assert open_image(page).size == (8000, 4100)


def tiled_tiff(side, tile):
    """Return a gray TIFF, ``side`` pixels wide and high, of one tile."""
    pixels = zlib.compress(bytes(side * side))
    place = 8 + 2 + 10 * 12 + 4
    tags = {256: side, 257: side, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile,
            324: place, 325: len(pixels)}  # fmt: skip
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4) + pixels


def test_a_small_tiff_with_a_huge_tile_is_refused():
    said = refusal(io.BytesIO(tiled_tiff(16, 46_320)))
    assert "a decompression bomb: 2146 megapixels in 146 bytes" in said


def test_a_tiff_in_tiles_is_read():
    assert open_image(io.BytesIO(tiled_tiff(16, 16))).size == (16, 16)


def empty_scans(side, count):
    """Return a gray progressive JPEG, black, with ``count`` scans that refine nothing."""
    segment = lambda kind, body: struct.pack(">BBH", 255, kind, len(body) + 2) + body  # noqa: E731
    blocks = (side // 8) ** 2
    bits = ""
    while blocks:  # "the band ends here and in the next n blocks": code 0, and 14 bits for n
        run = min(blocks, 2**15 - 1)
        bits += f"0{run - 2**14:014b}" if run >= 2**14 else "10" * run
        blocks -= run
    bits += "1" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    return b"".join([
        b"\xff\xd8", segment(0xDB, b"\0" + b"\1" * 64),
        segment(0xC2, struct.pack(">BHHB3B", 8, side, side, 1, 1, 0x11, 0)),
        segment(0xC4, bytes([0x10, 1, 1, *[0] * 14, 0xE0, 0])),
        *[segment(0xDA, bytes([1, 1, 0, 1, 63, 0x10])) + body] * count, b"\xff\xd9",
    ])  # fmt: skip


def test_a_jpeg_whose_scans_take_longer_than_its_picture_is_refused():
    assert "a decompression bomb: 500 scans" in refusal(io.BytesIO(empty_scans(2400, 500)))


def test_a_small_jpeg_may_have_many_scans():
    assert open_image(io.BytesIO(empty_scans(80, 500))).size == (80, 80)


def test_a_refused_file_is_closed_so_that_it_can_be_deleted(two_tone, tmp_path, monkeypatch):
    opened, real = [], Path.open
    monkeypatch.setattr(Path, "open", lambda *a: opened.append(real(*a)) or opened[-1])
    two_tone.save(tmp_path / "raw.tif", tiffinfo={254: 1})
    assert "a camera's raw file" in refusal(tmp_path / "raw.tif")
    assert [file.closed for file in opened] == [True]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has none of these")
def test_pipes_sockets_and_devices_are_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe.jpg")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket.jpg")
    with listener:
        for name in ("pipe.jpg", "socket.jpg", "/dev/zero"):
            assert f"{name}: a pipe, socket or device" in refusal(name)


@pytest.mark.parametrize("name", ["a\0b.jpg", "x" * 300 + ".jpg", "-", "", "loop.jpg"])
def test_names_that_cannot_be_opened_are_refused_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("loop.jpg").symlink_to("loop.jpg")
    assert refusal(name).startswith(f"{name}: ")


def test_the_limit_of_pixels_is_stated_with_the_way_to_raise_it(tmp_path, monkeypatch):
    Image.new("1", (100, 100)).save(tmp_path / "poster.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4999)
    message = refusal(tmp_path / "poster.png")
    assert "poster.png: more pixels than the limit" in message
    assert all(way in message for way in ("--max-pixels", "U2DEMO_MAX_PIXELS", "max_pixels=..."))
    assert open_image(tmp_path / "poster.png", max_pixels=10_000).size == (100, 100)
    monkeypatch.setenv("U2DEMO_MAX_PIXELS", "10000")
    assert open_image(tmp_path / "poster.png").size == (100, 100)
    with pytest.raises(ValueError, match="the limit of 9,999"):
        open_image(tmp_path / "poster.png", max_pixels=9999)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_the_limit_can_be_raised_for_every_format(file_format, two_tone, monkeypatch):
    options = {"compression": "tiff_lzw"} if file_format == "TIFF" else {}
    try:
        file = encoded(two_tone, file_format, **options)
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write AVIF: {error}")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert "more pixels than the limit of 200: 960" in refusal(file)
    try:
        assert open_image(file, max_pixels=960).size == (40, 24)
    except ValueError as error:  # newer Pillows compare a WebP to their own limit, and no other
        assert file_format == "WEBP"
        assert "raise PIL.Image.MAX_IMAGE_PIXELS" in str(error)
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("given", ["many", "-5", "0", "inf", "1e9", "M", "²", 400 * "9"])
def test_an_environment_that_names_no_number_of_pixels_is_told_so(given, monkeypatch, two_tone):
    monkeypatch.setenv("U2DEMO_MAX_PIXELS", given)
    with pytest.raises(ValueError, match=r"U2DEMO_MAX_PIXELS is '.*, expected a number"):
        open_image(encoded(two_tone, "PNG"))


@pytest.mark.parametrize("given", ["1k", "0.001M", " 1_000 ", "960"])
def test_the_environment_counts_pixels_as_the_command_line_does(given, monkeypatch, two_tone):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    monkeypatch.setenv("U2DEMO_MAX_PIXELS", given)
    assert open_image(encoded(two_tone, "PNG")).size == two_tone.size


def test_large_photos_within_the_limit_are_read_without_a_warning(recwarn, monkeypatch):
    file = encoded(Image.new("L", (100, 100)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9000)
    assert open_image(file).size == (100, 100)
    assert not recwarn.list


def test_a_missing_file_and_a_folder_are_refused_with_what_they_are(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "gone.jpg")
    assert "this is a folder" in refusal(tmp_path)


def test_a_url_is_refused_with_how_to_open_it():
    said = "https://shop.org/cat.jpg: a URL, expected a path or an open file, such as urllib"
    assert refusal("https://shop.org/cat.jpg").startswith(said)


@pytest.mark.parametrize("kind", [1, 5])
def test_a_cameras_raw_file_is_refused_not_its_thumbnail_returned(kind, two_tone):
    raw = encoded(two_tone, "TIFF", tiffinfo={254: kind})
    assert "a camera's raw file; only its thumbnail can be read" in refusal(raw)


def test_a_tiff_with_several_pages_gives_its_first(two_tone):
    page = {"tiffinfo": {254: 2}, "save_all": True, "append_images": [Image.new("L", (9, 9))]}
    assert open_image(encoded(two_tone, "TIFF", **page)).size == (40, 24)


@pytest.mark.parametrize(
    "source", [b"\xff\xd8\xff", None, np.zeros((2, 2, 3)), Image.new("L", (2, 2)), io.StringIO()]
)
def test_a_source_that_is_neither_path_nor_file_is_called_by_its_type(source):
    with pytest.raises(TypeError, match=f"a path or a binary file .*not {type(source).__name__}$"):
        open_image(source)


def test_formats_that_run_programs_are_refused(tmp_path):
    (tmp_path / "evil.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert "not an image" in refusal(tmp_path / "evil.jpg")


def test_the_samples_are_five_small_jpegs_under_three_suffixes(samples):
    assert list(samples) == ["coffee.png", "cows.jpg", "cat.jpeg", "astronaut.jpg", "rocket.jpg"]
    folder = Path(find_images.__code__.co_filename).parents[1] / "data" / "samples"
    for name in samples:
        assert (folder / name).stat().st_size < 100_000
        assert (folder / name).read_bytes().startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("temporary", [tempfile.TemporaryFile, tempfile.SpooledTemporaryFile])
def test_an_upload_without_a_name_is_called_so(temporary):
    with (
        temporary() as upload,
        pytest.raises(ValueError, match=r"^the uploaded file: an empty file"),
    ):
        open_image(upload)


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
def test_padding_makes_no_bomb_of_a_phone_acceptable(file_format):
    white = Image.new("RGB", (6000, 5400), "white")
    if file_format == "HEIF":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(white.resize((600, 540))).save(file := io.BytesIO(), quality=1)
        data = file.getvalue()
        side = data.index(b"ispe") + 8
        data = data[:side] + struct.pack(">II", 6000, 5400) + data[side + 8 :]
    else:
        try:
            padding = b"Exif\0\0II*\0\x08\0\0\0" + bytes(60_000)
            data = encoded(white, file_format, speed=10, exif=padding).getvalue()
        except (KeyError, OSError, ValueError) as error:
            pytest.skip(f"this Pillow cannot write AVIF: {error}")
    padded = data + struct.pack(">I4s", 1_000_008, b"mdat") + bytes(1_000_000)
    for bomb in (data, padded):
        assert "a decompression bomb: 32 megapixels in " in refusal(io.BytesIO(bomb))


def test_a_photo_that_another_program_holds_for_a_moment_is_waited_for(
    two_tone, tmp_path, monkeypatch
):
    def busy(path, *mode):
        waited.append(path)
        if len(waited) < 3:
            raise PermissionError(errno.EACCES, "Access is denied")
        return opened(path, *mode)

    two_tone.save(tmp_path / "photo.png")
    waited, opened = [], Path.open
    monkeypatch.setattr(Path, "open", busy)
    assert open_image(tmp_path / "photo.png").size == (40, 24)


def test_a_photo_that_another_program_keeps_is_said_to_be_in_use(two_tone, tmp_path, monkeypatch):
    def busy(path, *mode):
        raise OSError(errno.EBUSY, "Device or resource busy")

    two_tone.save(tmp_path / "photo.png")
    monkeypatch.setattr(Path, "open", busy)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert "photo.png: in use by another program; close it" in refusal(tmp_path / "photo.png")
