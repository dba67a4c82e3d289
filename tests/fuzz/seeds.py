"""Whole files to start from: the packaged photos in every format and kind there is."""

import io
import struct
import zlib
from collections.abc import Iterator
from importlib import resources

import numpy as np
from PIL import Image, ImageCms
from tiffs import tiff, tiled

from u2demo.images.read import sample_images

_ORIENTATION, _DESCRIPTION = 0x0112, 0x010E
# Adam7, by x and y: first column, step, first row, step (PNG specification, 8.1).
_PASSES = (
    (0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)
)  # fmt: skip


def seeds() -> dict[str, bytes]:
    """Return files by what they are; HEIC and AVIF where they can be written."""
    photos = [image.resize((48, 36)) for image in sample_images().values()]
    files = {"sample": (resources.files("u2demo") / "data/samples/cat.jpeg").read_bytes()}
    for group in (_jpegs, _pngs, _tiffs, _others, _foreign):
        files |= {name: data for name, data in group(photos) if data}
    return files


def _jpegs(photos: list[Image.Image]) -> Iterator[tuple[str, bytes]]:
    photo = photos[0]
    yield "jpeg", _save(photo, "JPEG")
    yield "jpeg progressive", _save(photo, "JPEG", progressive=True)
    yield "jpeg grey", _save(photo.convert("L"), "JPEG")
    yield "jpeg cmyk", _save(photo.convert("CMYK"), "JPEG")
    yield "jpeg metadata", _save(photo, "JPEG", exif=_exif(6), icc_profile=_profile(), comment="a")
    yield "jpeg restart", _save(photo, "JPEG", restart_marker_rows=1, subsampling=0)
    yield "mpo", _save(photo, "MPO", save_all=True, append_images=photos[1:])


def _pngs(photos: list[Image.Image]) -> Iterator[tuple[str, bytes]]:
    photo = photos[1]
    rgba = photo.copy()
    rgba.putalpha(photo.convert("L"))
    for mode in ("1", "L", "LA", "RGB", "RGBA"):
        yield f"png {mode}", _save(rgba.convert(mode), "PNG")
    for bits in (1, 2, 4, 8):
        palette = photo.quantize(2**bits)
        yield f"png palette {bits}", _save(palette, "PNG", bits=bits)
        clear = bytes(range(0, 256, 256 // 2**bits))
        yield f"png palette {bits} tRNS", _save(palette, "PNG", bits=bits, transparency=clear)
    yield "png L tRNS", _save(photo.convert("L"), "PNG", transparency=90)
    yield "png RGB tRNS", _save(photo, "PNG", transparency=(1, 2, 3))
    yield "png metadata", _save(photo, "PNG", exif=_exif(8), icc_profile=_profile(), dpi=(72, 72))
    yield "png animated", _save(photo, "PNG", save_all=True, append_images=photos[2:])
    deep = np.asarray(rgba, np.uint16) * 257
    for color, bands in ((0, [0]), (2, [0, 1, 2]), (4, [0, 3]), (6, [0, 1, 2, 3])):
        for interlaced in (False, True):
            name = f"png 16 bit {len(bands)}{' interlaced' * interlaced}"
            yield name, _png(deep[..., bands].astype(">u2"), 16, color, interlaced)
    yield "png interlaced", _png(np.asarray(photo), 8, 2, True)


def _tiffs(photos: list[Image.Image]) -> Iterator[tuple[str, bytes]]:
    photo = photos[2]
    for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        yield f"tiff {compression}", _save(photo, "TIFF", compression=compression)
    yield "tiff group4", _save(photo.convert("1"), "TIFF", compression="group4")
    for mode in ("1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "LAB", "I"):
        yield f"tiff {mode}", _save(_as(photo, mode), "TIFF")
    grey = np.asarray(photo.convert("L"), np.float32) / 255
    for place, odd in enumerate((np.nan, np.inf, -np.inf, 3e38, -1)):
        grey[place] = odd
    yield "tiff float", _save(Image.fromarray(grey), "TIFF")
    yield "tiff float lzw", _save(Image.fromarray(grey), "TIFF", compression="tiff_lzw")
    deep = np.asarray(photo.convert("L"), np.uint16) * 257
    yield "tiff 16 bit", _save(Image.fromarray(deep), "TIFF")
    yield "tiff big", _save(photo, "TIFF", big_tiff=True)
    yield "tiff pages", _save(photo, "TIFF", save_all=True, append_images=photos[:2])
    yield from _odd_tiffs(photo)
    yield "tiff metadata", _save(photo, "TIFF", exif=_exif(5), icc_profile=_profile())


def _odd_tiffs(photo: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yield the kinds that Pillow misreads, and u2demo reads by itself."""
    color = np.asarray(photo).astype(np.int64)
    gray = color[..., :1]
    for bits in (4, 12, 24, 32):
        samples = gray * (2**bits - 1) // 255
        yield f"tiff {bits} bit", tiff(samples, bits, photometric=0, order=">", strips=5)
    for deflate in (False, True):
        kind = " deflate" * deflate
        deep = color * 257
        yield f"tiff planar{kind}", tiff(deep, 16, photometric=2, planar=2, deflate=deflate)
        yield f"tiff floats{kind}", tiff(color / 255, 32, photometric=2, form=3, deflate=deflate)
        yield f"tiff tiles{kind}", tiled(deep[..., 0], 16, deflate=deflate)
    yield "tiff differences", tiff(color, 8, photometric=2, planar=2, deflate=True, predictor=2)
    ramp = list(range(0, 2**16, 2**12)) * 3
    yield "tiff palette", tiff(gray // 16, 4, photometric=3, colors=ramp, fill=2)


def _others(photos: list[Image.Image]) -> Iterator[tuple[str, bytes]]:
    photo, frames = photos[3], {"save_all": True, "append_images": photos[:2]}
    yield "webp", _save(photo, "WEBP", exif=_exif(3), icc_profile=_profile())
    yield "webp plain", _save(photo, "WEBP")
    yield "webp lossless", _save(_as(photo, "RGBA"), "WEBP", lossless=True)
    yield "webp animated", _save(photo, "WEBP", **frames)
    yield "gif", _save(photo, "GIF")
    yield "gif animated", _save(photo, "GIF", **frames, transparency=0)
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"bmp {mode}", _save(_as(photo, mode), "BMP")
    yield "bmp rle", _bmp_rle(photo.quantize(16))
    yield "bmp masks", _bmp_masks(photo)
    yield "avif", _save(photo, "AVIF", exif=_exif(6))
    yield "heif", _heif(photo)


def _foreign(photos: list[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield what Pillow reads and u2demo does not: it is refused, whatever happens to it."""
    for form in ("ICO", "PPM", "TGA", "JPEG2000", "PCX", "SGI", "DDS", "EPS"):
        yield f"foreign {form}", _save(photos[0], form)


def _heif(picture: Image.Image) -> bytes | None:
    try:
        import pillow_heif
    except ImportError:
        return None
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file)
    return file.getvalue()


def _save(picture: Image.Image, form: str, **options: object) -> bytes | None:
    file = io.BytesIO()
    if frames := options.get("append_images"):
        options["append_images"] = [frame.copy() for frame in frames]
    try:
        picture.copy().save(file, form, **options)  # a copy: Pillow leaves notes on what it saves
    except KeyError:  # this Pillow cannot write it
        return None
    return file.getvalue()


def _as(photo: Image.Image, mode: str) -> Image.Image:
    if mode != "LAB":
        return photo.convert(mode)
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.profileToProfile(photo, *profiles, outputMode="LAB")


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_DESCRIPTION] = orientation, "a photo " * 9
    exif.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    return exif


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(samples: np.ndarray, depth: int, color: int, interlaced: bool) -> bytes:
    """Return what Pillow cannot write: 16 bits a sample in color, and Adam7."""
    height, width = samples.shape[:2]
    passes = _PASSES if interlaced else ((0, 1, 0, 1),)
    rows = (row for x, dx, y, dy in passes for row in samples[y::dy, x::dx])
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">2I5B", width, height, depth, color, 0, 0, interlaced)
    parts = (b"IHDR", header), (b"IDAT", data), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def _bmp_masks(picture: Image.Image) -> bytes:
    words = (np.asarray(picture, np.uint16) >> 4) << (8, 4, 0)
    rows = (words.sum(2) | 0xF000).astype("<u2").tobytes()
    size, masks = picture.size, (0xF00, 0xF0, 0xF, 0xF000)
    info = struct.pack("<I2i2H6I4I", 56, *size, 1, 16, 3, len(rows), 0, 0, 0, 0, *masks)
    return struct.pack("<2sI2HI", b"BM", 70 + len(rows), 0, 0, 70) + info + rows


def _bmp_rle(picture: Image.Image) -> bytes:
    palette = b"".join(
        bytes((*color[::-1], 0)) for color in np.array(picture.getpalette()).reshape(-1, 3).tolist()
    )
    rows = (
        b"".join(bytes((1, index)) for index in row) + b"\0\0"
        for row in np.asarray(picture)[::-1].tolist()
    )
    data = b"".join(rows) + b"\0\1"
    colors, start = len(palette) // 4, 54 + len(palette)
    info = struct.pack("<I2i2H6I", 40, *picture.size, 1, 8, 1, len(data), 0, 0, colors, 0)
    return struct.pack("<2sI2HI", b"BM", start + len(data), 0, 0, start) + info + palette + data
