"""The table of what each kind of file keeps says what happens."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import u2demo as u2
from u2demo.formats.exif import COPYRIGHT
from u2demo.images.profiles import adobe_rgb
from u2demo.images.write import encode

DOCS = Path(__file__).parents[2] / "docs"
SIZE = 64, 48
PHOTO = Image.effect_noise(SIZE, 60).convert("RGB")
PILLOW = {"WebP": "WEBP"}  # Pillow's name, where it is another


def table():
    """Return the table as {(kind of file, fact): what becomes of it}."""
    text = (DOCS / "promises.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    start = next(n for n, line in enumerate(lines) if line.startswith("| | transparency |"))
    facts = [cell.strip() for cell in lines[start].split("|")[2:-1]]
    cells = {}
    for line in lines[start + 2 :]:
        kind, *words = (cell.strip(" *") for cell in line.split("|")[1:-1])
        if len(words) != len(facts):
            break
        cells |= {(kind, fact): word for fact, word in zip(facts, words, strict=True)}
    return cells


TABLE = table()


def saved(kind, picture=PHOTO, **options):
    """Return the bytes of a file of that kind."""
    file = io.BytesIO()
    if kind == "HEIC":
        heif = pytest.importorskip("pillow_heif")
        more = options.pop("append_images", [])
        options.pop("save_all", None)
        pictures = heif.from_pillow(picture)
        for one in more:
            pictures.add_from_pillow(one)
        pictures.save(file, quality=95, **options)
        return file.getvalue()
    try:
        picture.save(file, PILLOW.get(kind, kind), **options)
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write {kind}: {error}")
    return file.getvalue()


def see_through(kind):
    """Return a file of that kind whose left half is transparent."""
    picture = PHOTO.convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 32, 48))
    if kind != "BMP":
        return saved(kind, picture)
    header = struct.pack("<I2i2H6I4I", 108, 64, -48, 1, 32, 3, 0, 0, 0, 0, 0,
                         0xFF0000, 0xFF00, 0xFF, 0xFF000000).ljust(108, b"\0")  # fmt: skip
    pixels = picture.tobytes("raw", "BGRA")
    return b"BM" + struct.pack("<I4xI", 122 + len(pixels), 122) + header + pixels


def with_profile(kind):
    """Return a file of that kind in Adobe RGB."""
    if kind != "BMP":
        return saved(kind, icc_profile=adobe_rgb())
    pixels = PHOTO.tobytes("raw", "BGR")
    header = struct.pack("<I2i2H6I", 124, 64, -48, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    header = header.ljust(56, b"\0") + b"DEBM".ljust(52, b"\0")
    header += struct.pack("<4I", 4, 124 + len(pixels), len(adobe_rgb()), 0)
    head = b"BM" + struct.pack("<I4xI", 138 + len(pixels) + len(adobe_rgb()), 138)
    return head + header + pixels + adobe_rgb()


def with_resolution(kind):
    if kind in ("WebP", "AVIF", "HEIC"):
        exif = Image.Exif()
        exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 300.0, 2
        return saved(kind, exif=exif.tobytes())
    return saved(kind, dpi=(300, 300))


def with_exif(kind):
    exif = Image.Exif()
    exif[COPYRIGHT] = "(c) Zoe"
    return saved(kind, exif=exif if kind == "TIFF" else exif.tobytes())


def with_more(kind):
    """Return a file of that kind with two more frames, pages or pictures."""
    others = [Image.effect_noise(SIZE, 9).convert("RGB") for _ in range(2)]
    return saved("MPO" if kind == "JPEG" else kind, save_all=True, append_images=others)


def with_gain_map(kind):
    """Return a file of that kind that mentions a gain map as the standard wants it."""
    if kind == "JPEG":
        mark = b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"
        jpeg = saved("JPEG")
        return jpeg[:2] + b"\xff\xe2" + struct.pack(">H", len(mark) + 2) + mark + jpeg[2:]
    # Its item is of the kind "tmap". No library writes one, so a reserved field speaks of it.
    data = saved(kind)
    place = data.index(b"pict") + 4
    return data[:place] + b"tmap" + data[place + 4 :]


def deep(kind):
    """Return a file of that kind with more than 8 bits a sample, half as bright as white."""
    gray = np.full((48, 64), 0x8080, np.uint16)
    if kind in ("PNG", "TIFF"):
        return saved(kind, Image.fromarray(gray))
    if kind == "AVIF":
        pytest.skip("nothing here writes an AVIF of more than 8 bits")
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pixels = np.repeat(gray[..., None], 3, 2).tobytes()
    heif.encode("RGB;16", SIZE, pixels, file, quality=95)
    return file.getvalue()


def pictures_of(photo):
    """Return files of each kind that pictures become, opened again."""
    picture = u2.highlight(photo, np.ones(SIZE[::-1], np.float32))
    suffixes = [".png", ".webp"] + [".jpg"] * (picture.mode == "RGB")
    return [Image.open(io.BytesIO(encode(picture, suffix, like=photo))) for suffix in suffixes]


def is_half_clear(picture):
    alpha = (
        np.asarray(picture.getchannel("A")) if picture.mode == "RGBA" else np.full((48, 64), 255)
    )
    return alpha[:, :30].max() < 9 and alpha[:, 34:].min() > 246


KEPT = {  # fact: how to make a file with it, and whether a picture has it
    "transparency": (see_through, is_half_clear),
    "color profile": (with_profile, lambda picture: picture.info.get("icc_profile") == adobe_rgb()),
    "resolution": (
        with_resolution,
        lambda picture: (
            abs((picture.info.get("dpi") or [picture.getexif().get(0x011A, 0)])[0] - 300) < 1
        ),
    ),
    "EXIF": (with_exif, lambda picture: picture.getexif().get(COPYRIGHT) == "(c) Zoe"),
}
REPORTED = {"more frames": (with_more, "more "), "gain map": (with_gain_map, "an HDR gain map")}


def outcome(kind, fact):
    """Return what becomes of a fact in files of a kind."""
    if fact in KEPT:
        make, has = KEPT[fact]
        found = {has(picture) for picture in pictures_of(u2.open_image(io.BytesIO(make(kind))))}
        return {frozenset({True}): "kept", frozenset({False}): "dropped"}.get(frozenset(found))
    if fact in REPORTED:
        make, words = REPORTED[fact]
        left_out = u2.open_image(io.BytesIO(make(kind))).info.get("left_out", ())
        return "reported" if any(words in phrase for phrase in left_out) else "dropped"
    gray = u2.open_image(io.BytesIO(deep(kind))).getpixel((32, 24))
    return "converted" if all(abs(level - 128) <= 2 for level in gray[:3]) else "damaged"


@pytest.mark.parametrize(("kind", "fact"), [cell for cell, word in TABLE.items() if word != "–"])
def test_what_the_table_says_happens(kind, fact):
    assert outcome(kind, fact) == TABLE[kind, fact]


def test_the_table_has_every_format_and_every_fact():
    kinds, facts = {kind for kind, _ in TABLE}, {fact for _, fact in TABLE}
    assert kinds == {"JPEG", "PNG", "WebP", "TIFF", "GIF", "BMP", "AVIF", "HEIC"}
    assert facts == {*KEPT, *REPORTED, "more than 8 bits"}
