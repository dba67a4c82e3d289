"""Resolution, copyright, author and dates go from every kind of file into every kind of picture."""

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

import u2demo as u2
from u2demo.formats.exif import ARTIST, CHANGED, COPYRIGHT, DESCRIPTION, TAKEN, read_exif
from u2demo.images.credits import credits_of_iptc, credits_of_texts, credits_of_xmp
from u2demo.images.write import METADATA, encode
from u2demo.pipeline import Result

ORIENTATION, SIZE, MAKE, MAKER_NOTE, SERIAL = 0x0112, 0xA002, 0x010F, 0x927C, 0xA431
PHOTO, PLACE = 0x8769, 0x8825
SUFFIXES = [".jpg", ".png", ".webp"]


def everything():
    """Return EXIF of a camera that has much to say."""
    exif = Image.Exif()
    exif[COPYRIGHT], exif[ARTIST], exif[MAKE], exif[ORIENTATION] = "(c) Zoë", "Zoë", "Maker", 6
    exif[CHANGED] = "2024:05:07 07:08:09"
    exif[PHOTO] = {TAKEN: "2024:05:06 07:08:09", SERIAL: "12345", SIZE: 64, MAKER_NOTE: b"m" * 99}
    exif[PLACE] = {1: "N", 2: (52.0, 31.0, 12.0)}
    return exif


def encoded(file_format, **options):
    file = io.BytesIO()
    Image.new("RGB", (64, 40), "teal").save(file, file_format, **options)
    return file


def opened(file_format, **options):
    try:
        return u2.open_image(encoded(file_format, **options))
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write {file_format}: {error}")


def written(photo, suffix, metadata="private"):
    picture = Image.new("RGB", photo.size)
    return Image.open(io.BytesIO(encode(picture, suffix, like=photo, metadata=metadata)))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_resolution_stays(file_format, suffix):
    photo = opened(file_format, dpi=(300, 200))
    assert photo.info["dpi"] == pytest.approx((300, 200), abs=0.1)
    assert written(photo, suffix).info["dpi"] == pytest.approx((300, 200), abs=0.1)


def test_webp_has_it_in_its_exif():
    photo = opened("JPEG", dpi=(300, 200))
    again = u2.open_image(io.BytesIO(encode(photo, ".webp", like=photo, metadata="none")))
    assert again.info["dpi"] == pytest.approx((300, 200))


def test_a_resolution_in_centimeters_is_converted():
    jfif = bytearray(encoded("JPEG", dpi=(100, 100)).getvalue())
    jfif[13] = 2  # JFIF's unit: dots a centimeter
    assert u2.open_image(io.BytesIO(jfif)).info["dpi"] == pytest.approx((254, 254))
    photo = opened("TIFF", resolution=100, resolution_unit="cm")
    assert photo.info["dpi"] == pytest.approx((254, 254))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_file_that_states_no_resolution_gets_none(file_format):
    exif = Image.Exif()
    exif[ARTIST] = "somebody"
    assert "dpi" not in opened(file_format, exif=exif).info


@pytest.mark.parametrize("dpi", [(0, 0), (1, 1), (0.001, 300), (4e9, 4e9)])
def test_a_resolution_that_makes_no_sense_is_left_out(dpi):
    assert "dpi" not in opened("TIFF", dpi=dpi).info


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF", "PNG"])
def test_a_photo_on_its_side_is_turned_with_its_resolution(file_format):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    photo = opened(file_format, exif=exif, dpi=(300, 200))
    assert photo.size == (40, 64)
    assert photo.info["dpi"] == pytest.approx((200, 300), abs=0.1)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_copyright_author_and_date_stay_and_nothing_that_tells_on_you(file_format, suffix):
    if file_format == "HEIF":
        heif = pytest.importorskip("pillow_heif")
        file = io.BytesIO()
        heif.from_pillow(Image.new("RGB", (64, 40))).save(file, exif=everything().tobytes())
        photo = u2.open_image(file)
    else:
        said = everything()
        if file_format == "TIFF":  # Pillow writes no other directories there
            del said[PHOTO], said[PLACE]
        photo = opened(file_format, exif=said)
    exif = written(photo, suffix).getexif()
    assert exif[COPYRIGHT].encode("latin-1", "replace").startswith(b"(c) Zo")
    assert exif[CHANGED] == "2024:05:07 07:08:09"
    assert exif.keys() <= {COPYRIGHT, ARTIST, CHANGED, PHOTO, 0x011A, 0x011B, 0x0128}
    if file_format != "TIFF":
        assert exif.get_ifd(PHOTO).items() >= {(TAKEN, "2024:05:06 07:08:09")}
        assert exif.get_ifd(PHOTO).keys() == {TAKEN, 0x9000}


def test_the_cameras_directory_of_a_tiff_is_read():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[PHOTO] = 0x11223344  # where it begins, as soon as that is known
    tags.tagtype[PHOTO] = 4
    tiff = encoded("TIFF", tiffinfo=tags).getvalue()
    tiff = tiff.replace(struct.pack("<I", 0x11223344), struct.pack("<I", len(tiff)))
    values = struct.pack("<I", len(tiff) + 2 + 12 + 4)
    tiff += struct.pack("<HHHI4s", 1, TAKEN, 2, 20, values) + bytes(4) + b"2024:05:06 07:08:09\0"
    said = read_exif(u2.open_image(io.BytesIO(tiff)).info["exif"])
    assert said.photo[TAKEN][1] == b"2024:05:06 07:08:09\0"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_that_stays_true_is_kept_on_demand(suffix):
    exif = written(opened("JPEG", exif=everything()), suffix, "keep").getexif()
    assert exif[MAKE] == "Maker"
    assert exif.get_ifd(PHOTO)[SERIAL] == "12345"
    assert exif.get_ifd(PLACE)[2] == (52.0, 31.0, 12.0)
    assert not {ORIENTATION} & exif.keys()
    assert not {SIZE, MAKER_NOTE} & exif.get_ifd(PHOTO).keys()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_kept_on_demand_but_resolution_and_colors(suffix):
    picture = written(opened("JPEG", exif=everything(), dpi=(300, 300)), suffix, "none")
    assert picture.getexif().keys() <= {0x011A, 0x011B, 0x0128}


def test_a_library_call_saves_as_told(scene, tmp_path):
    image, mask = scene
    image.info["exif"] = everything().tobytes()
    result = Result("cat.jpg", image, mask, {"crop": u2.crop(image, mask)})
    for metadata, tags in (("none", 0), ("private", 4), ("keep", 6)):
        (file,) = u2.save(result, tmp_path, metadata=metadata)
        assert len(Image.open(file).getexif()) == tags
    with pytest.raises(ValueError, match="unknown metadata 'all'; choose private, keep, none"):
        u2.save(result, tmp_path, metadata="all")
    assert list(METADATA) == ["private", "keep", "none"]


def test_a_picture_that_somebody_saves_himself_tells_no_place(scene):
    image, mask = scene
    image.info["exif"] = everything().tobytes()
    for effect in (u2.crop, u2.remove_background, u2.draw_box):
        assert "exif" not in effect(image, mask).info


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_in_either_byte_order_stays_in_it(order):
    exif = everything()
    exif.endian = order
    photo = opened("JPEG", exif=exif)
    assert photo.info["exif"][6:8] == {"<": b"II", ">": b"MM"}[order]
    assert read_exif(photo.info["exif"]).order == order
    assert written(photo, ".png", "keep").getexif().get_ifd(PLACE)[1] == "N"


XMP = """<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 photoshop:DateCreated="2024-05-06T07:08:09+02:00">
 <dc:creator><rdf:Seq><rdf:li>Zoë</rdf:li><rdf:li>Max</rdf:li></rdf:Seq></dc:creator>
 <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) Zoë</rdf:li>
 <rdf:li xml:lang="de">© Zoë</rdf:li></rdf:Alt></dc:rights>
 </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()
SAID = {COPYRIGHT: "(c) Zoë", ARTIST: "Zoë; Max", TAKEN: "2024:05:06 07:08:09"}


def test_xmp_says_who_made_it():
    assert credits_of_xmp(XMP) == SAID


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "AVIF"])
def test_credits_of_xmp_go_into_exif_where_that_is_silent(file_format):
    exif = Image.Exif()
    exif[ARTIST] = "EXIF's author"
    photo = opened(file_format, xmp=XMP, exif=exif)
    if "xmp" not in Image.open(encoded(file_format, xmp=XMP)).info:
        pytest.skip(f"this Pillow writes no XMP into {file_format}")
    said = read_exif(photo.info["exif"])
    assert said.image[COPYRIGHT][1] == "(c) Zoë\0".encode()
    assert said.image[ARTIST][1] == b"EXIF's author\0"
    assert said.photo[TAKEN][1] == b"2024:05:06 07:08:09\0"


IPTC = b"".join(
    b"\x1c\2" + bytes([number]) + struct.pack(">H", len(text)) + text
    for number, text in [
        (80, "Zoë".encode()), (80, b"Max"), (116, "(c) Zoë".encode()), (55, b"20240506"),
        (60, b"070809+0200"),
    ]
)  # fmt: skip


def test_iptc_says_who_made_it():
    assert credits_of_iptc(IPTC) == SAID


def test_credits_of_iptc_are_found_in_jpeg_and_tiff():
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + bytes(len(IPTC) % 2)
    segment = b"Photoshop 3.0\0" + resource
    jpeg = encoded("JPEG").getvalue()
    jpeg = jpeg[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(segment)) + segment + jpeg[2:]
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33723] = IPTC
    tags.tagtype[33723] = 7
    for file in (io.BytesIO(jpeg), encoded("TIFF", tiffinfo=tags)):
        assert read_exif(u2.open_image(file).info["exif"]).image[ARTIST][1] == "Zoë; Max\0".encode()


@pytest.mark.parametrize(("kind", "data"), [("iptc", IPTC), ("xmp", XMP)])
def test_credits_in_a_png_by_imagemagick_are_found(kind, data):
    texts = PngImagePlugin.PngInfo()
    text = f"\n{kind}\n{len(data):8}\n{data.hex()}\n"
    texts.add_text(f"Raw profile type {kind}", text, zip=True)
    said = read_exif(opened("PNG", pnginfo=texts).info["exif"])
    assert said.image[ARTIST][1] == "Zoë; Max\0".encode()
    assert said.photo[TAKEN][1] == b"2024:05:06 07:08:09\0"


def test_a_date_without_its_time_is_not_made_up():
    assert credits_of_iptc(b"\x1c\2\x37\0\x0820240506") == {TAKEN: "2024:05:06   :  :  "}


@pytest.mark.parametrize("pixels", [np.uint8, np.uint16, np.float32])
def test_credits_of_xmp_are_found_in_a_tiff_of_any_depth(pixels):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700] = XMP
    tags.tagtype[700] = 1
    file = io.BytesIO()
    Image.fromarray(np.zeros((40, 64), pixels)).save(file, "TIFF", tiffinfo=tags)
    assert read_exif(u2.open_image(file).info["exif"]).image[COPYRIGHT][1] == "(c) Zoë\0".encode()


@pytest.mark.parametrize(
    "date", ["Mon, 06 May 2024 07:08:09 +0000", "2024-05-06T07:08:09Z", "2024:05:06 07:08:09"]
)
def test_texts_of_a_png_count_too(date):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Max")
    texts.add_itxt("Description", "A cat")
    texts.add_text("Creation Time", date)
    said = read_exif(opened("PNG", pnginfo=texts).info["exif"])
    assert said.image[ARTIST][1] == b"Max\0"
    assert said.image[DESCRIPTION][1] == b"A cat\0"
    assert said.photo[TAKEN][1] == b"2024:05:06 07:08:09\0"


@pytest.mark.parametrize(
    "date", ["yesterday", "0", ", , ,", "6 May", "²²²²-05-06", "99 May 2024 25:00:00"]
)
def test_a_date_that_nobody_can_read_is_left_out(date):
    assert TAKEN not in credits_of_texts({"Creation Time": date})


BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<x>&b;</x>"""


@pytest.mark.parametrize("packet", [b"", b"<", b"no XML", BOMB, XMP[:300], b"\0" * 99, XMP * 2])
def test_damaged_or_hostile_xmp_says_nothing(packet):
    assert credits_of_xmp(packet) == {}


@pytest.mark.parametrize("tag", ["a", "rdf:Description", "rdf:li"])
def test_xmp_nested_as_deep_as_can_be_takes_no_time(tag):
    rdf = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description>'
    count = 499_000 // (2 * len(tag) + 5)
    nested = f"<{tag}>".encode() * count + f"</{tag}>".encode() * count
    begun = time.process_time()
    credits_of_xmp(rdf + nested + b"</rdf:Description></rdf:RDF>")
    assert time.process_time() - begun < 1


def greedy(entries, length):
    """Return EXIF of which ``entries`` fields are all the same ``length`` bytes."""
    start = 8 + 2 + 12 * entries + 4
    fields = [struct.pack("<HHII", 0x9C9B + i % 9, 1, length, start) for i in range(entries)]
    directory = struct.pack("<H", entries) + b"".join(fields) + bytes(4)
    return b"Exif\0\0II*\0\x08\0\0\0" + directory + b"x" * length


@pytest.mark.parametrize("length", [20_000, 300_000])
def test_exif_whose_fields_share_bytes_does_not_multiply(length):
    begun = time.process_time()
    photo = opened("WEBP", exif=greedy(20_000, length))
    assert time.process_time() - begun < 1
    assert len(photo.info.get("exif", b"")) <= 65_000


@pytest.mark.parametrize("cut", range(8, 200, 7))
def test_damaged_exif_costs_nothing_but_itself(cut):
    block = everything().tobytes()
    photo = opened("PNG", exif=block[:cut] + b"\xff" * 9 + block[cut + 9 :])
    assert sorted(photo.size) == [40, 64]
    written(photo, ".jpg", "keep").load()


def test_exif_too_long_for_a_jpeg_is_cut_down():
    exif = Image.Exif()
    exif[ARTIST] = "Zoë"
    exif[PHOTO] = {0x9286: b"x" * 40_000, 0xA420: "y" * 40_000}
    photo = opened("PNG", exif=exif)
    for suffix in SUFFIXES:
        assert written(photo, suffix, "keep").getexif()[ARTIST]
